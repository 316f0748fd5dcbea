// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog
import Storage
import Testing

/// Who we say we are, to whom, and how secrets stay secret.
@Suite("REST authorization")
struct AuthorizationTests {
  private static let credential = ["credential": "lake-client:canary-secret-7261"]

  @Test func `a token is got for a credential, once for many requests at a time`() async throws {
    let world = try RESTWorld()
    await world.server.update { $0.token = "another" }
    let catalog = try await world.catalog(Self.credential)
    try await world.make(catalog)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { _ = try await catalog.loadTable(world.identifier) }
      }
      try await group.waitForAll()
    }
    #expect(await world.server.tokensIssued == 1)
    let form = try #require(
      await world.server.received.first { $0.path.hasSuffix("oauth/tokens") })
    #expect(form.body.contains("grant_type=client_credentials"))
    #expect(form.body.contains("client_id=lake-client&client_secret=canary-secret-7261"))
    #expect(form.body.contains("scope=catalog"))
    #expect(form.headers["authorization"] == nil)
  }

  @Test func `a token is renewed before it runs out, and at once if it is refused`() async throws {
    let world = try RESTWorld()
    await world.server.update { $0.token = "none yet" }
    let catalog = try await world.catalog(Self.credential)
    try await world.make(catalog)
    world.clock.advance(by: .seconds(3000))
    _ = try await catalog.loadTable(world.identifier)
    #expect(await world.server.tokensIssued == 1)
    world.clock.advance(by: .seconds(400))
    _ = try await catalog.loadTable(world.identifier)
    #expect(await world.server.tokensIssued == 2)
    await world.server.update { $0.token = "revoked" }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { _ = try await catalog.loadTable(world.identifier) }
      }
      try await group.waitForAll()
    }
    #expect(await world.server.tokensIssued == 3)
  }

  @Test func `a commit refused for its token is made with the next one`() async throws {
    let world = try RESTWorld()
    await world.server.update { $0.token = "none yet" }
    let catalog = try await world.catalog(Self.credential)
    let table = try await world.make(catalog)
    await world.server.update { $0.token = "revoked" }
    try await world.append("new", to: table)
    #expect(try await catalog.loadTable(world.identifier).scan().count() == 1)
  }

  @Test func `a refused token says so in the server's words, without the token`() async throws {
    let world = try RESTWorld()
    await world.server.update { $0.token = "right" }
    do {
      _ = try await world.catalog(["token": "canary-token-5512"])
      Issue.record("the server let us in")
    } catch {
      #expect("\(error)".contains("401"))
      #expect("\(error)".contains("not with"))
      #expect(!"\(error)".contains("canary"))
    }
  }

  @Test func `each catalog has its own token`() async throws {
    let first = try RESTWorld()
    let second = try RESTWorld()
    await first.server.update { $0.token = "one" }
    await second.server.update { $0.token = "two" }
    try await first.make(try await first.catalog(["token": "one"]))
    try await second.make(try await second.catalog(["token": "two"]))
    for request in await second.server.received {
      #expect(request.headers["authorization"] == "Bearer two")
    }
  }

  @Test(arguments: [
    ["uri": "http://catalog.example/", "token": "canary-1234"],
    ["uri": "http://catalog.example/", "credential": "id:canary-1234"],
    [
      "uri": "https://c.example/", "credential": "id:canary-1234",
      "oauth2-server-uri": "http://o.example/t",
    ],
    ["uri": "http://catalog.example/", "header.Authorization": "Basic canary-1234"],
    ["uri": "https://user:canary-1234@catalog.example/"],
    ["uri": "https://c.example/?token=canary-1234"],
    ["uri": "ftp://c.example/"],
    ["uri": "https://c.example/", "header.X-Key": "canary-1234\r\nx: y"],
    ["uri": "https://c.example/", "header.Host": "other"],
    ["uri": "https://c.example/", "token": "canary-1234\n"],
    ["uri": "https://c.example/", "rest-page-size": "0"],
  ])
  func `settings that would show a secret, or make no sense, are refused before anything is sent`(
    properties: [String: String]
  ) async throws {
    let world = try RESTWorld()
    do {
      _ = try await RESTCatalog.connect(
        name: "test", properties: properties, environment: world.environment,
        transport: world.server, stores: StoreRegistry([:]))
      Issue.record("accepted")
    } catch {
      guard case .unsupported = error else {
        Issue.record("\(error)")
        return
      }
      #expect(!"\(error)".contains("canary"), "\(error)")
    }
    #expect(await world.server.received.isEmpty)
  }

  @Test func `custom headers go with every request, over what we would send`() async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog([
      "header.X-Tenant": "blue", "header.X-Iceberg-Access-Delegation": "remote-signing",
    ])
    try await world.make(catalog)
    _ = try await catalog.loadTable(world.identifier)
    for request in await world.server.received {
      #expect(request.headers["x-tenant"] == "blue")
      #expect(request.headers["x-iceberg-access-delegation"] == "remote-signing")
    }
  }

  @Test func `a redirect is followed by no one, and nothing goes elsewhere`() async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog(["token": "canary-token-5512"])
    try await world.make(catalog)
    await world.server.fail(FaultPlan(.redirect, where: FaultPlan.loads))
    do {
      _ = try await catalog.loadTable(world.identifier)
      Issue.record("followed")
    } catch {
      #expect("\(error)".contains("elsewhere.example"))
      #expect(!"\(error)".contains("secret=1"))
    }
    for request in await world.server.received {
      #expect(request.origin.host == "catalog.example")
    }
  }
}
