// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Data files that others wrote without field ids and that were added to a table.
@Suite("Files without field ids")
struct NameMappingTests {
  private static let schema = """
    id long, name string, place struct<lat double, lon double>, tags list<string>, \
    ages map<string, int>
    """

  /// A table with one data file, which has rows of `columns` and no field ids.
  private func table(_ columns: RecordBatch, mapping: String?) async throws -> Table {
    let store = MemoryStore()
    let environment = Environment.deterministic(seed: 1)
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    let table = try await catalog.createTable(
      "db.t", Self.schema,
      properties: mapping.map { ["schema.name-mapping.default": $0] } ?? [:])
    let writer = try ParquetFileWriter(fields: columns.fields, options: WriterOptions())
    try await writer.write(columns, threads: 1)
    let written = try await writer.finish(threads: 1)
    var bytes = MutableBuffer()
    for part in writer.takeBytes() { bytes.append(part.bytes) }
    let path = try ObjectPath("memory://w/house/db/t/data/foreign.parquet")
    _ = try await store.put(bytes.freeze(), to: path, if: .absent)
    let file = DataFile(
      path: path.text, format: .parquet,
      partition: .unpartitioned(table.metadata.defaultPartitionSpecID),
      recordCount: written.rowCount, byteCount: written.byteCount,
      metrics: ColumnMetricsList([]))
    return try await table.commit(try AppendFiles([file])).table
  }

  /// Two rows, under names of another system: no column is called as the table's is.
  private static let foreign: RecordBatch = {
    let fields = [
      ColumnField("unused", .int32), ColumnField("NAME", .string), ColumnField("key", .int64),
      ColumnField("where", .structure([ColumnField("y", .double), ColumnField("x", .double)])),
      ColumnField("labels", .list(ColumnField("item", .string))),
      ColumnField(
        "by_name",
        .map(key: ColumnField("k", .string, isNullable: false), value: ColumnField("v", .int32))),
    ]
    let builder = BatchBuilder(fields)
    for row in 0..<2 {
      builder.columns[0].append(Int32(7))
      builder.columns[1].append("name \(row)")
      builder.columns[2].append(Int64(row))
      builder.columns[3].children[0].append(1.5)
      builder.columns[3].children[1].append(2.5)
      builder.columns[3].endStructure()
      builder.columns[4].children[0].append("tag")
      builder.columns[4].endList()
      builder.columns[5].children[0].children[0].append("a")
      builder.columns[5].children[0].children[1].append(Int32(row))
      builder.columns[5].children[0].endStructure()
      builder.columns[5].endList()
    }
    return builder.finish()
  }()

  /// Ids as the table has them: 1 to 5, then level by level.
  private static let mapping = """
    [{"field-id": 1, "names": ["id", "key"]}, {"field-id": 2, "names": ["NAME", "name"]},
     {"field-id": 3, "names": ["where"], "fields": [
       {"field-id": 6, "names": ["lat", "y"]}, {"field-id": 7, "names": ["x"]}]},
     {"field-id": 4, "names": ["labels"], "fields": [{"field-id": 8, "names": ["element"]}]},
     {"field-id": 5, "names": ["by_name"], "fields": [
       {"field-id": 9, "names": ["key"]}, {"field-id": 10, "names": ["value"]}]},
     {"names": ["unused"]}]
    """

  @Test func `G10: columns are found by the names the table's mapping gives them`() async throws {
    let table = try await table(Self.foreign, mapping: Self.mapping)
    #expect(
      try await table.scan().canonicalRows() == [
        #"{"ages":[["a",0]],"id":0,"name":"name 0","place":{"lat":1.5,"lon":2.5},"tags":["tag"]}"#,
        #"{"ages":[["a",1]],"id":1,"name":"name 1","place":{"lat":1.5,"lon":2.5},"tags":["tag"]}"#,
      ])
  }

  @Test func `filters and selections go by the mapping too`() async throws {
    let table = try await table(Self.foreign, mapping: Self.mapping)
    let scan = try table.scan().filter("id > 0 AND place.lon = 2.5").select("place.lat", "name")
    #expect(
      try await scan.canonicalRows() == [#"{"name":"name 1","place":{"lat":1.5}}"#])
  }

  @Test func `a column the mapping does not tell is no column of the table`() async throws {
    let table = try await table(
      Self.foreign, mapping: #"[{"field-id": 2, "names": ["NAME"]}]"#)
    let rows = try await table.scan().select("id", "name").canonicalRows()
    #expect(rows == [#"{"id":null,"name":"name 0"}"#, #"{"id":null,"name":"name 1"}"#])
  }

  @Test func `without a mapping columns are numbered as they come`() async throws {
    let fields = [ColumnField("whatever", .int64), ColumnField("comes", .string)]
    let builder = BatchBuilder(fields)
    builder.columns[0].append(Int64(5))
    builder.columns[1].append("five")
    let table = try await table(builder.finish(), mapping: nil)
    #expect(
      try await table.scan().select("id", "name").canonicalRows()
        == [#"{"id":5,"name":"five"}"#])
  }

  @Test func `a mapping that is none is an error for files that need it`() async throws {
    let table = try await table(Self.foreign, mapping: "[{]")
    await #expect(throws: ScanError.self) { try await table.scan().canonicalRows() }
  }
}
