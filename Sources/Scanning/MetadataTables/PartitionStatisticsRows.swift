// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Storage

/// Reads the file of partition statistics that a snapshot has: a row a partition, as whoever
/// computed them found it.
///
/// Source: Iceberg spec, "Partition Statistics File".
struct PartitionStatisticsRows {
  private let table: Table
  private let wanted: [Field]

  init(_ table: Table) throws(ScanError) {
    self.table = table
    let partition = try CommonPartition(table.metadata).fields
    var fields = Self.counts
    if !partition.isEmpty {
      let type = FieldType.structure(StructType(partition))
      fields.insert(Field(id: FieldID(1), name: "partition", type: type, isRequired: true), at: 0)
    }
    if table.metadata.formatVersion >= .v3 { fields.append(Self.vectorCount) }
    wanted = fields
  }

  private static let counts: [Field] = [
    Field(id: FieldID(2), name: "spec_id", type: .int, isRequired: true),
    Field(id: FieldID(3), name: "data_record_count", type: .long, isRequired: true),
    Field(id: FieldID(4), name: "data_file_count", type: .int, isRequired: true),
    Field(id: FieldID(5), name: "total_data_file_size_in_bytes", type: .long, isRequired: true),
    Field(id: FieldID(6), name: "position_delete_record_count", type: .long, isRequired: false),
    Field(id: FieldID(7), name: "position_delete_file_count", type: .int, isRequired: false),
    Field(id: FieldID(8), name: "equality_delete_record_count", type: .long, isRequired: false),
    Field(id: FieldID(9), name: "equality_delete_file_count", type: .int, isRequired: false),
    Field(id: FieldID(10), name: "total_record_count", type: .long, isRequired: false),
    Field(id: FieldID(11), name: "last_updated_at", type: .long, isRequired: false),
    Field(id: FieldID(12), name: "last_updated_snapshot_id", type: .long, isRequired: false),
  ]

  /// Files of before v3 do not have it.
  private static let vectorCount = Field(
    id: FieldID(13), name: "dv_count", type: .int, isRequired: true, initialDefault: .int(0))

  var fields: [ColumnField] { wanted.map(\.columnField) }

  /// Hands on the rows of the file of `snapshot`, if it has one.
  func read(
    of snapshot: Snapshot?, _ consume: (RecordBatch) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    guard let snapshot,
      let file = table.metadata.partitionStatistics.last(where: { $0.snapshotID == snapshot.id })
    else { return }
    guard file.path.lowercased().hasSuffix(".parquet") else {
      throw .unsupported(what: "partition statistics in other than Parquet files", file: file.path)
    }
    // How many rows it has only the file itself tells.
    let task = ScanTask(
      file: DataFile(
        path: file.path, format: .parquet, partition: .unpartitioned(PartitionSpecID(0)),
        recordCount: 0, byteCount: file.byteCount, metrics: ColumnMetricsList([])),
      sequenceNumber: snapshot.sequenceNumber)
    let request = ReadRequest(table: table, output: wanted, extra: [], filter: .alwaysTrue)
    let source = UnitSource(try await request.open(task, .none), request.tuning)
    _ = try await OrderedPipeline.run(source, parallelism: 1) { (batches) throws(ScanError) in
      batches
    } consume: { (batches) async throws(ScanError) in
      for batch in batches {
        guard try await consume(batch) else { return false }
      }
      return true
    }
  }
}
