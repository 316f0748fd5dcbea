// SPDX-License-Identifier: Apache-2.0
import Ingest
import Lake
import LakeTestSupport
import Testing

/// What is refused, and how it is told; and the permutations of few rows.
@Suite("Rules of upserts")
struct UpsertRuleTests {
  private func world(
    _ schema: String = UpsertWorld.schema, _ version: FormatVersion = .v3
  ) async throws -> UpsertWorld {
    try await UpsertWorld(SeededRandom(seed: 8), version, schema: schema)
  }

  private func open(
    _ world: UpsertWorld, _ edit: (inout UpsertOptions) -> Void = { _ in }
  ) async throws -> UpsertWriter {
    var options = UpsertOptions()
    options.key = ["k"]
    edit(&options)
    return try await .open(world.table, options)
  }

  // MARK: tables and options

  @Test func `a table of v1 is refused with the way out`() async throws {
    let world = try await world(UpsertWorld.schema, .v1)
    await #expect {
      _ = try await open(world)
    } throws: {
      guard case IngestError.formatVersion(.v1, _) = $0 else { return false }
      return "\($0)".contains("upgrade it")
    }
  }

  @Test func `a key must be there, be whole and identify rows`() async throws {
    let world = try await world("k int not null, f float, d double, s struct<a int>")
    await #expect { _ = try await open(world) { $0.key = nil } } throws: {
      if case IngestError.noKey(_) = $0 { true } else { false }
    }
    for name in ["f", "d", "s", "s.a", "none"] {
      await #expect { _ = try await open(world) { $0.key = [name] } } throws: {
        if case IngestError.badKeyColumn(name, _) = $0 { true } else { false }
      }
    }
    await #expect { _ = try await open(world) { $0.orderBy = "s" } } throws: {
      if case IngestError.badOrderColumn("s", _) = $0 { true } else { false }
    }
    await #expect { _ = try await open(world) { $0.operationColumn = "f" } } throws: {
      if case IngestError.badOperationColumn("f", _) = $0 { true } else { false }
    }
  }

  @Test func `the key must be the table's identifier fields`() async throws {
    var world = try await world("k int not null, j int not null, v string")
    _ = try await world.table.commit(
      SchemaChange { (schema) throws(IcebergError) in try schema.setKey(["k", "j"]) })
    try await world.refresh()
    await #expect { _ = try await open(world) } throws: {
      if case IngestError.otherKey(["k"], identifierFields: ["k", "j"]) = $0 {
        true
      } else {
        false
      }
    }
    _ = try await open(world) { $0.key = ["j", "k"] }
    _ = try await open(world) { $0.key = nil }
  }

  // MARK: rows

  @Test func `a refused batch leaves what came before it to be committed`() async throws {
    let world = try await world("k int not null, ts double, v string not null")
    let writer = try await open(world) { options in
      options.orderBy = "ts"
      options.operationColumn = "op"
    }
    func batch(
      _ rows: [[Value?]], _ schema: String = "k int, ts double, v string, op string"
    ) throws -> RecordBatch { Rows.batch(rows, try Schema(schema)) }
    let good: [Value?] = [.int(1), .double(1), .string("good"), .string("upsert")]
    try await writer.upsert(batch([good]))

    let bad: [([Value?], @Sendable (IngestError) -> Bool)] = [
      (
        [nil, .double(1), .string("x"), .string("upsert")],
        { if case .nullKey("k", row: 1) = $0 { true } else { false } }
      ),
      (
        [.int(2), nil, .string("x"), .string("upsert")],
        { if case .badOrder("ts", row: 1, _) = $0 { true } else { false } }
      ),
      (
        [.int(2), .double(.nan), .string("x"), .string("upsert")],
        { if case .badOrder("ts", row: 1, found: "NaN") = $0 { true } else { false } }
      ),
      (
        [.int(2), .double(1), nil, .string("upsert")],
        { if case .rows(.invalidValue("v", row: 1, _)) = $0 { true } else { false } }
      ),
      (
        [.int(2), .double(1), .string("x"), .string("merge")],
        { if case .badOperation("op", row: 1, _) = $0 { true } else { false } }
      ),
    ]
    for (row, isRight) in bad {
      await #expect {
        try await writer.upsert(batch([good, row]))
      } throws: { error in
        (error as? IngestError).map { isRight($0) && $0.row == 1 } ?? false
      }
    }
    await #expect {
      try await writer.upsert(
        batch([[.string("x")]], "k string"))
    } throws: {
      if case IngestError.badOperationColumn("op", _) = $0 { true } else { false }
    }
    await #expect {
      try await writer.upsert(
        batch([[.string("one"), .string("upsert")]], "k string, op string"))
    } throws: {
      if case IngestError.rows(.schemaMismatch(column: "k", _, _)) = $0 { true } else { false }
    }
    // A deletion needs its key and its time alone.
    try await writer.upsert(batch([[.int(9), .double(3), nil, .string("delete")]]))
    let receipt = try await writer.commit()
    #expect(receipt?.counts.received == 2)
    #expect(receipt?.counts.written == 1)
    #expect(receipt?.counts.deleted == 1)
  }

  @Test func `a row given in part must be whole where it is new`() async throws {
    let world = try await world("k int not null, v string not null, w string")
    let writer = try await open(world) { $0.isPartial = true }
    let schema = try Schema("k int, v string, w string")
    try await writer.upsert(Rows.batch([[.int(1), nil, .string("w")]], schema))
    await #expect { _ = try await writer.commit() } throws: {
      if case IngestError.incompleteRow("v", key: "k=int(1)") = $0 { true } else { false }
    }
    // What is missing can still come.
    try await writer.upsert(Rows.batch([[.int(1), .string("v"), nil]], schema))
    _ = try await writer.commit()
    let batch = try await world.catalog.loadTable(TableIdentifier("db.t")).scan().readAll()[0]
    #expect(batch.columns[1].string(0) == "v" && batch.columns[2].string(0) == "w")
  }

  @Test func `rows that match the predicate are deletions`() async throws {
    let world = try await world()
    let writer = try await open(world) {
      $0.deleteWhen = .test("v", .compare(.equal, .string("gone")))
    }
    let schema = try Schema("k int, v string")
    try await writer.upsert(
      Rows.batch([[.int(1), .string("a")], [.int(2), .string("b")]], schema))
    _ = try await writer.commit()
    try await writer.upsert(
      Rows.batch([[.int(1), .string("gone")], [.int(3), .string("c")]], schema))
    _ = try await writer.commit()
    #expect(try await world.rows().map(\.key).sorted() == [2, 3])
  }

  @Test func `a writer finds its own rows before they are committed`() async throws {
    let world = try await world()
    let writer = try await open(world)
    let schema = try Schema("k int, v string")
    try await writer.upsert(
      Rows.batch([[.int(1), .string("a")], [.int(2), .string("b")]], schema))
    _ = try await writer.commit()
    try await writer.upsert(
      Rows.batch([[.int(2), .string("new")], [.int(3), .string("c")]], schema))
    try await writer.delete(Rows.batch([[.int(1)]], try Schema("k int")))
    let keys = Rows.batch([[.int(3)], [.int(1)], [.int(2)], [.int(9)]], try Schema("k int"))
    let found = try await writer.get(keys, columns: ["v", "k"])
    #expect((0..<found.rowCount).map { found.columns[0].string($0) } == ["c", "new"])
    _ = try await writer.commit()
    let after = try await writer.get(keys, columns: ["v"])
    #expect((0..<after.rowCount).map { after.columns[0].string($0) } == ["c", "new"])
  }

  // MARK: permutations

  /// All lists of `length` of `items`.
  private func lists<T>(of items: [T], length: Int) -> [[T]] {
    if length == 0 { return [[]] }
    return lists(of: items, length: length - 1).flatMap { list in items.map { list + [$0] } }
  }

  @Test(arguments: [FormatVersion.v2, .v3], [1, 256 << 20])
  func `F2 F3 every order of upserts, deletions and commits of a key leaves the last one`(
    version: FormatVersion, memoryLimit: Int
  ) async throws {
    enum Step { case upsert, delete, commit }
    let sequences = lists(of: [Step.upsert, .delete, .commit], length: 4)
    // Each sequence is of a key of its own, all in the same commits.
    let world = try await world(UpsertWorld.schema, version)
    let writer = try await open(world) { options in
      options.memoryLimit = memoryLimit
      options.operationColumn = "op"
    }
    var model = UpsertModel()
    for start in stride(from: 0, to: 4, by: 1) {
      var held = UpsertModel.Held()
      for (key, sequence) in sequences.enumerated() {
        let event: UpsertEvent
        switch sequence[start] {
        case .upsert:
          event = .upsert(
            Int32(key), RowValues(p: 0, ts: Int64(start), v: "\(start)", n: nil))
        case .delete: event = .delete(Int32(key), ts: Int64(start))
        case .commit: continue
        }
        // Twice in one batch: the second one counts.
        let first = UpsertEvent.upsert(
          Int32(key), RowValues(p: 1, ts: Int64(start), v: "first", n: nil))
        for one in [first, event] { held.take(one, ordered: false) }
        if memoryLimit == 1, key % 16 == 0 {
          try await writer.upsert(UpsertEvent.batch([first]))
          try await writer.upsert(UpsertEvent.batch([event]))
        } else {
          try await writer.upsert(UpsertEvent.batch([first, event]))
        }
      }
      let receipt = try await writer.commit()
      let counts = model.commit(held, ordered: false)
      #expect(receipt?.counts == counts)
      #expect(model.difference(try await world.rows()) == nil, "after step \(start)")
    }
    #expect(try await world.violations() == [])
  }

  @Test func `E3 rows keep their age when manifests are merged and written again`() async throws {
    var world = try await UpsertWorld(
      SeededRandom(seed: 3), .v3,
      properties: ["commit.manifest.min-count-to-merge": "2"])
    let writer = try await open(world)
    var ages: [Int32: Int64] = [:]
    for i in 0..<20 {
      let keys = (0..<5).map { Int32(($0 * 3 + i) % 17) }
      try await writer.upsert(
        Rows.batch(
          keys.map { [.int($0), .string("\(i)")] }, try Schema("k int, v string")))
      let receipt = try await writer.commit()
      for key in keys { ages[key] = receipt?.snapshot.sequenceNumber.rawValue }
    }
    try await world.refresh()
    let scan = world.table.scan().select("k", "_last_updated_sequence_number")
    var found: [Int32: Int64] = [:]
    for batch in try await scan.readAll() {
      for row in 0..<batch.rowCount {
        found[Int32(batch.columns[0].integer(row))] = batch.columns[1].integer(row)
      }
    }
    #expect(found == ages)
    #expect(try await world.violations() == [])
  }
}
