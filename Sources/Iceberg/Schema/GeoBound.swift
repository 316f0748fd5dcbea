// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A corner of the box around the shapes of a geometry or geography column: a bound of it.
///
///     bytes := x y [z [m]]     little-endian doubles; without z but with m, z is NaN
///
/// Of a geography, a lower x above the upper one means that the box crosses the antimeridian.
///
/// Source: Iceberg spec, "Appendix D: Single-value serialization", "Bound serialization".
public struct GeoBound: Hashable, Sendable {
  public var x: Double
  public var y: Double
  public var z: Double?
  public var m: Double?

  public init(x: Double, y: Double, z: Double? = nil, m: Double? = nil) {
    self.x = x
    self.y = y
    self.z = z
    self.m = m
  }

  public var encoded: [UInt8] {
    var coordinates = [x, y]
    if let m { coordinates += [z ?? .nan, m] } else if let z { coordinates.append(z) }
    return coordinates.flatMap(\.bitPattern.littleEndianBytes)
  }

  /// Nil if `bytes` are no such point: another length, or an x or y that is NaN.
  public init?(encoded bytes: [UInt8]) {
    guard [16, 24, 32].contains(bytes.count) else { return nil }
    var coordinates: [Double] = []
    for offset in stride(from: 0, to: bytes.count, by: 8) {
      let bits = unsafe bytes.span.bytes.loadLE(at: offset, as: UInt64.self)
      coordinates.append(Double(bitPattern: bits))
    }
    guard !coordinates[0].isNaN, !coordinates[1].isNaN else { return nil }
    x = coordinates[0]
    y = coordinates[1]
    z = coordinates.count > 2 && !coordinates[2].isNaN ? coordinates[2] : nil
    m = coordinates.count > 3 && !coordinates[3].isNaN ? coordinates[3] : nil
  }

  /// The corners of the box around `points`, whose missing coordinates are nil or NaN.
  ///
  /// A coordinate no point has is left out; without any x or any y there is no box.
  public static func box(
    around points: [(x: Double, y: Double, z: Double?, m: Double?)]
  ) -> (lower: GeoBound, upper: GeoBound)? {
    func range(_ values: [Double?]) -> (Double, Double)? {
      let known = values.compactMap { $0 }.filter { !$0.isNaN }
      guard let low = known.min(), let high = known.max() else { return nil }
      return (low, high)
    }
    guard let x = range(points.map(\.x)), let y = range(points.map(\.y)) else { return nil }
    let z = range(points.map(\.z))
    let m = range(points.map(\.m))
    return (
      GeoBound(x: x.0, y: y.0, z: z?.0, m: m?.0), GeoBound(x: x.1, y: y.1, z: z?.1, m: m?.1)
    )
  }
}
