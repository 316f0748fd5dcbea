// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Expressions
internal import Iceberg

/// The partitions of all specs of a table as one structure: each field that any spec has, by its
/// id, named as the newest spec names it.
struct CommonPartition {
  let fields: [Field]

  init(_ metadata: TableMetadata) throws(ScanError) {
    var found: [FieldID: (field: Field, isVoid: Bool)] = [:]
    do throws(IcebergError) {
      for spec in metadata.partitionSpecs.sorted(by: { $0.id > $1.id }) {
        let types = try spec.partitionType(
          for: metadata.currentSchema, olderSchemas: metadata.schemas)
        for (field, partitionField) in zip(types.fields, spec.fields) {
          let isVoid = partitionField.transform == .void
          // A void field is what v1 leaves of a dropped one: an older spec knows its type.
          if let known = found[field.id], !known.isVoid || isVoid { continue }
          let name = found[field.id]?.field.name ?? field.name
          found[field.id] = (field.with(name: name), isVoid)
        }
      }
    } catch {
      throw .invalidRequest(error)
    }
    fields = found.values.map(\.field).sorted { $0.id < $1.id }
  }

  var columnType: ColumnType { .structure(fields.map(\.columnField)) }

  /// The values of `partition`, a null for each field that its spec does not have.
  func values(of partition: PartitionValues, in spec: PartitionSpec?) -> [Value?] {
    fields.map { field in
      guard let spec else { return nil }
      return partition[field.id, in: spec] ?? nil
    }
  }

  func cell(_ values: [Value?]) -> Cell { .structure(values.map { Cell($0?.columnValue) }) }
}

/// Makes rows of data and delete files, and of entries of manifests.
struct FileRows {
  private let metadata: TableMetadata
  private let partition: CommonPartition
  /// The table's columns that may have metrics, by their full names.
  private let measured: [(name: String, id: FieldID, type: PrimitiveType)]

  init(_ metadata: TableMetadata) throws(ScanError) {
    self.metadata = metadata
    partition = try CommonPartition(metadata)
    let schema = metadata.currentSchema
    var measured: [(name: String, id: FieldID, type: PrimitiveType)] = []
    for field in schema.allFields {
      guard let type = field.type.primitive, type != .variant, let name = schema.name(of: field.id)
      else { continue }
      measured.append((name, field.id, type))
    }
    self.measured = measured.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
  }

  // MARK: columns

  private static func map(to type: ColumnType) -> ColumnType {
    .map(
      key: ColumnField("key", .int32, isNullable: false),
      value: ColumnField("value", type, isNullable: false))
  }

  private var readableType: ColumnType {
    .structure(
      measured.map { column in
        let type = column.type.columnType
        return ColumnField(
          column.name,
          .structure([
            ColumnField("column_size", .int64), ColumnField("value_count", .int64),
            ColumnField("null_value_count", .int64), ColumnField("nan_value_count", .int64),
            ColumnField("lower_bound", type), ColumnField("upper_bound", type),
          ]))
      })
  }

  private var ownFields: [ColumnField] {
    var fields = [
      ColumnField("content", .int32),
      ColumnField("file_path", .string, isNullable: false),
      ColumnField("file_format", .string, isNullable: false),
      ColumnField("spec_id", .int32),
    ]
    if !partition.fields.isEmpty {
      fields.append(ColumnField("partition", partition.columnType, isNullable: false))
    }
    fields += [
      ColumnField("record_count", .int64, isNullable: false),
      ColumnField("file_size_in_bytes", .int64, isNullable: false),
      ColumnField("column_sizes", Self.map(to: .int64)),
      ColumnField("value_counts", Self.map(to: .int64)),
      ColumnField("null_value_counts", Self.map(to: .int64)),
      ColumnField("nan_value_counts", Self.map(to: .int64)),
      ColumnField("lower_bounds", Self.map(to: .binary)),
      ColumnField("upper_bounds", Self.map(to: .binary)),
      ColumnField("key_metadata", .binary),
      ColumnField("split_offsets", .list(ColumnField("element", .int64, isNullable: false))),
      ColumnField("equality_ids", .list(ColumnField("element", .int32, isNullable: false))),
      ColumnField("sort_order_id", .int32),
      ColumnField("first_row_id", .int64),
      ColumnField("referenced_data_file", .string),
      ColumnField("content_offset", .int64),
      ColumnField("content_size_in_bytes", .int64),
    ]
    return fields
  }

  /// The columns of a row a file.
  var fields: [ColumnField] { ownFields + [ColumnField("readable_metrics", readableType)] }

  /// The columns of a row an entry.
  var entryFields: [ColumnField] {
    [
      ColumnField("status", .int32, isNullable: false),
      ColumnField("snapshot_id", .int64),
      ColumnField("sequence_number", .int64),
      ColumnField("file_sequence_number", .int64),
      ColumnField("data_file", .structure(ownFields), isNullable: false),
      ColumnField("readable_metrics", readableType),
    ]
  }

  // MARK: rows

  func row(_ file: DataFile) -> [Cell] { own(file) + [readable(file)] }

  func row(_ entry: ManifestEntry) -> [Cell] {
    [
      Cell(entry.status.rawValue), Cell(entry.snapshotID.rawValue),
      Cell(entry.sequenceNumber.rawValue), Cell(entry.fileSequenceNumber?.rawValue),
      .structure(own(entry.file)), readable(entry.file),
    ]
  }

  private func own(_ file: DataFile) -> [Cell] {
    var row: [Cell] = [
      Cell(file.content.rawValue), .text(file.path), .text(file.format.name),
      Cell(file.partition.specID.rawValue),
    ]
    if !partition.fields.isEmpty {
      let spec = metadata.partitionSpec(file.partition.specID)
      row.append(partition.cell(partition.values(of: file.partition, in: spec)))
    }
    row += [Cell(file.recordCount), Cell(file.byteCount)]
    row += [
      metrics(file) { Cell($0.byteCount) }, metrics(file) { Cell($0.valueCount) },
      metrics(file) { Cell($0.nullCount) }, metrics(file) { Cell($0.nanCount) },
      metrics(file) { Cell($0.lowerBound) }, metrics(file) { Cell($0.upperBound) },
    ]
    row += [
      Cell(file.keyMetadata), list(file.splitOffsets), list(file.equalityIDs?.map(\.rawValue)),
      Cell(file.sortOrderID?.rawValue), Cell(file.firstRowID), Cell(file.referencedDataFile),
      Cell(file.contentRange?.offset), Cell(file.contentRange?.byteCount),
    ]
    return row
  }

  private func list(_ numbers: [some BinaryInteger]?) -> Cell {
    numbers.map { .list($0.map { .integer(Int128($0)) }) } ?? .null
  }

  /// One metric of all columns that have it; null if none has.
  private func metrics(_ file: DataFile, _ metric: (ColumnMetrics) -> Cell) -> Cell {
    var pairs: [(key: Cell, value: Cell)] = []
    for column in file.metrics.columns {
      let cell = metric(column)
      if case .null = cell { continue }
      pairs.append((Cell(column.fieldID.rawValue), cell))
    }
    return pairs.isEmpty ? .null : .map(pairs)
  }

  private func readable(_ file: DataFile) -> Cell {
    .structure(
      measured.map { column in
        let metrics = file.metrics[column.id]
        return .structure([
          Cell(metrics?.byteCount), Cell(metrics?.valueCount), Cell(metrics?.nullCount),
          Cell(metrics?.nanCount), bound(metrics?.lowerBound, column.type),
          bound(metrics?.upperBound, column.type),
        ])
      })
  }

  private func bound(_ bytes: [UInt8]?, _ type: PrimitiveType) -> Cell {
    guard let value = Value(bound: bytes, as: type) else { return .null }
    // A fixed column takes values of its width only, and a manifest may say anything.
    if case .fixed(let byteCount) = type, case .bytes(let bytes) = value,
      bytes.count != byteCount
    {
      return .null
    }
    return Cell(value.columnValue)
  }
}
