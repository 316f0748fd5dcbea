// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Scanning
import Testing

/// What changes are told as, one kind of commit at a time.
@Suite("Changelog scans")
struct ChangelogScanTests {
  /// A table of keys and texts, and a store that counts.
  private struct Place {
    let store: FaultyStore
    var table: Table

    init(_ version: FormatVersion = .v3, key: [String] = []) async throws {
      let environment = Environment.deterministic(seed: 7)
      store = FaultyStore(MemoryStore(environment: environment))
      let catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
      table = try await catalog.createTable(
        "db.t", "k long not null, a string", formatVersion: version)
      if !key.isEmpty {
        let change = SchemaChange { evolution throws(IcebergError) in try evolution.setKey(key) }
        table = try await table.commit(change).table
      }
    }

    var head: SnapshotID? { table.metadata.currentSnapshotID }

    mutating func append(_ rows: [(Int64, String)]) async throws {
      let values: [[Value?]] = rows.map { [.long($0.0), .string($0.1)] }
      var batches = [Rows.batch(values, table.metadata.currentSchema)][...]
      _ = try await table.append { () async throws(Never) in batches.popFirst() }
      table = try await table.refreshed()
    }

    mutating func update(_ key: Int64, to text: String, _ mode: RowChangeMode) async throws {
      _ = try await table.updateRows(where: .equal("k", .integer(key)), mode: mode) {
        (batch) throws(CommitError) in
        let builder = ColumnBuilder(.string)
        for _ in 0..<batch.rowCount { builder.append(text) }
        guard let index = batch.fields.firstIndex(where: { $0.name == "a" }) else { return batch }
        var columns = batch.columns
        columns[index] = builder.finish()
        return RecordBatch(fields: batch.fields, columns: columns, rowCount: batch.rowCount)
      }
      table = try await table.refreshed()
    }

    mutating func delete(_ key: Int64, _ mode: RowChangeMode) async throws {
      _ = try await table.deleteRows(where: .equal("k", .integer(key)), mode: mode)
      table = try await table.refreshed()
    }

    /// Commits files as another engine might.
    mutating func edit(_ edit: TableEdit) async throws {
      _ = try await table.commit(edit)
      table = try await table.refreshed()
    }

    /// The changes after `from`, as lines of ordinal, type and row.
    func changes(
      _ from: SnapshotID?, _ asked: (ChangelogScan) -> ChangelogScan = { $0 }
    ) async throws -> [String] {
      let scan = asked(table.changes(from: from.map { .id($0) }).preImages(.included))
      var lines: [String] = []
      for try await batch in scan.batches() {
        for row in 0..<batch.rowCount {
          let values = batch.columns.dropFirst(3).map { column in
            column.type == .string ? column.string(row) : "\(column.integer(row))"
          }
          lines.append(
            "\(batch.columns[1].integer(row)) \(batch.columns[0].string(row)) "
              + values.joined(separator: " "))
        }
      }
      return lines
    }
  }

  @Test(arguments: RowChangeMode.allCases)
  func `an update is told by row id, and by key where rows have none`(
    mode: RowChangeMode
  ) async throws {
    for (version, key) in [(FormatVersion.v3, []), (.v2, ["k"])] {
      var place = try await Place(version, key: key)
      try await place.append([(1, "a"), (2, "b"), (3, "c")])
      let start = place.head
      try await place.update(2, to: "z", mode)
      try await place.delete(3, mode)
      let expected = ["0 update_before 2 b", "0 update_after 2 z", "1 delete 3 c"]
      #expect(try await place.changes(start) == expected, "\(version)")
      #expect(
        try await place.changes(start) { $0.net() } == [
          "0 delete 3 c", "0 update_before 2 b", "0 update_after 2 z",
        ])
      #expect(
        try await place.changes(start) { $0.preImages(.omitted) } == [
          "0 update_after 2 z", "1 delete 3 c",
        ])
    }
  }

  @Test(arguments: RowChangeMode.allCases)
  func `without ids and keys an update is a delete and an insert`(
    mode: RowChangeMode
  ) async throws {
    var place = try await Place(.v2)
    try await place.append([(1, "a"), (2, "b")])
    let start = place.head
    try await place.update(2, to: "z", mode)
    #expect(try await place.changes(start) == ["0 delete 2 b", "0 insert 2 z"])
  }

  @Test
  func `rows whose key is there twice stay deletes and inserts`() async throws {
    var place = try await Place(.v2, key: ["k"])
    try await place.append([(1, "a"), (2, "b"), (2, "c")])
    let start = place.head
    try await place.update(2, to: "z", .mergeOnRead)
    let changes = try await place.changes(start)
    #expect(
      changes.sorted() == ["0 delete 2 b", "0 delete 2 c", "0 insert 2 z", "0 insert 2 z"])
  }

  @Test(arguments: RowChangeMode.allCases)
  func `an update that changes nothing is no change`(mode: RowChangeMode) async throws {
    for version in [FormatVersion.v2, .v3] {
      var place = try await Place(version)
      try await place.append([(1, "a"), (2, "b"), (2, "b")])
      let start = place.head
      try await place.update(2, to: "b", mode)
      #expect(place.head != start)
      #expect(try await place.changes(start) == [])
    }
  }

  @Test
  func `a filter tells rows that come to match it as inserts`() async throws {
    var place = try await Place()
    try await place.append([(1, "a"), (2, "b"), (3, "c")])
    let start = place.head
    try await place.update(2, to: "z", .mergeOnRead)
    try await place.update(3, to: "y", .mergeOnRead)
    let some = try await place.changes(start) { $0.filter(.equal("a", .string("z"))) }
    #expect(some == ["0 insert 2 z"])
    let gone = try await place.changes(start) { $0.filter(.equal("a", .string("c"))) }
    #expect(gone == ["1 delete 3 c"])
  }

  @Test
  func `columns that are not asked for do not count`() async throws {
    var place = try await Place()
    try await place.append([(1, "a"), (2, "b")])
    let start = place.head
    try await place.update(2, to: "z", .copyOnWrite)
    #expect(try await place.changes(start) { $0.select("k") } == [])
    let some = try await place.changes(start) { $0.select("a") }
    #expect(some == ["0 update_before b", "0 update_after z"])
    let ids = try await place.changes(start) { $0.select("_row_id") }
    #expect(ids == ["0 update_before 1", "0 update_after 1"])
  }

  @Test
  func `an equality delete is told by the rows it takes`() async throws {
    var place = try await Place(.v2, key: ["k"])
    try await place.append([(1, "a"), (2, "b"), (3, "c")])
    try await place.delete(3, .mergeOnRead)
    let start = place.head
    let field = try #require(place.table.metadata.currentSchema.field(named: "k"))
    let file = try #require(try await place.table.scan().plan().tasks.first).file
    var edit = TableEdit()
    // One that is dead already, one that is not there, one that lives.
    edit.added = [
      (
        try await DeleteFiles(place.table, SeededRandom(seed: 1)).equality(
          [field.id], [[.long(3)], [.long(9)], [.long(1)]], [field], in: file.partition), nil
      )
    ]
    try await place.edit(edit)
    #expect(try await place.changes(start) == ["0 delete 1 a"])
    // And when it goes, the row is back: where a state is gone back to.
    var back = TableEdit()
    back.removed = [edit.added[0].file.identity]
    let middle = place.head
    try await place.edit(back)
    #expect(try await place.changes(middle) == ["0 insert 1 a"])
  }

  @Test
  func `files that were replaced are no changes`() async throws {
    var place = try await Place()
    try await place.append([(1, "a"), (2, "b")])
    let start = place.head
    for seed in UInt64(0)..<20 where place.head == start {
      place.table = try await OtherEngine.replaceFiles(of: place.table, SeededRandom(seed: seed))
    }
    #expect(place.head != start)
    try await place.append([(3, "c")])
    #expect(try await place.changes(start) == ["0 insert 3 c"])
    #expect(try await place.changes(start) { $0.net() } == ["0 insert 3 c"])
  }

  @Test
  func `what lies between states that expired is told as one step`() async throws {
    var place = try await Place(.v2, key: ["k"])
    try await place.append([(1, "a"), (2, "b")])
    let start = try #require(place.head)
    try await place.update(1, to: "x", .mergeOnRead)
    let middle = try #require(place.head)
    try await place.append([(3, "c")])
    try await place.update(3, to: "y", .mergeOnRead)
    let last = try #require(place.table.metadata.currentSnapshot?.parentID)
    _ = try await place.table.commit(MetadataEdit(.removeSnapshots([middle, last])))
    place.table = try await place.table.refreshed()
    #expect(
      try await place.changes(start) == [
        "0 update_before 1 a", "0 update_after 1 x", "0 insert 3 y",
      ])
  }

  @Test
  func `a read of changes opens no file that they are not of`() async throws {
    var place = try await Place()
    for number in 0..<20 { try await place.append([(Int64(number), "a"), (100, "b")]) }
    let start = place.head
    try await place.update(7, to: "z", .mergeOnRead)
    let before = place.store.calls.count
    #expect(try await place.changes(start) == ["0 update_before 7 a", "0 update_after 7 z"])
    let opened = Set(place.store.calls[before...].map(\.path.text)).filter {
      $0.hasSuffix(".parquet")
    }
    #expect(opened.count == 2, "\(opened)")
  }

  @Test
  func `changes that do not fit into memory are read in parts, and are the same`() async throws {
    var place = try await Place(.v3, key: ["k"])
    try await place.append((0..<400).map { ($0, "a\($0 % 7)") })
    let start = place.head
    // Some rows are written again as they are, some are gone, some are new.
    try await place.append((400..<500).map { ($0, "b") })
    try await place.append((300..<500).map { ($0, "a\($0 % 5)") })
    _ = try await place.table.deleteRows(
      where: try PredicateParser.parse("k < 100 OR k >= 300 AND a = 'b'"), mode: .copyOnWrite)
    place.table = try await place.table.refreshed()
    let whole = try await place.changes(start) { $0.net() }
    let parts = try await place.changes(start) { $0.net().memoryLimit(4096) }
    #expect(parts.sorted() == whole.sorted())
    #expect(whole.count > 200)
    #expect(parts.filter { $0.contains("delete") } == Array(parts.prefix { $0.contains("delete") }))
  }

  @Test
  func `what is not there is refused`() async throws {
    var place = try await Place()
    try await place.append([(1, "a")])
    await #expect(throws: ScanError.self) { _ = try await place.changes(SnapshotID(77)) }
    await #expect(throws: ScanError.self) { _ = try await place.changes(nil) { $0.select("none") } }
    #expect(try await place.changes(place.head) == [])
  }
}
