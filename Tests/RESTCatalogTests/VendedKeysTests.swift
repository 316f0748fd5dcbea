// SPDX-License-Identifier: Apache-2.0
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
  /// nothing.
  private final class Wire: HTTPTransport {
    let server: ModelServer
    private let sent = Mutex<[HTTPRequest]>([])

    init(_ server: ModelServer) { self.server = server }

    var storeRequests: [HTTPRequest] { sent.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
      if request.origin.host == "catalog.example" { return try await server.send(request) }
      sent.withLock { $0.append(request) }
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
}
