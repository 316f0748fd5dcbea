// SPDX-License-Identifier: Apache-2.0
import Catalogs
import Lake
import LakeTestSupport
import RESTCatalog
import Storage
import Testing

/// What a server may set, and what it may not.
@Suite("REST server settings")
struct ServerSettingsTests {
  @Test func `rule 113: a server changes neither whom we talk to nor who we are`() async throws {
    let world = try RESTWorld()
    await world.server.update { server in
      server.token = "mine"
      server.prefix = "ws"
      server.configuration = #"""
        {"overrides": {"uri": "https://evil.example/", "token": "theirs", "prefix": "ws",
          "header.Authorization": "Basic x", "oauth2-server-uri": "https://evil.example/t",
          "rest.sigv4-enabled": "true", "https.proxy": "evil:1", "credential": "a:b"},
         "defaults": {"scope": "all", "ssl.verify": "false"}}
        """#
    }
    let catalog = try await world.catalog(["token": "mine"])
    try await world.make(catalog)
    for request in await world.server.received {
      #expect(request.origin.host == "catalog.example")
      #expect(request.headers["authorization"] == "Bearer mine")
    }
    #expect(await world.server.received.last?.path == "/api/v1/ws/namespaces/db/tables")
    #expect(
      catalog.ignoredSettings == [
        "credential", "header.Authorization", "https.proxy", "oauth2-server-uri",
        "rest.sigv4-enabled", "scope", "ssl.verify", "token", "uri",
      ])
  }

  @Test func `a route that the server says it has not is not asked for`() async throws {
    let world = try RESTWorld()
    await world.server.update { server in
      server.configuration = #"""
        {"endpoints": ["GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"]}
        """#
    }
    let catalog = try await world.catalog()
    do {
      _ = try await catalog.listTables(in: ["db"])
      Issue.record("asked")
    } catch {
      guard case .unsupported = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(await world.server.received.count == 1)
  }

  @Test(arguments: ["../..", "a/../b"])
  func `a prefix that leads elsewhere is refused`(prefix: String) async throws {
    let world = try RESTWorld()
    await world.server.update { $0.configuration = #"{"overrides":{"prefix":"\#(prefix)"}}"# }
    await #expect(throws: CatalogError.self) { try await world.catalog() }
  }

  @Test func `namespaces and names of any letters reach the server as they are`() async throws {
    let world = try RESTWorld()
    let namespace = ["a b", "ü%1F+~", "x.y"]
    await world.server.update { $0.namespaces[NamePath(namespace)] = [:] }
    let catalog = try await world.catalog()
    let identifier = try TableIdentifier(namespace: namespace, name: "t %2F?#&=")
    _ = try await catalog.createTable(identifier, TableDefinition(schema: try Schema("k int")))
    #expect(try await catalog.loadTable(identifier).name == identifier.description)
    #expect(try await catalog.listTables(in: namespace) == [identifier])
  }

  @Test func `a listing has all its pages, and one that never ends is found out`() async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog(["rest-page-size": "3"])
    for i in 0..<10 {
      _ = try await catalog.createTable(
        try TableIdentifier("db.t\(i)"), TableDefinition(schema: try Schema("k int")))
    }
    #expect(try await catalog.listTables(in: ["db"]).map(\.name) == (0..<10).map { "t\($0)" })
    #expect(
      await world.server.received.count { $0.method == "GET" && $0.path.hasSuffix("/tables") } == 4)
    let endless = EndlessListing(base: world.server)
    let other = try await RESTCatalog.connect(
      name: "test", properties: RESTWorld.properties, environment: world.environment,
      transport: endless, stores: StoreRegistry([:]))
    await #expect(throws: CatalogError.self) { try await other.listTables(in: ["db"]) }
  }

  @Test func `a state that has not changed is not sent again`() async throws {
    let world = try RESTWorld()
    await world.server.update { $0.sendsETags = true }
    let table = try await world.make()
    let loads = await world.server.received.count
    let same = try await table.refreshed()
    #expect(same.metadataLocation == table.metadataLocation)
    let asked = await world.server.received[loads...]
    #expect(asked.first?.headers["if-none-match"] != nil)
    try await world.append("new", to: try await world.load())
    #expect(try await table.refreshed().metadata.currentSnapshot != nil)
  }

  @Test func `a server that writes Lake's metadata anew does not make it corrupt`() async throws {
    let world = try RESTWorld()
    let table = try await world.append("one", to: try await world.make())
    #expect(
      String(decoding: table.metadata.encoded().array(), as: UTF8.self).contains("lake-crc32c"))
    let catalog = try await RESTCatalog.connect(
      name: "test", properties: RESTWorld.properties, environment: world.environment,
      transport: Reordering(base: world.server),
      stores: StoreRegistry(["memory": world.memory]))
    #expect(try await catalog.loadTable(world.identifier).scan().count() == 1)
  }
}

/// Every page of a listing says that there is another.
private struct EndlessListing: HTTPTransport {
  let base: ModelServer

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    guard request.target.contains("/tables") else { return try await base.send(request) }
    return ModelServer.json(#"{"identifiers":[],"next-page-token":"again"}"#)
  }
}

/// Puts a space before every member that follows a comma, as another writer of JSON might.
private struct Reordering: HTTPTransport {
  let base: ModelServer

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    var response = try await base.send(request)
    let text = String(decoding: response.body.array(), as: UTF8.self)
    response.body = Buffer(utf8: text.replacing(#",""#, with: #", ""#))
    return response
  }
}
