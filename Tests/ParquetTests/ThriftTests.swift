// SPDX-License-Identifier: Apache-2.0
import Bytes
import Testing

@testable import Parquet

@Suite("Thrift compact protocol")
struct ThriftTests {
  /// Decodes `bytes` as a structure, skipping all of its fields; answers how many there were.
  private func skipAll(_ bytes: [UInt8]) throws(ByteError) -> Int {
    let buffer = Buffer(bytes)
    var reader = ThriftReader(buffer.bytes)
    let outer = try reader.beginStructure()
    var count = 0
    while let field = try reader.nextField() {
      try reader.skip(field)
      count += 1
    }
    reader.endStructure(outer)
    #expect(reader.offset == bytes.count)
    return count
  }

  private func error(_ bytes: [UInt8]) -> ByteError? {
    do throws(ByteError) {
      _ = try skipAll(bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test func `fields of every type are skipped`() throws {
    let bytes: [UInt8] = [
      0x11,  // 1: true
      0x12,  // 2: false
      0x13, 0x80,  // 3: a byte
      0x14, 0x96, 0x01,  // 4: int16
      0x15, 0x01,  // 5: int32
      0x16, 0x80, 0x80, 0x01,  // 6: int64
      0x17, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f,  // 7: double
      0x18, 0x03, 0x61, 0x62, 0x63,  // 8: binary
      0x19, 0x25, 0x02, 0x04,  // 9: list of two int32
      0x1a, 0x11, 0x01,  // 10: set of one boolean
      0x1b, 0x01, 0x85, 0x01, 0x61, 0x02,  // 11: map of one entry
      0x1c, 0x15, 0x02, 0x00,  // 12: structure
      0x1d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,  // 13: uuid
      0x05, 0xc8, 0x01, 0x02,  // id 100 in full, int32
      0x00,
    ]
    var padded = bytes
    // A map of one entry has key and value types 8 and 5: binary, then int32.
    #expect(padded.count == bytes.count)
    padded[bytes.firstIndex(of: 0x1b).map { $0 + 3 } ?? 0] = 0x01
    #expect(try skipAll(padded) == 14)
  }

  @Test func `every cut of a structure throws`() {
    let bytes: [UInt8] = [
      0x18, 0x03, 0x61, 0x62, 0x63, 0x19, 0x25, 0x02, 0x04, 0x1c, 0x15, 0x02, 0x00, 0x00,
    ]
    #expect(error(bytes) == nil)
    for count in 0..<bytes.count { #expect(error(Array(bytes[..<count])) != nil, "\(count)") }
  }

  @Test func `a count of more elements than there are bytes takes no memory`() {
    // A list of 2^32 - 1 structures in seven bytes.
    #expect(error([0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f]) != nil)
    // Binary of 2^63 bytes.
    #expect(error([0x18] + [UInt8](repeating: 0xff, count: 9) + [0x01]) != nil)
    // A map of 2^31 entries.
    #expect(error([0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x55, 0, 0]) != nil)
  }

  @Test func `integers longer than their type throw`() {
    #expect(error([0x16] + [UInt8](repeating: 0xff, count: 10) + [0x01, 0x00]) != nil)
    #expect(error([0x16] + [UInt8](repeating: 0xff, count: 9) + [0x02, 0x00]) != nil)
  }

  @Test func `nesting ends at its limit`() {
    let limit = ThriftReader.maxDepth
    func nested(_ depth: Int) -> [UInt8] {
      [UInt8](repeating: 0x1c, count: depth) + [UInt8](repeating: 0x00, count: depth + 1)
    }
    #expect(error(nested(limit - 1)) == nil)
    #expect(
      error(nested(limit))
        == .limitExceeded(what: "Thrift nesting", value: Int64(limit) + 1, limit: Int64(limit)))
    // Lists of lists nest as well.
    #expect(error([0x19] + [UInt8](repeating: 0x19, count: 100_000)) != nil)
  }

  @Test func `types that there are not throw`() {
    for type: UInt8 in [0, 14, 15] { #expect(error([0x10 | type, 0, 0]) != nil, "\(type)") }
  }

  @Test func `field ids past their range throw`() {
    #expect(error([0x03, 0xfe, 0xff, 0x03, 0x00, 0x13, 0x00, 0x00]) != nil)  // 32767, then one more
    #expect(error([0x03, 0x80, 0x80, 0x04, 0x00, 0x00]) != nil)  // 32768
  }

  @Test func `metadata comes back as it was written`() throws {
    var statistics = Statistics()
    statistics.minValue = [1, 2]
    statistics.maxValue = []
    statistics.nullCount = 0
    statistics.nanCount = 5
    statistics.isMinValueExact = true
    statistics.isMaxValueExact = false
    var sizes = SizeStatistics()
    sizes.unencodedByteArrayDataBytes = 12
    sizes.definitionLevelHistogram = [1, 2, 3]
    var shapes = GeospatialStatistics()
    shapes.boundingBox = BoundingBox(x: .init(min: -1, max: 1), y: .init(min: 0, max: 2))
    shapes.geospatialTypes = [1, 2]
    var chunk = ColumnMetaData(
      type: .byteArray, pathInSchema: ["a", "b"], codec: .zstd, valueCount: 10,
      dataPageOffset: 4)
    chunk.encodings = [.plain, .rle, .rleDictionary, Encoding(rawValue: 77)]
    chunk.statistics = statistics
    chunk.sizeStatistics = sizes
    chunk.geospatialStatistics = shapes
    chunk.keyValueMetadata = [KeyValue(key: "k", value: nil), KeyValue(key: "", value: "é")]
    chunk.encodingStats = [PageEncodingStats(pageType: .dataPage, encoding: .plain, count: 3)]
    chunk.bloomFilterOffset = 1 << 40
    chunk.bloomFilterLength = 64
    var column = ColumnChunk(metaData: chunk)
    column.offsetIndexOffset = 5
    column.offsetIndexLength = 6
    var group = RowGroup(columns: [column], totalByteSize: -1, rowCount: 10)
    group.sortingColumns = [
      SortingColumn(columnIndex: 0, isDescending: true, areNullsFirst: false)
    ]
    group.ordinal = 3
    var metadata = FileMetaData(version: 2, schema: schema(), rowCount: 10, rowGroups: [group])
    metadata.createdBy = "test"
    metadata.columnOrders = [.typeDefined, .ieee754Total, .int96Timestamp]
    var writer = ThriftWriter()
    metadata.encode(into: &writer)
    let bytes = writer.finish()
    var reader = ThriftReader(bytes.bytes)
    let decoded = try FileMetaData(from: &reader)
    #expect(decoded == metadata)
    #expect(reader.offset == bytes.count)
  }

  /// A node for every logical type there is.
  private func schema() -> [SchemaElement] {
    let types: [LogicalType] = [
      .string, .map, .list, .enumeration, .decimal(scale: 2, precision: 9), .date,
      .time(isAdjustedToUTC: true, .millis), .timestamp(isAdjustedToUTC: false, .nanos),
      .integer(bitWidth: 8, isSigned: false), .unknown, .json, .bson, .uuid, .float16,
      .variant(version: 1), .variant(version: nil), .geometry(crs: "x"),
      .geography(crs: nil, algorithm: 2),
    ]
    return types.enumerated().map { index, type in
      var node = SchemaElement(name: "n\(index)")
      node.logicalType = type
      node.type = .int32
      node.repetition = .optional
      node.fieldID = Int32(index) - 5
      node.convertedType = ConvertedType(rawValue: Int32(index))
      node.scale = 1
      return node
    }
  }

  @Test func `page headers come back as they were written`() throws {
    var v2 = DataPageHeaderV2(
      valueCount: 5, nullCount: 1, rowCount: 4, encoding: .deltaBinaryPacked,
      definitionLevelsByteCount: 7, repetitionLevelsByteCount: 8)
    v2.isCompressed = false
    for body: PageHeader.Body in [
      .data(DataPageHeader(valueCount: 9, encoding: .plain, definitionLevelEncoding: .bitPacked)),
      .dictionary(DictionaryPageHeader(valueCount: 3, isSorted: true)), .dataV2(v2),
      .other(.indexPage),
    ] {
      let header = PageHeader(
        uncompressedPageSize: 100, compressedPageSize: 50, crc: -5, body: body)
      var writer = ThriftWriter()
      header.encode(into: &writer)
      let bytes = writer.finish()
      var reader = ThriftReader(bytes.bytes)
      #expect(try PageHeader(from: &reader) == header)
    }
  }

  @Test func `what must be there and is not throws`() throws {
    var reader = ThriftReader(Buffer([0x00] as [UInt8]).bytes)
    var error: ByteError?
    do throws(ByteError) { _ = try PageHeader(from: &reader) } catch let thrown { error = thrown }
    #expect(error == .unexpected(offset: 1, expected: "field 'type'", found: "none"))
  }
}
