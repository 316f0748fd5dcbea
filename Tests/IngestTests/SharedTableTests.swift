// SPDX-License-Identifier: Apache-2.0
import Ingest
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Two writers and other engines on one table, in random order, held against maps.
@Suite("Upserts into a table that others change")
struct SharedTableTests {

  /// A writer, and what it holds and knows.
  struct Side {
    let writer: UpsertWriter
    var held = UpsertModel.Held()
    /// The order values of the rows there were when it last looked.
    var known: [Int32: Int64] = [:]
  }

  /// The table at one moment.
  struct Moment {
    let rows: [Int32: [RowValues]]
    let ledger: RowIDLedger
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `every commit leaves what it would have left if all were made one after another`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "shared tables, v\(version.rawValue)")
    for round in 0..<(Depth.isLong ? 100 : 4) {
      try await run(random, version, round)
    }
  }

  private func run(
    _ random: SeededRandom, _ version: FormatVersion, _ round: Int
  ) async throws {
    var world = try await UpsertWorld(
      random, version, partitionedBy: random.oneIn(2) ? "p" : "")
    var options = world.options
    options.operationColumn = "op"
    options.smallFileLimit = random.int(in: 2..<12)
    var sides: [Side] = []
    for _ in 0..<2 { sides.append(Side(writer: try await .open(world.table, options))) }
    var model = UpsertModel()
    var ledger = RowIDLedger()
    var moments: [SnapshotID: Moment] = [:]
    var log: [String] = []
    for time in 0..<24 {
      let side = random.int(in: 0..<2)
      try await world.refresh()
      switch random.int(in: 0..<12) {
      case 0..<3:
        let events = (0..<random.int(in: 1..<40)).map { _ in
          UpsertStreamTests.event(
            random, UpsertStreamTests.Case(version: version, spec: ""), time)
        }
        for event in events { sides[side].held.take(event, ordered: true) }
        try await sides[side].writer.upsert(UpsertEvent.batch(events))
        log.append("\(side) takes \(events.count)")
        continue
      case 3..<7:
        let known = sides[side].known
        var held = sides[side].held
        // What was late by what the writer knew is not taken up again.
        var late: Int64 = 0
        for (key, entry) in held.entries {
          guard let mine = entry.ts, let theirs = known[key], mine < theirs else { continue }
          held.entries[key] = nil
          late += 1
        }
        let receipt = try await sides[side].writer.commit()
        var counts = model.commit(held, ordered: true)
        counts.late += late
        sides[side].held = .init()
        if receipt != nil {
          sides[side].known = model.rows.compactMapValues { $0.compactMap(\.ts).max() }
        }
        log.append("\(side) commits \(counts)")
        if var found = receipt?.counts {
          // Each writer knows its own deletions alone.
          (found.resurrected, counts.resurrected) = (0, 0)
          #expect(found == counts, "round \(round): \(log.joined(separator: "; "))")
        }
      case 7: try await Others.appendAgain(&world, &model, random, &log)
      case 8: try await Others.delete(&world, &model, random, &log)
      case 9: try await Others.deleteByValue(&world, &model, random, &log)
      case 10: try await Others.evolve(&world, random, time, &log)
      default:
        guard let (snapshot, moment) = moments.randomElement(using: random),
          world.table.metadata.currentSnapshotID.map({
            world.table.metadata.isAncestor(snapshot, of: $0)
          }) ?? false
        else { continue }
        _ = try await world.table.commit(ReferenceChange.rollback(to: snapshot))
        model.rows = moment.rows
        ledger = moment.ledger
        log.append("rollback")
      }
      let rows = try await world.rows()
      let note = Comment("round \(round): \(log.joined(separator: "; "))")
      #expect(model.difference(rows) == nil, note)
      #expect(ledger.check(rows) == nil, note)
      if model.difference(rows) != nil { return }
      try await world.refresh()
      if let id = world.table.metadata.currentSnapshotID {
        moments[id] = Moment(rows: model.rows, ledger: ledger)
      }
    }
    #expect(try await world.violations() == [])
  }
}

extension Dictionary where Key: Comparable {
  /// One of the entries, the same for the same numbers.
  func randomElement(using random: SeededRandom) -> (Key, Value)? {
    guard !isEmpty else { return nil }
    let key = keys.sorted()[random.int(in: 0..<count)]
    return self[key].map { (key, $0) }
  }
}

/// What other engines do to a table, who know nothing of keys.
enum Others {
  /// Appends rows whose keys may be there.
  static func appendAgain(
    _ world: inout UpsertWorld, _ model: inout UpsertModel, _ random: SeededRandom,
    _ log: inout [String]
  ) async throws {
    let rows = (0..<random.int(in: 1..<12)).map { _ in
      (
        Int32(random.int(in: 0..<120)),
        RowValues(
          p: Int32(random.int(in: 0..<3)), ts: Int64(random.int(in: 0..<200)),
          v: "other \(random.int(in: 0..<1_000_000))", n: nil)
      )
    }
    let batch = Rows.batch(
      rows.map { key, row in
        [
          .int(key), row.p.map { .int($0) }, row.ts.map { .long($0) },
          row.v.map { .string($0) },
        ]
      }, try Schema("k int, p int, ts long, v string"))
    try await world.table.append([batch])
    for (key, row) in rows { model.rows[key, default: []].append(row) }
    log.append("another appends \(rows.map(\.0))")
  }

  /// Deletes rows by position.
  static func delete(
    _ world: inout UpsertWorld, _ model: inout UpsertModel, _ random: SeededRandom,
    _ log: inout [String]
  ) async throws {
    let low = Int32(random.int(in: 0..<120))
    _ = try await world.table.deleteRows(
      where: try PredicateParser.parse("k >= \(low) AND k < \(low + 10)"),
      mode: random.oneIn(3) ? .copyOnWrite : .mergeOnRead)
    for key in low..<low + 10 { model.rows[key] = nil }
    log.append("another deletes from \(low)")
  }

  /// Deletes rows by value, as streams of other engines do.
  static func deleteByValue(
    _ world: inout UpsertWorld, _ model: inout UpsertModel, _ random: SeededRandom,
    _ log: inout [String]
  ) async throws {
    guard world.table.metadata.formatVersion >= .v2, !model.rows.isEmpty,
      let key = world.table.metadata.currentSchema.field(named: "k")
    else { return }
    let spec = world.table.metadata.defaultPartitionSpec
    let keys = Set((0..<8).map { _ in Int32(random.int(in: 0..<120)) }).sorted()
    let p = Int32(random.int(in: 0..<3))
    let values: [Value?] = spec.isUnpartitioned ? [] : [.int(p)]
    var edit = TableEdit()
    edit.added = [
      (
        try await DeleteFiles(world.table, random).equality(
          [key.id], keys.map { [.int($0)] }, [key],
          in: PartitionValues(specID: spec.id, values: values)), nil
      )
    ]
    _ = try await world.table.commit(edit)
    for key in keys {
      model.rows[key]?.removeAll { spec.isUnpartitioned || $0.p == p }
      if model.rows[key]?.isEmpty ?? false { model.rows[key] = nil }
    }
    log.append("another deletes \(keys) by value, p \(p)")
  }

  /// Changes the table's schema.
  static func evolve(
    _ world: inout UpsertWorld, _ random: SeededRandom, _ time: Int, _ log: inout [String]
  ) async throws {
    let isWide = world.table.metadata.currentSchema.field(named: "n")?.type == .long
    if !isWide, random.oneIn(2) {
      _ = try await world.table.commit(
        SchemaChange { (schema) throws(IcebergError) in
          try schema.changeType(of: "n", to: .long)
        })
      log.append("n becomes long")
    } else {
      _ = try await world.table.commit(
        SchemaChange { (schema) throws(IcebergError) in
          try schema.add("extra\(time)", type: .string)
        })
      log.append("a column is added")
    }
  }
}
