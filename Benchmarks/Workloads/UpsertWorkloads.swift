// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Lake

/// Merges by key into a table of events, as a stream brings them: one writer, one commit a batch.
enum UpsertWorkloads {
  /// The merges that the peers are measured with: `base` 1m or 6m, `size` 10k or 100k, `batches`.
  ///
  /// Ours besides: `format` 2 or 3, `synced`, `first` (so many rows of the base, again with other keys
  /// where it has fewer), `merging` 0 (small files are let be). Opening the writer, which finds the keys of the base, and closing it,
  /// which keeps them with the table, are told apart, and counted in the rows a second.
  @Sendable
  static func series(_ context: BenchContext) async throws -> Workloads.Metrics {
    let (size, batches) = (try context.text("size"), try context.number("batches"))
    let table = try await EventTable.make(context)
    let before = try await table.rowCount()
    let scanBefore = try await table.scanSeconds()
    let bytesBefore = try await context.writtenByteCount().bytes
    var latencies = Latencies()
    var given = 0
    var givenBytes: Int64 = 0
    var fresh = 0
    var (opening, closing) = (0.0, 0.0)
    var options = table.options
    options.mergesSmallFiles = context.optionalNumber("merging") != 0
    var merged: Int64 = 0
    var commitSeconds = 0.0
    let measurement = try await Measurement.of {
      let start = ContinuousClock.now
      let writer = try await UpsertWriter.open(table.table, options)
      opening = start.duration(to: .now).seconds
      let processorBefore = Measurement.processorSecondsNow()
      for batch in 0..<batches {
        let name =
          "upsert_\(size)/" + String(repeating: "0", count: 5 - "\(batch)".count)
          + "\(batch).parquet"
        let rows = try await context.load(name)
        givenBytes += try await context.store.head(context.input(name)).byteCount
        given += rows.reduce(0) { $0 + $1.rowCount }
        let start = ContinuousClock.now
        for part in rows { try await writer.upsert(part) }
        let counts = try await writer.commit()?.counts ?? UpsertCounts()
        fresh += Int(counts.written - counts.replaced)
        latencies.seconds.append(start.duration(to: .now).seconds)
      }
      commitSeconds = Measurement.processorSecondsNow() - processorBefore
      let end = ContinuousClock.now
      try await writer.close()
      closing = end.duration(to: .now).seconds
      merged = await writer.progress.filesMerged
    }
    let reopened = try await table.reopened()
    let scanAfter = try await reopened.scanSeconds()
    let after = try await reopened.rowCount()
    let left = try await context.writtenByteCount()
    try await context.cleanUp()
    let wanted = try expected(context, given)
    let share = max(1, batches / 10)
    let spent = latencies.seconds.reduce(opening + closing, +)
    let first = Latencies(seconds: Array(latencies.seconds.prefix(share))).percentile(0.5)
    let last = Latencies(seconds: Array(latencies.seconds.suffix(share))).percentile(0.5)
    let written = Double(left.bytes - bytesBefore)
    return latencies.metrics + [
      ("rows_per_s", Double(given) / spent), ("open_ms", opening * 1e3),
      ("close_ms", closing * 1e3), ("files_merged", Double(merged)), ("first_ms", first * 1e3),
      ("last_ms", last * 1e3),
      ("commit_cpu_ms", commitSeconds * 1e3 / Double(batches)),
      ("cpu_s", measurement.processorSeconds), ("peak_rss_mb", Double(measurement.peakBytes) / 1e6),
      ("scan_before_s", scanBefore), ("scan_after_s", scanAfter), ("written_mb", written / 1e6),
      ("write_amplification", written / Double(givenBytes)), ("files", Double(left.files)),
      ("rows_ok", after == before + fresh && fresh == wanted ?? fresh ? 1 : 0),
    ]
  }

  /// How many of `given` rows have keys that the base has not, by how the inputs were made: one in
  /// twenty of the base that they were made for, and none of the larger one. Nil where only a part
  /// of the base is taken.
  private static func expected(_ context: BenchContext, _ given: Int) throws -> Int? {
    if context.optionalNumber("first") != nil { return nil }
    let (base, size) = (try context.text("base"), try context.text("size"))
    return (base == "1m") == (size == "10k") ? given / 20 : 0
  }

  /// Scans after a share of the rows was updated: `percent` of the base's keys, evenly, in ten
  /// commits, against the same rows in a table that was written at once.
  @Sendable
  static func scanUpdated(_ context: BenchContext) async throws -> Workloads.Metrics {
    let percent = try context.number("percent")
    let table = try await EventTable.make(context)
    let before = try await table.scanSeconds()
    let total = try await table.rowCount()
    let writer = try await UpsertWriter.open(table.table, table.options)
    var updated = 0
    for part in 0..<10 {
      for batch in try await context.load(table.base) {
        let rows = (0..<Int32(batch.rowCount)).filter { row in
          Int(row) % 100 < percent && Int(row) / 100 % 10 == part
        }
        guard !rows.isEmpty else { continue }
        updated += rows.count
        try await writer.upsert(batch.gather(rows))
      }
      _ = try await writer.commit()
    }
    try await writer.close()
    let reopened = try await table.reopened()
    let after = try await reopened.scanSeconds()
    let rows = try await reopened.rowCount()
    try await context.cleanUp()
    return [
      ("scan_before_s", before), ("scan_after_s", after), ("ratio", after / before),
      ("updated", Double(updated)), ("rows_ok", rows == total ? 1 : 0),
    ]
  }

  /// What the index of a table's keys costs: built from the data files, kept, opened.
  @Sendable
  static func index(_ context: BenchContext) async throws -> Workloads.Metrics {
    let table = try await EventTable.make(context)
    let count = try await table.rowCount()
    let name = SnapshotReference.mainBranch
    var index: KeyIndex?
    let build = try await Measurement.of {
      let state = try await TableState(of: table.table, at: .reference(name))
      index = try await KeyIndex.build(state)
    }
    guard var built = index, built.placeCount == count else {
      throw BenchError.wrongResult("an index of \(index?.placeCount ?? 0) keys")
    }
    let bytes = built.byteCount
    var kept: Table?
    let persist = try await Measurement.of { kept = try await built.persist(to: table.table) }
    var opened: KeyIndex?
    var seconds: [Double] = []
    for _ in 0..<5 {
      let measurement = try await Measurement.of {
        let state = try await TableState(of: kept ?? table.table, at: .reference(name))
        opened = try await KeyIndex.open(state)
      }
      seconds.append(measurement.wallSeconds)
    }
    let status = try await KeyIndex.status(of: kept ?? table.table).first
    guard opened?.placeCount == count, status?.uncoveredFileCount == 0 else {
      throw BenchError.wrongResult("the index was not kept")
    }
    try await context.cleanUp()
    return [
      ("build_s", build.wallSeconds), ("build_cpu_s", build.processorSeconds),
      ("keys_per_s", Double(count) / build.wallSeconds),
      ("memory_bytes_per_key", Double(bytes) / Double(count)),
      ("disk_bytes_per_key", Double(status?.byteCount ?? 0) / Double(count)),
      ("persist_s", persist.wallSeconds),
      ("open_s", Latencies(seconds: seconds).percentile(0.5)), ("keys", Double(count)),
      ("peak_rss_mb", Double(build.peakBytes) / 1e6),
    ]
  }
}

/// The table of events that rows are merged into, and how it is read.
struct EventTable {
  let table: Table
  let options: UpsertOptions
  /// The file its rows were taken of.
  let base: String
  private let catalog: FilesystemCatalog
  private static let name = "b.ev"

  /// Makes the table of the run's parameters.
  ///
  /// With `pages` 20000 pages and dictionaries are as large as in tables without a key.
  /// - Parameter isSorted: by key, in row groups of 128 Ki rows.
  static func make(_ context: BenchContext, isSorted: Bool = false) async throws -> EventTable {
    let base = "events_base_\(context.optionalText("base") ?? "1m").parquet"
    let isSynced = context.optionalNumber("synced") == 1
    let catalog = FilesystemCatalog(
      warehouse: context.work, store: isSynced ? context.store : context.unsynced)
    let reader = try await InputReader.open(context.input(base), in: context.store)
    let schema = try Schema(inferredFrom: reader.fields)
    let fields = schema.fields.map { field in
      field.name == "user_id"
        ? Field(id: field.id, name: field.name, type: field.type, isRequired: true) : field
    }
    let key = fields.filter { $0.name == "user_id" }.map(\.id)
    let keyed = try Schema(fields: fields, identifierFieldIDs: key)
    var properties = isSorted ? ["write.parquet.row-group-limit": "131072"] : [:]
    if let count = context.optionalNumber("pages") {
      properties["write.parquet.page-row-limit"] = "\(count)"
      properties["write.parquet.dict-size-bytes"] = "\(2 << 20)"
    }
    let version = FormatVersion(rawValue: context.optionalNumber("format") ?? 3) ?? .v3
    var table = try await catalog.createTable(
      TableIdentifier(name),
      TableDefinition(
        schema: keyed, sortOrder: isSorted ? SortOrder("user_id", schema: keyed) : .unsorted,
        properties: properties, formatVersion: version))
    let rows = BaseRows(try context.input(base), reader, context)
    let receipt = try await table.append { () async throws(InputError) -> RecordBatch? in
      try await rows.next()
    }
    table = receipt?.table ?? table
    return EventTable(table: table, options: UpsertOptions(), base: base, catalog: catalog)
  }

  private init(
    table: Table, options: UpsertOptions, base: String, catalog: FilesystemCatalog
  ) {
    self.table = table
    self.options = options
    self.base = base
    self.catalog = catalog
  }

  /// The table as it is now, with nothing kept in memory.
  func reopened() async throws -> EventTable {
    let fresh = FilesystemCatalog(warehouse: catalog.warehouse, store: catalog.store)
    return EventTable(
      table: try await fresh.loadTable(TableIdentifier(Self.name)), options: options, base: base,
      catalog: fresh)
  }

  func rowCount() async throws -> Int { Int(try await table.scan().count()) }

  /// The median of three times two sums take, as the peers ask for them.
  func scanSeconds() async throws -> Double {
    var latencies = Latencies()
    for _ in 0..<3 { latencies.seconds.append(try await sums().wallSeconds) }
    return latencies.percentile(0.5)
  }

  /// The least that two sums take, of nine times after one that fills the caches.
  func leastScan() async throws -> (wallSeconds: Double, processorSeconds: Double) {
    _ = try await sums()
    var (wall, processor) = (Double.infinity, Double.infinity)
    for _ in 0..<9 {
      let measurement = try await sums()
      wall = min(wall, measurement.wallSeconds)
      processor = min(processor, measurement.processorSeconds)
    }
    return (wall, processor)
  }

  private func sums() async throws -> Measurement {
    let filter = try PredicateParser.parse("user_id >= 0")
    var sum = 0.0
    let measurement = try await Measurement.of {
      let scan = table.scan().select(["score", "amount"]).filter(filter)
      for try await batch in scan.batches() { sum += Self.sum(batch) }
    }
    guard sum != 0 else { throw BenchError.wrongResult("nothing was summed") }
    return measurement
  }

  private static func sum(_ batch: RecordBatch) -> Double {
    var sum = 0.0
    for column in batch.columns {
      switch column.type {
      case .double: for row in 0..<column.count { sum += column.floatingPoint(row) }
      default: for row in 0..<column.count { sum += Double(column.integer(row)) }
      }
    }
    return sum
  }
}

/// The rows of the base; where more are wanted than it has, all of them again with higher keys.
private final class BaseRows {
  private let path: ObjectPath
  private let store: LocalStore
  private var reader: InputReader
  /// How many are still wanted; nil: as many as there are.
  private var left: Int?
  /// Of this round, and of all rounds before.
  private var count = 0
  private var shift: Int64 = 0

  init(_ path: ObjectPath, _ reader: InputReader, _ context: BenchContext) {
    self.path = path
    self.reader = reader
    store = context.store
    left = context.optionalNumber("first")
  }

  func next() async throws(InputError) -> RecordBatch? {
    if left == 0 { return nil }
    if let batch = try await reader.next() {
      let taken = batch.slice(0..<min(left ?? .max, batch.rowCount))
      left = left.map { $0 - taken.rowCount }
      count += taken.rowCount
      return shift > 0 ? shifted(taken) : taken
    }
    guard left != nil, count > 0 else { return nil }
    shift += Int64(count)
    count = 0
    reader = try await InputReader.open(path, in: store)
    return try await next()
  }

  private func shifted(_ batch: RecordBatch) -> RecordBatch {
    guard let index = batch.fields.firstIndex(where: { $0.name == "user_id" }) else { return batch }
    let builder = ColumnBuilder(batch.fields[index].type, capacity: batch.rowCount)
    let keys = batch.columns[index]
    for row in 0..<batch.rowCount { builder.append(Int64(keys.integer(row)) + shift) }
    var columns = batch.columns
    columns[index] = builder.finish()
    return RecordBatch(fields: batch.fields, columns: columns, rowCount: batch.rowCount)
  }
}

extension Duration {
  /// As a number of seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
