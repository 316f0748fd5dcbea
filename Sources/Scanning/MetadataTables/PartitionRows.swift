// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

/// Adds up what each partition has. Those of different specs with the same values are one.
struct PartitionRows {
  private let metadata: TableMetadata
  private let common: CommonPartition
  private var order: [[Value?]] = []
  private var partitions: [[Value?]: Counts] = [:]

  private struct Counts {
    var specID = PartitionSpecID(0)
    var records: Int64 = 0
    var files: Int64 = 0
    var bytes: Int64 = 0
    var positionDeletes: Int64 = 0
    var positionDeleteFiles: Int64 = 0
    var equalityDeletes: Int64 = 0
    var equalityDeleteFiles: Int64 = 0
    var lastUpdate: Snapshot?
  }

  init(_ metadata: TableMetadata) throws(ScanError) {
    self.metadata = metadata
    common = try CommonPartition(metadata)
  }

  var fields: [ColumnField] {
    var fields: [ColumnField] = []
    if !common.fields.isEmpty {
      fields += [
        ColumnField("partition", common.columnType, isNullable: false),
        ColumnField("spec_id", .int32, isNullable: false),
      ]
    }
    return fields + [
      ColumnField("record_count", .int64, isNullable: false),
      ColumnField("file_count", .int32, isNullable: false),
      ColumnField("total_data_file_size_in_bytes", .int64, isNullable: false),
      ColumnField("position_delete_record_count", .int64, isNullable: false),
      ColumnField("position_delete_file_count", .int32, isNullable: false),
      ColumnField("equality_delete_record_count", .int64, isNullable: false),
      ColumnField("equality_delete_file_count", .int32, isNullable: false),
      ColumnField("last_updated_at", MetadataTable.moment),
      ColumnField("last_updated_snapshot_id", .int64),
    ]
  }

  /// Counts a live entry.
  mutating func add(_ entry: ManifestEntry) {
    let file = entry.file
    let spec = metadata.partitionSpec(file.partition.specID)
    let key = common.values(of: file.partition, in: spec)
    if partitions[key] == nil { order.append(key) }
    var counts = partitions[key] ?? Counts()
    counts.specID = file.partition.specID
    switch file.content {
    case .data:
      counts.records = counts.records.addingClamped(file.recordCount)
      counts.files += 1
      counts.bytes = counts.bytes.addingClamped(file.byteCount)
    case .positionDeletes:
      counts.positionDeletes = counts.positionDeletes.addingClamped(file.recordCount)
      counts.positionDeleteFiles += 1
    case .equalityDeletes:
      counts.equalityDeletes = counts.equalityDeletes.addingClamped(file.recordCount)
      counts.equalityDeleteFiles += 1
    }
    if let snapshot = metadata.snapshot(entry.snapshotID),
      snapshot.timestampMilliseconds > counts.lastUpdate?.timestampMilliseconds ?? .min
    {
      counts.lastUpdate = snapshot
    }
    partitions[key] = counts
  }

  /// In the order in which partitions were first met.
  var rows: [[Cell]] {
    order.map { key in
      let counts = partitions[key] ?? Counts()
      var row: [Cell] = []
      if !common.fields.isEmpty { row += [common.cell(key), Cell(counts.specID.rawValue)] }
      row += [
        Cell(counts.records), Cell(counts.files), Cell(counts.bytes), Cell(counts.positionDeletes),
        Cell(counts.positionDeleteFiles), Cell(counts.equalityDeletes),
        Cell(counts.equalityDeleteFiles),
      ]
      row.append(
        counts.lastUpdate.map { MetadataTable.moment(milliseconds: $0.timestampMilliseconds) }
          ?? .null)
      row.append(Cell(counts.lastUpdate?.id.rawValue))
      return row
    }
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
