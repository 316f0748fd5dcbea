// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// By what the rows of a row group are sorted. Source: parquet.thrift, `SortingColumn`.
package struct SortingColumn: Hashable, Sendable {
  /// Which leaf, counted over the schema.
  package var columnIndex: Int32
  package var isDescending: Bool
  package var areNullsFirst: Bool

  package init(columnIndex: Int32, isDescending: Bool, areNullsFirst: Bool) {
    self.columnIndex = columnIndex
    self.isDescending = isDescending
    self.areNullsFirst = areNullsFirst
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var columnIndex: Int32?
    var isDescending: Bool?
    var areNullsFirst: Bool?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: columnIndex = try reader.readInt32(field)
      case 2: isDescending = try reader.readBool(field)
      case 3: areNullsFirst = try reader.readBool(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.init(
      columnIndex: try reader.require(columnIndex, "column_idx"),
      isDescending: try reader.require(isDescending, "descending"),
      areNullsFirst: try reader.require(areNullsFirst, "nulls_first"))
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, columnIndex)
    writer.write(2, isDescending)
    writer.write(3, areNullsFirst)
    writer.endStructure()
  }
}

/// A horizontal part of the file. Source: parquet.thrift, `RowGroup`.
package struct RowGroup: Hashable, Sendable {
  package var columns: [ColumnChunk]
  package var totalByteSize: Int64
  package var rowCount: Int64
  package var sortingColumns: [SortingColumn]?
  package var fileOffset: Int64?
  package var totalCompressedSize: Int64?
  package var ordinal: Int16?

  package init(columns: [ColumnChunk], totalByteSize: Int64, rowCount: Int64) {
    self.columns = columns
    self.totalByteSize = totalByteSize
    self.rowCount = rowCount
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var columns: [ColumnChunk]?
    var rowCount: Int64?
    var found = RowGroup(columns: [], totalByteSize: 0, rowCount: 0)
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1:
        var chunks: [ColumnChunk] = []
        for _ in 0..<(try reader.beginList(field, of: .structure)) {
          chunks.append(try ColumnChunk(from: &reader))
        }
        columns = chunks
      case 2: found.totalByteSize = try reader.readInt64(field)
      case 3: rowCount = try reader.readInt64(field)
      case 4:
        var sorting: [SortingColumn] = []
        for _ in 0..<(try reader.beginList(field, of: .structure)) {
          sorting.append(try SortingColumn(from: &reader))
        }
        found.sortingColumns = sorting
      case 5: found.fileOffset = try reader.readInt64(field)
      case 6: found.totalCompressedSize = try reader.readInt64(field)
      case 7: found.ordinal = Int16(truncatingIfNeeded: try reader.readInt64(field))
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    found.columns = try reader.require(columns, "columns")
    found.rowCount = try reader.require(rowCount, "num_rows")
    self = found
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.beginList(1, of: .structure, count: columns.count)
    for column in columns { column.encode(into: &writer) }
    writer.write(2, totalByteSize)
    writer.write(3, rowCount)
    if let sortingColumns {
      writer.beginList(4, of: .structure, count: sortingColumns.count)
      for column in sortingColumns { column.encode(into: &writer) }
    }
    writer.write(5, fileOffset)
    writer.write(6, totalCompressedSize)
    writer.write(7, ordinal)
    writer.endStructure()
  }
}

/// The order that bounds of a column are in. Source: parquet.thrift, `ColumnOrder`.
package enum ColumnOrder: Hashable, Sendable {
  case typeDefined
  case ieee754Total
  case int96Timestamp
  /// A case of the union that came after this code: bounds can't be used.
  case unrecognized

  package init(from reader: inout ThriftReader) throws(ByteError) {
    self = .unrecognized
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: self = .typeDefined
      case 2: self = .ieee754Total
      case 3: self = .int96Timestamp
      default: self = .unrecognized
      }
      try reader.skip(field)
    }
    reader.endStructure(outer)
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    switch self {
    case .typeDefined: writer.writeEmptyStructure(1)
    case .ieee754Total: writer.writeEmptyStructure(2)
    case .int96Timestamp: writer.writeEmptyStructure(3)
    case .unrecognized: break
    }
    writer.endStructure()
  }
}

/// The footer. Source: parquet.thrift, `FileMetaData`.
package struct FileMetaData: Hashable, Sendable {
  package var version: Int32
  /// Depth first; the root is the first.
  package var schema: [SchemaElement]
  package var rowCount: Int64
  package var rowGroups: [RowGroup]
  package var keyValueMetadata: [KeyValue]?
  package var createdBy: String?
  /// One a leaf.
  package var columnOrders: [ColumnOrder]?
  /// True if columns are encrypted under a footer in the clear.
  package var isEncrypted = false

  package init(version: Int32, schema: [SchemaElement], rowCount: Int64, rowGroups: [RowGroup]) {
    self.version = version
    self.schema = schema
    self.rowCount = rowCount
    self.rowGroups = rowGroups
  }
}

extension FileMetaData {
  package init(from reader: inout ThriftReader) throws(ByteError) {
    var found = FileMetaData(version: 0, schema: [], rowCount: 0, rowGroups: [])
    var schema: [SchemaElement]?
    var rowCount: Int64?
    var rowGroups: [RowGroup]?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: found.version = try reader.readInt32(field)
      case 2:
        var nodes: [SchemaElement] = []
        for _ in 0..<(try reader.beginList(field, of: .structure)) {
          nodes.append(try SchemaElement(from: &reader))
        }
        schema = nodes
      case 3: rowCount = try reader.readInt64(field)
      case 4:
        var groups: [RowGroup] = []
        for _ in 0..<(try reader.beginList(field, of: .structure)) {
          groups.append(try RowGroup(from: &reader))
        }
        rowGroups = groups
      default: try found.decodeOptional(field, from: &reader)
      }
    }
    reader.endStructure(outer)
    found.schema = try reader.require(schema, "schema")
    found.rowCount = try reader.require(rowCount, "num_rows")
    found.rowGroups = try reader.require(rowGroups, "row_groups")
    self = found
  }

  private mutating func decodeOptional(
    _ field: ThriftField, from reader: inout ThriftReader
  ) throws(ByteError) {
    switch field.id {
    case 5: keyValueMetadata = try reader.readKeyValues(field)
    case 6: createdBy = try reader.readString(field)
    case 7:
      var orders: [ColumnOrder] = []
      for _ in 0..<(try reader.beginList(field, of: .structure)) {
        orders.append(try ColumnOrder(from: &reader))
      }
      columnOrders = orders
    case 8, 9:
      isEncrypted = true
      try reader.skip(field)
    default: try reader.skip(field)
    }
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, version)
    writer.beginList(2, of: .structure, count: schema.count)
    for node in schema { node.encode(into: &writer) }
    writer.write(3, rowCount)
    writer.beginList(4, of: .structure, count: rowGroups.count)
    for group in rowGroups { group.encode(into: &writer) }
    writer.write(5, keyValues: keyValueMetadata)
    writer.write(6, createdBy)
    if let columnOrders {
      writer.beginList(7, of: .structure, count: columnOrders.count)
      for order in columnOrders { order.encode(into: &writer) }
    }
    writer.endStructure()
  }
}
