// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// A pair of texts that a writer left in the footer. Source: parquet.thrift, `KeyValue`.
package struct KeyValue: Hashable, Sendable {
  package var key: String
  package var value: String?

  package init(key: String, value: String?) {
    self.key = key
    self.value = value
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var key: String?
    var value: String?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: key = try reader.readString(field)
      case 2: value = try reader.readString(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.init(key: try reader.require(key, "key"), value: value)
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, key)
    writer.write(2, value)
    writer.endStructure()
  }
}

/// How many pages of a kind a column chunk has. Source: parquet.thrift, `PageEncodingStats`.
package struct PageEncodingStats: Hashable, Sendable {
  package var pageType: PageType
  package var encoding: Encoding
  package var count: Int32

  package init(pageType: PageType, encoding: Encoding, count: Int32) {
    self.pageType = pageType
    self.encoding = encoding
    self.count = count
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var pageType: Int32?
    var encoding: Int32?
    var count: Int32?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: pageType = try reader.readInt32(field)
      case 2: encoding = try reader.readInt32(field)
      case 3: count = try reader.readInt32(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.init(
      pageType: PageType(rawValue: try reader.require(pageType, "page_type")),
      encoding: Encoding(rawValue: try reader.require(encoding, "encoding")),
      count: try reader.require(count, "count"))
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, pageType.rawValue)
    writer.write(2, encoding.rawValue)
    writer.write(3, count)
    writer.endStructure()
  }
}

/// What a column chunk holds and where. Source: parquet.thrift, `ColumnMetaData`.
package struct ColumnMetaData: Hashable, Sendable {
  package var type: PhysicalType
  package var encodings: [Encoding] = []
  package var pathInSchema: [String]
  package var codec: CompressionCodec
  /// Nulls included.
  package var valueCount: Int64
  /// Page headers included, as in the next.
  package var totalUncompressedSize: Int64 = 0
  package var totalCompressedSize: Int64 = 0
  package var keyValueMetadata: [KeyValue]?
  package var dataPageOffset: Int64
  package var indexPageOffset: Int64?
  package var dictionaryPageOffset: Int64?
  package var statistics: Statistics?
  package var encodingStats: [PageEncodingStats]?
  package var bloomFilterOffset: Int64?
  package var bloomFilterLength: Int32?
  package var sizeStatistics: SizeStatistics?
  package var geospatialStatistics: GeospatialStatistics?

  package init(
    type: PhysicalType, pathInSchema: [String], codec: CompressionCodec, valueCount: Int64,
    dataPageOffset: Int64
  ) {
    self.type = type
    self.pathInSchema = pathInSchema
    self.codec = codec
    self.valueCount = valueCount
    self.dataPageOffset = dataPageOffset
  }
}

extension ColumnMetaData {
  package init(from reader: inout ThriftReader) throws(ByteError) {
    var found = ColumnMetaData(
      type: .boolean, pathInSchema: [], codec: .uncompressed, valueCount: 0, dataPageOffset: 0)
    var seen: UInt32 = 0
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      if (1...9).contains(field.id) { seen |= 1 << UInt32(field.id) }
      switch field.id {
      case 1: found.type = try reader.readEnumeration(field, PhysicalType.init(rawValue:), "type")
      case 2: found.encodings = try reader.readInt32List(field).map(Encoding.init(rawValue:))
      case 3: found.pathInSchema = try reader.readStringList(field)
      case 4: found.codec = CompressionCodec(rawValue: try reader.readInt32(field))
      case 5: found.valueCount = try reader.readInt64(field)
      case 6: found.totalUncompressedSize = try reader.readInt64(field)
      case 7: found.totalCompressedSize = try reader.readInt64(field)
      case 8: found.keyValueMetadata = try reader.readKeyValues(field)
      case 9: found.dataPageOffset = try reader.readInt64(field)
      default: try found.decodeOptional(field, from: &reader)
      }
    }
    reader.endStructure(outer)
    for (id, name) in Self.requiredFields where seen >> UInt32(id) & 1 == 0 {
      _ = try reader.require(nil as Int?, name)
    }
    self = found
  }

  private static let requiredFields: [(id: Int, name: String)] = [
    (1, "type"), (3, "path_in_schema"), (4, "codec"), (5, "num_values"),
    (7, "total_compressed_size"), (9, "data_page_offset"),
  ]

  private mutating func decodeOptional(
    _ field: ThriftField, from reader: inout ThriftReader
  ) throws(ByteError) {
    switch field.id {
    case 10: indexPageOffset = try reader.readInt64(field)
    case 11: dictionaryPageOffset = try reader.readInt64(field)
    case 12:
      try reader.expectStructure(field)
      statistics = try Statistics(from: &reader)
    case 13:
      var stats: [PageEncodingStats] = []
      for _ in 0..<(try reader.beginList(field, of: .structure)) {
        stats.append(try PageEncodingStats(from: &reader))
      }
      encodingStats = stats
    case 14: bloomFilterOffset = try reader.readInt64(field)
    case 15: bloomFilterLength = try reader.readInt32(field)
    case 16:
      try reader.expectStructure(field)
      sizeStatistics = try SizeStatistics(from: &reader)
    case 17:
      try reader.expectStructure(field)
      geospatialStatistics = try GeospatialStatistics(from: &reader)
    default: try reader.skip(field)
    }
  }

  package func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    writer.write(1, type.rawValue)
    writer.write(2, encodings.map(\.rawValue))
    writer.write(3, pathInSchema)
    writer.write(4, codec.rawValue)
    writer.write(5, valueCount)
    writer.write(6, totalUncompressedSize)
    writer.write(7, totalCompressedSize)
    writer.write(8, keyValues: keyValueMetadata)
    writer.write(9, dataPageOffset)
    writer.write(10, indexPageOffset)
    writer.write(11, dictionaryPageOffset)
    statistics?.encode(12, into: &writer)
    if let encodingStats {
      writer.beginList(13, of: .structure, count: encodingStats.count)
      for stats in encodingStats { stats.encode(into: &writer) }
    }
    writer.write(14, bloomFilterOffset)
    writer.write(15, bloomFilterLength)
    sizeStatistics?.encode(16, into: &writer)
    geospatialStatistics?.encode(17, into: &writer)
    writer.endStructure()
  }
}

/// Where a column chunk and its indexes lie. Source: parquet.thrift, `ColumnChunk`.
package struct ColumnChunk: Hashable, Sendable {
  package var filePath: String?
  package var fileOffset: Int64 = 0
  /// Nil only where it is encrypted.
  package var metaData: ColumnMetaData?
  package var offsetIndexOffset: Int64?
  package var offsetIndexLength: Int32?
  package var columnIndexOffset: Int64?
  package var columnIndexLength: Int32?
  /// True if the chunk is encrypted.
  package var isEncrypted = false

  package init(metaData: ColumnMetaData?) { self.metaData = metaData }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: filePath = try reader.readString(field)
      case 2: fileOffset = try reader.readInt64(field)
      case 3:
        try reader.expectStructure(field)
        metaData = try ColumnMetaData(from: &reader)
      case 4: offsetIndexOffset = try reader.readInt64(field)
      case 5: offsetIndexLength = try reader.readInt32(field)
      case 6: columnIndexOffset = try reader.readInt64(field)
      case 7: columnIndexLength = try reader.readInt32(field)
      case 8, 9:
        isEncrypted = true
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, filePath)
    writer.write(2, fileOffset)
    metaData?.encode(3, into: &writer)
    writer.write(4, offsetIndexOffset)
    writer.write(5, offsetIndexLength)
    writer.write(6, columnIndexOffset)
    writer.write(7, columnIndexLength)
    writer.endStructure()
  }
}

extension ThriftReader {
  mutating func readKeyValues(_ field: ThriftField) throws(ByteError) -> [KeyValue] {
    var pairs: [KeyValue] = []
    for _ in 0..<(try beginList(field, of: .structure)) {
      pairs.append(try KeyValue(from: &self))
    }
    return pairs
  }
}

extension ThriftWriter {
  mutating func write(_ id: Int16, keyValues: [KeyValue]?) {
    guard let keyValues else { return }
    beginList(id, of: .structure, count: keyValues.count)
    for pair in keyValues { pair.encode(into: &self) }
  }
}
