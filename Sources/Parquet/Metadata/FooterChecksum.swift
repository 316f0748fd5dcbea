// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The checksum Lake puts into footers, as the format has none.
///
///     lake.footer-crc32c := CRC-32C of the footer as it is, this value being "00000000" in it
///
/// It is eight lower-case hexadecimal digits, and counts only where Lake wrote the footer: others
/// copy key-value pairs into footers of their own. It is the last pair, and is looked for in the
/// bytes, with `created_by` behind it, so that damage elsewhere can't hide it.
/// Source: this project's SPEC.md, "Lake's own marks in tables".
package enum FooterChecksum {
  package static let footerKey = "lake.footer-crc32c"
  static let blank = "00000000"
  private static let creator = "lake version "

  /// The key, the header of the value's field, and its length.
  private static let before = Buffer([UInt8](footerKey.utf8) + [0x18, 8])
  /// How many bytes are between the digits and the creator: the ends of the pair and of the list,
  /// the header of the next field, a length.
  private static let gap = 3
  private static let after = Buffer(utf8: creator)

  /// The eight digits for a checksum.
  static func text(_ checksum: UInt32) -> String {
    (0..<4).reversed().map { UInt8(truncatingIfNeeded: checksum >> UInt32(8 * $0)) }.hexadecimal
  }

  /// Where the digits are in a footer that Lake wrote; nil in others.
  private static func place(in footer: RawSpan) -> Int? {
    let length = before.count + 8 + gap + after.count
    guard footer.byteCount >= length else { return nil }
    var start = footer.byteCount - length
    while start >= 0 {
      if footer[start] == before.bytes[0], isPlace(start, footer) { return start + before.count }
      start -= 1
    }
    return nil
  }

  private static func isPlace(_ start: Int, _ footer: RawSpan) -> Bool {
    let creatorStart = start + before.count + 8 + gap
    return footer.extracting(start..<start + before.count).hasSameBytes(as: before.bytes)
      && footer.extracting(creatorStart..<creatorStart + after.count).hasSameBytes(as: after.bytes)
  }

  /// Checks the bytes of a footer, without length and magic. Says nothing of those of others.
  ///
  /// Cost: O(footer).
  /// - Throws: ``ParquetError/checksumMismatch(_:expected:found:)``.
  package static func verify(_ footer: RawSpan) throws(ParquetError) {
    guard let place = place(in: footer) else { return }
    let head = CRC32C.checksum(footer.extracting(0..<place))
    let digits = CRC32C.checksum(Buffer(utf8: blank).bytes, continuing: head)
    let found = CRC32C.checksum(
      footer.extracting(place + 8..<footer.byteCount), continuing: digits)
    let stated = String(validatingUTF8: footer.extracting(place..<place + 8))
    if stated != text(found) {
      let expected = stated.flatMap { UInt32($0, radix: 16) } ?? 0
      throw .checksumMismatch(.footer, expected: expected, found: found)
    }
  }

  /// True if Lake wrote the footer that was decoded to `metadata`.
  static func isOurs(_ metadata: FileMetaData) -> Bool {
    metadata.createdBy?.hasPrefix(creator) ?? false
  }
}
