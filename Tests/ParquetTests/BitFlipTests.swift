// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar
import SeededNumbers
import Testing

@testable import Parquet

/// Files that Lake wrote, each with one bit changed: either an error tells, or nothing that is read
/// of them is other than it was.
@Suite("Flipped bits")
struct BitFlipTests {
  struct Form: CustomTestStringConvertible, Sendable {
    let name: String
    var columns = "flat"
    var version = DataPageVersion.v1
    var codec = Codec.uncompressed
    var dictionary = DictionaryUse.never
    var encoding: Encoding?
    var hasBloomFilter = false
    var pageRows = 20_000
    var testDescription: String { name }
  }

  static let forms: [Form] = [
    Form(name: "plain"),
    Form(name: "plain, several pages, v2", version: .v2, pageRows: 5),
    Form(name: "dictionary, Bloom filter", dictionary: .always, hasBloomFilter: true),
    Form(name: "dictionary, v2, zstd", version: .v2, codec: .zstd, dictionary: .always),
    Form(name: "nested", columns: "nested", pageRows: 4),
    Form(name: "nested, v2, snappy", columns: "nested", version: .v2, codec: .snappy, pageRows: 4),
    Form(name: "snappy, Bloom filter", codec: .snappy, hasBloomFilter: true),
    Form(name: "gzip", codec: .gzip, pageRows: 7),
    Form(name: "lz4_raw, v2", version: .v2, codec: .lz4Raw),
    Form(name: "zstd", codec: .zstd),
    Form(name: "delta integers", columns: "integers", encoding: .deltaBinaryPacked, pageRows: 6),
    Form(name: "delta strings", columns: "strings", encoding: .deltaByteArray),
    Form(
      name: "delta lengths, v2", columns: "strings", version: .v2, encoding: .deltaLengthByteArray),
    Form(name: "split streams", columns: "doubles", encoding: .byteStreamSplit, pageRows: 6),
    Form(name: "booleans", columns: "booleans", pageRows: 6),
    Form(name: "booleans, v2", columns: "booleans", version: .v2),
  ]

  private static let fields: [String: [ColumnField]] = [
    "flat": [
      ColumnField("a", .int32, isNullable: false), ColumnField("b", .string),
    ],
    "nested": [
      ColumnField(
        "l", .list(ColumnField("element", .structure([ColumnField("x", .int64)]))))
    ],
    "integers": [ColumnField("i", .int64)], "strings": [ColumnField("s", .string)],
    "doubles": [ColumnField("d", .double)], "booleans": [ColumnField("o", .boolean)],
  ]

  static func file(_ form: Form) throws -> Buffer {
    var options = WriterOptions()
    options.codec = form.codec
    options.dataPageVersion = form.version
    options.pageRowCount = form.pageRows
    let fields = fields[form.columns] ?? []
    for path in ColumnPaths.all(fields) {
      var column = ColumnOptions()
      column.dictionary = form.dictionary
      column.encoding = form.encoding
      if form.hasBloomFilter { column.bloomFilter = BloomFilterOptions(maxByteCount: 32) }
      options.columns[path] = column
    }
    let rows = 13
    let columns = fields.map { field in
      let builder = ColumnBuilder(field.type)
      for row in 0..<rows { append(row, to: builder, field) }
      return builder.finish()
    }
    let batch = RecordBatch(fields: fields, columns: columns, rowCount: rows)
    return try Written.file([batch], options).bytes
  }

  private static func append(_ row: Int, to builder: ColumnBuilder, _ field: ColumnField) {
    if field.isNullable, row % 4 == 2 { return builder.appendNull() }
    switch field.type {
    case .list(let element):
      for i in 0..<row % 3 { append(row + i, to: builder.children[0], element) }
      builder.endList()
    case .structure(let fields):
      for (child, field) in zip(builder.children, fields) { append(row, to: child, field) }
      builder.endStructure()
    case .boolean: builder.append(row % 3 == 0)
    case .int32: builder.append(Int32(row * row))
    case .double: builder.append(Double(row) / 4)
    case .string: builder.append("text \(row % 5)")
    default: builder.append(Int64(row) * 1000)
    }
  }

  // MARK: What is read

  /// All that a scan may use of a file; nil is what an error tells of, or what can't be relied on.
  struct Reading {
    var rows: [RecordBatch]?
    /// Read with the help of page indexes, which leaves pages out.
    var someRows: [RecordBatch]?
    /// Without page indexes, and not to the end.
    var firstRows: [RecordBatch]?
    /// By row group and leaf, as all that follows.
    var statistics: [String] = []
    var pageRows: [[Range<Int>]?] = []
    var pageStatistics: [String?] = []
    var filters: [[Bool]?] = []
    var dictionaries: [Column?] = []

    init(_ file: Buffer) throws(ParquetError) {
      let footer = try ParquetFooter.parse(wholeFile: file)
      let bytes = FileBytes(wholeFile: file)
      var indexes: [[Int: PageIndex]] = []
      for group in 0..<footer.rowGroupCount {
        indexes.append([:])
        for leaf in 0..<footer.schema.leafCount {
          let index = footer.pageIndex(rowGroup: group, leaf: leaf, bytes: bytes)
          indexes[group][leaf] = index
          pageRows.append(index?.rows)
          // No statistics rule nothing out.
          pageStatistics.append(
            index.flatMap { $0.statistics.isEmpty ? nil : "\($0.statistics)" })
          let filter = footer.bloomFilter(rowGroup: group, leaf: leaf, bytes: bytes)
          filters.append(filter.map { filter in Self.probes.map { filter.mayContain($0) } })
          statistics.append("\(String(describing: footer.statistics(rowGroup: group, leaf: leaf)))")
          dictionaries.append(footer.dictionary(rowGroup: group, leaf: leaf, bytes: bytes))
        }
      }
      rows = try? Self.rows(footer, bytes)
      firstRows = try? Self.rows(footer, bytes, limit: 6)
      someRows = try? Self.someRows(footer, bytes, indexes)
    }

    private static func rows(
      _ footer: ParquetFooter, _ bytes: FileBytes, limit: Int? = nil
    ) throws(ParquetError) -> [RecordBatch] {
      var rows: [RecordBatch] = []
      for group in 0..<footer.rowGroupCount {
        let plan = try footer.readPlan(rowGroup: group, projection: footer.schema.all)
        let decoder = try RowGroupDecoder(footer, plan: plan, bytes: bytes)
        while let batch = try decoder.next(limit: limit ?? 1 << 15) {
          rows.append(batch)
          if limit != nil { break }
        }
      }
      return rows
    }

    private static func someRows(
      _ footer: ParquetFooter, _ bytes: FileBytes, _ indexes: [[Int: PageIndex]]
    ) throws(ParquetError) -> [RecordBatch] {
      var rows: [RecordBatch] = []
      for group in 0..<footer.rowGroupCount {
        let selection = RowSelection(
          ranges: [5..<6, 9..<11], rowCount: Int(footer.rowCount(ofRowGroup: group)))
        let plan = try footer.readPlan(
          rowGroup: group, projection: footer.schema.all, selection: selection,
          pageIndexes: indexes[group])
        rows.append(try RowGroupDecoder(footer, plan: plan, bytes: bytes).read(selection))
      }
      return rows
    }

    private static let probes: [BoundValue] =
      (0..<20).map { .integer($0) } + (0..<8).map { .bytes(Array("text \($0)".utf8)) }

    /// What is there and differs from `intact`.
    func difference(from intact: Reading) -> String? {
      if let rows, !Self.areEqual(rows, intact.rows ?? []) { return "rows" }
      if let firstRows, !Self.areEqual(firstRows, intact.firstRows ?? []) { return "first rows" }
      if let someRows, !Self.areEqual(someRows, intact.someRows ?? []) { return "some rows" }
      if statistics != intact.statistics { return "statistics" }
      for (a, b) in zip(pageRows, intact.pageRows) where a != nil && a != b { return "pages" }
      for (a, b) in zip(pageStatistics, intact.pageStatistics) where a != nil && a != b {
        return "statistics of pages"
      }
      for (a, b) in zip(filters, intact.filters) where a != nil && a != b { return "filters" }
      for case (let a?, let b) in zip(dictionaries, intact.dictionaries) {
        guard let b, a.isEqual(to: b) else { return "dictionaries" }
      }
      return nil
    }

    private static func areEqual(_ some: [RecordBatch], _ others: [RecordBatch]) -> Bool {
      some.count == others.count
        && zip(some, others).allSatisfy { a, b in
          a.fields == b.fields && zip(a.columns, b.columns).allSatisfy { $0.isEqual(to: $1) }
        }
    }
  }

  @Test(arguments: forms)
  func `every flipped bit of a file is detected or harmless`(form: Form) throws {
    let file = try Self.file(form)
    let intact = try Reading(file)
    #expect(intact.rows != nil && intact.someRows != nil)
    let footer = Int(try ParquetFooter.parse(wholeFile: file).offset)
    var damaged = file.array()
    var undetected: [String] = []
    for bit in 0..<file.count * 8 {
      // Of a footer, which is under one checksum, all are only looked at in long runs.
      if bit / 8 > footer, !Depth.isLong, bit % 11 != 0 { continue }
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      defer { damaged[bit / 8] ^= 1 << UInt8(bit % 8) }
      guard let reading = try? Reading(Buffer(damaged)) else { continue }
      if let difference = reading.difference(from: intact) {
        undetected.append("bit \(bit % 8) of byte \(bit / 8) of \(file.count): \(difference)")
      }
    }
    #expect(undetected == [])
  }
}
