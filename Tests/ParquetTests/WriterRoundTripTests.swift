// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar
import SeededNumbers
import Testing

@testable import Parquet

/// Writing, for tests.
enum Written {
  static func file(
    _ batches: [RecordBatch], _ options: WriterOptions = WriterOptions()
  ) throws(ParquetError) -> (bytes: Buffer, file: WrittenFile) {
    let writer = try ParquetFileWriter(fields: batches[0].fields, options: options)
    for batch in batches { try writer.write(batch) }
    let file = try writer.finish()
    return (joined(writer.takeBytes()), file)
  }

  static func joined(_ parts: [Buffer]) -> Buffer {
    var bytes = MutableBuffer()
    for part in parts { bytes.append(part.bytes) }
    return bytes.freeze()
  }

  /// A batch of one column.
  static func batch(_ field: ColumnField, _ column: Column) -> RecordBatch {
    RecordBatch(fields: [field], columns: [column], rowCount: column.count)
  }

  /// The statistics of leaf `column` in row group `group`.
  static func chunk(_ file: Buffer, _ group: Int, _ column: Int) throws -> ColumnMetaData {
    let footer = try ParquetFooter.parse(wholeFile: file)
    return try #require(footer.metadata.rowGroups[group].columns[column].metaData)
  }
}

/// Whatever is written is read again, by the reader of this module, which other tests hold to what
/// other engines read.
@Suite("Parquet writer, round trips")
struct WriterRoundTripTests {
  private func texts(_ batches: [RecordBatch], _ column: Int) -> [String] {
    batches.flatMap { batch in
      (0..<batch.rowCount).map { CanonicalText.text(batch.columns[column], $0) }
    }
  }

  private func options(_ random: inout Seeded) -> WriterOptions {
    var options = WriterOptions()
    options.codec = random.pick([.uncompressed, .snappy, .gzip, .lz4Raw, .zstd])
    options.dataPageVersion = random.pick([.v1, .v2])
    options.encodings = random.pick([.widest, .current, .smallest])
    options.pageRowCount = random.pick([1, 7, 100, 20_000])
    options.pageByteCount = random.pick([10, 1000, 1 << 20])
    options.rowGroupRowCount = random.pick([1, 64, 1000, 1 << 20])
    options.dictionaryByteCount = random.pick([0, 40, 2 << 20])
    return options
  }

  @Test(arguments: 0..<60) func `random batches come back as they were`(seed: Int) throws {
    var random = Seeded(UInt64(seed))
    var columns = RandomColumns(random)
    let fields = (0..<random.below(5) + 1).map { columns.field("c\($0)", depth: 3) }
    let batches = (0..<random.below(3) + 1).map { _ in
      let rows = random.pick([0, 1, 50, 400])
      return RecordBatch(
        fields: fields, columns: fields.map { columns.column($0, rows: rows) }, rowCount: rows)
    }
    var options = options(&random)
    var column = ColumnOptions()
    column.dictionary = random.pick([.measured, .always, .never])
    if random.chance(30) { column.bloomFilter = BloomFilterOptions() }
    for path in ColumnPaths.all(fields) { options.columns[path] = column }

    let (bytes, file) = try Written.file(batches, options)
    let read = try WholeFile.batches(bytes)
    #expect(file.byteCount == Int64(bytes.count))
    #expect(file.rowCount == Int64(batches.reduce(0) { $0 + $1.rowCount }))
    for i in fields.indices {
      #expect(texts(read, i) == texts(batches, i), "\(fields[i])")
    }
    let schema = try ParquetFooter.parse(wholeFile: bytes).schema
    #expect(schema.fields.map(\.fieldID) == fields.map(\.fieldID))
  }

  @Test(arguments: [Encoding.plain, .deltaBinaryPacked, .byteStreamSplit])
  func `integers come back in each encoding asked for`(encoding: Encoding) throws {
    try check(.int64, encoding) { $0.append(Int64($1) &* 0x1E37_79B9_7F4A_7C15 >> 20) }
    try check(.int32, encoding) { $0.append(Int32($1 * 1000 - 5)) }
  }

  @Test(arguments: [Encoding.plain, .deltaLengthByteArray, .deltaByteArray])
  func `strings come back in each encoding asked for`(encoding: Encoding) throws {
    try check(.string, encoding) { $0.append("key-\($1 / 3)-\($1 % 3 == 0 ? "" : "é")") }
  }

  @Test(arguments: [Encoding.plain, .deltaByteArray, .byteStreamSplit])
  func `fixed bytes come back in each encoding asked for`(encoding: Encoding) throws {
    try check(.uuid, encoding) {
      $0.append(Buffer([UInt8](repeating: UInt8($1 % 250), count: 16)).bytes)
    }
  }

  @Test(arguments: [Encoding.plain, .rle])
  func `booleans come back in each encoding asked for`(encoding: Encoding) throws {
    try check(.boolean, encoding) { $0.append($1 % 3 == 0 || $1 > 200) }
  }

  private func check(
    _ type: ColumnType, _ encoding: Encoding, append: (ColumnBuilder, Int) -> Void
  ) throws {
    let builder = ColumnBuilder(type)
    for i in 0..<500 { if i % 11 == 3 { builder.appendNull() } else { append(builder, i) } }
    let field = ColumnField("c", type, fieldID: 1)
    let batch = Written.batch(field, builder.finish())
    var options = WriterOptions()
    options.columns["c"] = ColumnOptions()
    options.columns["c"]?.dictionary = .never
    options.columns["c"]?.encoding = encoding
    let (bytes, _) = try Written.file([batch], options)
    #expect(try Written.chunk(bytes, 0, 0).encodings.contains(encoding))
    #expect(texts(try WholeFile.batches(bytes), 0) == texts([batch], 0))
  }

  @Test func `any number of threads gives the same bytes`() async throws {
    var columns = RandomColumns(Seeded(77))
    let fields = (0..<7).map { columns.field("c\($0)", depth: 2) }
    let batches = (0..<4).map { _ in
      RecordBatch(
        fields: fields, columns: fields.map { columns.column($0, rows: 300) }, rowCount: 300)
    }
    var options = WriterOptions()
    options.rowGroupRowCount = 500
    let alone = try Written.file(batches, options)
    for threads in [2, 3, 16] {
      let writer = try ParquetFileWriter(fields: fields, options: options)
      for batch in batches { try await writer.write(batch, threads: threads) }
      let file = try await writer.finish(threads: threads)
      #expect(file == alone.file)
      #expect(Written.joined(writer.takeBytes()) == alone.bytes, "\(threads) threads")
    }
  }

  @Test func `bytes taken on the way are the file`() throws {
    let builder = ColumnBuilder(.int64)
    for i in 0..<1000 { builder.append(Int64(i)) }
    let batch = Written.batch(ColumnField("c", .int64, isNullable: false), builder.finish())
    var options = WriterOptions()
    options.rowGroupRowCount = 100
    let writer = try ParquetFileWriter(fields: batch.fields, options: options)
    var parts: [Buffer] = []
    for start in stride(from: 0, to: 1000, by: 10) {
      try writer.write(batch.slice(start..<start + 10))
      parts += writer.takeBytes()
      #expect(writer.byteCount >= Int64(parts.reduce(0) { $0 + $1.count }))
    }
    let file = try writer.finish()
    parts += writer.takeBytes()
    let read = try WholeFile.batches(Written.joined(parts))
    #expect(texts(read, 0) == texts([batch], 0))
    #expect(file.splitOffsets.count == 10)
  }
}
