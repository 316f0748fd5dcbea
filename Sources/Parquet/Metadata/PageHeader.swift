// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What comes before the bytes of each page. Source: parquet.thrift, `PageHeader`.
package struct PageHeader: Hashable, Sendable {
  package var uncompressedPageSize: Int32
  package var compressedPageSize: Int32
  /// CRC-32 of the page's bytes as they are in the file.
  package var crc: Int32?
  package var body: Body

  package enum Body: Hashable, Sendable {
    case data(DataPageHeader)
    case dictionary(DictionaryPageHeader)
    case dataV2(DataPageHeaderV2)
    /// A kind that holds no values to read.
    case other(PageType)
  }

  package init(uncompressedPageSize: Int32, compressedPageSize: Int32, crc: Int32?, body: Body) {
    self.uncompressedPageSize = uncompressedPageSize
    self.compressedPageSize = compressedPageSize
    self.crc = crc
    self.body = body
  }
}

/// Source: parquet.thrift, `DataPageHeader`.
package struct DataPageHeader: Hashable, Sendable {
  /// Nulls included.
  package var valueCount: Int32
  package var encoding: Encoding
  package var definitionLevelEncoding: Encoding
  package var repetitionLevelEncoding: Encoding
  package var statistics: Statistics?

  package init(
    valueCount: Int32, encoding: Encoding, definitionLevelEncoding: Encoding = .rle,
    repetitionLevelEncoding: Encoding = .rle, statistics: Statistics? = nil
  ) {
    self.valueCount = valueCount
    self.encoding = encoding
    self.definitionLevelEncoding = definitionLevelEncoding
    self.repetitionLevelEncoding = repetitionLevelEncoding
    self.statistics = statistics
  }

  init(from reader: inout ThriftReader) throws(ByteError) {
    var valueCount: Int32?
    var encoding: Int32?
    var found = DataPageHeader(valueCount: 0, encoding: .plain)
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: valueCount = try reader.readInt32(field)
      case 2: encoding = try reader.readInt32(field)
      case 3: found.definitionLevelEncoding = Encoding(rawValue: try reader.readInt32(field))
      case 4: found.repetitionLevelEncoding = Encoding(rawValue: try reader.readInt32(field))
      case 5:
        try reader.expectStructure(field)
        found.statistics = try Statistics(from: &reader)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    found.valueCount = try reader.require(valueCount, "num_values")
    found.encoding = Encoding(rawValue: try reader.require(encoding, "encoding"))
    self = found
  }

  func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    writer.write(1, valueCount)
    writer.write(2, encoding.rawValue)
    writer.write(3, definitionLevelEncoding.rawValue)
    writer.write(4, repetitionLevelEncoding.rawValue)
    statistics?.encode(5, into: &writer)
    writer.endStructure()
  }
}

/// Source: parquet.thrift, `DictionaryPageHeader`.
package struct DictionaryPageHeader: Hashable, Sendable {
  package var valueCount: Int32
  package var encoding: Encoding
  package var isSorted: Bool?

  package init(valueCount: Int32, encoding: Encoding = .plain, isSorted: Bool? = nil) {
    self.valueCount = valueCount
    self.encoding = encoding
    self.isSorted = isSorted
  }

  init(from reader: inout ThriftReader) throws(ByteError) {
    var valueCount: Int32?
    var encoding: Int32?
    var isSorted: Bool?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: valueCount = try reader.readInt32(field)
      case 2: encoding = try reader.readInt32(field)
      case 3: isSorted = try reader.readBool(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.init(
      valueCount: try reader.require(valueCount, "num_values"),
      encoding: Encoding(rawValue: try reader.require(encoding, "encoding")), isSorted: isSorted)
  }

  func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    writer.write(1, valueCount)
    writer.write(2, encoding.rawValue)
    writer.write(3, isSorted)
    writer.endStructure()
  }
}

/// Source: parquet.thrift, `DataPageHeaderV2`.
package struct DataPageHeaderV2: Hashable, Sendable {
  /// Nulls included.
  package var valueCount: Int32
  package var nullCount: Int32
  package var rowCount: Int32
  package var encoding: Encoding
  package var definitionLevelsByteCount: Int32
  package var repetitionLevelsByteCount: Int32
  package var isCompressed: Bool = true
  package var statistics: Statistics?

  package init(
    valueCount: Int32, nullCount: Int32, rowCount: Int32, encoding: Encoding,
    definitionLevelsByteCount: Int32, repetitionLevelsByteCount: Int32
  ) {
    self.valueCount = valueCount
    self.nullCount = nullCount
    self.rowCount = rowCount
    self.encoding = encoding
    self.definitionLevelsByteCount = definitionLevelsByteCount
    self.repetitionLevelsByteCount = repetitionLevelsByteCount
  }

  init(from reader: inout ThriftReader) throws(ByteError) {
    var numbers = [Int32?](repeating: nil, count: 6)
    var isCompressed = true
    var statistics: Statistics?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1...6: numbers[Int(field.id) - 1] = try reader.readInt32(field)
      case 7: isCompressed = try reader.readBool(field)
      case 8:
        try reader.expectStructure(field)
        statistics = try Statistics(from: &reader)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.init(
      valueCount: try reader.require(numbers[0], "num_values"),
      nullCount: try reader.require(numbers[1], "num_nulls"),
      rowCount: try reader.require(numbers[2], "num_rows"),
      encoding: Encoding(rawValue: try reader.require(numbers[3], "encoding")),
      definitionLevelsByteCount: try reader.require(
        numbers[4], "definition_levels_byte_length"),
      repetitionLevelsByteCount: try reader.require(
        numbers[5], "repetition_levels_byte_length"))
    self.isCompressed = isCompressed
    self.statistics = statistics
  }

  func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    writer.write(1, valueCount)
    writer.write(2, nullCount)
    writer.write(3, rowCount)
    writer.write(4, encoding.rawValue)
    writer.write(5, definitionLevelsByteCount)
    writer.write(6, repetitionLevelsByteCount)
    writer.write(7, isCompressed)
    statistics?.encode(8, into: &writer)
    writer.endStructure()
  }
}

extension PageHeader {
  /// - Throws: also where the part that the page's type calls for is missing.
  package init(from reader: inout ThriftReader) throws(ByteError) {
    var type: Int32?
    var uncompressed: Int32?
    var compressed: Int32?
    var crc: Int32?
    var data: DataPageHeader?
    var dictionary: DictionaryPageHeader?
    var dataV2: DataPageHeaderV2?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: type = try reader.readInt32(field)
      case 2: uncompressed = try reader.readInt32(field)
      case 3: compressed = try reader.readInt32(field)
      case 4: crc = Int32(truncatingIfNeeded: try reader.readInt64(field))
      case 5:
        try reader.expectStructure(field)
        data = try DataPageHeader(from: &reader)
      case 7:
        try reader.expectStructure(field)
        dictionary = try DictionaryPageHeader(from: &reader)
      case 8:
        try reader.expectStructure(field)
        dataV2 = try DataPageHeaderV2(from: &reader)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    let pageType = PageType(rawValue: try reader.require(type, "type"))
    let body: Body
    switch pageType {
    case .dataPage: body = .data(try reader.require(data, "data_page_header"))
    case .dictionaryPage:
      body = .dictionary(try reader.require(dictionary, "dictionary_page_header"))
    case .dataPageV2: body = .dataV2(try reader.require(dataV2, "data_page_header_v2"))
    default: body = .other(pageType)
    }
    self.init(
      uncompressedPageSize: try reader.require(uncompressed, "uncompressed_page_size"),
      compressedPageSize: try reader.require(compressed, "compressed_page_size"), crc: crc,
      body: body)
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    switch body {
    case .data: writer.write(1, PageType.dataPage.rawValue)
    case .dictionary: writer.write(1, PageType.dictionaryPage.rawValue)
    case .dataV2: writer.write(1, PageType.dataPageV2.rawValue)
    case .other(let type): writer.write(1, type.rawValue)
    }
    writer.write(2, uncompressedPageSize)
    writer.write(3, compressedPageSize)
    writer.write(4, crc)
    switch body {
    case .data(let header): header.encode(5, into: &writer)
    case .dictionary(let header): header.encode(7, into: &writer)
    case .dataV2(let header): header.encode(8, into: &writer)
    case .other: break
    }
    writer.endStructure()
  }
}
