// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar
import Testing

@testable import Parquet

@Suite("Parquet writer, metadata")
struct WriterMetadataTests {
  private func column(_ type: ColumnType, _ values: [Double?]) -> Column {
    let builder = ColumnBuilder(type)
    for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
    return builder.finish()
  }

  private func column(_ values: [Int64?]) -> Column {
    let builder = ColumnBuilder(.int64)
    for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
    return builder.finish()
  }

  private func strings(_ values: [String?]) -> Column {
    let builder = ColumnBuilder(.string)
    for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
    return builder.finish()
  }

  private func indexes(_ file: Buffer, _ column: Int) throws -> (ColumnIndex?, OffsetIndex) {
    let chunk = try ParquetFooter.parse(wholeFile: file).metadata.rowGroups[0].columns[column]
    func reader(_ offset: Int64?, _ length: Int32?) throws -> Buffer {
      let start = Int(try #require(offset))
      return file.slice(start..<start + Int(try #require(length)))
    }
    let offsets = try reader(chunk.offsetIndexOffset, chunk.offsetIndexLength)
    var thrift = ThriftReader(offsets.bytes)
    let offsetIndex = try OffsetIndex(from: &thrift)
    if chunk.columnIndexOffset == nil { return (nil, offsetIndex) }
    let bounds = try reader(chunk.columnIndexOffset, chunk.columnIndexLength)
    var other = ThriftReader(bounds.bytes)
    return (try ColumnIndex(from: &other), offsetIndex)
  }

  @Test func `metrics add up over row groups`() throws {
    let field = ColumnField("d", .double, fieldID: 7)
    let batch = Written.batch(field, column(.double, [3, nil, .nan, -0.0, nil, 8, .nan]))
    var options = WriterOptions()
    options.rowGroupRowCount = 2
    let (bytes, file) = try Written.file([batch], options)
    let metrics = try #require(file.columns.first)
    #expect(metrics.fieldID == 7 && metrics.path == "d" && metrics.type == .double)
    #expect(metrics.valueCount == 7 && metrics.nullCount == 2 && metrics.nanCount == 2)
    #expect(metrics.lowerBound?.bytes == [0, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(metrics.upperBound?.bytes == [0, 0, 0, 0, 0, 0, 0x20, 0x40])
    #expect(file.splitOffsets.count == 4 && file.splitOffsets[0] == 4)
    let stored = try (0..<4).map { Int64(try Written.chunk(bytes, $0, 0).totalCompressedSize) }
    #expect(metrics.byteCount == stored.reduce(0, +))
  }

  @Test func `a column of NaN and nulls has no bounds and no column index`() throws {
    let field = ColumnField("d", .float)
    let builder = ColumnBuilder(.float)
    for _ in 0..<3 { builder.append(Float.nan) }
    builder.appendNull()
    let (bytes, file) = try Written.file([Written.batch(field, builder.finish())])
    let statistics = try #require(try Written.chunk(bytes, 0, 0).statistics)
    #expect(statistics.minValue == nil && statistics.maxValue == nil)
    #expect(statistics.nanCount == 3 && statistics.nullCount == 1)
    #expect(file.columns[0].lowerBound == nil && file.columns[0].upperBound == nil)
    #expect(try indexes(bytes, 0).0 == nil)
  }

  @Test func `long strings are cut in statistics, and less so in metrics`() throws {
    let long = String(repeating: "m", count: 6000)
    let field = ColumnField("s", .string, fieldID: 1)
    let (bytes, file) = try Written.file([Written.batch(field, strings([long, "x", nil]))])
    let statistics = try #require(try Written.chunk(bytes, 0, 0).statistics)
    #expect(statistics.minValue == [UInt8](repeating: 0x6D, count: 64))
    #expect(statistics.isMinValueExact == false && statistics.isMaxValueExact == true)
    #expect(statistics.maxValue == Array("x".utf8))
    #expect(file.columns[0].lowerBound?.bytes.count == 4096)
    #expect(file.columns[0].lowerBound?.isExact == false)
    #expect(file.columns[0].upperBound == ColumnBound(bytes: Array("x".utf8), isExact: true))
  }

  @Test func `no upper bound is better than a wrong one`() throws {
    let builder = ColumnBuilder(.binary)
    builder.append(Buffer([UInt8](repeating: 255, count: 5000)).bytes)
    let batch = Written.batch(ColumnField("b", .binary), builder.finish())
    let (bytes, file) = try Written.file([batch])
    let statistics = try #require(try Written.chunk(bytes, 0, 0).statistics)
    #expect(statistics.maxValue == nil && statistics.isMaxValueExact == nil)
    #expect(file.columns[0].upperBound == nil && file.columns[0].lowerBound != nil)
    // A column index must have bounds: the whole value stands there.
    #expect(try indexes(bytes, 0).0?.maxValues.first?.count == 5000)
  }

  @Test func `repeated leaves have counts and no bounds`() throws {
    let element = ColumnField("element", .int64, fieldID: 2)
    let builder = ColumnBuilder(.list(element))
    builder.children[0].append(Int64(5))
    builder.children[0].appendNull()
    builder.endList()
    builder.appendNull()
    builder.endList()
    let field = ColumnField("l", .list(element), fieldID: 1)
    let (_, file) = try Written.file([Written.batch(field, builder.finish())])
    let metrics = file.columns[0]
    #expect(metrics.path == "l.element" && metrics.fieldID == 2 && metrics.isRepeated)
    #expect(metrics.valueCount == 4 && metrics.nullCount == 3)
    #expect(metrics.lowerBound == nil && metrics.upperBound == nil)
  }

  @Test func `page indexes say what each page holds`() throws {
    let field = ColumnField("i", .int64)
    var options = WriterOptions()
    options.pageRowCount = 3
    let values: [Int64?] = [1, 2, 3, 4, nil, 6, nil, nil, nil, 7, 8]
    let (bytes, _) = try Written.file([Written.batch(field, column(values))], options)
    let (index, offsets) = try indexes(bytes, 0)
    let found = try #require(index)
    #expect(found.nullPages == [false, false, true, false])
    #expect(found.nullCounts == [0, 1, 3, 0])
    #expect(found.boundaryOrder == .ascending)
    #expect(found.minValues.map { $0.first } == [1, 4, nil, 7])
    #expect(found.maxValues.map { $0.first } == [3, 6, nil, 8])
    #expect(offsets.pageLocations.map(\.firstRowIndex) == [0, 3, 6, 9])
    for location in offsets.pageLocations {
      var reader = ThriftReader(bytes.slice(Int(location.offset)..<bytes.count).bytes)
      let header = try PageHeader(from: &reader)
      #expect(Int(location.compressedPageSize) == reader.offset + Int(header.compressedPageSize))
    }
  }

  @Test(
    arguments: [
      ([5, 6, 7], BoundaryOrder.ascending), ([7, 6, 5], .descending),
      ([5, 7, 6], .unordered), ([5, 5], .ascending),
    ] as [([Int64], BoundaryOrder)])
  func `the order of pages is found`(values: [Int64], order: BoundaryOrder) throws {
    var options = WriterOptions()
    options.pageRowCount = 1
    let batch = Written.batch(ColumnField("i", .int64), column(values))
    let (bytes, _) = try Written.file([batch], options)
    #expect(try indexes(bytes, 0).0?.boundaryOrder == order)
  }

  @Test func `a dictionary goes where it does not pay`() throws {
    let unique = column((0..<30_000).map { Int64($0) &* 0x1E37_79B9_7F4A_7C15 })
    let few = column((0..<30_000).map { Int64($0) &* 0x1E37_79B9_7F4A_7C15 % 10 })
    let field = ColumnField("i", .int64)
    let (many, _) = try Written.file([Written.batch(field, unique)])
    #expect(try Written.chunk(many, 0, 0).dictionaryPageOffset == nil)
    let (coded, _) = try Written.file([Written.batch(field, few)])
    let chunk = try Written.chunk(coded, 0, 0)
    #expect(chunk.dictionaryPageOffset == 4 && chunk.dataPageOffset > 4)
    #expect(chunk.encodings.contains(.rleDictionary))
  }

  @Test func `a column that begins with nulls gets its dictionary all the same`() throws {
    var options = WriterOptions()
    options.pageRowCount = 2000
    let values = (0..<20_000).map { i -> Int64? in i < 6000 || i % 9 == 0 ? nil : Int64(i % 10) }
    let field = ColumnField("i", .int64)
    let (bytes, _) = try Written.file([Written.batch(field, column(values))], options)
    let stats = try #require(try Written.chunk(bytes, 0, 0).encodingStats)
    #expect(stats.first { $0.encoding == .rleDictionary }?.count == 7)
    let texts = values.map { value -> String? in value.map { "value \($0)" } }
    let text = Written.batch(ColumnField("s", .string), strings(texts))
    let (other, _) = try Written.file([text], options)
    let found = try #require(try Written.chunk(other, 0, 0).encodingStats)
    #expect(found.first { $0.encoding == .rleDictionary }?.count == 7)
  }

  @Test func `a dictionary that got too big ends in the midst of the chunk`() throws {
    var options = WriterOptions()
    options.pageRowCount = 100
    options.dictionaryByteCount = 800
    options.columns["i"] = ColumnOptions()
    options.columns["i"]?.dictionary = .always
    let batch = Written.batch(ColumnField("i", .int64), column((0..<500).map { Int64($0) }))
    let (bytes, _) = try Written.file([batch], options)
    let stats = try #require(try Written.chunk(bytes, 0, 0).encodingStats)
    let coded = stats.first { $0.encoding == .rleDictionary }?.count
    #expect(coded == 2 && stats.map(\.count).reduce(0, +) == 6)
  }

  @Test func `sorting columns, pairs and sizes are written`() throws {
    var options = WriterOptions()
    options.sortingColumns = [SortingKey("i", .descending, nulls: .first)]
    options.keyValueMetadata = [("iceberg.schema", "{}")]
    let batch = Written.batch(ColumnField("i", .int64), column([3, 2, 1]))
    let (bytes, _) = try Written.file([batch], options)
    let footer = try ParquetFooter.parse(wholeFile: bytes)
    let group = footer.metadata.rowGroups[0]
    let key = SortingColumn(columnIndex: 0, isDescending: true, areNullsFirst: true)
    #expect(group.sortingColumns == [key] && group.ordinal == 0 && group.fileOffset == 4)
    #expect(footer.keyValue("iceberg.schema") == "{}")
    #expect(footer.metadata.columnOrders == [.typeDefined])
    #expect(footer.createdBy?.hasPrefix("lake version ") == true)
  }

  @Test func `sizes and histograms count what is stored`() throws {
    let element = ColumnField("element", .string)
    let builder = ColumnBuilder(.list(element))
    for text in ["ab", "", "cde"] { builder.children[0].append(text) }
    builder.endList()
    builder.appendNull()
    builder.endList()
    let batch = Written.batch(ColumnField("l", .list(element)), builder.finish())
    let (bytes, _) = try Written.file([batch])
    let sizes = try #require(try Written.chunk(bytes, 0, 0).sizeStatistics)
    #expect(sizes.unencodedByteArrayDataBytes == 5)
    #expect(sizes.definitionLevelHistogram == [1, 1, 0, 3])
    #expect(sizes.repetitionLevelHistogram == [3, 2])
  }

  @Test func `a Bloom filter holds what its column holds`() throws {
    var options = WriterOptions()
    options.columns["s"] = ColumnOptions()
    options.columns["s"]?.bloomFilter = BloomFilterOptions()
    options.dictionaryByteCount = 500
    options.pageRowCount = 50
    let values = (0..<300).map { "value \($0)" }
    let batch = Written.batch(ColumnField("s", .string), strings(values))
    let (bytes, _) = try Written.file([batch], options)
    let chunk = try Written.chunk(bytes, 0, 0)
    let start = Int(try #require(chunk.bloomFilterOffset))
    let data = bytes.slice(start..<start + Int(try #require(chunk.bloomFilterLength)))
    var reader = ThriftReader(data.bytes)
    _ = try BloomFilterHeader(from: &reader)
    let blocks = data.slice(reader.offset..<data.count)
    let filter = try BloomFilter(blocks.bytes)
    #expect(values.allSatisfy { filter.mayContain(hash($0)) })
    let isAbsent = !filter.mayContain(hash("absent"))
    #expect(isAbsent)
  }

  private func hash(_ text: String) -> UInt64 {
    let bytes = Buffer(utf8: text)
    return XXHash64.hash(bytes.bytes)
  }

  // MARK: Errors

  @Test func `what can't be written is refused, and nothing after it`() throws {
    let required = ColumnField("i", .int64, isNullable: false)
    let writer = try ParquetFileWriter(fields: [required])
    #expect(throws: ParquetError.self) {
      try writer.write(Written.batch(required, column([1, nil])))
    }
    #expect(throws: ParquetError.self) { try writer.write(Written.batch(required, column([1]))) }
    #expect(throws: ParquetError.self) { try writer.finish() }
  }

  @Test func `options that don't fit the schema are refused`() throws {
    let field = ColumnField("i", .int64)
    var options = WriterOptions()
    options.columns["j"] = ColumnOptions()
    #expect(throws: ParquetError.noSuchColumn("j")) {
      try ParquetFileWriter(fields: [field], options: options)
    }
    options = WriterOptions()
    options.sortingColumns = [SortingKey("k", .ascending, nulls: .last)]
    #expect(throws: ParquetError.noSuchColumn("k")) {
      try ParquetFileWriter(fields: [field], options: options)
    }
    options = WriterOptions()
    options.columns["i"] = ColumnOptions()
    options.columns["i"]?.encoding = .deltaByteArray
    #expect(throws: ParquetError.self) { try ParquetFileWriter(fields: [field], options: options) }
    options = WriterOptions()
    options.codec = .deflate
    #expect(throws: ParquetError.self) { try ParquetFileWriter(fields: [field], options: options) }
  }

  @Test func `a null inside a required element is refused`() throws {
    let element = ColumnField("element", .int64, isNullable: false)
    let builder = ColumnBuilder(.list(element))
    builder.children[0].appendNull()
    builder.endList()
    let batch = Written.batch(ColumnField("l", .list(element)), builder.finish())
    #expect(throws: ParquetError.self) { try Written.file([batch]) }
  }

  // MARK: Checksums

  @Test func `every flipped bit of a footer is noticed`() throws {
    let batch = Written.batch(ColumnField("i", .int64, fieldID: 1), column([1, 2, nil]))
    let (bytes, file) = try Written.file([batch])
    let end = bytes.count - 8
    let start = bytes.count - file.footerByteCount
    let intact = try ParquetFooter.parse(wholeFile: bytes).metadata
    for bit in start * 8..<end * 8 {
      var damaged = bytes.array()
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let tail = Buffer(damaged)
      // Hits on the key or on the writer's name leave a footer that is not known to be Lake's.
      guard let footer = try? ParquetFooter.parse(wholeFile: tail) else { continue }
      let isSame =
        footer.metadata.rowGroups == intact.rowGroups && footer.metadata.schema == intact.schema
      #expect(isSame, "bit \(bit)")
    }
  }

  @Test func `every flipped bit of the indexes is noticed`() throws {
    let batch = Written.batch(ColumnField("i", .int64), column([1, 2, nil]))
    var options = WriterOptions()
    var wanted = ColumnOptions()
    wanted.bloomFilter = BloomFilterOptions(maxByteCount: 32)
    options.columns["i"] = wanted
    let (bytes, file) = try Written.file([batch], options)
    let footer = try ParquetFooter.parse(wholeFile: bytes)
    let start = 4 + Int(try Written.chunk(bytes, 0, 0).totalCompressedSize)
    let region = start..<bytes.count - file.footerByteCount
    let covered = footer.checkedRanges(rowGroup: 0, leaf: 0)
    #expect(covered.count == 3 && covered.reduce(0) { $0 + $1.count } == region.count)
    #expect(damage(footer, bytes).isEmpty)
    for bit in region.lowerBound * 8..<region.upperBound * 8 {
      var damaged = bytes.array()
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(damage(footer, Buffer(damaged)).count == 1, "bit \(bit)")
    }
  }

  @Test func `what is damaged between pages and footer is named`() throws {
    let batch = Written.batch(ColumnField("i", .int64), column([1, 2, nil]))
    let (bytes, _) = try Written.file([batch])
    let footer = try ParquetFooter.parse(wholeFile: bytes)
    let ranges = footer.checkedRanges(rowGroup: 0, leaf: 0)
    for (range, part) in zip(
      ranges,
      [
        ParquetPart.columnIndex(path: "i", rowGroup: 0), .offsetIndex(path: "i", rowGroup: 0),
      ])
    {
      var damaged = bytes.array()
      damaged[Int(range.upperBound) - 1] ^= 1
      guard
        case .checksumMismatch(part, let expected, let found) = damage(footer, Buffer(damaged))[0]
      else {
        Issue.record("\(part): \(damage(footer, Buffer(damaged)))")
        continue
      }
      let now = CRC32C.checksum(
        Buffer(damaged).slice(Int(range.lowerBound)..<Int(range.upperBound)).bytes)
      let then = CRC32C.checksum(bytes.slice(Int(range.lowerBound)..<Int(range.upperBound)).bytes)
      #expect(found == now && expected == then)
    }
  }

  private func damage(_ footer: ParquetFooter, _ file: Buffer) -> [ParquetError] {
    footer.indexDamage(rowGroup: 0, leaf: 0, bytes: FileBytes(wholeFile: file))
  }
}
