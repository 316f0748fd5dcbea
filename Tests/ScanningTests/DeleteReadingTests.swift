// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Random tables with deletes of every kind, against a model that looks at each row alone.
@Suite("Reading tables with deletes")
struct DeleteReadingTests {

  private func difference(
    _ scan: TableScan, _ live: [DeleteModel.Live], _ schema: Schema, _ model: DeleteModel
  ) async throws -> String? {
    let rows = live.map { model.values(of: $0.row, schema) }
    let expected = try CanonicalRows.lines(of: [Rows.batch(rows, schema)])
    let found = try await scan.canonicalRows()
    return found == expected ? nil : CanonicalRows.difference(found, expected)
  }

  @Test func `G3: reads with deletes give what a model of rows gives`() async throws {
    let random = SeededRandom(printing: "reads with deletes")
    var seen = (deleted: 0, live: 0, filesLeftOut: 0)
    for round in 0..<(Depth.isLong ? 1500 : 30) {
      var model = try await DeleteModel(random)
      for _ in 0..<random.int(in: 3..<18) {
        try await model.change()
        try model.noteState()
      }
      let note = { Comment("round \(round): \(model.log.joined(separator: "\n"))") }
      let live = model.live
      seen.live += live.count
      seen.deleted += model.files.reduce(0) { $0 + $1.rows.count } - live.count
      if let found = try await difference(model.table.scan(), live, model.schema, model) {
        Issue.record("\(note()): \(found)")
      }
      #expect(try await model.table.scan().count() == Int64(live.count), note())
      for state in model.states where random.chance(15) {
        let scan = model.table.scan().at(.id(state.snapshot))
        if let found = try await difference(scan, state.live, state.schema, model) {
          Issue.record("\(note()), as of \(state.snapshot.rawValue): \(found)")
        }
        #expect(try await scan.count() == Int64(state.live.count), note())
      }
      for _ in 0..<3 {
        let predicate = Generators.predicate(random, on: model.schema)
        let bound = try predicate.bound(to: model.schema)
        let wanted = live.filter { live in
          let row = model.values(of: live.row, model.schema)
          let values = ReferenceTable.values(of: row, model.schema.fields)
          return bound.matches { values[$0] ?? nil }
        }
        let scan = model.table.scan().filter(predicate)
        if let found = try await difference(scan, wanted, model.schema, model) {
          Issue.record("\(note()), where \(predicate): \(found)")
        }
        #expect(try await scan.count() == Int64(wanted.count), "\(note()), where \(predicate)")
        let plan = try await scan.plan()
        seen.filesLeftOut += plan.counts.deleteFiles - plan.counts.deleteFilesKept
      }
      try await checkPlaces(model, live, note())
    }
    #expect(seen.deleted > 0 && seen.live > 0 && seen.filesLeftOut > 0, "nothing was tested")
  }

  @Test func `a state from before a column was widened is read with its own type`() async throws {
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: MemoryStore(),
      environment: .deterministic(seed: 1))
    var table = try await catalog.createTable("db.t", "a int, b string")
    let schema = table.metadata.currentSchema
    let rows: [[Value?]] = (0..<4).map { [.int(Int32($0)), .string("r\($0)")] }
    table = try #require(try await table.append([Rows.batch(rows, schema)])).table
    var edit = TableEdit()
    let file = try await DeleteFiles(table, SeededRandom(seed: 1)).equality(
      [schema.fields[0].id], [[.int(2)]], [schema.fields[0]], in: .unpartitioned())
    edit.added = [(file, nil)]
    table = try await table.commit(edit).table
    let before = try #require(table.metadata.currentSnapshotID)
    var evolution = SchemaEvolution(
      of: schema, lastFieldID: table.metadata.lastColumnID, version: .v2,
      specs: table.metadata.partitionSpecs, defaultSpec: table.metadata.defaultPartitionSpec,
      sortOrder: table.metadata.defaultSortOrder)
    try evolution.changeType(of: "a", to: .long)
    table = try await table.commit(
      MetadataEdit(.addSchema(evolution.schema), .setCurrentSchema(SchemaID(-1)))
    ).table
    let expected = [#"{"a":0}"#, #"{"a":1}"#, #"{"a":3}"#]
    #expect(try await table.scan().select("a").canonicalRows() == expected)
    #expect(try await table.scan().select("a").at(.id(before)).canonicalRows() == expected)
  }

  /// Rows are where the metadata columns say.
  private func checkPlaces(
    _ model: DeleteModel, _ live: [DeleteModel.Live], _ note: Comment
  ) async throws {
    let columns = ["n", "_pos", "_file", "_spec_id"]
    let found = try await model.table.scan().select(columns).canonicalRows()
    let specs = Dictionary(
      uniqueKeysWithValues: model.files.map { ($0.file.path, $0.file.partition.specID) })
    let text = live.map { row in
      let spec = specs[row.path]?.rawValue ?? -1
      return """
        {"n":\(row.row.number),"_pos":\(row.position),"_file":"\(row.path)","_spec_id":\(spec)}
        """
    }.joined(separator: "\n")
    let expected = try CanonicalRows.lines(text)
    #expect(found == expected, note)
    #expect(try await listed(model.table) == model.deletedPositions, note)
    guard let one = live.last else { return }
    let scan = try model.table.scan().select("n").filter(
      "_pos = \(one.position) AND _file = '\(one.path)'")
    #expect(try await scan.canonicalRows() == [#"{"n":\#(one.row.number)}"#], note)
    #expect(try await scan.count() == 1, note)
  }

  /// What the metadata table of position deletes has.
  private func listed(_ table: Table) async throws -> Set<String> {
    var found: Set<String> = []
    let source = table.metadataTable(.positionDeletes)
    let names = try source.fields().map(\.name)
    #expect(names.starts(with: ["file_path", "pos", "row"]))
    try await source.read { batch throws(ScanError) in
      for row in 0..<batch.rowCount {
        found.insert("\(batch.columns[0].string(row)) \(batch.columns[1].integer(row))")
      }
      return true
    }
    return found
  }
}
