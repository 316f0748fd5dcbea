// SPDX-License-Identifier: Apache-2.0
import KeyIndexing
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

/// Indexes that follow a table through random histories, held against what scans of it tell.
@Suite("Key index over random histories")
struct KeyIndexHistoryTests {

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `an index that follows a table is one that is built from it`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "key index histories, v\(version.rawValue)")
    for round in 0..<(Depth.isLong ? 200 : 2) {
      var history = try await RandomHistory(random, version)
      var state = try await TableState(of: history.table)
      let columns = try KeyColumns(schema: state.schema, names: ["k"])
      let order = try OrderColumn(schema: state.schema, name: "c")
      var index = KeyIndex(columns, order: order, seed: KeySeed(history.table.environment))
      for _ in 0..<random.int(in: 4..<18) {
        try await history.step(random)
        var table = history.table
        if random.chance(40) { table = try await OtherEngine.appendAgain(to: table, random) }
        if random.chance(30) { table = try await OtherEngine.deleteByValue(from: table, random) }
        let branch = random.pick(history.branchNames)
        let log = "round \(round), \(history.log.joined(separator: "; ")), \(branch)"
        guard branch == "main" || table.metadata.reference(branch) != nil else { continue }
        state = try await state.refreshed(to: table, at: .reference(branch))
        let planned = try await TableState(of: table, at: .reference(branch))
        #expect(StateModel.facts(state) == StateModel.facts(planned), "\(log)")
        try #require(state.schema.field(named: "k") != nil)
        if random.chance(20) { index.forgetFiles(notIn: [state]) }
        if state.schema.field(order.field.id) == nil {
          index = KeyIndex(columns, seed: KeySeed(history.table.environment))
        }
        try await index.cover(state)
        if random.chance(50) {
          index.forgetFiles(notIn: [state])
          await index.dropUselessPlaces(of: state)
        }
        let problem = try await IndexModel.difference(index, state)
        #expect(problem == nil, "\(log)")
        let built = try await KeyIndex.build(state, key: ["k"])
        let other = try await IndexModel.difference(built, state)
        #expect(other == nil, "built, \(log)")
        if problem != nil || other != nil { return }
      }
    }
  }
}

/// What two states of a table are compared by.
enum StateModel {
  struct Fact: Hashable {
    let path: String
    let sequenceNumber: SequenceNumber
    let firstRowID: Int64?
    let deletes: Set<DataFile>
  }

  static func facts(_ state: TableState) -> Set<Fact> {
    for (index, file) in state.files.enumerated() {
      precondition(state.index(of: file.file.path) == index, "a list that is at odds with itself")
    }
    return Set(
      state.files.map { file in
        Fact(
          path: file.file.path, sequenceNumber: file.sequenceNumber,
          firstRowID: file.file.firstRowID, deletes: Set(file.task.deletes.map(\.file)))
      })
  }
}

/// What a scan tells of where the rows of each key are.
enum IndexModel {
  struct Place: Hashable {
    let path: String
    let position: Int64
    let rowID: Int64?
  }

  /// How the index's answers differ from the places that a scan finds; nil if they do not.
  static func difference(_ index: KeyIndex, _ state: TableState) async throws -> String? {
    let names = index.columns.fields.compactMap { state.schema.name(of: $0.id) }
    var expected: [KeyHash: Set<Place>] = [:]
    var keys: [KeyHash] = []
    let scan = state.table.scan().at(state.selection)
      .select(names + ["_file", "_pos", "_row_id"])
    let columns = try KeyColumns(
      schema: state.schema, fieldIDs: index.columns.fieldIDs)
    if state.snapshot != nil {
      for try await batch in scan.batches() {
        let hashes = try columns.hashes(of: batch, seed: index.seed)
        let rest = batch.columns.suffix(3).map { $0 }
        for row in 0..<batch.rowCount where hashes.validity?[row] ?? true {
          let place = Place(
            path: rest[0].string(row), position: rest[1].integer(row),
            rowID: rest[2].isNull(row) ? nil : rest[2].integer(row))
          if expected[hashes[row]] == nil { keys.append(hashes[row]) }
          expected[hashes[row], default: []].insert(place)
        }
      }
    }
    // Keys that are not there, too.
    keys += (0..<20).map { KeyHash(high: UInt64($0) << 59 | 77, low: UInt32($0)) }
    let places = try await index.lookup(KeyHashes(keys), in: state)
    guard places.keyCount == keys.count else { return "\(places.keyCount) keys of \(keys.count)" }
    for (number, key) in keys.enumerated() {
      let found = places[number].map {
        Place(path: state.files[$0.file].file.path, position: $0.position, rowID: $0.rowID)
      }
      if Set(found) != expected[key] ?? [] || found.count != Set(found).count {
        return "key \(number): found \(found), expected \(expected[key] ?? [])"
      }
    }
    return nil
  }
}
