// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// The parts of a file that were fetched, by where they lie in it.
///
/// Cost: O(log parts) a look-up; slices share the memory of the parts.
public struct FileBytes: Sendable {
  private let offsets: [Int64]
  private let parts: [Buffer]

  /// - Parameter parts: in any order; two may overlap, but none may lie inside another.
  public init(_ parts: [(offset: Int64, bytes: Buffer)]) {
    let sorted = parts.sorted { $0.offset < $1.offset }
    offsets = sorted.map(\.offset)
    self.parts = sorted.map(\.bytes)
  }

  /// A file that is there as a whole.
  public init(wholeFile bytes: Buffer) { self.init([(0, bytes)]) }

  /// How many bytes there are.
  package var byteCount: Int { parts.reduce(0) { $0 + $1.count } }

  /// The bytes of `range`, without a copy; nil if no part holds them all.
  public func slice(_ range: Range<Int64>) -> Buffer? {
    guard let (part, offset) = part(holding: range.lowerBound) else { return nil }
    let length = range.upperBound - range.lowerBound
    guard length <= Int64(part.count - offset) else { return nil }
    return part.slice(offset..<offset + Int(length))
  }

  /// What there is from `offset` on, up to `limit`; nil if no part holds that place.
  func rest(from offset: Int64, to limit: Int64) -> Buffer? {
    guard offset < limit, let (part, start) = part(holding: offset) else { return nil }
    let length = min(Int64(part.count - start), limit - offset)
    return part.slice(start..<start + Int(length))
  }

  /// The last part that begins at or before `offset` and ends behind it, and where that is in it.
  private func part(holding offset: Int64) -> (Buffer, Int)? {
    var low = 0
    var high = offsets.count
    while low < high {
      let middle = (low + high) / 2
      if offsets[middle] <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let start = offset - offsets[low - 1]
    guard start <= Int64(parts[low - 1].count) else { return nil }
    return (parts[low - 1], Int(start))
  }
}
