// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Random tables, read with random predicates, against a list of rows. What is pruned, projected
/// or counted from metadata must never show.
@Suite("Scans against a list of rows")
struct ReferenceTableTests {

  /// A table and its model, made by some commits of random rows.
  private struct Pair {
    var table: Table
    var model: ReferenceTable
    let text: String

    init(_ random: SeededRandom) async throws {
      let version: FormatVersion = random.chance(50) ? .v2 : .v3
      let schema = try Generators.schema(random, formatVersion: version)
      let spec = Generators.partitionText(random, schema)
      let properties = [
        "write.parquet.row-group-size-bytes": "\(random.pick([1, 2000, 1 << 20]))",
        "write.parquet.page-row-limit": "\(random.pick([1, 7, 20_000]))",
        "write.parquet.dict-size-bytes": "\(random.pick([1, 60, 1 << 20]))",
        "write.parquet.compression-codec": random.pick(["zstd", "snappy", "gzip", "uncompressed"]),
        "write.metadata.metrics.default": random.pick(["none", "counts", "truncate(2)", "full"]),
      ]
      let environment = Environment.deterministic(seed: random.next())
      let catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"),
        store: MemoryStore(environment: environment), environment: environment)
      table = try await catalog.createTable(
        TableIdentifier("db.t"),
        TableDefinition(
          schema: schema, partitionSpec: try PartitionSpec(spec, schema: schema),
          properties: properties, formatVersion: version))
      model = ReferenceTable(table.metadata.currentSchema)
      text = "\(schema.fields.map { "\($0.name) \($0.type)" }), by (\(spec)), \(properties)"
      for _ in 0..<random.int(in: 1..<5) { try await append(random) }
    }

    private mutating func append(_ random: SeededRandom) async throws {
      let rows = Generators.rows(random, model.schema, count: random.int(in: 1..<120))
      let cut = random.int(in: 0..<rows.count + 1)
      let batches = [rows[..<cut], rows[cut...]].map { Rows.batch($0, model.schema) }
      let receipt = try #require(try await table.append(batches))
      table = receipt.table
      model.append(rows, as: try #require(receipt.snapshot).id)
    }
  }

  @Test func `G9: a scan, a count and a limit give what the list of rows gives`() async throws {
    let random = SeededRandom(printing: "scans against a list")
    var files = (all: 0, kept: 0)
    var groups = (all: 0, read: 0)
    for round in 0..<(Depth.isLong ? 2000 : 25) {
      let pair = try await Pair(random)
      for _ in 0..<8 {
        let predicate = Generators.predicate(random, on: pair.model.schema)
        let state = random.chance(40) ? random.pick(pair.model.states) : nil
        let note = Comment("round \(round): \(pair.text), where \(predicate)")
        let rows = try pair.model.rows(matching: predicate, first: state?.rowCount)
        var scan = pair.table.scan().filter(predicate).at(
          state.map { .id($0.snapshot) } ?? .current)
        let columns = random.chance(50) ? nil : Self.columns(random, pair.model.schema)
        if let columns { scan = scan.select(columns) }

        let expected = try pair.model.lines(rows, columns: columns)
        let found = try await scan.canonicalRows()
        if found != expected {
          Issue.record("\(note): \(CanonicalRows.difference(found, expected))")
        }
        #expect(try await scan.count() == Int64(rows.count), note)
        let limit = random.int(in: 0..<rows.count + 3)
        let some = try await scan.limit(limit).canonicalRows()
        #expect(some.count == min(limit, rows.count), note)
        #expect(Set(some).isSubset(of: expected), note)

        let report = try await scan.read { (batch) throws(ScanError) in
          batch.rowCount
        } consume: { (_: Int) throws(ScanError) in
          true
        }
        #expect(report.rows == rows.count, note)
        files.all += report.plan.dataFiles
        files.kept += report.plan.dataFilesKept
        groups.all += report.read.rowGroups
        groups.read += report.read.rowGroupsRead
      }
    }
    // Else nothing was tested.
    #expect(files.kept < files.all, "no file was ever pruned")
    #expect(groups.read < groups.all, "no row group was ever pruned")
  }

  private static func columns(_ random: SeededRandom, _ schema: Schema) -> [String] {
    let some = schema.fields.map(\.name).filter { _ in random.chance(50) }
    return some.isEmpty ? [random.pick(schema.fields).name] : some
  }

  @Test func `every snapshot keeps the rows it had`() async throws {
    let random = SeededRandom(printing: "snapshots against a list")
    for round in 0..<(Depth.isLong ? 500 : 15) {
      let pair = try await Pair(random)
      for state in pair.model.states {
        let expected = try pair.model.lines(pair.model.rows(first: state.rowCount))
        let found = try await pair.table.scan().at(.id(state.snapshot)).canonicalRows()
        #expect(found == expected, "round \(round): \(pair.text)")
      }
    }
  }
}
