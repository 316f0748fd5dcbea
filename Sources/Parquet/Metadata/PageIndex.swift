// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Where a data page lies. Source: parquet.thrift, `PageLocation`.
package struct PageLocation: Hashable, Sendable {
  package var offset: Int64
  /// The page's header included.
  package var compressedPageSize: Int32
  /// Counted from the start of the row group.
  package var firstRowIndex: Int64

  package init(offset: Int64, compressedPageSize: Int32, firstRowIndex: Int64) {
    self.offset = offset
    self.compressedPageSize = compressedPageSize
    self.firstRowIndex = firstRowIndex
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var offset: Int64?
    var size: Int32?
    var firstRow: Int64?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: offset = try reader.readInt64(field)
      case 2: size = try reader.readInt32(field)
      case 3: firstRow = try reader.readInt64(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.init(
      offset: try reader.require(offset, "offset"),
      compressedPageSize: try reader.require(size, "compressed_page_size"),
      firstRowIndex: try reader.require(firstRow, "first_row_index"))
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, offset)
    writer.write(2, compressedPageSize)
    writer.write(3, firstRowIndex)
    writer.endStructure()
  }
}

/// Where the data pages of a column chunk lie. Source: parquet.thrift, `OffsetIndex`.
package struct OffsetIndex: Hashable, Sendable {
  package var pageLocations: [PageLocation]
  package var unencodedByteArrayDataBytes: [Int64]?

  package init(pageLocations: [PageLocation], unencodedByteArrayDataBytes: [Int64]? = nil) {
    self.pageLocations = pageLocations
    self.unencodedByteArrayDataBytes = unencodedByteArrayDataBytes
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var locations: [PageLocation]?
    var sizes: [Int64]?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1:
        var found: [PageLocation] = []
        for _ in 0..<(try reader.beginList(field, of: .structure)) {
          found.append(try PageLocation(from: &reader))
        }
        locations = found
      case 2: sizes = try reader.readInt64List(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.init(
      pageLocations: try reader.require(locations, "page_locations"),
      unencodedByteArrayDataBytes: sizes)
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.beginList(1, of: .structure, count: pageLocations.count)
    for location in pageLocations { location.encode(into: &writer) }
    writer.write(2, unencodedByteArrayDataBytes)
    writer.endStructure()
  }
}

/// What the data pages of a column chunk hold, one entry a page in each list.
/// Source: parquet.thrift, `ColumnIndex`.
package struct ColumnIndex: Hashable, Sendable {
  package var nullPages: [Bool]
  /// Empty bytes for pages of nulls only.
  package var minValues: [[UInt8]]
  package var maxValues: [[UInt8]]
  package var boundaryOrder: BoundaryOrder
  package var nullCounts: [Int64]?
  package var repetitionLevelHistograms: [Int64]?
  package var definitionLevelHistograms: [Int64]?
  package var nanCounts: [Int64]?

  package init(
    nullPages: [Bool], minValues: [[UInt8]], maxValues: [[UInt8]], boundaryOrder: BoundaryOrder
  ) {
    self.nullPages = nullPages
    self.minValues = minValues
    self.maxValues = maxValues
    self.boundaryOrder = boundaryOrder
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var nullPages: [Bool]?
    var minValues: [[UInt8]]?
    var maxValues: [[UInt8]]?
    var found = ColumnIndex(nullPages: [], minValues: [], maxValues: [], boundaryOrder: .unordered)
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: nullPages = try reader.readBoolList(field)
      case 2: minValues = try reader.readBinaryList(field)
      case 3: maxValues = try reader.readBinaryList(field)
      case 4:
        found.boundaryOrder = BoundaryOrder(rawValue: try reader.readInt32(field)) ?? .unordered
      case 5: found.nullCounts = try reader.readInt64List(field)
      case 6: found.repetitionLevelHistograms = try reader.readInt64List(field)
      case 7: found.definitionLevelHistograms = try reader.readInt64List(field)
      case 8: found.nanCounts = try reader.readInt64List(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    found.nullPages = try reader.require(nullPages, "null_pages")
    found.minValues = try reader.require(minValues, "min_values")
    found.maxValues = try reader.require(maxValues, "max_values")
    self = found
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, nullPages)
    writer.write(2, minValues)
    writer.write(3, maxValues)
    writer.write(4, boundaryOrder.rawValue)
    writer.write(5, nullCounts)
    writer.write(6, repetitionLevelHistograms)
    writer.write(7, definitionLevelHistograms)
    writer.write(8, nanCounts)
    writer.endStructure()
  }
}
