// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Files that others wrote and that become part of a table where they are.
@Suite("Adding files")
struct AddFilesTests {
  private let store: MemoryStore
  private let catalog: FilesystemCatalog

  init() throws {
    let environment = Environment.deterministic(seed: 4)
    store = MemoryStore(environment: environment)
    catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment,
      allowing: [try ObjectPath("memory://w/in")])
  }

  /// Writes a file without field ids, of rows of `columns`.
  private func file(_ name: String, _ columns: String, _ rows: [[Value?]]) async throws
    -> ObjectPath
  {
    let schema = try Schema(columns)
    let fields = schema.columnFields.map { field in
      var field = field
      field.fieldID = nil
      return field
    }
    let batch = Rows.batch(rows, schema)
    let writer = try ParquetFileWriter(fields: fields, options: WriterOptions())
    try await writer.write(
      RecordBatch(fields: fields, columns: batch.columns, rowCount: batch.rowCount), threads: 1)
    _ = try await writer.finish(threads: 1)
    var bytes = MutableBuffer()
    for part in writer.takeBytes() { bytes.append(part.bytes) }
    let path = try ObjectPath("memory://w/in").appending(relativePath: name)
    _ = try await store.put(bytes.freeze(), to: path, if: .absent)
    return path
  }

  @Test func `rule 99: a missing column is its partition's value, then mapped, its default, null`()
    async throws
  {
    var table = try await catalog.createTable(
      "db.t", "p int, name string, k long", partitionedBy: "p", formatVersion: .v3)
    let change = SchemaChange { evolution throws(IcebergError) in
      try evolution.add("d", type: .int, default: .int(7))
    }
    table = try await table.commit(change).table
    let path = try await file("p=3/a.parquet", "k long, name string", [[.long(1), .string("x")]])
    table = try await table.commit(AddFiles([path])).table
    #expect(try await table.scan().canonicalRows() == [#"{"d":7,"k":1,"name":"x","p":3}"#])
    #expect(try await table.scan().filter("p = 3").count() == 1)
    #expect(try await table.scan().filter("p <> 3").count() == 0)
  }

  @Test func `a file is added once`() async throws {
    let table = try await catalog.createTable("db.t", "k long")
    let path = try await file("a.parquet", "k long", [[.long(1)], [nil]])
    let added = try await table.commit(AddFiles([path])).table
    await #expect(throws: CommitError.self) { try await added.commit(AddFiles([path])) }
    await #expect(throws: CommitError.self) { try await table.commit(AddFiles([path, path])) }
    #expect(try await added.refreshed().scan().count() == 2)
  }

  @Test func `a partition that only rows tell is told by the footer, or the file is refused`()
    async throws
  {
    let table = try await catalog.createTable("db.t", "k long", partitionedBy: "truncate(10, k)")
    let one = try await file("one.parquet", "k long", [[.long(11)], [.long(19)]])
    let two = try await file("two.parquet", "k long", [[.long(9)], [.long(11)]])
    let added = try await table.commit(AddFiles([one])).table
    #expect(try await added.scan().filter("k = 19").count() == 1)
    await #expect(throws: CommitError.self) { try await added.commit(AddFiles([two])) }
  }

  @Test func `a file whose columns are of other types is refused, and nothing is added`()
    async throws
  {
    let table = try await catalog.createTable("db.t", "k long")
    let good = try await file("good.parquet", "k int", [[.int(1)]])
    let bad = try await file("bad.parquet", "k string", [[.string("a")]])
    await #expect(throws: CommitError.self) { try await table.commit(AddFiles([good, bad])) }
    #expect(try await table.refreshed().metadata.currentSnapshot == nil)
    let added = try await table.commit(AddFiles([good])).table
    #expect(try await added.scan().canonicalRows() == [#"{"k":1}"#])
  }

  @Test func `a place that is not allowed is refused`() async throws {
    let strict = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store,
      environment: Environment.deterministic(seed: 5))
    let table = try await strict.createTable("db.t", "k long")
    let path = try await file("a.parquet", "k long", [[.long(1)]])
    await #expect(throws: CommitError.self) { try await table.commit(AddFiles([path])) }
  }
}
