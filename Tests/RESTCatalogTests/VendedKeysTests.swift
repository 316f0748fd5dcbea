// SPDX-License-Identifier: Apache-2.0
import Bytes
import Catalogs
import Lake
import LakeTestSupport
import RESTCatalog
import Storage
import Synchronization
import Testing

/// Keys that the catalog hands out for a table's files, and where they go.
@Suite("REST vended credentials")
struct VendedKeysTests {
  /// Sends what is for the catalog to it, and notes what goes to stores, which answer that there is
  /// nothing, and take lists of what to delete.
  private final class Wire: HTTPTransport {
    let server: ModelServer
    private let sent = Mutex<[HTTPRequest]>([])

    init(_ server: ModelServer) { self.server = server }

    var storeRequests: [HTTPRequest] { sent.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
      if request.origin.host == "catalog.example" { return try await server.send(request) }
      sent.withLock { $0.append(request) }
      if request.target.contains("?delete") {
        return HTTPResponse(status: 200, headers: [], body: Buffer(utf8: "<DeleteResult/>"))
      }
      return HTTPResponse(status: 404, headers: [], body: .empty)
    }
  }

  private func table(
    _ extras: String, tableSettings: String = "{}", properties: [String: String] = [:],
    configuration: String = "{}"
  ) async throws -> (Table, Wire, RESTWorld) {
    let world = try RESTWorld()
    let location = "s3://bucket/wh/t"
    let metadata = try TableMetadata.create(
      schema: try Schema("k int"), location: location,
      properties: ["write.data.path": "s3://bucket/wh/data"],
      formatVersion: .v2, uuid: TableUUID(world.environment.uuid()), at: 0)
    await world.server.update { server in
      server.tableExtras = extras
      server.tableSettings = tableSettings
      server.configuration = configuration
      server.tables[world.identifier] = .init(
        metadata: metadata, location: "\(location)/metadata/00000-x.metadata.json", version: 0)
    }
    let wire = Wire(world.server)
    let catalog = try await RESTCatalog.connect(
      name: "test",
      properties: ["uri": "https://catalog.example/", "warehouse": "s3://bucket/wh"]
        .merging(properties) { _, new in new },
      environment: world.environment, transport: wire, stores: StoreRegistry([:]))
    return (try await catalog.loadTable(world.identifier), wire, world)
  }

  private func keys(_ id: String, _ more: String = "") -> String {
    #"{"s3.access-key-id":"\#(id)","s3.secret-access-key":"canary-\#(id)","#
      + #""s3.session-token":"session-\#(id)","s3.endpoint":"https://store.example","#
      + #""s3.region":"r1"\#(more)}"#
  }

  private func credential(_ prefix: String, _ config: String) -> String {
    #"{"prefix":"\#(prefix)","config":\#(config)}"#
  }

  private func read(_ table: Table, _ path: String) async -> StorageError? {
    do throws(StorageError) {
      _ = try await table.store.get(try ObjectPath(path), range: 0..<1)
      return nil
    } catch {
      return error
    }
  }

  private func keyID(_ request: HTTPRequest) -> String? {
    let text = request.headers.first { $0.name == "authorization" }?.value ?? ""
    return text.split(separator: "Credential=").last?.split(separator: "/").first.map(String.init)
  }

  @Test func `of several credentials the one of the longest place that fits is used`()
    async throws
  {
    let list = [
      credential("s3://bucket/wh", keys("WIDE")), credential("s3a://bucket/wh/t", keys("TABLE")),
    ]
    let (table, wire, _) = try await table(
      #","storage-credentials":[\#(list.joined(separator: ","))]"#)
    _ = await read(table, "s3://bucket/wh/t/data/a")
    _ = await read(table, "s3://bucket/wh/data/a")
    #expect(wire.storeRequests.map(keyID) == ["TABLE", "WIDE"])
    #expect(wire.storeRequests.first?.origin.host == "store.example")
    let tokens = wire.storeRequests.map { request in
      request.headers.first { $0.name == "x-amz-security-token" }?.value
    }
    #expect(tokens == ["session-TABLE", "session-WIDE"])
    // The policy comes first, whatever the keys open.
    guard case .refused? = await read(table, "s3://bucket/other") else {
      Issue.record("another table's file was asked for")
      return
    }
  }

  @Test func `many files are deleted by a request for each of the keys, told in their order`()
    async throws
  {
    let list = [
      credential("s3://bucket/wh/data/a", keys("DATA")),
      credential("s3://bucket/wh/t", keys("TABLE")),
    ]
    let (table, wire, _) = try await table(
      #","storage-credentials":[\#(list.joined(separator: ","))]"#)
    let paths = try [
      "t/data/1", "data/a/2", "t/data/3", "data/b/4", "data/a/5", "t/data/6",
    ].map { try ObjectPath("s3://bucket/wh/" + $0) }
    let answers = await table.store.delete(paths)
    #expect(answers.map { $0 == nil } == [true, true, true, false, true, true])
    guard case .permissionDenied? = answers[3] else {
      Issue.record("deleted without keys: \(String(describing: answers[3]))")
      return
    }
    let requests = wire.storeRequests
    #expect(Set(requests.map(keyID)) == ["TABLE", "DATA"] && requests.count == 2)
    #expect(requests.allSatisfy { $0.target.contains("?delete") })
  }

  @Test func `bytes and their version are had by one request`() async throws {
    let (table, wire, _) = try await table(
      #","storage-credentials":[\#(credential("s3://bucket/wh/t", keys("TABLE")))]"#)
    await #expect(throws: StorageError.self) {
      try await table.store.getWithVersion(ObjectPath("s3://bucket/wh/t/a"), range: 0..<1)
    }
    #expect(wire.storeRequests.map(\.method) == [.get])
  }

  @Test func `keys in a table's settings open all of its files`() async throws {
    let (table, wire, _) = try await table("", tableSettings: keys("CONFIG"))
    _ = await read(table, "s3://bucket/wh/t/a")
    #expect(wire.storeRequests.map(keyID) == ["CONFIG"])
  }

  @Test func `keys are fetched again before they end`() async throws {
    let world = try RESTWorld()
    let end = world.clock.now().milliseconds + 600_000
    let first = credential(
      "s3://bucket", keys("FIRST", #","s3.session-token-expires-at-ms":"\#(end)""#))
    let (table, wire, other) = try await table(#","storage-credentials":[\#(first)]"#)
    _ = await read(table, "s3://bucket/wh/t/a")
    let second = credential("s3://bucket", keys("SECOND"))
    await other.server.update { $0.tableExtras = #","storage-credentials":[\#(second)]"# }
    _ = await read(table, "s3://bucket/wh/t/a")
    other.clock.advance(by: .seconds(400))
    _ = await read(table, "s3://bucket/wh/t/a")
    #expect(wire.storeRequests.map(keyID) == ["FIRST", "FIRST", "SECOND"])
  }

  @Test(arguments: [
    "http://store.example", "https://127.0.0.1:9000", "https://localhost",
    "https://169.254.169.254",
    "https://user:pw@store.example", "file:///etc",
  ])
  func `a store that a server must not name is not talked to`(endpoint: String) async throws {
    let text = keys("K").replacing("https://store.example", with: endpoint)
    let list = credential("s3://bucket", text)
    do {
      _ = try await table(#","storage-credentials":[\#(list)]"#)
      Issue.record("opened")
    } catch CatalogError.storage(.refused, _) {
    }
    // The user may.
    let (table, wire, _) = try await table(
      #","storage-credentials":[\#(list)]"#, properties: ["s3.endpoint": "https://mine.example"])
    _ = await read(table, "s3://bucket/wh/t/a")
    #expect(wire.storeRequests.first?.origin.host == "mine.example")
    #expect(wire.storeRequests.first.flatMap(keyID) == "K")
  }

  @Test func `a server's own address for a store gets no keys of the user's`() async throws {
    let (table, wire, _) = try await table(
      "",
      properties: ["s3.access-key-id": "MINE", "s3.secret-access-key": "canary"],
      configuration: #"{"overrides":{"s3.endpoint":"https://evil.example"}}"#)
    #expect(await read(table, "s3://bucket/wh/t/a") != nil)
    #expect(wire.storeRequests.isEmpty)
  }

  @Test func `keys that come with a plan open its files, and are fetched again for it`()
    async throws
  {
    let world = try RESTWorld()
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("s3://bucket/wh"), store: world.memory,
      environment: world.environment)
    let schema = try Schema("k int, v string")
    let made = try await catalog.createTable(
      world.identifier, TableDefinition(schema: schema))
    let here = try #require(
      try await made.append([
        Rows.batch([[.int(1), .string("one")]], made.metadata.currentSchema)
      ])
    ).table
    let list = credential("s3://bucket/wh/db/t", keys("PLAN"))
    let soon = world.environment.now().milliseconds + 90_000
    let ending = credential(
      "s3://bucket/wh/db/t",
      keys("PLAN", #","s3.session-token-expires-at-ms":"\#(soon)""#))
    let loading = keys("TABLE")
    await world.server.update { server in
      let routes =
        ModelPlanning.routes + [
          "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials"
        ]
      server.configuration =
        #"{"defaults":{},"overrides":{},"endpoints":\#(ModelServer.array(routes))}"#
      server.tableSettings =
        #"{"scan-planning-mode":"server",\#(loading.dropFirst())"#
      server.planning = ModelPlanning()
      server.planning?.extras = #","storage-credentials":[\#(ending)]"#
      server.planCredentials = #"{"storage-credentials":[\#(list)]}"#
      server.tables[world.identifier] = .init(
        metadata: here.metadata, location: here.metadataLocation.text, version: 0)
    }
    let wire = Wire(world.server)
    let rest = try await RESTCatalog.connect(
      name: "test", properties: ["uri": "https://catalog.example/", "warehouse": "s3://bucket/wh"],
      environment: world.environment, transport: wire, stores: StoreRegistry([:]))
    let table = try await rest.loadTable(world.identifier)
    // There is nothing at the store: what counts is with which keys it was asked.
    await #expect(throws: ScanError.self) { try await table.scan().canonicalRows() }
    #expect(!wire.storeRequests.isEmpty && wire.storeRequests.allSatisfy { keyID($0) == "PLAN" })
    _ = await read(table, "s3://bucket/wh/db/t/data/a")
    #expect(wire.storeRequests.last.flatMap(keyID) == "TABLE")
    // Those that are about to end are fetched again, for the plan.
    let endingNow = world.environment.now().milliseconds
    let ended = credential(
      "s3://bucket/wh/db/t",
      keys("OLD", #","s3.session-token-expires-at-ms":"\#(endingNow)""#))
    await world.server.update { server in
      server.planning?.extras = #","storage-credentials":[\#(ended)]"#
    }
    await #expect(throws: ScanError.self) { try await table.scan().canonicalRows() }
    #expect(wire.storeRequests.last.flatMap(keyID) == "PLAN")
    let asked = try #require(
      await world.server.received.last { $0.path.hasSuffix("/credentials") })
    #expect(asked.query["planId"] == "plan-2/ü %")
  }

  @Test func `a table that was committed to is got at as it was before`() async throws {
    let (table, wire, world) = try await table("", tableSettings: keys("CONFIG"))
    // Servers leave keys out of the answer to a commit.
    await world.server.update { $0.tableSettings = "{}" }
    let now = try await table.commit(PropertyChange(set: ["a": "1"])).table
    #expect(now.metadata.properties["a"] == "1")
    _ = await read(now, "s3://bucket/wh/t/a")
    #expect(wire.storeRequests.last.flatMap(keyID) == "CONFIG")
  }
}
