// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes

/// The checksum that Lake puts into the header of an Avro file it writes.
///
/// It is the value of entry `lake.crc32c`: eight hexadecimal digits, the CRC-32C of all bytes of
/// the file with eight `0` in place of these digits. Deflated blocks have no checksum of their own.
enum FileChecksum {
  static let key = "lake.crc32c"
  static let placeholder = Array("00000000".utf8)

  /// `file`, which was written with the placeholder, with its checksum in it.
  static func sealing(_ file: Buffer) -> Buffer {
    guard let offset = try? offset(in: file.bytes) else { return file }
    let checksum = CRC32C.checksum(file.bytes)
    var sealed = MutableBuffer(byteCount: file.count)
    sealed.replace(at: 0, with: file.bytes)
    sealed.replace(at: offset, with: Buffer(utf8: hexadecimal(checksum)).bytes)
    return sealed.freeze()
  }

  /// Throws unless `file` is what was written; a file without the entry is not checked.
  static func verify(_ file: Buffer, as document: String) throws(IcebergError) {
    let found: Int?
    do { found = try offset(in: file.bytes) } catch { throw .avro(error, in: document) }
    guard let offset = found else { return }
    let digits = file.bytes.extracting(offset..<offset + placeholder.count)
    guard let text = String(validatingUTF8: digits),
      text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
      let recorded = UInt32(text, radix: 16)
    else {
      throw .malformed(
        document, at: key, expected: "eight hexadecimal digits", found: "other bytes")
    }
    var computed = CRC32C.checksum(file.bytes.extracting(0..<offset))
    let zeros = DocumentChecksum.zeroDigits
    computed = CRC32C.checksum(zeros.bytes, continuing: computed)
    let rest = file.bytes.extracting(offset + placeholder.count..<file.count)
    computed = CRC32C.checksum(rest, continuing: computed)
    guard computed == recorded else {
      throw .checksumMismatch(document, recorded: recorded, computed: computed)
    }
  }

  /// Where the digits begin; nil if the header has no such entry.
  private static func offset(in file: RawSpan) throws(AvroError) -> Int? {
    var decoder = AvroDecoder(file)
    _ = try decoder.readFixed(4)
    while case let count = try decoder.readBlockCount(elementByteCount: 2), count > 0 {
      for _ in 0..<count {
        let isOurs = try decoder.readString() == key
        let value = try decoder.readBytes()
        if isOurs, value.byteCount == placeholder.count {
          return decoder.offset - placeholder.count
        }
      }
    }
    return nil
  }
}
