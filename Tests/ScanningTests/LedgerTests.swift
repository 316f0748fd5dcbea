// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Lake
import LakeTestSupport
import Parquet
import Testing

/// What made other engines lose rows when they read, each by itself.
@Suite("Reads that lost rows elsewhere")
struct LedgerTests {
  private func table(
    _ columns: String, _ rows: [[Value?]], properties: [String: String] = [:],
    _ version: FormatVersion = .v2
  ) async throws -> Table {
    let environment = Environment.deterministic(seed: 1)
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: MemoryStore(environment: environment),
      environment: environment)
    let table = try await catalog.createTable(
      "db.t", columns, properties: properties, formatVersion: version)
    try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
    return try await table.refreshed()
  }

  private func files(_ table: Table) async throws -> [DataFile] {
    let head = try #require(table.metadata.currentSnapshot)
    var found: [DataFile] = []
    for manifest in try await ManifestFiles(table).list(of: head).manifests {
      found += try await ManifestFiles(table).entries(of: manifest, .all).map(\.file)
    }
    return found
  }

  @Test func `G5: a hundred thousand equality deletes each find their row`() async throws {
    let count: Int64 = 120_000
    let table = try await table("k long, v int", (0..<count).map { [.long($0), .int(1)] })
    let schema = table.metadata.currentSchema
    let deletes = try await DeleteFiles(table, SeededRandom(seed: 1)).equality(
      [FieldID(1)], (0..<100_000).map { [.long($0 * 7 % count)] }, [schema.fields[0]],
      in: .unpartitioned())
    var edit = TableEdit()
    edit.added = [(deletes, nil)]
    let now = try await table.commit(edit).table
    // 7 and the count have no common divisor: no key is there twice.
    #expect(try await now.scan().count() == count - 100_000)
    let left = Set((100_000..<count).map { $0 * 7 % count })
    for batch in try await now.scan().select("k").readAll() {
      for row in 0..<batch.rowCount {
        #expect(left.contains(batch.columns[0].integer(row)))
      }
    }
  }

  @Test func `G6: deletes of several files are found in any order, whatever their bounds say`()
    async throws
  {
    let rows = (0..<30).map { [Value.int(Int32($0 % 3)), .long(Int64($0))] as [Value?] }
    let table = try await table(
      "p int, n long", rows, properties: ["write.target-file-size-bytes": "1"])
    try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
    let now = try await table.refreshed()
    let paths = try await files(now).map(\.path)
    #expect(paths.count == 2)
    // Not sorted, by path or by position.
    let fields = [
      ColumnField("file_path", .string, isNullable: false, fieldID: 2_147_483_546),
      ColumnField("pos", .int64, isNullable: false, fieldID: 2_147_483_545),
    ]
    let builder = BatchBuilder(fields)
    for (file, position) in [(1, 9), (0, 20), (1, 3), (0, 1), (1, 29)] {
      builder.columns[0].append(paths[file])
      builder.columns[1].append(Int64(position))
    }
    let writer = try ParquetFileWriter(fields: fields, options: WriterOptions())
    try await writer.write(builder.finish(), threads: 1)
    let written = try await writer.finish(threads: 1)
    var bytes = MutableBuffer()
    for part in writer.takeBytes() { bytes.append(part.bytes) }
    let path = "\(now.metadata.location)/data/unsorted-deletes.parquet"
    _ = try await now.store.put(bytes.freeze(), to: ObjectPath(path), if: .absent)
    for isInverted in [false, true] {
      let deletes = DataFile(
        content: .positionDeletes, path: path, format: .parquet, partition: .unpartitioned(),
        recordCount: written.rowCount, byteCount: written.byteCount,
        metrics: isInverted
          ? ColumnMetricsList([
            ColumnMetrics(
              fieldID: .deleteFilePath, valueCount: 5, nullCount: 0, lowerBound: Array("z".utf8),
              upperBound: Array("a".utf8))
          ]) : ColumnMetricsList([]))
      var edit = TableEdit()
      edit.added = [(deletes, nil)]
      let deleted = try await now.refreshed().commit(edit).table
      let found = try await deleted.scan().select("_file", "_pos").readAll().flatMap { batch in
        (0..<batch.rowCount).map {
          "\(batch.columns[0].string($0)) \(batch.columns[1].integer($0))"
        }
      }
      let gone = [(1, 9), (0, 20), (1, 3), (0, 1), (1, 29)].map { "\(paths[$0.0]) \($0.1)" }
      #expect(found.count == 55 && Set(found).isDisjoint(with: gone), "inverted: \(isInverted)")
      var undo = TableEdit()
      undo.removed = [deletes.identity]
      _ = try await deleted.commit(undo)
    }
  }

  @Test func `H5: bounds are those of all row groups of a file`() async throws {
    let numbers: [Int64] = [5, 9, -3, 100, 2, 70, -50, 8]
    let empty = try await table(
      "k long, s string", [],
      properties: ["write.parquet.row-group-size-bytes": "1", "write.parquet.page-row-limit": "2"])
    try await empty.append(
      numbers.map {
        Rows.batch([[.long($0), .string("\($0)")]] as [[Value?]], empty.metadata.currentSchema)
      })
    let table = try await empty.refreshed()
    let file = try #require(try await files(table).first)
    #expect((file.splitOffsets?.count ?? 0) > 1, "it has more than one row group")
    let metrics = try #require(file.metrics.columns.first { $0.fieldID == FieldID(1) })
    #expect(metrics.lowerBound == Value.long(-50).encoded(as: .long))
    #expect(metrics.upperBound == Value.long(100).encoded(as: .long))
    for number in numbers {
      #expect(try await table.scan().filter("k = \(number)").count() == 1)
      #expect(try await table.scan().filter("s = '\(number)'").count() == 1)
    }
  }

  @Test func `rule 34: bounds within variants rule nothing out, and are kept`() async throws {
    let table = try await table("k long, v variant", [[.long(1), nil]], .v3)
    var file = try #require(try await files(table).first)
    var edit = TableEdit()
    edit.removed = [file.identity]
    // Metadata of one name, and an object of it: as the specification has them, and as no one has.
    for bounds in [
      [0x01, 0x01, 0x00, 0x01, 0x24, 0x02, 0x01, 0x00, 0x00, 0x02, 0x0c, 0x05], [0xff],
    ]
      as [[UInt8]]
    {
      let columns = file.metrics.columns.filter { $0.fieldID != FieldID(2) }
      var variant = ColumnMetrics(fieldID: FieldID(2), valueCount: 1, nullCount: 0)
      variant.lowerBound = bounds
      variant.upperBound = bounds
      file.metrics = ColumnMetricsList(columns + [variant])
      edit.added = [(file, nil)]
      let now = try await table.refreshed().commit(edit).table
      #expect(try await now.scan().filter("k = 1").count() == 1)
      let rewritten = try await now.commit(ManifestRewrite()).table
      let kept = try await files(rewritten).first { $0.path == file.path }?.metrics
      #expect(kept?.columns.first { $0.fieldID == FieldID(2) }?.upperBound == bounds)
      #expect(try await rewritten.scan().count() == 1)
    }
  }
}
