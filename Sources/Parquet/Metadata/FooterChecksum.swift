// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The checksums Lake puts into footers, as the format has none for footer and indexes.
///
///     lake.footer-crc32c := CRC-32C of the footer as it is, this value being "00000000" in it
///     lake.index-crc32c  := CRC-32C of all bytes between the last page and the footer
///
/// Both are eight lower-case hexadecimal digits. They count only where the footer says that Lake
/// wrote it: others copy key-value pairs into footers of their own.
/// Source: this project's SPEC.md, "Checksums".
package enum FooterChecksum {
  package static let footerKey = "lake.footer-crc32c"
  package static let indexKey = "lake.index-crc32c"
  static let blank = "00000000"

  /// True if footers by `createdBy` have checksums that mean something.
  package static func applies(to createdBy: String?) -> Bool {
    createdBy?.hasPrefix("lake version ") ?? false
  }

  /// The eight digits for a checksum.
  static func text(_ checksum: UInt32) -> String {
    (0..<4).reversed().map { UInt8(truncatingIfNeeded: checksum >> UInt32(8 * $0)) }.hexadecimal
  }

  /// The checksum of a footer (without length and magic); nil if there is no place for it in there.
  static func checksum(of footer: RawSpan) -> UInt32? {
    guard let place = valueOffset(in: footer) else { return nil }
    let before = CRC32C.checksum(footer.extracting(0..<place))
    let blank = CRC32C.checksum(Buffer(utf8: Self.blank).bytes, continuing: before)
    return CRC32C.checksum(
      footer.extracting(place + 8..<footer.byteCount), continuing: blank)
  }

  /// Where the digits are: behind the key, a field header and their length, as Lake writes them.
  private static func valueOffset(in footer: RawSpan) -> Int? {
    let pattern = Buffer([UInt8](footerKey.utf8) + [0x18, 8])
    let needed = pattern.count + 8
    guard footer.byteCount >= needed else { return nil }
    var found: Int?
    for start in 0...footer.byteCount - needed
    where footer[start] == pattern.bytes[0]
      && footer.extracting(start..<start + pattern.count).hasSameBytes(as: pattern.bytes)
    {
      found = start + pattern.count
    }
    return found
  }

  /// Checks the bytes of a footer (without length and magic) that was decoded to `metaData`.
  ///
  /// - Throws: ``ParquetError/checksumMismatch(_:expected:found:)``. Nothing where there is no
  ///   checksum, or one that does not count.
  package static func verify(_ footer: RawSpan, _ metaData: FileMetaData) throws(ParquetError) {
    guard let expected = stated(footerKey, in: metaData) else { return }
    let found = checksum(of: footer) ?? ~expected
    if found != expected {
      throw .checksumMismatch(.footer, expected: expected, found: found)
    }
  }

  /// Checks the bytes between the last page of a file and its footer.
  ///
  /// - Throws: as ``verify(_:_:)``.
  package static func verifyIndexes(
    _ indexes: RawSpan, _ metaData: FileMetaData
  ) throws(ParquetError) {
    guard let expected = stated(indexKey, in: metaData) else { return }
    let found = CRC32C.checksum(indexes)
    if found != expected {
      throw .checksumMismatch(.footer, expected: expected, found: found)
    }
  }

  private static func stated(_ key: String, in metaData: FileMetaData) -> UInt32? {
    guard applies(to: metaData.createdBy) else { return nil }
    let value = metaData.keyValueMetadata?.last { $0.key == key }?.value
    return value.flatMap { UInt32($0, radix: 16) }
  }
}
