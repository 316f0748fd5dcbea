// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Puts finished column chunks, indexes and the footer one after the other, and keeps count.
struct FileBuilder {
  private let schema: ParquetSchema
  private let paths: [String]
  private let options: WriterOptions
  private let sorting: [SortingColumn]?
  private var output: [Buffer]
  private var rowGroups: [RowGroup] = []
  private var chunks: [[EncodedIndexes]] = []
  private var metrics: [MetricsBuilder]

  /// Where the next byte goes.
  private(set) var byteCount: Int64
  private(set) var rowCount: Int64 = 0
  private(set) var isFinished = false

  /// What of a column chunk is written behind all row groups.
  private struct EncodedIndexes {
    let columnIndex: ColumnIndex?
    let offsetIndex: OffsetIndex
    let bloomFilter: BloomFilter?
    let headerChecksums: [UInt32]
    var checksums: ChunkChecksums
  }

  private static let magic = Buffer(utf8: "PAR1")

  init(schema: ParquetSchema, paths: [String], options: WriterOptions) throws(ParquetError) {
    self.schema = schema
    self.paths = paths
    self.options = options
    var sorting: [SortingColumn] = []
    for key in options.sortingColumns {
      guard let index = paths.firstIndex(of: key.column) else { throw .noSuchColumn(key.column) }
      sorting.append(
        SortingColumn(
          columnIndex: Int32(clamping: index), isDescending: key.direction == .descending,
          areNullsFirst: key.nulls == .first))
    }
    self.sorting = sorting.isEmpty ? nil : sorting
    metrics = zip(schema.leaves, paths).map { MetricsBuilder(leaf: $0, path: $1) }
    output = [Self.magic]
    byteCount = 4
  }

  mutating func takeBytes() -> [Buffer] {
    defer { output = [] }
    return output
  }

  private mutating func emit(_ bytes: Buffer) {
    output.append(bytes)
    byteCount += Int64(bytes.count)
  }

  // MARK: Row groups

  /// Adds a row group of one chunk a leaf.
  mutating func append(_ encoded: [EncodedColumnChunk], rowCount: Int) {
    let start = byteCount
    var columns: [ColumnChunk] = []
    var indexes: [EncodedIndexes] = []
    for (i, chunk) in encoded.enumerated() {
      var chunk = chunk
      chunk.move(to: byteCount)
      for page in chunk.pages { emit(page) }
      columns.append(ColumnChunk(metaData: chunk.metaData))
      indexes.append(
        EncodedIndexes(
          columnIndex: chunk.columnIndex, offsetIndex: chunk.offsetIndex,
          bloomFilter: chunk.bloomFilter, headerChecksums: chunk.headerChecksums,
          checksums: chunk.checksums))
      metrics[i].add(chunk)
    }
    var group = RowGroup(
      columns: columns,
      totalByteSize: encoded.reduce(0) { $0 + $1.metaData.totalUncompressedSize },
      rowCount: Int64(rowCount))
    group.sortingColumns = sorting
    group.fileOffset = start
    group.totalCompressedSize = byteCount - start
    group.ordinal = Int16(exactly: rowGroups.count)
    rowGroups.append(group)
    chunks.append(indexes)
    self.rowCount += Int64(rowCount)
  }

  // MARK: Footer

  /// Writes all that comes behind the row groups.
  mutating func finish() -> WrittenFile {
    isFinished = true
    emitIndexes()
    let footer = encodeFooter()
    var tail = ByteWriter(capacity: 8)
    tail.writeLE(UInt32(truncatingIfNeeded: footer.count))
    tail.write(Self.magic)
    emit(footer)
    emit(tail.finish())
    return WrittenFile(
      byteCount: byteCount, rowCount: rowCount, splitOffsets: rowGroups.compactMap(\.fileOffset),
      columns: metrics.map { $0.metrics(options.metricsByteCount) },
      footerByteCount: footer.count + 8)
  }

  /// Bloom filters, then column indexes, then offset indexes, the checksums of page headers behind
  /// each.
  private mutating func emitIndexes() {
    for (group, column) in places {
      guard let filter = chunks[group][column].bloomFilter else { continue }
      let encoded = filter.encode()
      let placed = emitIndex(encoded)
      chunks[group][column].checksums.bloomFilter = CRC32C.checksum(encoded.bytes)
      rowGroups[group].columns[column].metaData?.bloomFilterOffset = placed.offset
      rowGroups[group].columns[column].metaData?.bloomFilterLength = placed.length
    }
    for (group, column) in places {
      guard let index = chunks[group][column].columnIndex else { continue }
      var writer = ThriftWriter()
      index.encode(into: &writer)
      let encoded = writer.finish()
      let placed = emitIndex(encoded)
      chunks[group][column].checksums.columnIndex = CRC32C.checksum(encoded.bytes)
      rowGroups[group].columns[column].columnIndexOffset = placed.offset
      rowGroups[group].columns[column].columnIndexLength = placed.length
    }
    for (group, column) in places {
      var writer = ThriftWriter()
      chunks[group][column].offsetIndex.encode(into: &writer)
      let encoded = writer.finish()
      let placed = emitIndex(encoded)
      let headers = emitHeaderChecksums(chunks[group][column].headerChecksums)
      chunks[group][column].checksums.offsetIndex = CRC32C.checksum(
        headers.bytes, continuing: CRC32C.checksum(encoded.bytes))
      rowGroups[group].columns[column].offsetIndexOffset = placed.offset
      rowGroups[group].columns[column].offsetIndexLength = placed.length
    }
  }

  private mutating func emitHeaderChecksums(_ checksums: [UInt32]) -> Buffer {
    var writer = ByteWriter(capacity: 4 * checksums.count)
    for checksum in checksums { writer.writeLE(checksum) }
    let bytes = writer.finish()
    emit(bytes)
    return bytes
  }

  /// All column chunks of the file in order.
  private var places: [(group: Int, column: Int)] {
    chunks.indices.flatMap { group in chunks[group].indices.map { (group, $0) } }
  }

  private mutating func emitIndex(_ bytes: Buffer) -> (offset: Int64, length: Int32) {
    defer { emit(bytes) }
    return (byteCount, Int32(clamping: bytes.count))
  }

  private func encodeFooter() -> Buffer {
    var footer = FileMetaData(
      version: 2, schema: schema.elements, rowCount: rowCount, rowGroups: rowGroups)
    footer.createdBy = options.createdBy
    footer.columnOrders = schema.leaves.map { _ in .typeDefined }
    var pairs = options.keyValueMetadata.map { KeyValue(key: $0.key, value: $0.value) }
    pairs.append(
      KeyValue(
        key: ChunkChecksums.key, value: ChunkChecksums.text(chunks.flatMap { $0.map(\.checksums) }))
    )
    pairs.append(KeyValue(key: FooterChecksum.footerKey, value: FooterChecksum.blank))
    footer.keyValueMetadata = pairs
    let checksum = CRC32C.checksum(Self.encode(footer).bytes)
    footer.keyValueMetadata?[pairs.count - 1].value = FooterChecksum.text(checksum)
    return Self.encode(footer)
  }

  private static func encode(_ footer: FileMetaData) -> Buffer {
    var writer = ThriftWriter(capacity: 4096)
    footer.encode(into: &writer)
    return writer.finish()
  }
}
