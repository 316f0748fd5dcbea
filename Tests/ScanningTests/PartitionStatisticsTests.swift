// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Lake
import LakeTestSupport
import Parquet
import Testing

/// Files of partition statistics, made as the specification says.
@Suite("Partition statistics")
struct PartitionStatisticsTests {
  /// Notes a file as the statistics of a snapshot, as an engine does that computes them.
  private struct Noted: TableChange {
    let file: PartitionStatisticsFile

    func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
      ChangePlan(requirements: [], updates: [.setPartitionStatistics(file)])
    }
  }

  /// The columns of the specification, by field id.
  private static let names: [(id: Int32, name: String, type: ColumnType)] = [
    (2, "spec_id", .int32), (3, "data_record_count", .int64), (4, "data_file_count", .int32),
    (5, "total_data_file_size_in_bytes", .int64), (6, "position_delete_record_count", .int64),
    (7, "position_delete_file_count", .int32), (8, "equality_delete_record_count", .int64),
    (9, "equality_delete_file_count", .int32), (10, "total_record_count", .int64),
    (11, "last_updated_at", .int64), (12, "last_updated_snapshot_id", .int64),
    (13, "dv_count", .int32),
  ]

  /// Two partition fields, of which the table's first spec had one.
  private static let partition = ColumnField(
    "partition",
    .structure([
      ColumnField("k", .int32, fieldID: 1000), ColumnField("v_trunc_1", .string, fieldID: 1001),
    ]), isNullable: false, fieldID: 1)

  private func table(_ version: FormatVersion) async throws -> Table {
    let environment = Environment.deterministic(seed: 1)
    let store = MemoryStore(environment: environment)
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    var table = try await catalog.createTable(
      "db.t", "k int, v string", partitionedBy: "k", formatVersion: version)
    let row = [Value.int(1), .string("abc")] as [Value?]
    try await table.append([Rows.batch([row], table.metadata.currentSchema)])
    table = try await table.refreshed().commit(
      LayoutChange.partitions { terms, schema throws(IcebergError) in
        terms = try PartitionTerm.parse("k, truncate(1, v)", schema: schema)
      }
    ).table
    try await table.append([Rows.batch([row], table.metadata.currentSchema)])
    return try await table.refreshed()
  }

  /// Writes the rows of `cells`, which have the partition and then columns `ids`, and notes the file.
  private func note(
    _ cells: [[Cell]], _ ids: ClosedRange<Int32>, in table: Table, ending: String = "parquet"
  ) async throws -> Table {
    let fields =
      [Self.partition]
      + Self.names.filter { ids.contains($0.id) }.map {
        ColumnField($0.name, $0.type, fieldID: $0.id)
      }
    let writer = try ParquetFileWriter(fields: fields, options: WriterOptions())
    try await writer.write(RecordBatch(fields, rows: cells), threads: 1)
    _ = try await writer.finish(threads: 1)
    var bytes = MutableBuffer()
    for part in writer.takeBytes() { bytes.append(part.bytes) }
    let file = bytes.freeze()
    let path = "\(table.metadata.location)/metadata/partition-stats-1.\(ending)"
    _ = try await table.store.put(file, to: ObjectPath(path), if: .none)
    let id = try #require(table.metadata.currentSnapshotID)
    return try await table.commit(
      Noted(
        file: PartitionStatisticsFile(snapshotID: id, path: path, byteCount: Int64(file.count)))
    ).table
  }

  private func rows(
    of table: Table, at selection: SnapshotSelection = .current
  ) async throws -> [String] {
    var batches: [RecordBatch] = []
    let source = table.metadataTable(.partitionStatistics, at: selection)
    let names = try source.fields().map(\.name)
    try await source.read { batch throws(ScanError) in
      batches.append(batch)
      return true
    }
    for batch in batches { #expect(batch.fields.map(\.name) == names) }
    return try CanonicalRows.lines(of: batches)
  }

  private static let full: [[Cell]] = [
    [
      .structure([.integer(1), .null]), .integer(0), .integer(10), .integer(2), .integer(3000),
      .integer(4), .integer(1), .integer(0), .integer(0), .integer(6), .integer(1_700_000_000_000),
      .integer(77), .integer(1),
    ],
    [
      .structure([.integer(1), .text("a")]), .integer(1), .integer(5), .integer(1), .integer(900),
      .integer(0), .integer(0), .integer(0), .integer(0), .null, .null, .null, .integer(0),
    ],
  ]

  @Test func `the rows are those of the file of the snapshot that is asked about`() async throws {
    let table = try await note(Self.full, 2...13, in: try await table(.v3))
    let expected = try CanonicalRows.lines(
      """
      {"partition":{"k":1,"v_trunc_1":null},"spec_id":0,"data_record_count":10,"data_file_count":2,\
      "total_data_file_size_in_bytes":3000,"position_delete_record_count":4,\
      "position_delete_file_count":1,"equality_delete_record_count":0,\
      "equality_delete_file_count":0,"total_record_count":6,"last_updated_at":1700000000000,\
      "last_updated_snapshot_id":77,"dv_count":1}
      {"partition":{"k":1,"v_trunc_1":"a"},"spec_id":1,"data_record_count":5,"data_file_count":1,\
      "total_data_file_size_in_bytes":900,"position_delete_record_count":0,\
      "position_delete_file_count":0,"equality_delete_record_count":0,\
      "equality_delete_file_count":0,"total_record_count":null,"last_updated_at":null,\
      "last_updated_snapshot_id":null,"dv_count":0}
      """)
    let found = try await rows(of: table)
    #expect(found == expected, "\(CanonicalRows.difference(found, expected))")
    let older = try #require(table.metadata.snapshots.first).id
    #expect(try await rows(of: table, at: .id(older)) == [], "it has no file")
  }

  @Test func `columns that a file need not have are null, and those of v3 zero`() async throws {
    let cells = Self.full.map { Array($0.prefix(5)) }
    let table = try await note(cells, 2...5, in: try await table(.v3))
    let found = try await rows(of: table)
    #expect(found.count == 2)
    for line in found {
      #expect(line.contains(#""dv_count":0"#) && line.contains(#""total_record_count":null"#))
    }
    let older = try await note(cells, 2...5, in: try await self.table(.v2))
    for line in try await rows(of: older) { #expect(!line.contains("dv_count")) }
  }

  @Test func `a file without counts, one of another format and none at all throw`() async throws {
    let short = try await note(
      Self.full.map { Array($0.prefix(3)) }, 2...3, in: try await table(.v2))
    await #expect(throws: ScanError.self) { try await rows(of: short) }
    let other = try await note(
      Self.full.map { Array($0.prefix(5)) }, 2...5, in: try await table(.v2), ending: "orc")
    await #expect(throws: ScanError.self) { try await rows(of: other) }
    let gone = try await note(
      Self.full.map { Array($0.prefix(5)) }, 2...5, in: try await table(.v2))
    let file = try #require(gone.metadata.partitionStatistics.first)
    try await gone.store.delete(try ObjectPath(file.path))
    await #expect(throws: ScanError.self) { try await rows(of: gone) }
    // What can't be read of statistics is in no one's way.
    #expect(try await gone.scan().count() == 2)
  }
}
