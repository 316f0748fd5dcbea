// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport

/// A table of one int key, on a store in memory, to be upserted into.
struct UpsertWorld {
  let store: MemoryStore
  let catalog: FilesystemCatalog
  let environment: Environment
  /// Of the table and of the store.
  let clock = TestClock()
  var table: Table

  static let schema = "k int not null, p int, ts long, v string, n int"

  init(
    _ random: SeededRandom, _ version: FormatVersion = .v3, partitionedBy spec: String = "",
    schema: String = UpsertWorld.schema, properties: [String: String] = [:]
  ) async throws {
    environment = .deterministic(seed: random.next(), clock: clock)
    store = MemoryStore(environment: environment)
    catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    table = try await catalog.createTable(
      "db.t", schema, partitionedBy: spec, properties: properties, formatVersion: version)
  }

  var options: UpsertOptions {
    var options = UpsertOptions()
    options.key = ["k"]
    options.orderBy = "ts"
    return options
  }

  mutating func refresh() async throws {
    table = try await catalog.loadTable(TableIdentifier("db.t"))
  }

  func violations() async throws -> [String] {
    try await TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store).violations()
  }

  /// The rows of the newest state, with their ids.
  func rows(branch: String = "main") async throws -> [StoredRow] {
    let now = try await catalog.loadTable(TableIdentifier("db.t"))
    let hasIDs = now.metadata.formatVersion >= .v3
    var rows: [StoredRow] = []
    let columns = ["k", "p", "ts", "v", "n"] + (hasIDs ? ["_row_id"] : [])
    let scan = now.scan().at(.reference(branch)).select(columns)
    for batch in try await scan.readAll() {
      for row in 0..<batch.rowCount { rows.append(StoredRow(batch, row, hasIDs: hasIDs)) }
    }
    return rows
  }
}

/// What a row says, but for its key.
struct RowValues: Hashable, CustomStringConvertible {
  var p: Int32?
  var ts: Int64?
  var v: String?
  var n: Int32?

  var description: String {
    "(p \(p.map { "\($0)" } ?? "-"), ts \(ts.map { "\($0)" } ?? "-"), \(v ?? "-"), "
      + "n \(n.map { "\($0)" } ?? "-"))"
  }

  /// These values, with those of `base` where there are none.
  func filled(from base: RowValues) -> RowValues {
    RowValues(p: p ?? base.p, ts: ts ?? base.ts, v: v ?? base.v, n: n ?? base.n)
  }
}

/// A row as it was read.
struct StoredRow {
  let key: Int32
  let values: RowValues
  let rowID: Int64?

  init(_ batch: RecordBatch, _ row: Int, hasIDs: Bool) {
    func integer(_ name: String) -> Int64? {
      guard let column = batch.column(name), !column.isNull(row) else { return nil }
      return column.integer(row)
    }
    key = Int32(integer("k") ?? -1)
    let v = batch.column("v")
    values = RowValues(
      p: integer("p").map { Int32($0) }, ts: integer("ts"),
      v: v.flatMap { $0.isNull(row) ? nil : $0.string(row) },
      n: integer("n").map { Int32($0) })
    rowID = hasIDs ? integer("_row_id") : nil
  }
}

/// Something that happens to a key.
enum UpsertEvent {
  case upsert(Int32, RowValues)
  case delete(Int32, ts: Int64?)

  static func batch(_ events: [UpsertEvent]) -> RecordBatch {
    let schema = try! Schema(UpsertWorld.schema + ", op string")
    return Rows.batch(
      events.map { event -> [Value?] in
        switch event {
        case .upsert(let key, let row):
          [
            .int(key), row.p.map { .int($0) }, row.ts.map { .long($0) },
            row.v.map { .string($0) }, row.n.map { .int($0) }, .string("upsert"),
          ]
        case .delete(let key, let ts):
          [.int(key), nil, ts.map { .long($0) }, nil, nil, .string("delete")]
        }
      }, schema)
  }
}

/// What a table of one key is to hold: plain lists of rows, one for each key, as other engines can
/// put a key in twice.
struct UpsertModel {
  var rows: [Int32: [RowValues]] = [:]
  /// The order values of the deletions that a writer committed.
  var deletions: [Int32: Int64] = [:]

  /// What a writer holds.
  struct Held {
    var entries: [Int32: (ts: Int64?, rows: [RowValues], isDeletion: Bool)] = [:]
    var counts = UpsertCounts()

    /// - Parameter ordered: whether rows are ordered by `ts`.
    mutating func take(_ event: UpsertEvent, ordered: Bool, partial: Bool = false) {
      counts.received += 1
      let (key, ts, row): (Int32, Int64?, RowValues?) =
        switch event {
        case .upsert(let key, let row): (key, row.ts, row)
        case .delete(let key, let ts): (key, ts, nil)
        }
      if let old = entries[key] {
        counts.superseded += 1
        if ordered, let x = old.ts, let y = ts, y < x { return }
        if partial, let row {
          entries[key] = (ts, [row] + (old.rows), old.isDeletion)
          return
        }
      }
      entries[key] = (ts, row.map { [$0] } ?? [], row == nil)
    }
  }

  /// Does what a commit of `held` does.
  ///
  /// - Returns: what became of it.
  mutating func commit(_ held: Held, ordered: Bool, partial: Bool = false) -> UpsertCounts {
    var counts = held.counts
    for (key, entry) in held.entries {
      let newest = newest(key)
      if ordered, let mine = entry.ts, let theirs = newest?.ts, mine < theirs {
        counts.late += 1
        continue
      }
      guard var row = entry.rows.first else {
        counts.deleted += 1
        rows[key] = nil
        if ordered { deletions[key] = entry.ts }
        continue
      }
      counts.written += 1
      if newest != nil { counts.replaced += 1 }
      if let deleted = deletions.removeValue(forKey: key), let ts = entry.ts, ts < deleted {
        counts.resurrected += 1
      }
      if partial {
        for below in entry.rows.dropFirst() { row = row.filled(from: below) }
        if !entry.isDeletion, let newest { row = row.filled(from: newest) }
      }
      rows[key] = [row]
    }
    return counts
  }

  func newest(_ key: Int32) -> RowValues? {
    rows[key]?.max { ($0.ts ?? .min) < ($1.ts ?? .min) }
  }

  /// How `stored` differs; nil if it does not.
  func difference(_ stored: [StoredRow]) -> String? {
    var found: [Int32: [RowValues]] = [:]
    for row in stored { found[row.key, default: []].append(row.values) }
    for key in Set(found.keys).union(rows.keys).sorted() {
      let (a, b) = (found[key] ?? [], rows[key] ?? [])
      if a.count != b.count || Set(a) != Set(b) { return "key \(key): found \(a), expected \(b)" }
    }
    return nil
  }
}

/// Follows the ids of keys: each keeps one for life.
struct RowIDLedger {
  private var ids: [Int32: Set<Int64>] = [:]

  /// What is wrong with the ids of `stored`; nil if nothing is.
  mutating func check(_ stored: [StoredRow]) -> String? {
    guard stored.contains(where: { $0.rowID != nil }) else { return nil }
    var now: [Int32: Set<Int64>] = [:]
    var all: Set<Int64> = []
    for row in stored {
      guard let id = row.rowID else { return "key \(row.key) has no row id" }
      guard all.insert(id).inserted else { return "row id \(id) of key \(row.key) is there twice" }
      now[row.key, default: []].insert(id)
    }
    defer { ids = now }
    for (key, before) in ids {
      guard let after = now[key] else { continue }
      if before.isDisjoint(with: after) {
        return "key \(key) had row ids \(before), and has \(after)"
      }
    }
    return nil
  }
}
