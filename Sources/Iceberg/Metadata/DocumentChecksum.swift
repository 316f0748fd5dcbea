// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The checksum in a metadata document (see ``TableMetadata/checksumField``).
///
/// The checksum of the snapshots, which are most of a document and do not change, is taken apart
/// from the rest, and kept: a commit does not sum them again.
enum DocumentChecksum {
  /// What stands in place of a checksum while it is taken.
  static let zeroDigits = Buffer(utf8: "00000000")

  /// Bytes of a document whose checksum is known.
  struct Part {
    let range: Range<Int>
    let checksum: UInt32
  }

  /// The checksum of the document that `bytes` become when its field and the last brace follow.
  static func ofDocument(_ bytes: RawSpan, copied: Part?) -> UInt32 {
    var checksum: UInt32 = 0
    var start = 0
    if let copied {
      checksum = CRC32C.combining(
        CRC32C.checksum(bytes.extracting(0..<copied.range.lowerBound)), copied.checksum,
        ofByteCount: copied.range.count)
      start = copied.range.upperBound
    }
    checksum = CRC32C.checksum(
      bytes.extracting(start..<bytes.byteCount), continuing: checksum)
    let tail = Buffer(utf8: ",\"\(TableMetadata.checksumField)\":\"00000000\"}")
    return CRC32C.checksum(tail.bytes, continuing: checksum)
  }

  /// True if `json` ends as Lake ends the documents it writes.
  static func isAtEnd(of json: Buffer) -> Bool {
    let tail = Array(",\"\(TableMetadata.checksumField)\":\"00000000\"}".utf8)
    guard json.count > tail.count else { return false }
    let end = json.slice(json.count - tail.count..<json.count).array()
    return zip(tail, end).enumerated().allSatisfy { index, pair in
      // The digits are what they are.
      pair.0 == pair.1 || (tail.count - 10..<tail.count - 2).contains(index)
    }
  }

  /// Throws unless `json` has the checksum that it states.
  ///
  /// - Parameters:
  ///   - digits: where the field's value lies, quotes included.
  ///   - part: bytes whose own checksum is wanted; they hold the digits, or don't.
  /// - Returns: the checksum of `part`.
  static func verify(
    _ json: Buffer, digits: Range<Int>, part: Range<Int>?
  ) throws(IcebergError) -> UInt32? {
    let value = json.bytes.extracting(digits)
    guard digits.count == 10, let text = String(validatingUTF8: value.extracting(1..<9)),
      text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
      let recorded = UInt32(text, radix: 16)
    else {
      throw .malformed(
        TableMetadata.document, at: TableMetadata.checksumField,
        expected: "eight hexadecimal digits",
        found: String(validatingUTF8: value.extracting(first: min(digits.count, 40))) ?? "bytes")
    }
    let zeroed = digits.lowerBound + 1..<digits.upperBound - 1
    var sum = Sum(json: json, zeroed: zeroed)
    var ofPart: UInt32?
    if let part {
      sum.add(until: part.lowerBound)
      let checksum = CRC32C.checksum(json.bytes.extracting(part))
      sum.add(part, checksum)
      ofPart = checksum
    }
    sum.add(until: json.count)
    guard sum.checksum == recorded else {
      throw .checksumMismatch(
        TableMetadata.document, recorded: recorded, computed: sum.checksum)
    }
    return ofPart
  }

  /// A checksum while the bytes of a document are gone through, some taken for zero digits.
  private struct Sum {
    let json: Buffer
    let zeroed: Range<Int>
    var checksum: UInt32 = 0
    var end = 0

    init(json: Buffer, zeroed: Range<Int>) {
      self.json = json
      self.zeroed = zeroed
    }

    mutating func add(until limit: Int) {
      if end <= zeroed.lowerBound, zeroed.upperBound <= limit {
        addBytes(until: zeroed.lowerBound)
        let zeros = DocumentChecksum.zeroDigits
        checksum = CRC32C.checksum(zeros.bytes, continuing: checksum)
        end = zeroed.upperBound
      }
      addBytes(until: limit)
    }

    mutating func add(_ range: Range<Int>, _ known: UInt32) {
      checksum = CRC32C.combining(checksum, known, ofByteCount: range.count)
      end = range.upperBound
    }

    private mutating func addBytes(until limit: Int) {
      checksum = CRC32C.checksum(json.bytes.extracting(end..<limit), continuing: checksum)
      end = limit
    }
  }
}
