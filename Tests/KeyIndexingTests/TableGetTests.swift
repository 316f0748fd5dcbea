// SPDX-License-Identifier: Apache-2.0
import KeyIndexing
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Rows found by their keys, held against a dictionary of all rows.
@Suite("Rows by key")
struct TableGetTests {

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `with an index, with one of older files, and without, a key gives its newest row`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "rows by key, v\(version.rawValue)")
    for round in 0..<(Depth.isLong ? 100 : 2) {
      var history = try await RandomHistory(random, version)
      var index: KeyIndex?
      for _ in 0..<random.int(in: 6..<16) {
        try await history.step(random)
        var table = history.table
        if random.chance(40) { table = try await OtherEngine.appendAgain(to: table, random) }
        if random.chance(30) { table = try await OtherEngine.deleteByValue(from: table, random) }
        if random.chance(30) || index == nil {
          index = try await KeyIndex.build(try await TableState(of: table), key: ["k"])
        }
        let selection = selection(of: table, random)
        let keys = try await keys(of: table, random)
        let expected = try await NewestRows(of: table, selection, keys)
        let log = "round \(round), \(history.log.joined(separator: "; ")), \(selection)"
        for index in [index, nil] {
          let found = try await table.get(keys, key: ["k"], at: selection, index: index)
          let problem = expected.difference(found)
          #expect(problem == nil, "\(index == nil ? "no index" : "index"), \(log)")
          if problem != nil { return }
        }
      }
    }
  }

  @Test(arguments: ["s", "d", "u", "n"], ["none", "n"])
  func `of several rows of a key the one of the highest value is given, of whatever type`(
    order: String, kept: String
  ) async throws {
    let random = SeededRandom(printing: "order values by key, \(order), \(kept)")
    let environment = Environment.deterministic(seed: random.next())
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: MemoryStore(environment: environment),
      environment: environment)
    var table = try await catalog.createTable(
      "db.t", "k long not null, s string, d decimal(30, 2), u uuid, n long, id int",
      formatVersion: .v3)
    var rows: [[Value?]] = []
    var newest: [Int64: (value: [Int128], id: Int32)] = [:]
    for file in 0..<4 {
      var added: [[Value?]] = []
      for _ in 0..<30 {
        let key = Int64(random.int(in: 0..<12))
        let id = Int32(rows.count + added.count)
        // Few values, so that the newest file decides at times; and nulls, which come first.
        let number = random.oneIn(5) ? nil : Int128(random.int(in: -4..<4))
        let bytes = number.map { Array(repeating: UInt8($0 + 100), count: 16) }
        added.append([
          .long(key), number.map { .string("v\($0 + 500)") },
          number.map { .decimal($0 * 100_000_000_000_000_000_000) },
          bytes.map { .bytes($0) }, number.map { .long(Int64($0)) }, .int(id),
        ])
        let rank = [number ?? -100, Int128(file), Int128(added.count)]
        if newest[key].map({ $0.value.lexicographicallyPrecedes(rank) }) ?? true {
          newest[key] = (rank, id)
        }
      }
      try await table.append([Rows.batch(added, table.metadata.currentSchema)])
      table = try await table.refreshed()
      rows += added
    }
    let state = try await TableState(of: table)
    let index = try await KeyIndex.build(
      state, key: ["k"], orderBy: kept == "none" ? nil : kept)
    let keys = KeptIndexTests.keys(0..<14)
    for some in [index, nil] {
      let found = try await table.get(
        keys, key: ["k"], columns: ["k", "id"], orderBy: order, index: some)
      var ids: [Int64: Int32] = [:]
      for row in 0..<found.rows.rowCount {
        ids[found.rows.columns[0].integer(row)] = Int32(found.rows.columns[1].integer(row))
      }
      #expect(ids == newest.mapValues(\.id), "\(some == nil ? "no index" : "index")")
    }
  }

  private func selection(of table: Table, _ random: SeededRandom) -> SnapshotSelection {
    let snapshots = table.metadata.snapshots.filter { snapshot in
      let schema = snapshot.schemaID.flatMap { table.metadata.schema($0) }
      return schema?.field(named: "k") != nil
    }
    guard !snapshots.isEmpty, random.chance(40) else { return .current }
    return .id(snapshots[random.int(in: 0..<snapshots.count)].id)
  }

  /// Some that are there, in any order, and some that are not.
  private func keys(of table: Table, _ random: SeededRandom) async throws -> RecordBatch {
    var keys: [Int64] = (0..<5).map { _ in Int64(random.int(in: 0..<400)) - 100 }
    for try await batch in table.scan().select("k").batches() {
      for row in 0..<batch.rowCount where random.chance(30) {
        keys.append(batch.columns[0].integer(row))
      }
    }
    let builder = ColumnBuilder(.int64)
    for (place, key) in keys.enumerated() {
      // Not in the order of the rows.
      builder.append(place % 3 == 0 ? key : keys[random.int(in: 0..<keys.count)])
    }
    return RecordBatch(
      fields: [ColumnField("k", .int64)], columns: [builder.finish()], rowCount: keys.count)
  }
}

/// The newest row of each key, found by reading all rows.
struct NewestRows {
  private let keys: [Int64]
  private var newest: [Int64: (rank: Rank, text: String)] = [:]

  private struct Rank: Comparable {
    let sequence: Int64
    let position: Int64
    let path: String

    static func < (a: Rank, b: Rank) -> Bool {
      (a.sequence, a.position, a.path) < (b.sequence, b.position, b.path)
    }
  }

  init(of table: Table, _ selection: SnapshotSelection, _ keys: RecordBatch) async throws {
    self.keys = (0..<keys.rowCount).map { keys.columns[0].integer($0) }
    let scan = table.scan().at(selection)
    let sequences = Dictionary(
      try await scan.plan().tasks.map { ($0.file.path, $0.sequenceNumber.rawValue) }
    ) { first, _ in first }
    for try await batch in scan.select("_file", "_pos", "*").batches() {
      let column = try #require(batch.column("k"))
      for row in 0..<batch.rowCount {
        let path = batch.columns[0].string(row)
        let rank = Rank(
          sequence: sequences[path] ?? -1, position: batch.columns[1].integer(row), path: path)
        let key = column.integer(row)
        if let known = newest[key], known.rank > rank { continue }
        newest[key] = (rank, Self.text(batch, row, from: 2))
      }
    }
  }

  func difference(_ found: KeyedRows) -> String? {
    let expected = keys.indices.filter { newest[keys[$0]] != nil }
    guard found.keyRows == expected else { return "keys \(found.keyRows), not \(expected)" }
    for (row, key) in found.keyRows.enumerated() {
      let text = Self.text(found.rows, row, from: 0)
      let wanted = newest[keys[key]]?.text ?? ""
      if text != wanted { return "key \(keys[key]): \(text), not \(wanted)" }
    }
    return nil
  }

  private static func text(_ batch: RecordBatch, _ row: Int, from first: Int) -> String {
    batch.columns[first...].map { $0.icebergValue(row).map { "\($0)" } ?? "null" }
      .joined(separator: ", ")
  }
}

/// What reading by place costs.
@Suite("Rows by place")
struct RowsByPlaceTests {
  @Test(arguments: [false, true])
  func `a row is read by its place with the pages that hold it, and a miss reads none`(
    isSmall: Bool
  ) async throws {
    let environment = Environment.deterministic(seed: 9)
    let store = MeteredStore(MemoryStore(environment: environment))
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    var table = try await catalog.createTable(
      "db.t", "k long not null, a string, b double",
      properties: ["write.parquet.page-row-limit": "1000"], formatVersion: .v3)
    let count = isSmall ? 500 : 40_000
    let rows: [[Value?]] = (0..<count).map {
      [.long(Int64($0) &* 7919 % 1_000_003), .string("text of row \($0)"), .double(Double($0) / 3)]
    }
    try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
    table = try await table.refreshed()
    let index = try await KeyIndex.build(try await TableState(of: table), key: ["k"])

    let before = store.counts
    let misses = try await table.get(
      KeptIndexTests.keys(2_000_000..<2_010_000), index: index)
    #expect(misses.keyRows.isEmpty && misses.rows.rowCount == 0)
    #expect(misses.rows.fields.map(\.name) == ["k", "a", "b"])
    #expect(store.counts.bytesRead == before.bytesRead)

    let key = rows[count / 2]
    let batch = Rows.batch([key], table.metadata.currentSchema).selecting([0])
    let found = try await table.get(batch, columns: ["b", "k"], index: index)
    #expect(found.keyRows == [0])
    #expect(found.rows.columns[0].floatingPoint(0) == Double(count / 2) / 3)
    let first = store.counts
    #expect(first.requests - before.requests <= 3)
    // The footer and the page indexes are known the second time: what is left is a page of each
    // column, and the dictionary before it.
    let again = try await table.get(batch, columns: ["b", "k"], index: index)
    #expect(again.keyRows == [0])
    let second = store.counts.since(first)
    #expect(second.requests <= 2)
    let byteCount = try await table.scan().plan().tasks[0].file.byteCount
    #expect(isSmall ? second.bytesRead == 0 : second.bytesRead < byteCount / 2)
  }
}
