// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Synchronization
import Testing

/// Commits under storage faults. Method: fail the n-th storage call, for n = 1, 2, …, until a run
/// finishes without reaching n. So each call is failed once, and none has to be listed by hand.
@Suite("Commit under faults")
struct CommitFaultTests {
  /// How a change ended, as its caller is told.
  private enum Report {
    case committed(SnapshotID?)
    case failed
    case unknown(commitID: String?)
  }

  /// A kind of fault, and how long it lasts.
  struct Fault: Sendable, CustomStringConvertible {
    let kind: FaultKind
    let lasting: FaultyStore.Lasting

    static let all = FaultKind.allCases.flatMap { kind in
      [Fault(kind: kind, lasting: .once), Fault(kind: kind, lasting: .untilHealed)]
    }

    var description: String { "\(kind), \(lasting)" }
  }

  /// A table of three rows in three partitions, on a sound store, to be changed through a faulty one.
  private struct World {
    let memory: MemoryStore
    let faulty: FaultyStore
    let environment: Environment
    let warehouse: ObjectPath
    let identifier: TableIdentifier

    init(_ fault: Fault, atCall call: Int) throws {
      environment = .deterministic(seed: UInt64(call))
      memory = MemoryStore(environment: environment)
      faulty = FaultyStore(memory, failing: fault.kind, atCall: call, lasting: fault.lasting)
      warehouse = try ObjectPath("memory://w/house")
      identifier = try TableIdentifier("db.t")
    }

    func catalog(_ store: any ObjectStore) -> FilesystemCatalog {
      FilesystemCatalog(warehouse: warehouse, store: store, environment: environment)
    }

    var definition: TableDefinition {
      get throws {
        let schema = try Schema("k int not null, v string")
        return TableDefinition(
          schema: schema, partitionSpec: try PartitionSpec("k", schema: schema))
      }
    }

    /// Makes the table and puts the first rows in it, without faults.
    func prepare() async throws {
      let table = try await catalog(memory).createTable(identifier, definition)
      try await table.append([rows("before", table)])
    }

    func rows(_ text: String, _ table: Table) -> RecordBatch {
      Rows.batch(
        (0..<3).map { [.int($0), .string("\(text) \($0)")] }, table.metadata.currentSchema)
    }

    /// The table as whoever comes later finds it.
    func later() async throws -> Table { try await catalog(memory).loadTable(identifier) }

    /// The texts in the rows there are, without their numbers, with how often each is there.
    func texts() async throws -> [String: Int] {
      var counts: [String: Int] = [:]
      for batch in try await later().scan().readAll() {
        for row in 0..<batch.rowCount {
          let text = batch.columns[1].string(row)
          counts[String(text.dropLast(2)), default: 0] += 1
        }
      }
      return counts
    }

    func violations() async throws -> [String] {
      let location = try warehouse.appending(relativePath: "db/t")
      return try await TableInvariants(location, in: memory).violations()
    }
  }

  /// Runs `scenario` with a fault at each call in turn, until one is not reached.
  private func forEachCall(
    _ fault: Fault, atLeast least: Int,
    _ scenario: (World, Int) async throws -> Void
  ) async throws {
    for call in 1...10_000 {
      let world = try World(fault, atCall: call)
      try await scenario(world, call)
      guard world.faulty.fired else {
        #expect(call > least, "too few calls were made for this test to mean anything")
        return
      }
    }
    Issue.record("a run never outlived its fault: the store is called without bound")
  }

  private func report(_ change: () async throws -> SnapshotID?) async throws -> Report {
    do {
      return .committed(try await change())
    } catch CommitError.stateUnknown(_, let commitID) {
      return .unknown(commitID: commitID)
    } catch AppendError<Never>.commit(.stateUnknown(_, let commitID)) {
      return .unknown(commitID: commitID)
    } catch CatalogError.outcomeUnknown {
      return .unknown(commitID: nil)
    } catch is CommitError {
      return .failed
    } catch is AppendError<Never> {
      return .failed
    } catch is CatalogError {
      return .failed
    }
  }

  @Test(arguments: Fault.all)
  func `A5 A6 A11: an append loses, doubles and dangles nothing`(fault: Fault) async throws {
    try await forEachCall(fault, atLeast: 12) { world, call in
      try await world.prepare()
      let report = try await report {
        let table = try await world.catalog(world.faulty).loadTable(world.identifier)
        return try await table.append([world.rows("new", table)])?.snapshot?.id
      }
      await world.faulty.heal()

      let note = Comment("\(fault) at call \(call), \(world.faulty.firedCall?.description ?? "")")
      let seen = try await world.texts()
      let table = try await world.later()
      #expect(seen["before"] == 3, note)
      switch report {
      case .committed(let id):
        #expect(seen["new"] == 3, note)
        #expect(table.metadata.currentSnapshotID == id, note)
      case .failed: #expect(seen["new"] == nil, note)
      case .unknown(let id):
        #expect(seen["new"] == nil || seen["new"] == 3, note)
        let landed = table.metadata.snapshots.contains {
          $0.summary[SnapshotSummary.commitIDKey] == id
        }
        #expect(landed == (seen["new"] == 3), "the commit id tells whether it happened: \(note)")
      }
      #expect(try await world.violations() == [], note)

      // Whatever happened, the next one can go on.
      let next = try await table.append([world.rows("next", table)])
      #expect(next != nil, note)
      #expect(try await world.texts()["next"] == 3, note)
      #expect(try await world.violations() == [], note)
    }
  }

  @Test func `who is cancelled as an answer is lost still learns what became of the commit`()
    async throws
  {
    try await forEachCall(Fault(kind: .after, lasting: .once), atLeast: 12) { world, call in
      try await world.prepare()
      let isCancelled = Mutex(false)
      let store = InterposedStore(world.faulty) { _ in
        guard world.faulty.fired, isCancelled.withLock({ $0.flip() }) else { return }
        withUnsafeCurrentTask { $0?.cancel() }
      }
      let report = try await Task {
        try await self.report {
          let table = try await world.catalog(store).loadTable(world.identifier)
          return try await table.append([world.rows("new", table)])?.snapshot?.id
        }
      }.value
      let note = Comment("call \(call), \(world.faulty.firedCall?.description ?? "")")
      let seen = try await world.texts()
      switch report {
      case .committed: #expect(seen == ["before": 3, "new": 3], note)
      case .failed: #expect(seen == ["before": 3], note)
      case .unknown: Issue.record(note)
      }
      #expect(try await world.violations() == [], note)
    }
  }

  @Test(arguments: Fault.all)
  func `a load with a name lands once, run again however it ended`(fault: Fault) async throws {
    try await forEachCall(fault, atLeast: 12) { world, call in
      try await world.prepare()
      func load(_ store: any ObjectStore) async throws -> CommitReceipt? {
        let table = try await world.catalog(store).loadTable(world.identifier)
        var left = [world.rows("new", table)][...]
        return try await table.append(once: "monday") { () async throws(Never) in
          left.popFirst()
        }
      }
      let first = try? await load(world.faulty)
      await world.faulty.heal()
      let second = try #require(try await load(world.memory))

      let note = Comment("\(fault) at call \(call), \(world.faulty.firedCall?.description ?? "")")
      #expect(try await world.texts() == ["before": 3, "new": 3], note)
      #expect(first == nil || first?.snapshot == second.snapshot && second.attempts == 0, note)
      #expect(try await world.violations() == [], note)
    }
  }

  @Test(arguments: Fault.all)
  func `another commit between an unknown outcome and a late write loses nothing`(
    fault: Fault
  ) async throws {
    try await forEachCall(fault, atLeast: 12) { world, call in
      try await world.prepare()
      let report = try await report {
        let table = try await world.catalog(world.faulty).loadTable(world.identifier)
        return try await table.append([world.rows("new", table)])?.snapshot?.id
      }
      let table = try await world.later()
      try await table.append([world.rows("other", table)])
      await world.faulty.heal()

      let note = Comment("\(fault) at call \(call), \(world.faulty.firedCall?.description ?? "")")
      let seen = try await world.texts()
      #expect(seen["before"] == 3 && seen["other"] == 3, note)
      switch report {
      case .committed: #expect(seen["new"] == 3, note)
      case .failed: #expect(seen["new"] == nil, note)
      case .unknown: #expect(seen["new"] == nil || seen["new"] == 3, note)
      }
      #expect(try await world.violations() == [], note)
    }
  }

  @Test(arguments: Fault.all)
  func `a table is created whole or not at all`(fault: Fault) async throws {
    try await forEachCall(fault, atLeast: 3) { world, call in
      let report = try await report {
        _ = try await world.catalog(world.faulty).createTable(world.identifier, world.definition)
        return nil
      }
      await world.faulty.heal()

      let note = Comment("\(fault) at call \(call), \(world.faulty.firedCall?.description ?? "")")
      let catalog = world.catalog(world.memory)
      let isThere = try await !catalog.listNamespaces(in: []).isEmpty
      let tables = isThere ? try await catalog.listTables(in: ["db"]) : []
      switch report {
      case .committed: #expect(tables == [world.identifier], note)
      case .failed: #expect(tables == [], note)
      case .unknown: break
      }
      if tables.isEmpty {
        _ = try await world.catalog(world.memory).createTable(world.identifier, world.definition)
      }
      let table = try await world.later()
      try await table.append([world.rows("new", table)])
      #expect(try await world.texts() == ["new": 3], note)
      #expect(try await world.violations() == [], note)
    }
  }

  @Test(arguments: Fault.all)
  func `a property is set or not, and it is told which`(fault: Fault) async throws {
    try await forEachCall(fault, atLeast: 5) { world, call in
      try await world.prepare()
      let report = try await report {
        let table = try await world.catalog(world.faulty).loadTable(world.identifier)
        return try await table.commit(PropertyChange(set: ["color": "green"])).snapshot?.id
      }
      await world.faulty.heal()

      let note = Comment("\(fault) at call \(call), \(world.faulty.firedCall?.description ?? "")")
      let color = try await world.later().metadata.properties["color"]
      switch report {
      case .committed: #expect(color == "green", note)
      case .failed: #expect(color == nil, note)
      case .unknown: break
      }
      #expect(try await world.texts() == ["before": 3], note)
      #expect(try await world.violations() == [], note)
    }
  }

  @Test func `a fault that passes is not noticed above a store that retries`() async throws {
    for call in 1...10_000 {
      let world = try World(Fault(kind: .before, lasting: .once), atCall: call)
      try await world.prepare()
      let busy = FaultyStore(
        world.memory, failing: .before, atCall: call, error: FaultyStore.busyStore,
        where: { $0.operation == .get || $0.operation == .head || $0.operation == .list })
      let store = RetryingStore(busy, policy: RetryPolicy(), environment: world.environment)
      let table = try await world.catalog(store).loadTable(world.identifier)
      let receipt = try await table.append([world.rows("new", table)])
      #expect(receipt?.attempts == 1, "call \(call)")
      #expect(try await world.texts() == ["before": 3, "new": 3], "call \(call)")
      guard busy.fired else {
        #expect(call > 3)
        return
      }
    }
  }

  @Test func `a commit that nothing disturbs leaves no file that is not reached`() async throws {
    let world = try World(Fault(kind: .before, lasting: .once), atCall: 0)
    try await world.prepare()
    let table = try await world.later()
    try await table.append([world.rows("new", table)])
    let location = try world.warehouse.appending(relativePath: "db/t")
    #expect(try await TableInvariants(location, in: world.memory).orphans() == [])
  }
}

extension Bool {
  /// True the first time.
  fileprivate mutating func flip() -> Bool {
    defer { self = true }
    return !self
  }
}
