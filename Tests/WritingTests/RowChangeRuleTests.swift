// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// What the format asks of changes of rows, one rule a test.
@Suite("Rules for changes of rows")
struct RowChangeRuleTests {
  private let store: MemoryStore
  private let catalog: FilesystemCatalog

  init() throws {
    let environment = Environment.deterministic(seed: 3)
    store = MemoryStore(environment: environment)
    catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
  }

  /// A table of two files, of rows 0 to 9 and 10 to 19.
  private func table(
    _ version: FormatVersion, partitionedBy spec: String = ""
  ) async throws -> Table {
    var table = try await catalog.createTable(
      "db.t", "k long, v string", partitionedBy: spec, formatVersion: version)
    for start in [0, 10] {
      let rows = (start..<start + 10).map { [Value.long(Int64($0)), .string("v")] as [Value?] }
      table = try #require(
        try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
      ).table
    }
    return table
  }

  private func delete(
    _ text: String, from table: Table, _ mode: RowChangeMode = .mergeOnRead
  ) async throws -> Table {
    let receipt = try await table.deleteRows(where: PredicateParser.parse(text), mode: mode)
    return try #require(receipt).table
  }

  /// The live delete files of the current snapshot.
  private func deletes(of table: Table) async throws -> [DataFile] {
    let files = ManifestFiles(table)
    var found: [DataFile] = []
    for manifest in try await files.list(of: try #require(table.metadata.currentSnapshot)).manifests
    where manifest.content == .deletes {
      found += try await files.entries(of: manifest, .all).filter(\.isLive).map(\.file)
    }
    return found
  }

  private func numbers(_ table: Table) async throws -> [Int64] {
    var found: [Int64] = []
    for batch in try await table.scan().select("k").readAll() {
      for row in 0..<batch.rowCount { found.append(batch.columns[0].integer(row)) }
    }
    return found.sorted()
  }

  @Test func `rule 78: a deletion vector takes in what position deletes had deleted`() async throws
  {
    var table = try await table(.v2)
    table = try await delete("k IN (1, 12)", from: table)
    #expect(try await deletes(of: table).map(\.format) == [.parquet])
    table = try await table.commit(FormatUpgrade(to: .v3)).table
    table = try await delete("k = 2", from: table)
    let vectors = try await deletes(of: table).filter(\.isDeletionVector)
    #expect(vectors.map(\.recordCount) == [2])
    table = try await delete("k = 3", from: table)
    let after = try await deletes(of: table).filter(\.isDeletionVector)
    #expect(after.map(\.recordCount) == [3], "one vector a file")
    #expect(
      try await numbers(table) == (0..<20).map { Int64($0) }.filter { ![1, 2, 3, 12].contains($0) })
  }

  @Test func `rule 79: with a data file its vector goes, and others of its Puffin file stay`()
    async throws
  {
    var table = try await table(.v3)
    // Rows 1 and 12, deleted by an engine that puts all vectors of a commit into one file.
    let files = try await table.scan().plan().tasks.map(\.file)
    let vectors = files.map { file in (file, [file.firstRowID == 0 ? Int64(1) : 2]) }
    var edit = TableEdit()
    edit.added = try await DeleteFiles(table, SeededRandom(seed: 79)).vectors(vectors)
      .map { ($0, nil) }
    table = try await table.commit(edit).table
    let before = try await deletes(of: table)
    #expect(Set(before.map(\.path)).count == 1 && before.count == 2, "two blobs of one file")
    table = try await delete("k < 10", from: table)
    let after = try await deletes(of: table)
    #expect(
      after.map(\.identity)
        == before.filter { $0.recordCount == 1 }.map(\.identity).filter {
          after.map(\.identity).contains($0)
        })
    #expect(after.count == 1)
    #expect(try await store.headIfPresent(ObjectPath(before[0].path)) != nil)
    #expect(try await numbers(table) == (10..<20).map { Int64($0) }.filter { $0 != 12 })
  }

  @Test(arguments: RowChangeMode.allCases)
  func `rule 98: rows keep their ids, and those not changed their sequence numbers`(
    mode: RowChangeMode
  ) async throws {
    let table = try await table(.v3)
    func lineage(_ table: Table) async throws -> [Int64: [Int64]] {
      var found: [Int64: [Int64]] = [:]
      let scan = table.scan().select("k", "_row_id", "_last_updated_sequence_number")
      for batch in try await scan.readAll() {
        for row in 0..<batch.rowCount {
          found[batch.columns[0].integer(row)] = [
            batch.columns[1].integer(row), batch.columns[2].integer(row),
          ]
        }
      }
      return found
    }
    let before = try await lineage(table)
    let receipt = try await table.updateRows(
      where: PredicateParser.parse("k IN (3, 4)"),
      set: [ExpressionParser.parse(assignment: "v = 'w'")], mode: mode)
    let changed = try #require(receipt)
    let after = try await lineage(changed.table)
    #expect(after.mapValues { $0[0] } == before.mapValues { $0[0] })
    let newest = try #require(changed.snapshot).sequenceNumber.rawValue
    for (number, row) in after {
      #expect(row[1] == ([3, 4].contains(number) ? newest : before[number]?[1]), "row \(number)")
    }
  }

  @Test func `rule 101: data files have all columns, those of identity partitions too`()
    async throws
  {
    let table = try await table(.v2, partitionedBy: "v")
    let plan = try await table.scan().plan()
    let task = try #require(plan.tasks.first)
    let file = try await ParquetFile.open(ObjectPath(task.file.path), in: store)
    #expect(file.footer.schema.fields.map(\.name) == ["k", "v"])
  }

  @Test func `rule 102: every node of a nested column has its field id`() async throws {
    let table = try await catalog.createTable(
      "db.n", "l list<struct<a int>>, m map<string, long>")
    let empty = Rows.batch([[nil, nil]], table.metadata.currentSchema)
    let receipt = try #require(try await table.append([empty]))
    let plan = try await receipt.table.scan().plan()
    let task = try #require(plan.tasks.first)
    let file = try await ParquetFile.open(ObjectPath(task.file.path), in: store)
    func ids(_ fields: [ColumnField]) -> [Int32?] {
      fields.flatMap { [$0.fieldID] + ids($0.type.children) }
    }
    let wanted = Set(table.metadata.currentSchema.allFields.map(\.id.rawValue))
    #expect(Set(ids(file.footer.schema.fields).compactMap { $0 }) == wanted)
  }

  @Test func `rule 106: positions count all rows, whatever was passed over`() async throws {
    let table = try await catalog.createTable(
      "db.p", "k long",
      properties: [
        "write.parquet.row-group-size-bytes": "1", "write.parquet.page-row-limit": "10",
      ])
    let rows = (0..<500).map { [Value.long(Int64($0))] as [Value?] }
    let receipt = try #require(
      try await table.append([Rows.batch(rows, table.metadata.currentSchema)]))
    for text in ["k >= 333 AND k < 340", "k = 499", "k % 2 = 0"].prefix(2) {
      for batch in try await receipt.table.scan().filter(text).select("k", "_pos").readAll() {
        for row in 0..<batch.rowCount {
          #expect(batch.columns[0].integer(row) == batch.columns[1].integer(row), "\(text)")
        }
      }
    }
  }

  @Test func `rule 108: the operation says what was done to rows`() async throws {
    var table = try await table(.v3)
    func operation() -> SnapshotOperation? { table.metadata.currentSnapshot?.operation }
    #expect(operation() == .append)
    table = try await delete("k = 1", from: table)
    #expect(operation() == .delete)
    table = try await delete("k = 2", from: table, .copyOnWrite)
    #expect(operation() == .overwrite)
    table = try await delete("k >= 10", from: table)
    #expect(operation() == .delete)
    let updated = try await table.updateRows(
      where: .alwaysTrue, set: [ExpressionParser.parse(assignment: "v = 'x'")])
    table = try #require(updated).table
    #expect(operation() == .overwrite)
    table = try await table.commit(ManifestRewrite()).table
    #expect(operation() == .replace)
  }

  @Test func `rule 117: an audited snapshot is published once, under the id of its audit`()
    async throws
  {
    var table = try await table(.v2)
    table = try await table.commit(ReferenceChange.createBranch("audit")).table
    let writer = try PartitionedWriter(
      table.metadata, store: table.store, environment: table.environment)
    try await writer.write(Rows.batch([[.long(50), .string("w")]], table.metadata.currentSchema))
    let files = try await writer.finish()
    let staged = try await table.commit(
      AppendFiles(files, branch: "audit", summary: ["wap.id": "a1"]))
    table = try await staged.table.commit(ReferenceChange.remove(.branch, "audit")).table
    table = try await delete("k = 0", from: table)
    let id = try #require(staged.snapshot).id
    table = try await table.commit(CherryPick(id)).table
    let summary = try #require(table.metadata.currentSnapshot).summary
    #expect(summary["published-wap-id"] == "a1")
    #expect(summary["source-snapshot-id"] == "\(id.rawValue)")
    #expect(try await numbers(table).last == 50)
    await #expect(throws: CommitError.self) { try await table.commit(CherryPick(id)) }
  }

  @Test func `a branch is published by rebase when main has moved, all of it or nothing`()
    async throws
  {
    var table = try await table(.v3)
    table = try await table.commit(ReferenceChange.createBranch("b")).table
    _ = try await table.deleteRows(where: PredicateParser.parse("k = 5"), branch: "b")
    table = try await table.refreshed()
    var more = [Rows.batch([[.long(70), .string("b")]], table.metadata.currentSchema)][...]
    _ = try await table.append(branch: "b") { () async throws(Never) in more.popFirst() }
    table = try await delete("k = 15", from: table.refreshed())
    table = try await table.commit(PublishBranch("b")).table
    let expected = (0..<20).map { Int64($0) }.filter { $0 != 5 && $0 != 15 } + [70]
    #expect(try await numbers(table) == expected)

    // Both changed the same file: nothing of the branch arrives.
    table = try await table.commit(ReferenceChange.createBranch("c")).table
    var rows = [Rows.batch([[.long(90), .string("c")]], table.metadata.currentSchema)][...]
    _ = try await table.append(branch: "c") { () async throws(Never) in rows.popFirst() }
    _ = try await table.refreshed().deleteRows(where: PredicateParser.parse("k = 6"), branch: "c")
    table = try await delete("k = 7", from: table.refreshed())
    await #expect(throws: CommitError.self) { try await table.commit(PublishBranch("c")) }
    #expect(try await numbers(table.refreshed()) == expected.filter { $0 != 7 })
  }

  @Test func `B17: deletes of an older version do not reach a table that was upgraded`()
    async throws
  {
    let old = try await table(.v2)
    _ = try await old.commit(FormatUpgrade(to: .v3))
    let table = try await delete("k = 4", from: old)
    #expect(try await deletes(of: table).map(\.format) == [.puffin])
    #expect(try await numbers(table).count == 19)
  }
}
