// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// A reader's copy of a table: rows and the place they are of, changed together.
private struct Copy {
  var rows: [String: Int] = [:]
  var place: SnapshotID?

  /// Takes in `batch`.
  mutating func apply(_ batch: RecordBatch) throws {
    for isComing in [false, true] {
      for row in 0..<batch.rowCount {
        let type = batch.columns[0].string(row)
        guard (type == "insert" || type == "update_after") == isComing else { continue }
        let some = batch.selecting(Array(3..<batch.columns.count)).slice(row..<row + 1)
        let line = try CanonicalRows.lines(of: [some])[0]
        rows[line, default: 0] += isComing ? 1 : -1
        if rows[line] == 0 { rows[line] = nil }
      }
    }
  }

  var lines: [String] {
    rows.flatMap { Array(repeating: $0.key, count: max(0, $0.value)) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

/// Readers of changes whose place the table keeps.
@Suite("Changelog consumers")
struct ChangelogConsumerTests {
  private struct Place {
    let store: MemoryStore
    let environment: Environment
    var table: Table

    init(_ seed: UInt64 = 1) async throws {
      environment = Environment.deterministic(seed: seed)
      store = MemoryStore(environment: environment)
      table = try await Self.catalog(store, environment).createTable(
        "db.t", "k long not null, a string", formatVersion: .v3)
    }

    static func catalog(
      _ store: any ObjectStore, _ environment: Environment
    ) throws -> FilesystemCatalog {
      FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    }

    /// The table, as someone sees it who reaches it by `store`.
    func table(by store: any ObjectStore) async throws -> Table {
      try await Self.catalog(store, environment).loadTable(TableIdentifier("db.t"))
    }

    mutating func append(_ keys: Range<Int64>, _ text: String = "x") async throws {
      let rows: [[Value?]] = keys.map { [.long($0), .string(text)] }
      var batches = [Rows.batch(rows, table.metadata.currentSchema)][...]
      _ = try await table.append { () async throws(Never) in batches.popFirst() }
      table = try await table.refreshed()
    }

    mutating func delete(_ keys: Range<Int64>) async throws {
      let predicate = Predicate.and([
        .greaterOrEqual("k", .integer(keys.lowerBound)), .less("k", .integer(keys.upperBound)),
      ])
      _ = try await table.deleteRows(where: predicate, mode: .mergeOnRead)
      table = try await table.refreshed()
    }
  }

  /// Runs a reader to the end of what there is; it keeps its copy with its own place.
  private static func run(_ copy: inout Copy, on table: Table) async throws {
    var consumer = try await ChangelogConsumer.open("copy", of: table)
    if let place = copy.place { consumer.acknowledge(place) }
    while let changes = try await consumer.poll() {
      var next = consumer.place == nil ? Copy() : copy
      for try await batch in changes.preImages(.included).batches() { try next.apply(batch) }
      next.place = try changes.end()
      copy = next
      try consumer.acknowledge(changes)
      try await consumer.save()
    }
  }

  @Test
  func `a new reader gets all rows, and then what changes, without gap or overlap`() async throws {
    var place = try await Place()
    try await place.append(0..<10)
    try await place.delete(3..<5)
    var copy = Copy()
    var consumer = try await ChangelogConsumer.open("copy", of: place.table)
    // What comes while the first rows are read belongs to the changes.
    try await place.append(10..<20, "y")
    let first = try #require(try await consumer.poll())
    for try await batch in first.batches() { try copy.apply(batch) }
    #expect(copy.lines.count == 8)
    try consumer.acknowledge(first)
    try await consumer.save()
    let second = try #require(try await consumer.poll())
    for try await batch in second.batches() { try copy.apply(batch) }
    try consumer.acknowledge(second)
    #expect(try await consumer.poll() == nil)
    #expect(copy.lines == (try await place.table.scan().canonicalRows()))
  }

  @Test
  func `the rows a reader begins with are read again if they were not acknowledged`() async throws {
    var place = try await Place()
    try await place.append(0..<10)
    _ = try await ChangelogConsumer.open("copy", of: place.table)
    try await place.append(10..<20)
    place.table = try await place.table.refreshed()
    var again = try await ChangelogConsumer.open("copy", of: place.table)
    let changes = try #require(try await again.poll())
    var copy = Copy()
    for try await batch in changes.batches() { try copy.apply(batch) }
    #expect(copy.lines.count == 10)
  }

  @Test
  func `a reader that is stopped at any storage call and run again has the table's rows`()
    async throws
  {
    // By default every few calls, others each time.
    let random = SeededRandom(printing: "calls at which a reader is stopped")
    for kind in [FaultKind.before, .after] {
      let step = Depth.isLong ? 1 : 7
      for call in stride(from: random.int(in: 1..<step + 1), to: 400, by: step) {
        var place = try await Place(UInt64(call))
        try await place.append(0..<10)
        var copy = Copy()
        let faulty = FaultyStore(
          place.store, failing: kind, atCall: call, lasting: .untilHealed)
        var isStopped = false
        do {
          try await Self.run(&copy, on: try await place.table(by: faulty))
          try await place.append(10..<14)
          try await place.delete(2..<6)
          try await Self.run(&copy, on: try await place.table(by: faulty))
        } catch {
          isStopped = true
        }
        try await place.append(20..<25)
        try await Self.run(&copy, on: try await place.table(by: place.store))
        let expected = try await place.table.refreshed().scan().canonicalRows()
        #expect(copy.lines == expected, "\(kind) at call \(call)")
        if !isStopped { break }
      }
    }
  }

  @Test
  func `a rollback is told as the difference`() async throws {
    var place = try await Place()
    try await place.append(0..<5)
    let first = try #require(place.table.metadata.currentSnapshotID)
    try await place.append(5..<9)
    var copy = Copy()
    try await Self.run(&copy, on: place.table)
    _ = try await place.table.commit(ReferenceChange.rollback("main", to: first))
    try await Self.run(&copy, on: place.table)
    #expect(copy.lines.count == 5)
  }

  @Test
  func `a place that was expired is lost, and the reader has to begin anew`() async throws {
    var place = try await Place()
    try await place.append(0..<5)
    var copy = Copy()
    try await Self.run(&copy, on: place.table)
    place.table = try await place.table.refreshed()
    _ = try await place.table.commit(ReferenceChange.remove(.tag, "consumer.copy"))
    await #expect {
      _ = try await ChangelogConsumer.open("copy", of: place.table)
    } throws: { error in
      if case .consumerLost("copy") = error as? CommitError { true } else { false }
    }
    var anew = try await ChangelogConsumer.open("copy", of: place.table, start: .rows)
    #expect(try await anew.poll() != nil)
  }

  @Test
  func `a reader that has a place can't be started anew by chance`() async throws {
    var place = try await Place()
    try await place.append(0..<5)
    var copy = Copy()
    try await Self.run(&copy, on: place.table)
    await #expect {
      _ = try await ChangelogConsumer.open("copy", of: place.table, start: .after(.current))
    } throws: { error in
      if case .consumerExists("copy") = error as? CommitError { true } else { false }
    }
    try await ChangelogConsumer.remove("copy", from: place.table)
    let anew = try await ChangelogConsumer.open("copy", of: place.table, start: .after(.current))
    #expect(anew.place == place.table.metadata.currentSnapshotID)
  }

  @Test
  func `of two readers of one name the second learns of the first`() async throws {
    var place = try await Place()
    try await place.append(0..<5)
    var copy = Copy()
    try await Self.run(&copy, on: place.table)
    var one = try await ChangelogConsumer.open("copy", of: place.table)
    var other = try await ChangelogConsumer.open("copy", of: place.table)
    try await place.append(5..<6)
    let middle = try #require(place.table.metadata.currentSnapshotID)
    try await place.append(6..<7)
    let last = try #require(place.table.metadata.currentSnapshotID)
    _ = try await one.poll()
    one.acknowledge(middle)
    try await one.save()
    _ = try await other.poll()
    other.acknowledge(last)
    await #expect {
      try await other.save()
    } throws: { error in
      if case .consumerMoved("copy", middle) = error as? CommitError { true } else { false }
    }
  }

  @Test
  func `the table's limits of age leave a place alone`() async throws {
    var place = try await Place()
    try await place.append(0..<5)
    var copy = Copy()
    try await Self.run(&copy, on: place.table)
    try await place.append(5..<6)
    let table = try await place.table.refreshed()
    let year: Int64 = 366 * 86_400_000
    let expiry = try table.metadata.expiry(at: place.environment.now().milliseconds + year)
    #expect(!expiry.references.contains("consumer.copy"))
  }

  @Test
  func `a reader of a table without rows begins with the first that come`() async throws {
    var place = try await Place()
    var copy = Copy()
    try await Self.run(&copy, on: place.table)
    #expect(copy.place == nil)
    try await place.append(0..<3)
    try await Self.run(&copy, on: place.table)
    #expect(copy.lines.count == 3)
  }
}
