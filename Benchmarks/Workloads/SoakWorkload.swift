// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Lake
internal import Synchronization

/// A table that all work on at once: a stream of upserts, compaction, upkeep, someone who follows
/// the changes, and readers of states that may expire under them.
enum SoakWorkload {
  /// Parameters: `seconds`, `keys`, `size` (rows a commit); with `keep` the table stays for other
  /// engines to read, with `compaction` 0 no one compacts it but its writer.
  ///
  /// What must hold is checked: the rows are those of a map that the same changes were made to; the
  /// follower's copy is the table; a state reads alike twice, or says that it expired; no writer
  /// and no compaction failed; a deep audit finds nothing.
  @Sendable
  static func run(_ context: BenchContext) async throws -> Workloads.Metrics {
    let seconds = try context.number("seconds")
    let (keys, size) = (try context.number("keys"), try context.number("size"))
    let catalog = FilesystemCatalog(warehouse: context.work, store: context.unsynced)
    let table = try await catalog.createTable(
      TableIdentifier("b.soak"),
      TableDefinition(
        schema: try Schema("k long not null, v long, note string").keyed(by: "k"),
        properties: [
          "write.metadata.delete-after-commit.enabled": "true",
          "write.metadata.previous-versions-max": "10",
        ], formatVersion: .v3))
    let soak = Soak(
      table: table, keys: keys, size: size, end: .now + .seconds(seconds),
      compacts: context.optionalNumber("compaction") != 0)
    var metrics: Workloads.Metrics = []
    let measurement = try await Measurement.of { metrics = try await soak.run() }
    let left = try await context.writtenByteCount()
    if context.optionalNumber("keep") == nil { try await context.cleanUp() }
    return measurement.metrics + metrics + [
      ("space_mb", Double(left.bytes) / 1e6), ("files", Double(left.files)),
    ]
  }
}

extension Schema {
  /// This with the column `name` as the key.
  fileprivate func keyed(by name: String) throws -> Schema {
    try Schema(fields: fields, identifierFieldIDs: fields.filter { $0.name == name }.map(\.id))
  }
}

/// The actors of a soak, and what they saw.
private final class Soak: Sendable {
  private let table: Table
  private let keys: Int
  private let size: Int
  private let end: ContinuousClock.Instant
  private let compacts: Bool
  /// What the rows are to be, by key.
  private let model: Mutex<[Int64]>
  private let counts = Mutex(Counts())
  private let isWritten = Atomic(false)

  private struct Counts {
    var commits = Latencies()
    var moved = 0
    var compactions = 0
    var groups = 0
    /// Of the compactions' commits.
    var attempts = 0
    var droppedGroups = 0
    /// Of groups that were committed, files that the writer had replaced meanwhile.
    var supersededFiles = 0
    var expired = 0
    var sweptFiles = 0
    var changes = 0
    var reads = 0
    var expiredReads = 0
    var memory: [Int] = []
  }

  /// Where there is no row.
  private static let none = Int64.min

  init(table: Table, keys: Int, size: Int, end: ContinuousClock.Instant, compacts: Bool) {
    self.table = table
    self.keys = keys
    self.size = size
    self.end = end
    self.compacts = compacts
    model = Mutex(Array(repeating: Self.none, count: keys))
  }

  func run() async throws -> Workloads.Metrics {
    // The follower begins with the first commit, so that there is a state to begin with.
    let writer = try await UpsertWriter.open(table, UpsertOptions())
    try await merge(into: writer, round: 0)
    var copy: [Int64] = []
    try await withThrowingTaskGroup(of: [Int64]?.self) { group in
      func add(_ who: String, _ work: @escaping @Sendable () async throws -> [Int64]?) {
        group.addTask {
          do { return try await work() } catch is CancellationError { return nil } catch {
            throw BenchError.wrongResult("\(who): \(error)")
          }
        }
      }
      add("the writer") { try await self.write(writer) }
      if compacts { add("compaction") { try await self.compact() } }
      add("upkeep") { try await self.maintain() }
      for _ in 0..<2 { add("a reader") { try await self.read() } }
      add("the follower") { try await self.follow() }
      for try await found in group { if let found { copy = found } }
    }
    return try await verified(copy)
  }

  // MARK: the stream

  private func write(_ writer: UpsertWriter) async throws -> [Int64]? {
    var round = 1
    while ContinuousClock.now < end {
      try await merge(into: writer, round: round)
      round += 1
    }
    try await writer.close()
    isWritten.store(true, ordering: .releasing)
    return nil
  }

  /// Upserts rows of keys by chance, every fiftieth of which is a deletion.
  private func merge(into writer: UpsertWriter, round: Int) async throws {
    let schema = table.metadata.currentSchema
    let rows = BatchBuilder(schema.columnFields)
    let gone = BatchBuilder(schema.columnFields.filter { $0.name == "k" })
    var mixed = UInt64(round) &* 0xd134_2543_de82_ef95 | 1
    var change: [(Int, Int64)] = []
    var seen: Set<Int> = []
    for number in 0..<size {
      mixed = mixed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let key = Int((mixed >> 33) % UInt64(keys))
      // A key once a commit: what is deleted and what is set do not depend on their order then.
      guard seen.insert(key).inserted else { continue }
      if number % 50 == 49 {
        gone.columns[0].append(Int64(key))
        change.append((key, Self.none))
      } else {
        let value = Int64(round) << 20 | Int64(number)
        rows.columns[0].append(Int64(key))
        rows.columns[1].append(value)
        rows.columns[2].append("note \(key % 1000)")
        change.append((key, value))
      }
    }
    let start = ContinuousClock.now
    try await writer.upsert(rows.finish())
    try await writer.delete(gone.finish())
    _ = try await writer.commit()
    let time = start.duration(to: .now).seconds
    model.withLock { model in for (key, value) in change { model[key] = value } }
    let memory = ProcessMemory.read("VmRSS:")
    counts.withLock {
      $0.commits.seconds.append(time)
      $0.moved += change.count
      $0.memory.append(memory)
    }
  }

  // MARK: upkeep

  private func compact() async throws -> [Int64]? {
    var options = CompactionOptions()
    options.targetByteCount = 32 << 20
    while ContinuousClock.now < end {
      let report = try await table.refreshed().compact(options)
      counts.withLock {
        $0.compactions += report.snapshotIDs.count
        $0.groups += report.groups
        $0.attempts += report.attempts
        $0.droppedGroups += report.droppedGroups
        $0.supersededFiles += report.supersededFiles
      }
      try await Environment.system.sleep(for: .seconds(2))
    }
    return nil
  }

  /// Expires what is older than 20 s, and sweeps what no one names for five minutes, by when
  /// what is written here is committed even if others take the processors.
  private func maintain() async throws -> [Int64]? {
    var policy = MaintenancePolicy()
    try policy.apply("keep=20s,keep-last=5,orphans=300s,manifests=20,compact=off")
    while ContinuousClock.now < end {
      try await Environment.system.sleep(for: .seconds(5))
      let before = try await table.refreshed().metadata.snapshots.count
      for step in try await Upkeep(try await table.refreshed(), policy).run(.run) {
        if step.outcome == .failed { throw BenchError.wrongResult("upkeep: \(step.reason)") }
        if step.outcome == .done, step.task == .orphans { counts.withLock { $0.sweptFiles += 1 } }
      }
      let after = try await table.refreshed().metadata.snapshots.count
      counts.withLock { $0.expired += max(0, before - after) }
    }
    return nil
  }

  // MARK: readers

  /// Reads a state twice, the second time when it may be gone.
  private func read() async throws -> [Int64]? {
    while ContinuousClock.now < end {
      let state = try await table.refreshed()
      let first = try await digest(of: state)
      try await Environment.system.sleep(for: .milliseconds(1500))
      do {
        let second = try await digest(of: state)
        guard second == first else {
          throw BenchError.wrongResult("a state read \(first), then \(second)")
        }
        counts.withLock { $0.reads += 1 }
      } catch let error as ScanError {
        // Clean only where the state is no longer the table's.
        let isKept = try await table.refreshed().metadata.snapshots.contains {
          $0.id == state.metadata.currentSnapshotID
        }
        if isKept { throw error }
        counts.withLock { $0.expiredReads += 1 }
      }
    }
    return nil
  }

  private struct Digest: Equatable { var (rows, sum) = (0, Int64(0)) }

  private func digest(of state: Table) async throws -> Digest {
    var digest = Digest()
    for try await batch in state.scan().select(["k", "v"]).batches() {
      digest.rows += batch.rowCount
      for row in 0..<batch.rowCount {
        digest.sum &+= batch.columns[0].integer(row) &* 31 &+ batch.columns[1].integer(row)
      }
    }
    return digest
  }

  /// Keeps a copy by the changes alone.
  private func follow() async throws -> [Int64]? {
    var copy = Array(repeating: Self.none, count: keys)
    var consumer = try await ChangelogConsumer.open("copy", of: table, start: .rows)
    while true {
      let isLast = isWritten.load(ordering: .acquiring)
      if let changes = try await consumer.poll() {
        for try await batch in changes.select(["k", "v"]).batches() {
          apply(batch, to: &copy)
        }
        if let end = try changes.end() { consumer.acknowledge(end) }
        try await consumer.save()
      } else if isLast {
        return copy
      }
      try await Environment.system.sleep(for: .milliseconds(300))
    }
  }

  private func apply(_ batch: RecordBatch, to copy: inout [Int64]) {
    func column(_ name: String) -> Column? {
      batch.fields.firstIndex { $0.name == name }.map { batch.columns[$0] }
    }
    guard let kind = column("_change_type"), let key = column("k"), let value = column("v") else {
      return
    }
    for row in 0..<batch.rowCount {
      switch kind.string(row) {
      case "insert", "update_after": copy[Int(key.integer(row))] = value.integer(row)
      case "delete": copy[Int(key.integer(row))] = Self.none
      default: break
      }
    }
    counts.withLock { $0.changes += batch.rowCount }
  }

  // MARK: what must hold

  private func verified(_ copy: [Int64]) async throws -> Workloads.Metrics {
    let newest = try await table.refreshed()
    var rows = Array(repeating: Self.none, count: keys)
    for try await batch in newest.scan().select(["k", "v"]).batches() {
      for row in 0..<batch.rowCount {
        let key = Int(batch.columns[0].integer(row))
        guard rows[key] == Self.none else {
          throw BenchError.wrongResult("key \(key) is there twice")
        }
        rows[key] = batch.columns[1].integer(row)
      }
    }
    let wanted = model.withLock { $0 }
    guard rows == wanted else {
      throw BenchError.wrongResult("the rows are not those that were written")
    }
    guard copy == wanted else {
      throw BenchError.wrongResult("the follower's rows are not those that were written")
    }
    let problems = Mutex<[String]>([])
    _ = try await DeepAudit(newest).run { problem in
      problems.withLock { $0.append("\(problem)") }
    }
    if let problem = problems.withLock({ $0.first }) {
      throw BenchError.wrongResult("audit: \(problem)")
    }
    return metrics
  }

  private var metrics: Workloads.Metrics {
    counts.withLock { counts in
      let times = counts.commits.seconds
      let tenth = max(1, times.count / 10)
      let memory = counts.memory
      let warm = memory[min(memory.count - 1, memory.count / 5)]
      return counts.commits.metrics + [
        ("commits", Double(times.count)), ("rows_moved", Double(counts.moved)),
        ("rows_per_s", Double(counts.moved) / max(1e-9, times.reduce(0, +))),
        ("first_ms", Latencies(seconds: Array(times.prefix(tenth))).percentile(0.5) * 1e3),
        ("last_ms", Latencies(seconds: Array(times.suffix(tenth))).percentile(0.5) * 1e3),
        ("compactions", Double(counts.compactions)),
        ("compaction_attempts", Double(counts.attempts)),
        ("groups", Double(counts.groups)), ("dropped_groups", Double(counts.droppedGroups)),
        ("superseded_files", Double(counts.supersededFiles)), ("expired", Double(counts.expired)),
        ("sweeps_that_found", Double(counts.sweptFiles)), ("changes", Double(counts.changes)),
        ("reads", Double(counts.reads)), ("reads_expired", Double(counts.expiredReads)),
        ("rss_warm_mb", Double(warm) / 1e6), ("rss_last_mb", Double(memory.last ?? 0) / 1e6),
      ]
    }
  }
}
