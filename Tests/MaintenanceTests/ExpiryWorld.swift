// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Storage
import Testing

/// A table with a random history, whose rows at each snapshot are known.
final class ExpiryWorld {
  let clock: TestClock
  let environment: Environment
  let store: MemoryStore
  private let location: ObjectPath
  private var rows: [SnapshotID: Int64] = [:]

  init(_ random: SeededRandom, steps: Int) async throws {
    clock = TestClock()
    environment = Environment.deterministic(seed: random.next(), clock: clock)
    store = MemoryStore(environment: environment)
    let warehouse = try ObjectPath("memory://w/house")
    location = try warehouse.appending(relativePath: "db/t")
    let table = try await FilesystemCatalog(
      warehouse: warehouse, store: store, environment: environment
    ).createTable(
      "db.t", "k long not null", partitionedBy: random.pick(["", "bucket(2, k)"]),
      properties: [
        "commit.manifest.min-count-to-merge": random.pick(["2", "4", "100"]),
        "write.metadata.previous-versions-max": random.pick(["3", "100"]),
      ], formatVersion: random.pick([.v2, .v3]))
    try await note(table)
    for _ in 0..<steps { try await step(random) }
  }

  func table(_ store: (any ObjectStore)? = nil) async throws -> Table {
    try await TableAtLocation.open(location, store: store ?? self.store, environment: environment)
  }

  @discardableResult
  func append(_ numbers: ClosedRange<Int64>, to branch: String = "main") async throws -> [DataFile]
  {
    let table = try await table()
    let writer = try PartitionedWriter(table.metadata, store: store, environment: environment)
    try await writer.write(
      Rows.batch(numbers.map { [Value.long($0)] }, table.metadata.currentSchema))
    let files = try await writer.finish()
    try await note(try await table.commit(AppendFiles(files, branch: branch)).table)
    clock.advance(by: .seconds(10))
    return files
  }

  /// Changes something on some branch.
  private func step(_ random: SeededRandom) async throws {
    let table = try await table()
    let branches = table.metadata.references.filter { $0.value.kind == .branch }.keys.sorted()
    let branch = branches.isEmpty ? "main" : random.pick(branches)
    let low = Int64(random.int(in: 0..<20))
    let some = Predicate.and([
      .greaterOrEqual("k", .integer(low)), .less("k", .integer(low + 5)),
    ])
    switch random.int(in: 0..<10) {
    case 0..<4: try await append(low...low + 3, to: branch)
    case 4..<7 where table.metadata.currentSnapshotID != nil:
      _ = try await table.deleteRows(
        where: some, mode: random.pick(RowChangeMode.allCases), branch: branch)
    case 7 where table.metadata.currentSnapshotID != nil:
      _ = try await table.commit(ManifestRewrite(branch: branch))
    case 8 where table.metadata.currentSnapshotID != nil:
      _ = try await table.commit(ReferenceChange.createBranch("b\(random.next() % 1000)"))
    case 9 where table.metadata.currentSnapshotID != nil:
      _ = try await table.analyze()
    default: try await append(low...low, to: branch)
    }
    try await note(try await self.table())
    clock.advance(by: .seconds(Int64(random.int(in: 1..<40))))
  }

  /// Names snapshots, with retention of all kinds.
  func addReferences(_ random: SeededRandom) async throws {
    for _ in 0..<random.int(in: 0..<4) {
      let table = try await table()
      let ids = table.metadata.snapshots.map(\.id)
      guard !ids.isEmpty else { return }
      let name = "\(random.pick(["t", "consumer.", "b"]))\(random.next() % 1000)"
      let age = random.pick([nil, 1, 60_000, 500_000] as [Int64?])
      let change =
        name.hasPrefix("b")
        ? ReferenceChange.createBranch(
          name, at: random.pick(ids),
          retention: .init(
            minSnapshotsToKeep: random.pick([nil, 1, 3]), maxSnapshotAgeMilliseconds: age,
            maxReferenceAgeMilliseconds: age))
        : ReferenceChange.createTag(
          name, at: random.pick(ids), retention: .init(maxReferenceAgeMilliseconds: age),
          ifThere: .replace)
      _ = try? await table.commit(change)
    }
  }

  /// Notes how many rows the states of `table` have that are not known yet.
  private func note(_ table: Table) async throws {
    for snapshot in table.metadata.snapshots where rows[snapshot.id] == nil {
      rows[snapshot.id] = try await table.scan().at(.id(snapshot.id)).readAll()
        .reduce(0) { $0 + Int64($1.rowCount) }
    }
  }

  /// Every state that is left has the rows it had.
  func checkStates(of table: Table, _ note: Comment) async throws {
    for snapshot in table.metadata.snapshots {
      let found = try await table.scan().at(.id(snapshot.id)).readAll()
        .reduce(0) { $0 + Int64($1.rowCount) }
      #expect(found == rows[snapshot.id], note)
    }
  }

  /// All files there are but metadata files, hints and notes.
  func files() async throws -> Set<String> {
    Set(
      try await store.listAll(location).map(\.path.text).filter {
        !$0.hasSuffix(".metadata.json") && !$0.hasSuffix(".text")
      })
  }

  /// What the snapshots of `table` reach, found by reading everything of each of them.
  func reachable(from table: Table) async throws -> Set<String> {
    var found: Set<String> = []
    let files = ManifestFiles(table)
    for snapshot in table.metadata.snapshots {
      if let list = snapshot.manifestList { found.insert(list) }
      for manifest in try await files.list(of: snapshot).manifests {
        found.insert(manifest.path)
        for entry in try await files.entries(of: manifest, .all) where entry.isLive {
          found.insert(entry.file.path)
        }
      }
    }
    found.formUnion(table.metadata.statistics.map(\.path))
    found.formUnion(table.metadata.partitionStatistics.map(\.path))
    return found
  }
}
