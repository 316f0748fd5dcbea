// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog
import Storage
import Testing

/// How an append ended.
enum Ending {
  case committed
  case failed(String)
  case unknown(commitID: String)

  static func of(_ body: () async throws -> Void) async -> Ending {
    do {
      try await body()
      return .committed
    } catch AppendError<Never>.commit(.stateUnknown(_, let id)) {
      return .unknown(commitID: id)
    } catch {
      return .failed("\(error)")
    }
  }
}

/// Commits through a wire on which each fault there is befalls them.
@Suite("REST commits under wire faults")
struct CommitWireTests {
  @Test(arguments: WireFault.all)
  func `a fault of the request that commits loses and doubles nothing`(
    fault: WireFault
  ) async throws {
    for remembers in [false, true] {
      let world = try RESTWorld()
      await world.server.update { server in
        server.remembered = remembers ? [:] : nil
        if remembers { server.configuration = #"{"idempotency-key-lifetime":"PT30M"}"# }
      }
      let table = try await world.append("old", to: try await world.make())
      let filesBefore = try await world.fileCount()
      await world.server.fail(FaultPlan(fault, where: FaultPlan.commits))

      let ending = await Ending.of { try await world.append("new", to: table) }
      #expect(await world.server.unfired == 0)
      let texts = try await world.texts()
      switch ending {
      case .committed: #expect(texts == ["new", "old"], "\(fault)")
      case .failed(let words):
        #expect(texts == ["old"], "\(fault): \(words)")
        #expect(try await world.fileCount() == filesBefore, "what a failed commit wrote is gone")
      case .unknown: Issue.record("\(fault) was not resolved")
      }
      // Only what says for certain that it was not done, and would not be, is a failure.
      if case .failed(let words) = ending {
        let definite: [WireFault] =
          [400, 401, 403, 404, 419].map { .status($0, applied: false) } + [.redirect]
        #expect(definite.contains(fault), "\(fault): \(words)")
      }
      await world.server.deliverHeld()
      #expect(try await world.texts() == texts, "what comes late is refused")
    }
  }

  @Test(arguments: WireFault.all.filter { $0.isUnknown })
  func `A1 A9, rule 111: of a dumb server the outcome is unknown, and every file stays`(
    fault: WireFault
  ) async throws {
    let world = try RESTWorld()
    let table = try await world.append("old", to: try await world.make())
    let files = try await world.fileCount()
    await world.server.fail(FaultPlan(fault, count: .max - 1))
    let ending = await Ending.of { try await world.append("new", to: table) }
    guard case .unknown(let commitID) = ending else {
      Issue.record("\(fault): \(ending)")
      return
    }
    // The data file, its manifest and the manifest list are there, whoever may need them.
    #expect(try await world.fileCount() >= files + 3)
    await world.server.update { $0.heal() }
    await world.server.deliverHeld()
    let now = try await world.load()
    let found = now.metadata.snapshots.filter {
      $0.summary[SnapshotSummary.commitIDKey] == commitID
    }
    #expect(found.count <= 1)
    #expect(try await world.texts() == (found.isEmpty ? ["old"] : ["new", "old"]))
    if fault.isApplied || fault == .late { #expect(found.count == 1) }
  }

  @Test(arguments: [502, 503, 504])
  func `A2: done, the answer a gateway's error, then refused because of itself: committed`(
    status: Int
  ) async throws {
    let world = try RESTWorld()
    let table = try await world.make()
    // The look at the table fails too, so that the request is sent a second time, and gets a 409.
    await world.server.fail(
      FaultPlan(.status(status, applied: true), where: FaultPlan.commits))
    await world.server.fail(
      FaultPlan(.status(status, applied: false), count: 6, where: FaultPlan.loads))
    try await world.append("new", to: table)
    #expect(try await world.texts() == ["new"])
    let commits = await world.server.received.filter(FaultPlan.commits)
    #expect(commits.count == 2)
    #expect(commits.first?.body == commits.last?.body, "the second is the first, to the byte")
  }

  @Test func `A2: a gateway that sends a commit twice and tells of the second: committed`()
    async throws
  {
    let world = try RESTWorld()
    try await world.make()
    let catalog = try await RESTCatalog.connect(
      name: "test", properties: RESTWorld.properties, environment: world.environment,
      transport: Repeating(base: world.server),
      stores: StoreRegistry(["memory": world.memory]))
    let table = try await catalog.loadTable(world.identifier)
    try await world.append("new", to: table)
    #expect(try await world.texts() == ["new"])
  }

  @Test func `A5 A14: not done, and someone else was first: on top of theirs, once`() async throws {
    let world = try RESTWorld()
    let table = try await world.make()
    await world.server.fail(FaultPlan(.late, where: FaultPlan.commits))
    let other = try await world.load()
    let mine = Task { try await world.append("mine", to: table) }
    _ = try await mine.value
    try await world.append("theirs", to: try await other.refreshed())
    await world.server.deliverHeld()
    #expect(try await world.texts() == ["mine", "theirs"])
  }

  @Test func `a conflict in doubt is a conflict once the state shows that nothing was done`()
    async throws
  {
    let world = try RESTWorld()
    let table = try await world.make()
    try await world.append("theirs", to: table)
    // Planned on a state that is no longer the newest, and the first answer is lost.
    await world.server.fail(
      FaultPlan(.reset(applied: false), where: FaultPlan.commits))
    try await world.append("mine", to: table)
    #expect(try await world.texts() == ["mine", "theirs"])
  }

  @Test func `B12: a table that was dropped and made again takes nothing of the old one's`()
    async throws
  {
    let world = try RESTWorld()
    let old = try await world.make()
    let catalog = try await world.catalog()
    try await catalog.dropTable(world.identifier, .keepFiles)
    try await world.make()
    let ending = await Ending.of { try await world.append("lost", to: old) }
    guard case .failed = ending else {
      Issue.record("\(ending)")
      return
    }
    #expect(try await world.texts() == [])
  }

  @Test func `a commit states all that its plan relied on`() async throws {
    let world = try RESTWorld()
    let table = try await world.append("one", to: try await world.make())
    try await world.append("two", to: table)
    let body = try #require(await world.server.received.last(where: FaultPlan.commits)?.body)
    for type in [
      "assert-ref-snapshot-id", "assert-table-uuid", "assert-current-schema-id",
      "assert-default-spec-id", "assert-default-sort-order-id",
    ] {
      #expect(body.contains(type), "\(type)")
    }
    _ = try await world.load().commit(
      SchemaChange { schema throws(IcebergError) in try schema.add("w", type: .int) })
    let evolution = try #require(await world.server.received.last(where: FaultPlan.commits)?.body)
    #expect(evolution.contains("assert-last-assigned-field-id"))
    #expect(evolution.contains("assert-current-schema-id"))
  }

  @Test func `of two evolutions of one schema the second is planned on the first`() async throws {
    let world = try RESTWorld()
    try await world.make()
    let stale = try await world.load()
    _ = try await world.load().commit(
      SchemaChange { schema throws(IcebergError) in try schema.add("a", type: .int) })
    _ = try await stale.commit(
      SchemaChange { schema throws(IcebergError) in try schema.add("b", type: .int) })
    let fields = try await world.load().metadata.currentSchema.fields
    #expect(fields.map(\.name) == ["k", "v", "a", "b"])
    #expect(Set(fields.map(\.id)).count == 4)
  }

  @Test(arguments: [
    WireFault.reset(applied: true), .reset(applied: false), .status(503, applied: true), .late,
  ])
  func `A3: an evolution whose answer is lost is made once`(fault: WireFault) async throws {
    let world = try RESTWorld()
    try await world.make()
    await world.server.fail(FaultPlan(fault, where: FaultPlan.commits))
    _ = try await world.load().commit(
      SchemaChange { schema throws(IcebergError) in try schema.add("a", type: .int) })
    _ = try await world.load().commit(PropertyChange(set: ["x": "y"]))
    await world.server.deliverHeld()
    let metadata = try await world.load().metadata
    #expect(metadata.currentSchema.fields.map(\.name) == ["k", "v", "a"])
    #expect(metadata.properties["x"] == "y")
    #expect(metadata.schemas.count == 2)
  }
}

/// A gateway that gives up waiting for the answer to a commit, and asks again by itself.
private struct Repeating: HTTPTransport {
  let base: ModelServer

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    if FaultPlan.commits(ModelServer.received(request)) { _ = try await base.send(request) }
    return try await base.send(request)
  }
}

extension WireFault {
  /// True if it leaves open whether the request was done.
  var isUnknown: Bool {
    switch self {
    case .late, .truncated, .cutOff, .reset, .timeout, .errorAsSuccess: true
    case .status(let status, _): status >= 500 || status == 408
    case .notConnected, .redirect: false
    }
  }
}

extension ModelServer {
  func heal() { dropPlans() }
}
