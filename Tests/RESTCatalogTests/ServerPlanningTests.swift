// SPDX-License-Identifier: Apache-2.0
import Catalogs
import Foundation
import Iceberg
import JSON
import Lake
import LakeTestSupport
import RESTCatalog
import Scanning
import SeededNumbers
import Storage
import Testing

/// Scans that the server plans.
@Suite("REST scan planning")
struct ServerPlanningTests {
  private static let config =
    #"{"defaults":{},"overrides":{},"endpoints":\#(ModelServer.array(ModelPlanning.routes))}"#
  private static let isServer = #"{"scan-planning-mode":"server"}"#

  /// A world whose server plans scans of `table`, and the table as its catalog has it.
  private func planned(
    _ world: RESTWorld, _ table: Table, _ planning: ModelPlanning = ModelPlanning(),
    settings: String = isServer, config: String = config, properties: [String: String] = [:]
  ) async throws -> Table {
    await world.server.update { server in
      server.configuration = config
      server.tableSettings = settings
      server.planning = planning
      server.tables[world.identifier] = .init(
        metadata: table.metadata, location: table.metadataLocation.text, version: 0)
    }
    return try await world.catalog(properties).loadTable(world.identifier)
  }

  /// A table of three files and some deletes, planned by a server.
  private func small(
    _ planning: ModelPlanning = ModelPlanning(), settings: String = isServer,
    config: String = config, properties: [String: String] = [:]
  ) async throws -> (table: Table, here: Table, world: RESTWorld) {
    let world = try RESTWorld()
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: world.memory,
      environment: world.environment)
    var here = try await catalog.createTable("db.t", "k long, v string")
    for part in 0..<3 {
      let rows: [[Value?]] = (0..<4).map { [.long(Int64(part * 4 + $0)), .string("r\($0)")] }
      here = try #require(
        try await here.append([Rows.batch(rows, here.metadata.currentSchema)])
      ).table
    }
    _ = try await here.deleteRows(where: .isIn("k", [1, 6]), mode: .mergeOnRead)
    here = try await here.refreshed()
    let table = try await planned(
      world, here, planning, settings: settings, config: config, properties: properties)
    return (table, here, world)
  }

  private func plans(_ world: RESTWorld) async -> Int {
    await world.server.received.count { $0.method == "POST" && $0.path.hasSuffix("/plan") }
  }

  // MARK: rows

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `rows that a server plans are those planned here`(_ version: FormatVersion) async throws {
    let random = SeededRandom(printing: "planned by a server, v\(version.rawValue)")
    var seen = (plans: 0, deletes: 0, rows: 0)
    for _ in 0..<(Depth.isLong ? 60 : 3) {
      let world = try RESTWorld(seed: random.next())
      var history = try await RandomHistory(random, version, store: world.memory)
      for _ in 0..<random.int(in: 4..<16) { try await history.step(random) }
      var here = try await history.table.refreshed()
      here = try await OtherEngine.deleteByValue(from: here, random)
      here = try await OtherEngine.appendAgain(to: here, random)
      here = try await OtherEngine.deleteByPosition(from: here, random)
      here = try await OtherEngine.deleteByValue(from: here, random)
      var planning = ModelPlanning()
      planning.random = random
      planning.pageSize = random.pick([1, 2, 3, 100])
      planning.isChained = random.chance(30)
      planning.isOld = random.chance(30)
      planning.ignoresFilters = random.chance(20)
      planning.polls = random.int(in: 0..<3)
      let table = try await planned(world, here, planning)
      for _ in 0..<8 {
        let schema = here.metadata.currentSchema
        let filter =
          random.chance(30)
          ? Predicate.alwaysTrue : Generators.predicate(random, on: schema, depth: 2)
        var columns = schema.fields.map(\.name).filter { _ in random.chance(60) }
        columns += ["_file", "_pos", "_partition", "_row_id"].filter { _ in random.chance(15) }
        let selection = random.pick(
          [.current] + history.branchNames.map { .reference($0) }
            + here.metadata.snapshots.suffix(3).map { SnapshotSelection.id($0.id) })
        func scan(_ table: Table) -> TableScan {
          let scan = table.scan().at(selection).filter(filter)
          return columns.isEmpty ? scan : scan.select(columns)
        }
        let note: Comment = "seed \(random.seed): \(filter) of \(columns) at \(selection)"
        let expected: [String]
        do { expected = try await scan(here).canonicalRows() } catch {
          // A filter of columns that an older state has not: refused the same way.
          await #expect(throws: ScanError.self, note) { try await scan(table).canonicalRows() }
          continue
        }
        #expect(try await scan(table).canonicalRows() == expected, note)
        #expect(try await scan(table).count() == Int64(expected.count), note)
        seen.rows += expected.count
        seen.deletes += try await scan(here).plan().counts.deleteFilesKept
      }
      seen.plans += await plans(world)
    }
    #expect(seen.plans > 0 && seen.rows > 0, "nothing was tested")
    #expect(seen.deletes > 0 || version == .v1, "no deletes were tested")
  }

  @Test func `the request says which rows are asked for`() async throws {
    let (table, here, world) = try await small()
    let rows = try await table.scan().select("v").filter("k > 3 AND v LIKE 'r%' AND _pos < 2")
      .canonicalRows()
    #expect(rows == [#"{"v":"r0"}"#, #"{"v":"r1"}"#, #"{"v":"r0"}"#].sorted() || rows.count == 4)
    let sent = try #require(
      await world.server.received.last { $0.path.hasSuffix("/tables/t/plan") })
    let id = try #require(here.metadata.currentSnapshotID)
    // `_pos` is no column that a server knows: it is left out of a chain of ANDs.
    #expect(
      sent.body == #"{"snapshot-id":\#(id.rawValue),"select":["v","k"],"#
        + #""filter":{"type":"and","left":{"type":"gt","term":"k","value":3},"#
        + #""right":{"type":"starts-with","term":"v","value":"r"}},"#
        + #""stats-fields":["k","v"],"case-sensitive":true,"use-snapshot-schema":false}"#)
    #expect(sent.headers["x-iceberg-access-delegation"]?.contains("vended-credentials") == true)
    _ = try await table.scan().at(.id(id)).filter("k = 1 OR _pos = 1").canonicalRows()
    let second = try #require(
      await world.server.received.last { $0.path.hasSuffix("/tables/t/plan") })
    #expect(
      second.body
        == #"{"snapshot-id":\#(id.rawValue),"case-sensitive":true,"use-snapshot-schema":true}"#)
  }

  @Test func `tests that servers may take in another way are not sent`() async throws {
    let world = try RESTWorld()
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: world.memory,
      environment: world.environment)
    let here = try await catalog.createTable(
      "db.t",
      "d double, u uuid, b binary, f fixed[2], t timestamptz, m decimal(9, 2), x boolean, y date")
    let row = [Value?](repeating: nil, count: 8)
    let table = try await planned(
      world,
      try #require(try await here.append([Rows.batch([row], here.metadata.currentSchema)])).table)
    let cases: [(String, String?)] = [
      ("d > 0", nil), ("d IN (0, 1)", nil),
      ("d >= 1.5", #"{"type":"gt-eq","term":"d","value":1.5}"#),
      ("u = '00000000-0000-0000-0000-000000000001'", nil), ("b = X'00'", nil), ("f = X'0001'", nil),
      ("d > 1 OR b = X'00'", nil), ("x < TRUE", nil),
      ("y > DATE '-0005-01-01'", nil), ("y > DATE '+10000-01-01'", nil),
      ("x = TRUE", #"{"type":"eq","term":"x","value":true}"#),
      ("m = 1.5", #"{"type":"eq","term":"m","value":"1.50"}"#),
      ("d IS NOT NAN", #"{"type":"not-nan","term":"d"}"#),
      (
        "t < TIMESTAMP '2020-01-01T00:00:00+00:00'",
        #"{"type":"lt","term":"t","value":"2020-01-01T00:00:00+00:00"}"#
      ),
    ]
    for (text, expected) in cases {
      _ = try await table.scan().filter(text).canonicalRows()
      let sent = try #require(
        await world.server.received.last { $0.path.hasSuffix("/tables/t/plan") })
      let filter = try JSONValue(parsing: sent.body)["filter"].map(ModelServer.text)
      #expect(filter == expected, "\(text)")
    }
  }

  // MARK: plans that take time

  @Test func `a plan that is under way is asked for until it is there`() async throws {
    var planning = ModelPlanning()
    planning.polls = 5
    let (table, here, world) = try await small(planning)
    let start = world.environment.uptime()
    #expect(
      try await table.scan().canonicalRows() == (try await here.scan().canonicalRows()))
    let polls = await world.server.received.filter {
      $0.method == "GET" && $0.path.contains("/plan/plan-1%2F%C3%BC%20%25")
    }
    #expect(polls.count == 6)
    // Each pause is twice as long as the one before.
    #expect(world.environment.uptime() - start >= .milliseconds(100 + 200 + 400 + 800 + 1600))
    #expect(await world.server.planning?.cancelled == [])
  }

  @Test(arguments: [0, 2])
  func `a plan that the server has forgotten is asked for once more, of the same snapshot`(
    polls: Int
  ) async throws {
    for forgets in [1, 2] {
      var planning = ModelPlanning()
      planning.polls = polls
      planning.pageSize = 1
      planning.forgets = forgets
      planning.isChained = true
      let (table, here, world) = try await small(planning)
      if forgets == 1 {
        #expect(
          try await table.scan().canonicalRows() == (try await here.scan().canonicalRows()))
      } else {
        let error = await #expect(throws: ScanError.self) { try await table.scan().canonicalRows() }
        #expect("\(try #require(error))".contains("forgotten two plans"))
      }
      let asked = await world.server.received.filter {
        $0.method == "POST" && $0.path.hasSuffix("/plan")
      }
      #expect(asked.count == 2)
      #expect(Set(asked.map(\.body)).count == 1)
      let keys = asked.compactMap { $0.headers["idempotency-key"] }
      #expect(Set(keys).count == keys.count, "an answer that is kept would name the lost plan")
    }
  }

  @Test func `a plan that never comes is given up, and the server told`() async throws {
    var planning = ModelPlanning()
    planning.ending = .never
    let (table, _, world) = try await small(planning)
    let start = world.environment.uptime()
    let error = await #expect(throws: ScanError.self) { try await table.scan().canonicalRows() }
    guard case .catalog(.storage(.unavailable, _)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(world.environment.uptime() - start < .seconds(700))
    #expect(await world.server.planning?.cancelled == ["plan-1/ü %"])
  }

  @Test(arguments: [ModelPlanning.Ending.failed, .cancelled])
  func `a plan that failed fails the scan`(_ ending: ModelPlanning.Ending) async throws {
    for polls in [0, 2] {
      var planning = ModelPlanning()
      planning.ending = ending
      planning.polls = polls
      let (table, _, world) = try await small(planning)
      let error = await #expect(throws: ScanError.self) { try await table.scan().canonicalRows() }
      #expect(
        "\(try #require(error))".contains(ending == .failed ? "out of luck" : "'cancelled'"),
        "\(String(describing: error))")
      #expect(await plans(world) == 1)
    }
  }

  @Test func `who gives up a scan gives up the plan`() async throws {
    var planning = ModelPlanning()
    planning.ending = .never
    let (table, _, world) = try await small(planning)
    let task = Task { try await table.scan().canonicalRows() }
    for _ in 0..<100_000 {
      if await world.server.planning?.count == 1 { break }
      await Task.yield()
    }
    task.cancel()
    await #expect(throws: ScanError.self) { try await task.value }
    #expect(await world.server.planning?.cancelled == ["plan-1/ü %"])
  }

  @Test func `answers that are lost are asked for again`() async throws {
    var planning = ModelPlanning()
    planning.polls = 1
    planning.pageSize = 1
    let (table, here, world) = try await small(planning)
    let expected = try await here.scan().canonicalRows()
    let faults: [WireFault] = [
      .reset(applied: true), .timeout(applied: false), .status(503, applied: true), .cutOff,
    ]
    for fault in faults {
      for part in ["/plan", "/plan/", "/tasks"] {
        await world.server.dropPlans()
        await world.server.fail(
          FaultPlan(
            fault,
            where: { seen in
              part == "/plan/" ? seen.path.contains(part) : seen.path.hasSuffix(part)
            }))
        await world.server.update { $0.planning?.polls = 1 }
        #expect(try await table.scan().canonicalRows() == expected, "\(fault) of \(part)")
        #expect(await world.server.unfired == 0)
      }
    }
  }

  // MARK: who plans

  @Test func `a server plans only where it wants to and can`() async throws {
    let none = #"{"defaults":{},"overrides":{}}"#
    let wants = { (mode: String, place: String) in
      let other = place == "defaults" ? "overrides" : "defaults"
      return #"{"\#(place)":{"scan-planning-mode":"\#(mode)"},"\#(other)":{},"#
        + #""endpoints":\#(ModelServer.array(ModelPlanning.routes))}"#
    }
    let client = #"{"scan-planning-mode":"client"}"#
    let cases: [(settings: String, config: String, properties: [String: String], count: Int)] = [
      (Self.isServer, Self.config, [:], 1), (Self.isServer, none, [:], 0),
      ("{}", Self.config, [:], 0), (client, Self.config, ["scan-planning-mode": "server"], 0),
      ("{}", Self.config, ["scan-planning-mode": "server"], 1),
      ("{}", none, ["scan-planning-mode": "server"], 0),
      ("{}", wants("server", "defaults"), [:], 1),
      ("{}", wants("server", "defaults"), ["scan-planning-mode": "client"], 0),
      ("{}", wants("server", "overrides"), ["scan-planning-mode": "client"], 1),
      (client, wants("server", "overrides"), [:], 0),
    ]
    for (settings, config, properties, count) in cases {
      let (table, here, world) = try await small(
        settings: settings, config: config, properties: properties)
      #expect(try await table.scan().canonicalRows() == (try await here.scan().canonicalRows()))
      #expect(await plans(world) == count, "\(settings) \(config) \(properties)")
    }
    await #expect(throws: CatalogError.self) {
      try await RESTWorld().catalog(["scan-planning-mode": "both"])
    }
  }

  @Test func `a server that says it can't plan a table is not asked to`() async throws {
    let (table, here, world) = try await small()
    await world.server.update { $0.planning = nil }
    #expect(try await table.scan().canonicalRows() == (try await here.scan().canonicalRows()))
    #expect(await plans(world) == 1)
  }

  @Test func `changes of rows and row lineage are planned here`() async throws {
    let (table, _, world) = try await small()
    _ = try await table.scan().select("_last_updated_sequence_number").canonicalRows()
    _ = try await table.scan().select("k").filter("_row_id IS NULL").canonicalRows()
    _ = try await table.deleteRows(where: .equal("k", 3), mode: .mergeOnRead)
    #expect(await plans(world) == 0)
    // The table after the commit is planned by the server as it was before.
    let now = try await table.refreshed()
    #expect(try await now.scan().count() == 9)
    #expect(await plans(world) == 1)
    let batch = Rows.batch([[.long(50), .string("new")]], now.metadata.currentSchema)
    let after = try #require(try await now.append([batch])).table
    #expect(try await after.scan().count() == 10)
    #expect(await plans(world) == 2)
  }

  // MARK: lies

  @Test func `plans that can't be true are refused`() async throws {
    let lies: [(what: String, lie: @Sendable (String) -> String)] = [
      ("no JSON", { _ in "{" }),
      ("no status", { $0.replacing(#""status":"completed""#, with: #""state":1"#) }),
      ("another status", { $0.replacing(#""completed""#, with: #""sleeping""#) }),
      (
        "a delete file that is not there",
        { $0.replacing(#""delete-file-references":[0]"#, with: #""delete-file-references":[7]"#) }
      ),
      (
        "a negative reference",
        { $0.replacing(#""delete-file-references":[0]"#, with: #""delete-file-references":[-1]"#) }
      ),
      ("another spec", { $0.replacing(#""spec-id":0"#, with: #""spec-id":9"#) }),
      ("partition values", { $0.replacing(#""partition":[]"#, with: #""partition":[1]"#) }),
      ("a negative count", { $0.replacing(#""record-count":"#, with: #""record-count":-"#) }),
      ("another content", { $0.replacing(#""content":"data""#, with: #""content":"dates""#) }),
      (
        "deletes in the place of data",
        { $0.replacing(#""content":"data""#, with: #""content":"position-deletes""#) }
      ),
      (
        "one file twice",
        { text in
          guard let start = text.firstRange(of: #"{"data-file""#),
            let end = text[start.upperBound...].firstRange(of: #",{"data-file""#)
          else { return text }
          let task = text[start.lowerBound..<end.lowerBound]
          return text.replacing(#""file-scan-tasks":["#, with: #""file-scan-tasks":[\#(task),"#)
        }
      ),
      ("one part twice", { $0.replacing(#""plan-tasks":[]"#, with: #""plan-tasks":["a","a"]"#) }),
      ("another file", { $0.replacing("memory://w/house/db/t/data", with: "memory://w/other") }),
      ("a way out", { $0.replacing("db/t/data/", with: "db/t/data/../../../other/") }),
    ]
    for (what, lie) in lies {
      var planning = ModelPlanning()
      planning.lie = lie
      planning.random = SeededRandom(seed: 4)
      let (table, _, _) = try await small(planning)
      await #expect(throws: ScanError.self, "\(what)") { try await table.scan().canonicalRows() }
    }
  }

  @Test func `vectors of other files, and what hides them, are refused`() async throws {
    let world = try RESTWorld()
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: world.memory,
      environment: world.environment)
    var here = try await catalog.createTable(
      TableIdentifier("db.t"),
      TableDefinition(schema: try Schema("k long, v string"), formatVersion: .v3))
    for part in 0..<2 {
      let rows: [[Value?]] = (0..<4).map { [.long(Int64(part * 4 + $0)), .string("r\($0)")] }
      here = try #require(
        try await here.append([Rows.batch(rows, here.metadata.currentSchema)])
      ).table
    }
    _ = try await here.deleteRows(where: .isIn("k", [1, 6]), mode: .mergeOnRead)
    here = try await here.refreshed()
    let expected = try await here.scan().canonicalRows()
    let table = try await planned(world, here)
    #expect(try await table.scan().canonicalRows() == expected)
    let lies: [@Sendable (String) -> String] = [
      // Both tasks refer to one vector, or one task to both.
      { $0.replacing(#""delete-file-references":[1]"#, with: #""delete-file-references":[0]"#) },
      { $0.replacing(#""delete-file-references":[1]"#, with: #""delete-file-references":[0,1]"#) },
      { $0.replacing(#""content-offset""#, with: #""content-set-off""#) },
    ]
    for lie in lies {
      await world.server.update { $0.planning?.lie = lie }
      await #expect(throws: ScanError.self) { try await table.scan().canonicalRows() }
    }
  }
}
