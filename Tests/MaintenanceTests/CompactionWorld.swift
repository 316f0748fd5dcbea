// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import Storage
import Testing

/// A table of numbers `k` with `p`, whether they are odd.
struct CompactionWorld {
  let store: MemoryStore
  let location: ObjectPath

  init(_ version: FormatVersion, partitionedBy spec: String = "") async throws {
    let environment = Environment.deterministic(seed: 7)
    store = MemoryStore(environment: environment)
    let warehouse = try ObjectPath("memory://w/house")
    location = try warehouse.appending(relativePath: "db/t")
    _ = try await FilesystemCatalog(
      warehouse: warehouse, store: store, environment: environment
    ).createTable(
      "db.t", "k long not null, p int", partitionedBy: spec,
      properties: ["commit.manifest.min-count-to-merge": "2"], formatVersion: version)
  }

  func table(_ store: (any ObjectStore)? = nil, seed: UInt64? = nil) async throws -> Table {
    try await TableAtLocation.open(
      location, store: store ?? self.store,
      environment: .deterministic(seed: seed ?? UInt64.random(in: 0..<1 << 40)))
  }

  /// The table as someone sees it whose clock is `late`.
  func late(_ late: Duration, _ store: (any ObjectStore)? = nil) async throws -> Table {
    try await TableAtLocation.open(
      location, store: store ?? self.store,
      environment: .deterministic(
        seed: UInt64.random(in: 0..<1 << 40), clock: TestClock(now: TestClock().now().adding(late)))
    )
  }

  func append(_ keys: Range<Int64>) async throws {
    let table = try await table()
    let rows = keys.map { [Value.long($0), .int(Int32($0 % 2))] as [Value?] }
    try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
  }

  enum Moment { case commit, everyCommit }

  /// Compacts, and lets `change` happen before the first commit, or before each.
  func compact(
    besides moment: Moment, _ change: @escaping @Sendable (Table) async throws -> Void
  ) async throws -> CompactionReport {
    let count = Counter()
    let memory = store
    let location = location
    let interposed = InterposedStore(memory) { call in
      guard call.operation == .put, call.path.name.hasPrefix("snap-") else { return }
      guard await count.next() == 1 || moment == .everyCommit else { return }
      do {
        try await change(
          try await TableAtLocation.open(
            location, store: memory,
            environment: .deterministic(seed: UInt64.random(in: 0..<1 << 40))))
      } catch {
        Issue.record(error)
      }
    }
    return try await table(interposed).compact()
  }

  /// The numbers there are, ascending; of each row its id is another.
  func keys() async throws -> [Int64] {
    let table = try await table()
    var keys: [Int64] = []
    var ids: Set<Int64> = []
    let hasIDs = table.metadata.formatVersion == .v3
    for try await batch in table.scan().select(hasIDs ? ["k", "_row_id"] : ["k"]).batches() {
      for row in 0..<batch.rowCount {
        keys.append(batch.columns[0].integer(row))
        if hasIDs { ids.insert(batch.columns[1].integer(row)) }
      }
    }
    if hasIDs { #expect(ids.count == keys.count) }
    return keys.sorted()
  }

  /// All files below the table's folder.
  func paths() async throws -> Set<ObjectPath> {
    Set(try await store.listAll(location).map(\.path))
  }

  func orphans() async throws -> [String] {
    try await TableInvariants(location, in: store).orphans()
  }

  func deleteFileCount() async throws -> Int {
    let table = try await table()
    var count = 0
    let snapshot = try #require(table.metadata.currentSnapshot)
    for manifest in try await ManifestFiles(table).list(of: snapshot).manifests
    where manifest.content == .deletes {
      count += try await ManifestFiles(table).entries(of: manifest, .liveFiles).count
    }
    return count
  }

  /// Commits deletes by the value of `k`, in each partition or in all at once.
  static func deleteByValue(
    _ keys: [Int64], _ table: Table, inPartitions: Bool = false
  ) async throws {
    let files = DeleteFiles(table, SeededRandom(seed: UInt64.random(in: 0..<1 << 40)))
    let field = table.metadata.currentSchema.fields[0]
    var edit = TableEdit()
    let spec = table.metadata.defaultPartitionSpec
    for odd in inPartitions ? [Int32(0), 1] : [0] {
      let some = inPartitions ? keys.filter { Int32($0 % 2) == odd } : keys
      guard !some.isEmpty else { continue }
      let partition =
        inPartitions
        ? PartitionValues(specID: spec.id, values: [.int(odd)]) : .unpartitioned(spec.id)
      edit.added.append(
        (
          try await files.equality([field.id], some.map { [.long($0)] }, [field], in: partition),
          nil
        )
      )
    }
    _ = try await table.commit(edit)
  }
}
