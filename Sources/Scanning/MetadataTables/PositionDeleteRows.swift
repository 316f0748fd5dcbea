// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Storage

/// Makes rows of what position delete files and deletion vectors hold.
struct PositionDeleteRows {
  private let table: Table
  private let partition: CommonPartition
  /// What a position delete file may keep of the rows it deletes.
  private let rowField: Field
  private let hasVectors: Bool

  /// How many positions of a deletion vector come at once.
  private static let batchRowCount = 65_536

  init(_ table: Table) throws(ScanError) {
    self.table = table
    partition = try CommonPartition(table.metadata)
    hasVectors = table.metadata.formatVersion >= .v3
    rowField = Field(
      id: FieldID(2_147_483_544), name: "row",
      type: .structure(StructType(table.metadata.currentSchema.fields.map { $0.optional })),
      isRequired: false)
  }

  var fields: [ColumnField] {
    var fields = [
      DeleteFileReader.pathField.columnField, DeleteFileReader.positionField.columnField,
      rowField.columnField,
    ]
    if !partition.fields.isEmpty {
      fields.append(ColumnField("partition", partition.columnType, isNullable: false))
    }
    fields += [
      ColumnField("spec_id", .int32, isNullable: false),
      ColumnField("delete_file_path", .string, isNullable: false),
    ]
    if hasVectors {
      fields += [
        ColumnField("content_offset", .int64), ColumnField("content_size_in_bytes", .int64),
      ]
    }
    return fields
  }

  /// Hands on the rows of the delete file `file`; false if `consume` wants no more.
  func read(
    _ file: DataFile, _ consume: (RecordBatch) async throws(ScanError) -> Bool
  ) async throws(ScanError) -> Bool {
    let reader = DeleteFileReader(
      table: table, parallelism: max(1, table.environment.processorCount))
    if file.isDeletionVector {
      let positions = try await reader.vector(file).positions
      for start in stride(from: 0, to: positions.count, by: Self.batchRowCount) {
        let some = positions[start..<min(start + Self.batchRowCount, positions.count)]
        guard try await consume(try vectorRows(some, of: file)) else { return false }
      }
      return true
    }
    var goesOn = true
    let wanted = [DeleteFileReader.pathField, DeleteFileReader.positionField, rowField]
    try await reader.read(file, wanted) { (batches) throws(ScanError) in
      batches
    } consume: { (batches) async throws(ScanError) in
      for batch in batches where goesOn {
        goesOn = try await consume(try rows(batch.columns, batch.rowCount, of: file))
      }
      return goesOn
    }
    return goesOn
  }

  private func vectorRows(
    _ positions: ArraySlice<Int64>, of file: DataFile
  ) throws(ScanError) -> RecordBatch {
    let builder = ColumnBuilder(.int64, capacity: positions.count)
    for position in positions { builder.append(position) }
    let path = try repeating(
      file.referencedDataFile.map { .string($0) }, .string, count: positions.count)
    let row = Column.nulls(rowField.type.columnType, count: positions.count)
    return try rows([path, builder.finish(), row], positions.count, of: file)
  }

  /// The rows of `own` columns, and what is known of all of them.
  private func rows(
    _ own: [Column], _ count: Int, of file: DataFile
  ) throws(ScanError) -> RecordBatch {
    var columns = own
    if !partition.fields.isEmpty {
      let spec = table.metadata.partitionSpec(file.partition.specID)
      var children: [Column] = []
      for (field, value) in zip(partition.fields, partition.values(of: file.partition, in: spec)) {
        children.append(try repeating(value, field.type.columnType, count: count))
      }
      columns.append(
        Column(
          type: partition.columnType, count: count, validity: nil, values: .structure(children)))
    }
    columns += [
      try repeating(.int(file.partition.specID.rawValue), .int32, count: count),
      try repeating(.string(file.path), .string, count: count),
    ]
    if hasVectors {
      columns += [
        try repeating(file.contentRange.map { .long($0.offset) }, .int64, count: count),
        try repeating(
          .long(file.contentRange?.byteCount ?? file.byteCount), .int64, count: count),
      ]
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: count)
  }

  private func repeating(
    _ value: Value?, _ type: ColumnType, count: Int
  ) throws(ScanError) -> Column {
    do throws(ColumnarError) { return try .repeating(value, type, count: count) } catch {
      throw .unsupported(what: "rows of that size", file: table.name)
    }
  }
}

extension Field {
  /// The same field, of which rows may have no value.
  fileprivate var optional: Field {
    Field(id: id, name: name, type: type, isRequired: false, doc: doc)
  }
}
