// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyIndexing
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Changes whose equality deletes are looked up in an index, held against those that are read.
@Suite("Changes by way of a key index")
struct ChangelogLookupTests {

  private func lines(_ changes: ChangelogScan) async throws -> [String] {
    var batches: [RecordBatch] = []
    for try await batch in changes.preImages(.included).batches() { batches.append(batch) }
    return try CanonicalRows.lines(of: batches)
  }

  @Test
  func `an index tells the same rows of equality deletes as their columns`() async throws {
    let random = SeededRandom(printing: "changes by an index")
    for round in 0..<(Depth.isLong ? 300 : 8) {
      var history = try await RandomHistory(random, random.pick([.v2, .v3]))
      var table = history.table
      for _ in 0..<random.int(in: 3..<9) {
        try await history.step(random)
        table = try await table.refreshed()
        table = try await OtherEngine.deleteByValue(from: table, random)
        table = try await OtherEngine.act(on: table, random)
      }
      guard let head = table.metadata.currentSnapshotID else { continue }
      let from = random.pick(table.metadata.snapshots.map(\.id))
      // One that covers all files there are, or only those of some state.
      let indexed = random.chance(50) ? SnapshotSelection.id(from) : .current
      let state = try await TableState(of: table, at: indexed)
      guard state.schema.field(named: "k") != nil else { continue }
      let index = try await KeyIndex.build(state, key: ["k"])
      let changes = table.changes(from: .id(from), to: .current)
      let (read, found) = (
        try await lines(changes), try await lines(changes.finding(by: index))
      )
      let log = history.log.joined(separator: "; ")
      #expect(read == found, "round \(round), \(log), \(from) to \(head)")
      if read != found { return }
    }
  }

  @Test
  func `with an index no data file is opened that has no row of an equality delete`() async throws {
    let environment = Environment.deterministic(seed: 3)
    let store = FaultyStore(MemoryStore(environment: environment))
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    var table = try await catalog.createTable("db.t", "k long not null, a string")
    for start in stride(from: Int64(0), to: 200, by: 10) {
      // Keys are scattered, so that bounds tell nothing.
      let rows: [[Value?]] = (start..<start + 10).map { [.long($0 &* 7919 % 1009), .string("x")] }
      table =
        try await table.append([Rows.batch(rows, table.metadata.currentSchema)])?.table ?? table
    }
    let before = try #require(table.metadata.currentSnapshotID)
    let key = try #require(table.metadata.currentSchema.field(named: "k"))
    let file = try #require(try await table.scan().plan().tasks.first).file
    var edit = TableEdit()
    edit.added = [
      (
        try await DeleteFiles(table, SeededRandom(seed: 1)).equality(
          [key.id], [[.long(0)]], [key], in: file.partition), nil
      )
    ]
    _ = try await table.commit(edit)
    table = try await table.refreshed()
    let index = try await KeyIndex.build(try await TableState(of: table), key: ["k"])
    let calls = store.calls.count
    let found = try await lines(table.changes(from: .id(before)).finding(by: index))
    #expect(found.count == 1 && found[0].contains("delete"))
    let opened = Set(store.calls[calls...].map(\.path.text)).filter { $0.hasSuffix(".parquet") }
    #expect(opened.count == 2, "\(opened)")
  }
}
