// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// What a Parquet file says of itself: schema, row groups, where their column chunks lie.
///
///     file   := "PAR1", pages and indexes, footer
///     footer := FileMetaData (Thrift), its length in four bytes, "PAR1"
///
/// Laws: a parsed footer is consistent in itself: its schema is a tree, each row group has a chunk
/// for each leaf, and the rows of the groups add up. What it says of places in the file is checked
/// when a ``ReadPlan`` is made.
/// Source: parquet-format README.md, "File format".
public struct ParquetFooter: Sendable {
  package let metadata: FileMetaData
  public let schema: ParquetSchema
  /// How long the file is.
  public let fileByteCount: Int64
  /// Where the footer begins, so that all else lies before.
  package let offset: Int64
  /// Of each column chunk, row group by row group; empty in files of others.
  private let checksums: [ChunkChecksums]

  /// The bytes behind the metadata: its length and the magic.
  public static let trailerByteCount = 8
  private static let magic: [UInt8] = [0x50, 0x41, 0x52, 0x31]  // PAR1
  private static let encryptedMagic: [UInt8] = [0x50, 0x41, 0x52, 0x45]  // PARE

  public var rowCount: Int64 { metadata.rowCount }
  public var rowGroupCount: Int { metadata.rowGroups.count }
  /// The program that wrote the file, if it says so.
  public var createdBy: String? { metadata.createdBy }
  /// What the writer left in the footer under `key`; nil if there is nothing.
  public func keyValue(_ key: String) -> String? {
    metadata.keyValueMetadata?.first { $0.key == key }?.value
  }

  /// How many of the last bytes of a file are its footer, trailer included.
  ///
  /// - Parameter tail: the end of the file, ``trailerByteCount`` bytes or more.
  public static func byteCount(
    tail: Buffer, fileByteCount: Int64, limits: DecodeLimits = .standard
  ) throws(ParquetError) -> Int {
    guard tail.count >= trailerByteCount, fileByteCount >= Int64(trailerByteCount + 4) else {
      throw .notParquet(found: "\(fileByteCount) bytes")
    }
    let bytes = tail.bytes
    let magic = bytes.extracting(last: 4).array()
    if magic == encryptedMagic { throw .encrypted(.footer) }
    guard magic == Self.magic else { throw .notParquet(found: "0x" + magic.hexadecimal) }
    let length = Int64(bytes.loadLE(at: tail.count - 8, as: UInt32.self))
    let room = fileByteCount - Int64(trailerByteCount + 4)
    guard length <= room else {
      throw .inconsistent(.footer, what: "footer length", expected: room, found: length)
    }
    guard length <= Int64(limits.documentByteCount) else {
      throw .malformed(
        .footer,
        .limitExceeded(
          what: "footer length", value: length, limit: Int64(limits.documentByteCount)))
    }
    return Int(length) + trailerByteCount
  }

  /// Parses the footer of a file.
  ///
  /// - Parameter tail: the end of the file, at least as long as
  ///   ``byteCount(tail:fileByteCount:limits:)`` says.
  /// Cost: O(footer); memory is taken only for what the bytes really hold.
  public static func parse(
    tail: Buffer, fileByteCount: Int64, limits: DecodeLimits = .standard
  ) throws(ParquetError) -> ParquetFooter {
    let length = try byteCount(tail: tail, fileByteCount: fileByteCount, limits: limits)
    guard tail.count >= length else {
      throw .missingBytes(.footer, needed: fileByteCount - Int64(length)..<fileByteCount)
    }
    let body = tail.slice(tail.count - length..<tail.count - trailerByteCount)
    try FooterChecksum.verify(body.bytes)
    let metadata: FileMetaData
    do throws(ByteError) {
      var reader = ThriftReader(body.bytes)
      metadata = try FileMetaData(from: &reader)
    } catch {
      throw .malformed(.footer, error)
    }
    return try ParquetFooter(
      metadata: metadata, fileByteCount: fileByteCount, offset: fileByteCount - Int64(length),
      limits: limits)
  }

  /// The footer of a file that is there as a whole.
  public static func parse(
    wholeFile bytes: Buffer, limits: DecodeLimits = .standard
  ) throws(ParquetError) -> ParquetFooter {
    try parse(tail: bytes, fileByteCount: Int64(bytes.count), limits: limits)
  }

  package init(
    metadata: FileMetaData, fileByteCount: Int64, offset: Int64, limits: DecodeLimits
  ) throws(ParquetError) {
    self.metadata = metadata
    self.fileByteCount = fileByteCount
    self.offset = offset
    schema = try ParquetSchema(elements: metadata.schema, limits: limits)
    checksums = ChunkChecksums.all(in: metadata)
    try checkRowGroups()
  }

  private func checkRowGroups() throws(ParquetError) {
    var total: Int64 = 0
    for (index, group) in metadata.rowGroups.enumerated() {
      guard group.columns.count == schema.leaves.count else {
        throw .inconsistent(
          .rowGroup(index), what: "column chunks", expected: Int64(schema.leaves.count),
          found: Int64(group.columns.count))
      }
      let (sum, overflow) = total.addingReportingOverflow(group.rowCount)
      guard group.rowCount >= 0, !overflow else {
        throw .inconsistent(
          .rowGroup(index), what: "rows", expected: metadata.rowCount, found: group.rowCount)
      }
      total = sum
    }
    guard total == metadata.rowCount else {
      throw .inconsistent(
        .footer, what: "rows of all groups", expected: metadata.rowCount, found: total)
    }
  }

  /// The checksums that Lake kept of a column chunk; nil in files of others.
  package func checksums(rowGroup: Int, leaf: Int) -> ChunkChecksums? {
    checksums.isEmpty ? nil : checksums[rowGroup * schema.leaves.count + leaf]
  }

  /// How many rows row group `index` has.
  public func rowCount(ofRowGroup index: Int) -> Int64 { metadata.rowGroups[index].rowCount }

  /// Where the first row of row group `index` is in the file. Cost: O(row groups).
  public func firstRow(ofRowGroup index: Int) -> Int64 {
    metadata.rowGroups[..<index].reduce(0) { $0 + $1.rowCount }
  }

  /// How many bytes the pages of row group `index` take when they are not compressed, as far as
  /// the file tells.
  public func byteCount(ofRowGroup index: Int) -> Int64 { metadata.rowGroups[index].totalByteSize }
}
