// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import Storage
import Testing

/// A table `db.s` of rows by key, which is read, and a table `db.t` that is written to.
struct BackfillWorld {
  let store: MemoryStore
  let environment: Environment
  /// Of the tables and of the store.
  let clock = TestClock()

  static let schema = "k int not null, ts long, v string, n int"

  /// - Parameter isKeyed: whether `k` is the key of `db.s`.
  init(_ random: SeededRandom, _ version: FormatVersion = .v3, isKeyed: Bool = false) async throws {
    environment = .deterministic(seed: random.next(), clock: clock)
    store = MemoryStore(environment: environment)
    let schema = try Schema(Self.schema, key: isKeyed ? ["k"] : [])
    _ = try await catalog().createTable(
      TableIdentifier("db.s"), TableDefinition(schema: schema, formatVersion: version))
    _ = try await catalog().createTable(
      "db.t", "k int, twice long, v string", formatVersion: .v2)
  }

  func catalog(_ store: (any ObjectStore)? = nil) throws -> FilesystemCatalog {
    FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store ?? self.store,
      environment: environment)
  }

  func table(_ name: String, _ store: (any ObjectStore)? = nil) async throws -> Table {
    try await catalog(store).loadTable(TableIdentifier(name))
  }

  func append(_ keys: Range<Int32>) async throws {
    let table = try await table("db.s")
    let rows = keys.map { key -> [Value?] in
      [.int(key), .long(Int64(key)), .string("v\(key)"), key % 3 == 0 ? nil : .int(key)]
    }
    try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
  }

  /// `k`, twice `n` (none is 0) and `v` in capitals.
  func options() throws -> BackfillOptions {
    var options = BackfillOptions()
    options.computation = .selection(
      try ExpressionParser.parse(selectList: "k, coalesce(n, 0) * 2 AS twice, upper(v) AS v"))
    options.start = .resume
    options.splitByteCount = 400
    options.commitByteCount = 1000
    options.parallelism = 2
    return options
  }

  @discardableResult
  func run(
    _ options: BackfillOptions, _ store: (any ObjectStore)? = nil, into target: String = "db.t"
  ) async throws -> BackfillReport {
    try await Backfill(
      from: table("db.s", store), into: table(target, store), options
    ).run()
  }

  static func expected(_ keys: some Sequence<Int32>) -> [String] {
    keys.sorted().map { "\($0) \($0 % 3 == 0 ? 0 : $0 * 2) V\($0)" }
  }

  /// The rows of `db.t`, by key.
  func landed(_ name: String = "db.t") async throws -> [String] {
    var rows: [(Int64, String)] = []
    for batch in try await table(name).scan().readAll() {
      for row in 0..<batch.rowCount {
        let columns = batch.columns
        let key = columns[0].integer(row)
        rows.append((key, "\(key) \(columns[1].integer(row)) \(columns[2].string(row))"))
      }
    }
    return rows.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
  }

  /// Lets all snapshots of a table go but its newest one, an hour from now.
  func expire(_ name: String) async throws {
    clock.advance(by: .seconds(3600))
    _ = try await table(name).expireSnapshots(
      ExpiryPolicy(maxSnapshotAge: .seconds(60), minSnapshotsToKeep: 1))
  }

  /// What an audit finds wrong.
  func problems(_ name: String) async throws -> [String] {
    var found: [String] = []
    _ = try await table(name).audit().run { found.append("\($0)") }
    return found
  }

  func violations(_ name: String) async throws -> [String] {
    try await TableInvariants(
      try ObjectPath("memory://w/house/db/\(name)"), in: store
    ).violations()
  }
}
