// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar

@testable import Parquet

/// Small Parquet files of many forms, and what is in them.
///
/// Their writer does not call itself Lake: a footer of Lake's has a checksum, behind which nothing
/// would be reached.
enum ParquetSeeds {
  @Sendable static func files() throws -> [Buffer] {
    try forms.map { try file($0) }
  }

  struct Form {
    var fields: [ColumnField]
    var rows = 12
    var version = DataPageVersion.v1
    var codec = WriterOptions().codec
    var encoding: Encoding?
    var dictionary = DictionaryUse.never
    var hasBloomFilter = false
    var pageRows = 20_000
  }

  static let flat: [ColumnField] = [
    ColumnField("a", .int32, isNullable: false, fieldID: 1), ColumnField("b", .string, fieldID: 2),
  ]
  static let nested: [ColumnField] = [
    ColumnField("l", .list(ColumnField("element", .int64, fieldID: 2)), fieldID: 1),
    ColumnField(
      "s",
      .structure([
        ColumnField("x", .boolean, fieldID: 4),
        ColumnField(
          "m",
          .map(
            key: ColumnField("key", .string, isNullable: false, fieldID: 6),
            value: ColumnField("value", .double, fieldID: 7)), fieldID: 5),
      ]), fieldID: 3),
  ]

  static let forms: [Form] = [
    Form(fields: flat, codec: .uncompressed),
    Form(fields: flat, codec: .snappy, encoding: .plain, dictionary: .always, hasBloomFilter: true),
    Form(fields: flat, version: .v2, codec: .zstd, pageRows: 5),
    Form(fields: flat, version: .v2, codec: .uncompressed, dictionary: .always),
    Form(fields: nested, codec: .uncompressed),
    Form(fields: nested, version: .v2, codec: .gzip, pageRows: 3),
    Form(fields: [ColumnField("d", .double)], codec: .lz4Raw, encoding: .byteStreamSplit),
    Form(fields: [ColumnField("i", .int64)], codec: .uncompressed, encoding: .deltaBinaryPacked),
    Form(fields: [ColumnField("s", .string)], codec: .uncompressed, encoding: .deltaByteArray),
    Form(
      fields: [ColumnField("s", .binary)], codec: .uncompressed, encoding: .deltaLengthByteArray),
    Form(
      fields: [
        ColumnField("t", .timestamp(.nanoseconds, zoned: true)), ColumnField("u", .uuid),
        ColumnField("n", .decimal(precision: 30, scale: 4)), ColumnField("d", .date),
      ], codec: .uncompressed),
    Form(fields: flat, rows: 0, codec: .uncompressed),
  ]

  static func file(_ form: Form, creator: String = "fuzz") throws -> Buffer {
    var options = WriterOptions()
    options.codec = form.codec
    options.dataPageVersion = form.version
    options.pageRowCount = form.pageRows
    options.createdBy = creator
    for name in ColumnPaths.all(form.fields) {
      var column = ColumnOptions()
      column.dictionary = form.dictionary
      column.encoding = form.encoding
      if form.hasBloomFilter { column.bloomFilter = BloomFilterOptions(maxByteCount: 64) }
      options.columns[name] = column
    }
    if form.fields.count == 2, form.encoding != nil { options.columns["b"]?.encoding = .plain }
    let writer = try ParquetFileWriter(fields: form.fields, options: options)
    if form.rows > 0 {
      try writer.write(try batch(form.fields, rows: form.rows))
    }
    _ = try writer.finish()
    var file = MutableBuffer()
    for part in writer.takeBytes() { file.append(part.bytes) }
    return file.freeze()
  }

  /// The first rows of columns that are made up.
  static func batch(_ fields: [ColumnField], rows: Int) throws -> RecordBatch {
    let columns = fields.map { field in
      let builder = ColumnBuilder(field.type)
      for row in 0..<rows { append(row, to: builder, field) }
      return builder.finish()
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows)
  }

  private static func append(_ row: Int, to builder: ColumnBuilder, _ field: ColumnField) {
    if field.isNullable, row % 5 == 3 { return builder.appendNull() }
    switch field.type {
    case .structure(let fields):
      for (child, field) in zip(builder.children, fields) { append(row, to: child, field) }
      builder.endStructure()
    case .list(let element):
      for i in 0..<row % 3 { append(row + i, to: builder.children[0], element) }
      builder.endList()
    case .map(let key, let value):
      for i in 0..<row % 2 {
        append(row + i, to: builder.children[0].children[0], key)
        append(row + i, to: builder.children[0].children[1], value)
        builder.children[0].endStructure()
      }
      builder.endList()
    case .boolean: builder.append(row % 2 == 0)
    case .string: builder.append("text \(row % 4)")
    case .binary: builder.append(Buffer([UInt8](repeating: UInt8(row), count: row)).bytes)
    case .uuid: builder.append(Buffer([UInt8](repeating: UInt8(row), count: 16)).bytes)
    case .decimal: builder.append(Int128(row) * 1_000_000_007)
    case .double: builder.append(Double(row) / 4)
    default:
      if field.type.layout == .fixed(width: 4) {
        builder.append(Int32(row % 6))
      } else {
        builder.append(Int64(row) * 1000)
      }
    }
  }

  // MARK: Parts

  @Sendable static func footers() throws -> [Buffer] {
    try files().map { file in
      let length = Int(file.bytes.loadLE(at: file.count - 8, as: UInt32.self))
      return file.slice(file.count - 8 - length..<file.count - 8)
    }
  }

  @Sendable static func indexes() throws -> [Buffer] {
    var seeds: [Buffer] = []
    for file in try files() {
      let footer = try ParquetFooter.parse(wholeFile: file)
      for group in footer.metadata.rowGroups {
        for chunk in group.columns {
          add(0, chunk.columnIndexOffset, chunk.columnIndexLength, file, &seeds)
          add(1, chunk.offsetIndexOffset, chunk.offsetIndexLength, file, &seeds)
          add(2, chunk.metaData?.bloomFilterOffset, chunk.metaData?.bloomFilterLength, file, &seeds)
        }
      }
    }
    return seeds
  }

  private static func add(
    _ kind: UInt8, _ offset: Int64?, _ length: Int32?, _ file: Buffer, _ seeds: inout [Buffer]
  ) {
    guard let offset, let length else { return }
    var seed = MutableBuffer()
    seed.append(value: kind)
    seed.append(file.bytes.extracting(Int(offset)..<Int(offset) + Int(length)))
    seeds.append(seed.freeze())
  }

  @Sendable static func pages() throws -> [Buffer] {
    var seeds: [Buffer] = []
    for file in try files() {
      let footer = try ParquetFooter.parse(wholeFile: file)
      for group in footer.metadata.rowGroups {
        for chunk in group.columns {
          guard let data = chunk.metaData else { continue }
          let start = Int(data.dictionaryPageOffset ?? data.dataPageOffset)
          let end = min(file.count, start + min(200, Int(data.totalCompressedSize)))
          seeds.append(file.slice(start..<end))
        }
      }
    }
    for width in [UInt8(1), 3] {
      var seed = MutableBuffer()
      seed.append(Buffer([width, 2]).bytes)
      RLEBitPackedEncoder.encode(
        levels: Buffer((0..<34).map { $0 < 20 ? 1 : UInt8($0 % 2) }).values(as: UInt8.self),
        bitWidth: Int(width),
        into: &seed)
      seeds.append(seed.freeze())
    }
    return seeds
  }
}
