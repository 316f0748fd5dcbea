// SPDX-License-Identifier: Apache-2.0
import Ingest
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Random streams of upserts and deletions, held against maps from keys to rows.
@Suite("Upserts of random streams")
struct UpsertStreamTests {

  struct Case: Sendable, CustomStringConvertible {
    let version: FormatVersion
    let spec: String
    var ordered = true
    var partial = false

    var description: String {
      "v\(version.rawValue), '\(spec)'\(ordered ? ", ordered" : "")\(partial ? ", partial" : "")"
    }
  }

  static let cases = [
    Case(version: .v3, spec: ""), Case(version: .v3, spec: "p"), Case(version: .v2, spec: "p"),
    Case(version: .v2, spec: "", ordered: false), Case(version: .v3, spec: "p", ordered: false),
    Case(version: .v3, spec: "", partial: true), Case(version: .v2, spec: "p", partial: true),
  ]

  @Test(arguments: cases)
  func `a table holds the newest row of each key at every commit`(_ one: Case) async throws {
    let random = SeededRandom(printing: "upsert streams, \(one)")
    for round in 0..<(Depth.isLong ? 100 : 2) {
      var world = try await UpsertWorld(random, one.version, partitionedBy: one.spec)
      var options = world.options
      options.operationColumn = "op"
      options.isPartial = one.partial
      if !one.ordered { options.orderBy = nil }
      // Early files, now and then.
      options.memoryLimit = random.oneIn(2) ? 4_000 : 256 << 20
      options.smallFileLimit = random.int(in: 2..<12)
      let writer = try await UpsertWriter.open(world.table, options)
      var model = UpsertModel()
      var ledger = RowIDLedger()
      for commit in 0..<12 {
        var held = UpsertModel.Held()
        for _ in 0..<random.int(in: 0..<4) {
          let events = (0..<random.int(in: 1..<60)).map { _ in Self.event(random, one, commit) }
          for event in events { held.take(event, ordered: one.ordered, partial: one.partial) }
          try await writer.upsert(UpsertEvent.batch(events))
        }
        let receipt = try await writer.commit()
        let counts = model.commit(held, ordered: one.ordered, partial: one.partial)
        let note = Comment("round \(round), commit \(commit), \(one)")
        #expect(receipt?.counts ?? UpsertCounts() == counts, note)
        let rows = try await world.rows()
        #expect(model.difference(rows) == nil, note)
        #expect(ledger.check(rows) == nil, note)
        if model.difference(rows) != nil { return }
      }
      #expect(try await world.violations() == [])
      try await world.refresh()
      try await writer.close()
    }
  }

  static func event(_ random: SeededRandom, _ one: Case, _ time: Int) -> UpsertEvent {
    let key = Int32(random.int(in: 0..<120))
    // Late ones, and ones of equal order.
    let ts = Int64(time * 10 + random.int(in: -15..<10))
    if random.oneIn(6) { return .delete(key, ts: ts) }
    var row = RowValues(
      p: Int32(random.int(in: 0..<3)), ts: ts, v: "v\(random.int(in: 0..<1000))",
      n: Int32(random.int(in: 0..<9)))
    if random.oneIn(3) { row.v = nil }
    if random.oneIn(3) { row.n = nil }
    return .upsert(key, row)
  }
}
