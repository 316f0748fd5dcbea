// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import Storage
import Testing

/// Compaction that puts rows in an order across files.
@Suite("Sorted compaction")
struct SortedCompactionTests {
  private static let schema =
    "k long not null, b boolean, i int, f float, d double, m decimal(20, 3), day date, t time, "
    + "at timestamptz, s string, u uuid, x fixed[3], y binary"

  private static func value(_ type: PrimitiveType, _ random: SeededRandom) -> Value? {
    if random.chance(6) { return nil }
    let number = Int64(random.int(in: -1000..<1000))
    return switch type {
    case .boolean: .boolean(random.chance(50))
    case .int, .date: .int(Int32(number))
    case .float: .float(random.chance(3) ? .nan : Float(number) / 7)
    case .double: .double(random.chance(3) ? -.infinity : Double(number) / 7)
    case .decimal: .decimal(Int128(number))
    case .time: .long(abs(number))
    case .string: .string(String(repeating: "p", count: random.int(in: 0..<3)) + "\(number)")
    case .uuid: .bytes((0..<16).map { _ in UInt8(random.int(in: 0..<256)) })
    case .fixed(let count): .bytes((0..<count).map { _ in UInt8(random.int(in: 0..<256)) })
    case .binary:
      .bytes((0..<random.int(in: 0..<5)).map { _ in UInt8(random.int(in: 0..<256)) })
    default: .long(number)
    }
  }

  /// A table of some files of rows of all types.
  private static func table(
    _ random: SeededRandom, files: Int, rows: Int, version: FormatVersion = .v3
  ) async throws -> (Table, MemoryStore) {
    let environment = Environment.deterministic(seed: random.next())
    let store = MemoryStore(environment: environment)
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
    // A file can end where a page does.
    var table = try await catalog.createTable(
      "db.t", schema, properties: ["write.parquet.page-row-limit": "50"], formatVersion: version)
    var key: Int64 = 0
    for _ in 0..<files {
      let fields = table.metadata.currentSchema.fields
      let batch = (0..<rows).map { _ -> [Value?] in
        key += 1
        return [.long(key)] + fields.dropFirst().map { value($0.type.primitive!, random) }
      }
      try await table.append([Rows.batch(batch, table.metadata.currentSchema)])
      table = try await table.refreshed()
    }
    return (table, store)
  }

  private static func rows(_ table: Table, _ columns: [String]) async throws -> [String] {
    var lines: [String] = []
    let scan = try await table.refreshed().scan().select(columns)
    for batch in try await scan.readAll() {
      for row in 0..<batch.rowCount {
        lines.append(
          batch.columns.map { $0.icebergValue(row).map { "\($0)" } ?? "-" }.joined(separator: "|"))
      }
    }
    return lines
  }

  /// The bounds of `column` in the files of the table, in no order.
  private static func bounds(
    _ table: Table, _ column: String
  ) async throws -> [(lower: Value, upper: Value)] {
    let table = try await table.refreshed()
    let field = try #require(table.metadata.currentSchema.field(named: column))
    var found: [(lower: Value, upper: Value)] = []
    let snapshot = try #require(table.metadata.currentSnapshot)
    let files = ManifestFiles(table)
    var entries: [ManifestEntry] = []
    for manifest in try await files.list(of: snapshot).manifests where manifest.content == .data {
      entries += try await files.entries(of: manifest, .planning([field.id]))
    }
    for entry in entries {
      let metrics = try #require(entry.file.metrics[field.id])
      let type = try #require(field.type.primitive)
      found.append(
        (
          try #require(Value(bound: metrics.lowerBound, as: type)),
          try #require(Value(bound: metrics.upperBound, as: type))
        ))
    }
    return found
  }

  private static func matchingFiles(_ table: Table, _ filter: String) async throws -> Int {
    try await table.refreshed().scan().filter(filter).plan().tasks.count
  }

  @Test(arguments: [1 << 30, 400_000])
  func `files that are sorted together do not overlap, in memory or out of it`(
    memory: Int
  ) async throws {
    let random = SeededRandom(printing: "sorted compaction")
    let (table, store) = try await Self.table(random, files: 8, rows: 400)
    let columns =
      table.metadata.currentSchema.fields.map(\.name) + [
        "_row_id", "_last_updated_sequence_number",
      ]
    let before = try await Self.rows(table, columns).sorted()
    var options = CompactionOptions()
    options.strategy = .sort
    options.sortBy = "i desc nulls last, s"
    options.memoryLimit = memory
    options.targetByteCount = 20_000
    let report = try await table.compact(options)
    #expect(report.rewrittenFiles == 8)
    #expect(report.addedFiles > 2)
    #expect(try await Self.rows(table, columns).sorted() == before)
    // In order of their highest value the files follow each other.
    let found = try await Self.bounds(table, "i").sorted {
      let order = Value.compare($0.upper, $1.upper) ?? 0
      return order != 0 ? order > 0 : (Value.compare($0.lower, $1.lower) ?? 0) > 0
    }
    for (file, next) in zip(found, found.dropFirst()) {
      #expect((Value.compare(file.lower, next.upper) ?? 0) >= 0, "\(file) \(next)")
    }
    let invariants = TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
    #expect(try await invariants.violations() == [])
    #expect(try await invariants.orphans() == [])
  }

  @Test func `filters of each column of a curve read fewer files`() async throws {
    let random = SeededRandom(printing: "curves")
    let (table, store) = try await Self.table(random, files: 16, rows: 300)
    let columns =
      table.metadata.currentSchema.fields.map(\.name) + [
        "_row_id", "_last_updated_sequence_number",
      ]
    let before = try await Self.rows(table, columns).sorted()
    let filters = ["i BETWEEN 600 AND 700", "day BETWEEN DATE '1971-10-01' AND DATE '1971-12-31'"]
    for filter in filters {
      #expect(try await Self.matchingFiles(table, filter) == 16)
    }
    var options = CompactionOptions()
    options.strategy = .zorder
    options.sortBy = "i, day"
    options.targetByteCount = 1
    options.memoryLimit = random.pick([400_000, 1 << 30])
    let report = try await table.compact(options)
    #expect(report.rewrittenFiles == 16)
    #expect(try await Self.rows(table, columns).sorted() == before)
    let count = try await table.refreshed().scan().plan().tasks.count
    #expect(count >= 20)
    for filter in filters {
      let matching = try await Self.matchingFiles(table, filter)
      #expect(matching * 2 <= count, "\(filter): \(matching) of \(count)")
    }
    let invariants = TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
    #expect(try await invariants.violations() == [])
    #expect(try await invariants.orphans() == [])
  }

  @Test func `a curve goes through columns of every type`() async throws {
    let random = SeededRandom(printing: "curves of every type")
    let (table, _) = try await Self.table(random, files: 3, rows: 60)
    let names = table.metadata.currentSchema.fields.map(\.name)
    let before = try await Self.rows(table, names + ["_row_id"]).sorted()
    for name in names {
      var options = CompactionOptions()
      options.strategy = .zorder
      options.sortBy = name == "k" ? "k" : "\(name), k"
      options.targetByteCount = random.pick([3000, 1 << 20])
      options.memoryLimit = random.pick([8000, 1 << 30])
      _ = try await table.compact(options)
      #expect(try await Self.rows(table, names + ["_row_id"]).sorted() == before, "by \(name)")
    }
    for text in ["", "nothing", "k, k", "bucket(4, k)", names.prefix(9).joined(separator: ",")] {
      var options = CompactionOptions()
      options.strategy = .zorder
      options.sortBy = text
      await #expect(throws: MaintenanceError.self, "\(text)") { try await table.compact(options) }
    }
  }

  @Test func `sorted files that overlap are sorted together, once`() async throws {
    let random = SeededRandom(printing: "overlapping files")
    let (table, _) = try await Self.table(random, files: 4, rows: 100)
    _ = try await table.commit(
      LayoutChange.sortOrder { schema throws(IcebergError) in
        try SortOrder("i", schema: schema)
      })
    var options = CompactionOptions()
    options.strategy = .sort
    #expect(try await table.refreshed().compact(options).rewrittenFiles == 4)
    // A file that is sorted, as all that are written now, but lies within the others.
    let now = try await table.refreshed()
    let more = (0..<50).map { key -> [Value?] in
      [.long(Int64(key)), nil, .int(Int32(key))]
        + [Value?](repeating: nil, count: now.metadata.currentSchema.fields.count - 3)
    }
    try await now.append([Rows.batch(more, now.metadata.currentSchema)])
    options.targetByteCount = 1
    #expect(try await now.refreshed().compact(options).rewrittenFiles == 2)
    #expect(try await now.refreshed().compact(options).groups == 0)
  }

  /// As the scan tells where rows are, deletes find them after rows were put in another order.
  @Test(arguments: [FormatVersion.v2, .v3])
  func `rows deleted meanwhile are deleted where a sort, or a curve, put them`(
    version: FormatVersion
  ) async throws {
    for strategy in [CompactionOptions.Strategy.sort, .zorder] {
      let random = SeededRandom(printing: "deletes beside \(strategy)")
      let (table, store) = try await Self.table(random, files: 4, rows: 100, version: version)
      let count = Counter()
      let gone: [Int64] = (0..<40).map { _ in Int64(random.int(in: 1..<401)) }
      let interposed = InterposedStore(store) { call in
        guard call.operation == .put, call.path.name.hasPrefix("snap-"), await count.next() == 1
        else { return }
        do {
          _ = try await table.refreshed().deleteRows(
            where: .isIn("k", gone.map { .integer($0) }), mode: .mergeOnRead)
        } catch {
          Issue.record(error)
        }
      }
      let beside = try await TableAtLocation.open(
        ObjectPath(table.metadata.location), store: interposed,
        environment: .deterministic(seed: random.next()))
      var options = CompactionOptions()
      options.strategy = strategy
      options.sortBy = "s, d"
      options.memoryLimit = random.pick([20_000, 1 << 30])
      options.targetByteCount = 9000
      let report = try await beside.compact(options)
      #expect(report.movedDeletes == Set(gone).count)
      let left = try await Self.rows(table, ["k"])
      #expect(left.count == 400 - Set(gone).count)
      #expect(
        Set(left) == Set((1...400).filter { !gone.contains($0) }.map { "\(Value.long($0))" }))
      #expect(
        try await TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
          .violations() == [])
    }
  }
}
