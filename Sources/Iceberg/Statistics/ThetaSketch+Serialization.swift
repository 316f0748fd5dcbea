// SPDX-License-Identifier: Apache-2.0
public import Bytes

// Compact sketches, ordered, of serial version 3:
//
//     count of 8-byte words before the hashes | 3 | 3 (compact) | 0 | 0 | flags | hash of the seed (2)
//     how many hashes (4) | 0 (4)             if there is more than one, or theta
//     theta (8)                               if values were let go
//     hashes (8 each), ascending
//
// Source: Apache DataSketches, "Theta Sketch Framework", preamble of compact sketches.

extension ThetaSketch {
  static let serialVersion: UInt8 = 3
  static let compactFamily: UInt8 = 3
  /// Of ``seed``: the low half of the low word of its hash.
  static let seedHash: UInt16 = 37_836
  private static let document = "theta sketch"

  /// What the flags of a sketch say.
  private struct Flags: OptionSet {
    let rawValue: UInt8
    static let bigEndian = Flags(rawValue: 1)
    static let readOnly = Flags(rawValue: 2)
    static let empty = Flags(rawValue: 4)
    static let compact = Flags(rawValue: 8)
    static let ordered = Flags(rawValue: 16)
    static let single = Flags(rawValue: 32)
  }

  /// The sketch as it is in a blob.
  public func serialized() -> Buffer {
    let (entries, theta) = compact
    let isEstimate = theta < Self.everything
    let isSingle = !isEstimate && entries.count == 1
    let isEmpty = !isEstimate && entries.isEmpty
    let wordCount: UInt8 = isEstimate ? 3 : entries.count > 1 ? 2 : 1
    var flags: Flags = [.readOnly, .compact, .ordered]
    if isEmpty { flags.insert(.empty) }
    if isSingle { flags.insert(.single) }
    var writer = ByteWriter(capacity: 24 + entries.count * 8)
    writer.write([wordCount, Self.serialVersion, Self.compactFamily, 0, 0, flags.rawValue])
    writer.writeLE(Self.seedHash)
    if wordCount > 1 {
      writer.writeLE(UInt32(entries.count))
      writer.writeLE(UInt32(0))
    }
    if isEstimate { writer.writeLE(theta) }
    for hash in entries { writer.writeLE(hash) }
    return writer.finish()
  }

  /// The sketch that the bytes of a blob are.
  ///
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if they are none, and
  ///   ``IcebergError/unsupported(_:)`` for forms that are no compact sketch of serial version 3.
  public init(serialized bytes: RawSpan) throws(IcebergError) {
    guard bytes.byteCount >= 8 else {
      throw Self.malformed("its size", "8 bytes or more", "\(bytes.byteCount)")
    }
    let wordCount = Int(bytes[0] & 0x3f)
    let flags = Flags(rawValue: bytes[5])
    guard bytes[1] == Self.serialVersion, bytes[2] == Self.compactFamily,
      flags.contains(.compact), !flags.contains(.bigEndian)
    else {
      throw .unsupported(
        "a theta sketch of serial version \(bytes[1]), family \(bytes[2]), flags \(bytes[5])")
    }
    guard !flags.contains(.empty) else {
      self.init()
      return
    }
    let seedHash = bytes.loadLE(at: 6, as: UInt16.self)
    guard seedHash == Self.seedHash else {
      throw Self.malformed("its seed's hash", "\(Self.seedHash)", "\(seedHash)")
    }
    guard (1...3).contains(wordCount), bytes.byteCount >= wordCount * 8 else {
      throw Self.malformed("its preamble", "1 to 3 words that are there", "\(wordCount)")
    }
    let entryCount = wordCount == 1 ? 1 : Int(bytes.loadLE(at: 8, as: UInt32.self))
    guard bytes.byteCount - wordCount * 8 == entryCount * 8 else {
      throw Self.malformed(
        "its size", "\(entryCount) hashes", "\(bytes.byteCount - wordCount * 8) bytes")
    }
    let theta = wordCount == 3 ? bytes.loadLE(at: 16, as: UInt64.self) : Self.everything
    guard theta <= Self.everything else {
      throw Self.malformed("its theta", "63 bits", "\(theta)")
    }
    var entries: Set<UInt64> = []
    for index in 0..<entryCount {
      let hash = bytes.loadLE(at: (wordCount + index) * 8, as: UInt64.self)
      guard hash > 0, hash < theta, entries.insert(hash).inserted else {
        throw Self.malformed("hash \(index)", "one of its own, below theta", "\(hash)")
      }
    }
    self.init(entries: Array(entries), theta: theta)
  }

  private static func malformed(
    _ place: String, _ expected: String, _ found: String
  ) -> IcebergError {
    .malformed(document, at: place, expected: expected, found: found)
  }
}
