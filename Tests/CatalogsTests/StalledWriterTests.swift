// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Writers that sleep while versions are deleted, or while their table is dropped: the slot they
/// then create is free, and still not theirs.
@Suite("Stalled writers")
struct StalledWriterTests {
  private func update(_ table: Table) -> TableCommit {
    TableCommit(base: table, requirements: [], updates: [.setProperties(["by": "stalled"])])
  }

  private func isConflict(_ outcome: CommitOutcome) -> Bool {
    if case .conflict = outcome { true } else { false }
  }

  @Test(arguments: [true, false])
  func `B15: a slot that was deleted meanwhile is a conflict`(isNoted: Bool) async throws {
    let world = try CatalogWorld()
    let tables = try await world.make(upTo: 8)
    try await world.deleteVersions(upTo: 6, noting: isNoted)
    // Of version 2; its slot, 3, is free again.
    let outcome = try await tables[1].commit(update(tables[1]))
    #expect(isConflict(outcome), "\(outcome)")
    #expect(try await !world.exists("v3.metadata.json"), "the slot is left as it was")
    let now = try await world.load()
    #expect(now.metadataLocation.name == "v8.metadata.json")
    #expect(now.metadata.properties["by"] == nil)
  }

  @Test(arguments: [true, false])
  func `B15: a stalled append goes on top of what others did`(isNoted: Bool) async throws {
    let world = try CatalogWorld()
    let tables = try await world.make(upTo: 8)
    try await world.deleteVersions(upTo: 6, noting: isNoted)
    try await world.append("stalled", to: tables[1])
    #expect(try await world.load().metadataLocation.name == "v9.metadata.json")
    #expect(try await world.texts().contains("stalled"))
    #expect(try await world.texts().count == 8)
  }

  @Test func `B15: a hint that names a deleted version leads to the newest one all the same`()
    async throws
  {
    let world = try CatalogWorld()
    let tables = try await world.make(upTo: 8)
    try await world.deleteVersions(upTo: 6, noting: true)
    try await world.put("3", at: "version-hint.text")
    _ = try await tables[1].commit(update(tables[1]))
    #expect(try await world.load().metadataLocation.name == "v8.metadata.json")
  }

  @Test func `a version that others went on from is committed, however many there are`()
    async throws
  {
    let world = try CatalogWorld()
    try await world.make(upTo: 2)
    try await world.memory.delete(world.metadata("lake-lowest-version.text"))
    // Without the hint too, the note is what a writer looks for.
    try await world.memory.delete(world.metadata("version-hint.text"))
    // Right after version 3 is created, two more come.
    let busy = InterposedStore(world.memory) { call in
      guard call.operation == .get, call.path.name == "lake-lowest-version.text" else { return }
      for text in ["a", "b"] { _ = try? await world.append(text, to: try await world.load()) }
    }
    let outcome = try await world.load(busy).commit(update(try await world.load(busy)))
    guard case .committed = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(try await world.load().metadata.properties["by"] == "stalled")
    #expect(try await world.violations() == [])
  }

  // MARK: dropped tables

  @Test(arguments: [DropMode.keepFiles, .purge])
  func `B12: a commit to a table that was dropped makes no table`(mode: DropMode) async throws {
    let world = try CatalogWorld()
    let tables = try await world.make(upTo: 4)
    try await world.catalog().dropTable(world.identifier, mode)
    for table in tables {
      let outcome = try await table.commit(update(table))
      #expect(isConflict(outcome), "version \(table.metadataLocation.name): \(outcome)")
      await #expect(throws: AppendError<Never>.self) { try await world.append("late", to: table) }
    }
    #expect(try await world.catalog().listNamespaces(in: []).isEmpty)
    await #expect(throws: CatalogError.self) { try await world.load() }
  }

  @Test(arguments: [DropMode.keepFiles, .purge])
  func `B12: a commit to a table that was dropped is not one to its successor`(
    mode: DropMode
  ) async throws {
    for newVersion in 1...6 {
      let world = try CatalogWorld()
      let old = try await world.make(upTo: 4)
      try await world.catalog().dropTable(world.identifier, mode)
      let new = try await world.make(upTo: newVersion)
      let before = try await world.texts()
      for table in old {
        let outcome = try await table.commit(update(table))
        #expect(isConflict(outcome), "\(table.metadataLocation.name), \(newVersion): \(outcome)")
        await #expect(throws: AppendError<Never>.self) { try await world.append("late", to: table) }
      }
      let now = try await world.load()
      #expect(now.metadata.uuid == new[0].metadata.uuid)
      #expect(now.metadata.properties["by"] == nil)
      #expect(try await world.texts() == before)
      // The successor goes on, also over the slots that were aimed at.
      var table = now
      for number in 0..<6 { table = try await world.append("next \(number)", to: table) }
      #expect(try await world.texts().count == before.count + 6)
      #expect(try await world.violations() == [])
    }
  }

  @Test func `B12: a table in hand does not turn into its successor`() async throws {
    let world = try CatalogWorld()
    let old = try await world.make(upTo: 2)
    try await world.catalog().dropTable(world.identifier, .purge)
    try await world.make(upTo: 3)
    await #expect(throws: CatalogError.self) { try await old[1].refreshed() }
  }

  @Test func `B12: a commit that meets a drop half-way is lost, or dropped with the table`()
    async throws
  {
    for moment in 1...40 {
      let world = try CatalogWorld()
      let tables = try await world.make(upTo: 4)
      let counter = CallCounter()
      // Before the drop's call number `moment`, someone commits to what they have in hand.
      let store = InterposedStore(world.memory) { _ in
        guard await counter.next() == moment else { return }
        _ = try? await tables[3].commit(update(tables[3]))
      }
      do {
        try await world.catalog(store).dropTable(world.identifier, .keepFiles)
      } catch {
        Issue.record("moment \(moment): \(error)")
      }
      #expect(try await world.catalog().listNamespaces(in: []).isEmpty, "moment \(moment)")
      if await counter.count < moment {
        #expect(moment > 8, "the drop made too few calls for this test to mean anything")
        return
      }
    }
  }

  @Test func `a drop that was broken off can be finished, and stops no reader`() async throws {
    for call in 1...60 {
      let world = try CatalogWorld()
      try await world.make(upTo: 4)
      let faulty = FaultyStore(
        world.memory, failing: .before, atCall: call, lasting: .untilHealed)
      do {
        try await world.catalog(faulty).dropTable(world.identifier, .purge)
      } catch {
        // As it should.
      }
      if !faulty.fired {
        #expect(call > 10)
        return
      }
      if let table = try? await world.load() {
        #expect(table.metadataLocation.name == "v4.metadata.json", "call \(call)")
        try await world.catalog().dropTable(world.identifier, .purge)
      }
      #expect(try await world.catalog().listNamespaces(in: []).isEmpty, "call \(call)")
      let again = try await world.make(upTo: 3)
      #expect(try await world.texts() == ["row 1", "row 2"], "call \(call)")
      #expect(again[2].metadata.uuid != nil)
    }
  }
}

private actor CallCounter {
  private(set) var count = 0

  func next() -> Int {
    count += 1
    return count
  }
}
