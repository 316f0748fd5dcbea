// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import JSON
internal import Lake

/// The newest rows of keys: 1 M events and ten merges of 10,000.
enum LookupWorkloads {
  /// One key after the other, as a feature server asks: `layout` scattered or sorted.
  @Sendable
  static func single(_ context: BenchContext) async throws -> Workloads.Metrics {
    let layout = try context.text("layout")
    let state = try await LookupState.make(context, isSorted: layout == "sorted")
    let keys = try await context.lookupKeys()
    for key in keys.prefix(3) { _ = try await state.get([key]) }
    var latencies = Latencies()
    var missing = 0
    let measurement = try await Measurement.of {
      for key in keys {
        let start = ContinuousClock.now
        if try await state.get([key]) != 1 { missing += 1 }
        latencies.seconds.append(start.duration(to: .now).seconds)
      }
    }
    guard missing == 0 else { throw BenchError.wrongResult("\(missing) keys were not found") }
    try await context.cleanUp()
    return measurement.metrics + latencies.metrics + [
      ("lookups_per_s", keys.count.rate(over: measurement))
    ]
  }

  /// Ten batches of 10,000 keys, and of as many that are not there.
  @Sendable
  static func batches(_ context: BenchContext) async throws -> Workloads.Metrics {
    let state = try await LookupState.make(context, isSorted: false)
    // The ids of the base, wherever in it they lie.
    var known: [Int64] = []
    for batch in try await context.rows(of: "events_base_1m.parquet", count: 1_000_000) {
      let column = batch.columns[0]
      for row in stride(from: 0, to: batch.rowCount, by: 10) {
        known.append(Int64(column.integer(row)))
      }
    }
    var found = 0
    let hits = try await Measurement.of {
      for start in stride(from: 0, to: 100_000, by: 10_000) {
        found += try await state.get(Array(known[start..<start + 10_000]))
      }
    }
    guard found == 100_000 else { throw BenchError.wrongResult("\(found) keys were found") }
    let first: Int64 = 1 << 40
    let misses = try await Measurement.of {
      for start in stride(from: first, to: first + 100_000, by: 10_000) {
        found += try await state.get(Array(start..<start + 10_000))
      }
    }
    guard found == 100_000 else { throw BenchError.wrongResult("keys were found that are not") }
    try await context.cleanUp()
    return hits.metrics + [
      ("keys_per_s", 100_000.rate(over: hits)), ("misses_per_s", 100_000.rate(over: misses)),
    ]
  }
}

/// The table and its index, opened as a server holds them.
private struct LookupState {
  let table: Table
  let index: KeyIndex
  let key: ColumnField

  static func make(_ context: BenchContext, isSorted: Bool) async throws -> LookupState {
    let events = try await EventTable.make(context, isSorted: isSorted)
    let writer = try await UpsertWriter.open(events.table, events.options)
    for batch in 0..<10 {
      for rows in try await context.load("upsert_10k/0000\(batch).parquet") {
        try await writer.upsert(rows)
      }
      _ = try await writer.commit()
    }
    try await writer.close()
    let table = try await events.reopened().table
    let index = try await KeyIndex.open(TableState(of: table, at: .current))
    let field = table.metadata.currentSchema.columnFields.first { $0.name == "user_id" }
    guard let field else { throw BenchError.wrongResult("no user_id") }
    return LookupState(table: table, index: index, key: field)
  }

  /// How many of `keys` have a row.
  func get(_ keys: [Int64]) async throws -> Int {
    let builder = ColumnBuilder(key.type, capacity: keys.count)
    for key in keys { builder.append(key) }
    let batch = RecordBatch(fields: [key], columns: [builder.finish()], rowCount: keys.count)
    return try await table.get(batch, index: index).rows.rowCount
  }
}

extension BenchContext {
  /// The users to look up.
  fileprivate func lookupKeys() async throws -> [Int64] {
    let text = try await store.get(input("lookup_keys.json"), limit: 1 << 30)
    let keys = try JSONValue(parsing: text.bytes).elements?.compactMap(\.integer) ?? []
    guard !keys.isEmpty else { throw BenchError.wrongResult("no keys to look up") }
    return keys
  }
}
