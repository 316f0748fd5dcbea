// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// The checksum Lake puts at the end of each page header, page index and Bloom filter, as the format
/// has one for the bytes of pages alone.
///
///     structure := fields, extension, byte 0
///     extension := 08 FF FF 01 (field 32767, binary), 0F (its length), checksum, "lake-crc32c"
///     checksum  := CRC-32C of the fields, then of what the structure is about (the bits of a Bloom
///                  filter); 4 bytes, little-endian
///
/// Readers skip the field, whose id the format sets aside for this. One flipped bit is noticed here,
/// or is in the extension and harms nothing; in the byte 0 it shifts what follows.
/// Source: parquet-format BinaryProtocolExtensions.md; this project's SPEC.md, "Lake's own marks".
package enum StructureChecksum {
  private static let header: [UInt8] = [0x08, 0xff, 0xff, 0x01, 0x0f]
  private static let tag = Array("lake-crc32c".utf8)
  private static let head = Buffer(header)
  private static let tail = Buffer(tag + [0])
  /// From the header to the byte 0.
  private static let byteCount = head.count + 4 + tail.count

  /// `structure`, encoded, with its checksum.
  ///
  /// Requires: it ends in a byte 0, as all do.
  package static func seal(_ structure: Buffer, followedBy subject: Buffer = .empty) -> Buffer {
    precondition(structure.bytes.byteCount > 0, "a structure without an end")
    let fields = structure.bytes.extracting(0..<structure.count - 1)
    var output = ByteWriter(capacity: structure.count + byteCount)
    output.write(fields)
    output.write(header)
    output.writeLE(checksum(fields, subject.bytes))
    output.write(tag)
    output.write(0)
    return output.finish()
  }

  private static func checksum(_ fields: RawSpan, _ subject: RawSpan) -> UInt32 {
    CRC32C.checksum(subject, continuing: CRC32C.checksum(fields))
  }

  /// What a structure says its checksum is, and what it is.
  package struct Finding: Hashable, Sendable {
    package let stated: UInt32
    package let found: UInt32

    package var isMatch: Bool { stated == found }
  }

  /// Looks at the checksum of `structure`, which is one from its first byte to its last; nil if it
  /// has none.
  package static func finding(
    _ structure: RawSpan, followedBy subject: Buffer = .empty
  ) -> Finding? {
    let end = structure.byteCount - byteCount
    guard end >= 0 else { return nil }
    let stated = end + head.count
    guard structure.extracting(end..<stated).hasSameBytes(as: head.bytes),
      structure.extracting(stated + 4..<structure.byteCount).hasSameBytes(as: tail.bytes)
    else { return nil }
    return Finding(
      stated: structure.loadLE(at: stated, as: UInt32.self),
      found: checksum(structure.extracting(0..<end), subject.bytes))
  }

  /// True unless `structure` has a checksum, and another one than it should.
  package static func isIntact(_ structure: RawSpan) -> Bool { finding(structure)?.isMatch ?? true }

  /// True unless `bytes` begin with a short structure that has a checksum of it and all that follows,
  /// and another one than it should.
  package static func isIntact(beginningOf bytes: Buffer) -> Bool {
    let span = bytes.bytes
    for end in stride(from: byteCount, through: min(byteCount + 64, bytes.count), by: 1)
    where span.extracting(end - tail.count..<end).hasSameBytes(as: tail.bytes) {
      let subject = bytes.slice(end..<bytes.count)
      return finding(span.extracting(0..<end), followedBy: subject)?.isMatch ?? false
    }
    return true
  }
}
