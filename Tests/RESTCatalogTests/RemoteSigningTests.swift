// SPDX-License-Identifier: Apache-2.0
import Catalogs
import JSON
import Lake
import LakeTestSupport
import Network
import RESTCatalog
import S3Storage
import Storage
import Synchronization
import Testing

/// Requests for a table's files that the catalog signs, which keeps the keys to itself.
@Suite("REST remote signing")
struct RemoteSigningTests {
  /// A catalog that signs, and the way to it and to stores: those of the network, or one that has
  /// nothing.
  private final class SigningWire: HTTPTransport {
    let server: ModelServer
    private let keys: AWSCredentials
    private let network: NetworkTransport?
    private let environment: Environment
    private let state = Mutex(State())

    struct State {
      var asked: [HTTPRequest] = []
      var sent: [HTTPRequest] = []
      var cacheControl = "private"
      /// Changes what is signed, or the answer.
      var lie: @Sendable (String) -> String = { $0 }
      var status = 200
    }

    init(
      _ server: ModelServer, _ keys: AWSCredentials, _ environment: Environment,
      network: NetworkTransport? = nil
    ) {
      self.server = server
      self.keys = keys
      self.network = network
      self.environment = environment
    }

    var asked: [HTTPRequest] { state.withLock(\.asked) }
    var sent: [HTTPRequest] { state.withLock(\.sent) }
    func update(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
      guard request.origin.host.hasSuffix(".example") || network == nil else {
        update { $0.sent.append(request) }
        return try await network?.send(request) ?? .reply(404)
      }
      if request.origin.host == "store.example" || request.origin.host.hasSuffix("amazonaws.com") {
        update { $0.sent.append(request) }
        return .reply(404)
      }
      guard request.path.contains("sign") else { return try await server.send(request) }
      update { $0.asked.append(request) }
      let (status, cache, lie) = state.withLock { ($0.status, $0.cacheControl, $0.lie) }
      guard status == 200, let body = signed(request) else {
        return Refusal(status, "ForbiddenException", "not this one").response
      }
      return .reply(200, body: lie(body), headers: [("cache-control", cache)])
    }

    private func signed(_ request: HTTPRequest) -> String? {
      let text = String(decoding: request.body.array(), as: UTF8.self)
      guard let body = try? JSONValue(parsing: text), let uri = body["uri"]?.string,
        let region = body["region"]?.string, let mark = uri.firstRange(of: "://"),
        let method = body["method"]?.string.flatMap(HTTPRequest.Method.init)
      else { return nil }
      let rest = uri[mark.upperBound...]
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      let sides = rest[..<slash].split(separator: ":")
      let origin = HTTPOrigin(
        isSecure: uri.hasPrefix("https"), host: String(sides[0]),
        port: sides.count > 1 ? Int(sides[1]) : nil)
      var toSign = HTTPRequest(method, origin, target: String(rest[slash...]))
      var payload = SignatureV4.Payload.unsigned
      for member in body["headers"]?.members ?? [] {
        let value = (member.value.elements ?? []).compactMap(\.string).joined(separator: ",")
        if member.key == "x-amz-content-sha256" {
          payload = value == "UNSIGNED-PAYLOAD" ? .unsigned : .sha256(value)
        }
        toSign.headers.append((member.key, value))
      }
      SignatureV4(service: "s3", region: region)
        .sign(&toSign, with: keys, at: environment.now(), payload: payload)
      let headers = toSign.headers.map { header in
        JSONMember(header.name, .array([.string(header.value)]))
      }
      return ModelServer.text(
        .object([JSONMember("uri", .string(uri)), JSONMember("headers", .object(headers))]))
    }
  }

  private static let asks =
    #"{"s3.remote-signing-enabled":"true","s3.endpoint":"https://store.example"}"#
  private static let keys = AWSCredentials(
    accessKeyID: "CATALOG", secretAccessKey: Secret("canary-of-the-catalog"))

  private func opened(
    _ settings: String = asks, properties: [String: String] = [:], routes: [String]? = nil
  ) async throws -> (Table, SigningWire) {
    let world = try RESTWorld()
    let location = "s3://bucket/wh/t"
    let metadata = try TableMetadata.create(
      schema: try Schema("k int"), location: location, formatVersion: .v2,
      uuid: TableUUID(world.environment.uuid()), at: 0)
    await world.server.update { server in
      server.tableSettings = settings
      if let routes {
        server.configuration =
          #"{"defaults":{},"overrides":{},"endpoints":\#(ModelServer.array(routes))}"#
      }
      server.token = "canary-token"
      server.tables[world.identifier] = .init(
        metadata: metadata, location: "\(location)/metadata/00000-x.metadata.json", version: 0)
    }
    let wire = SigningWire(world.server, Self.keys, world.environment)
    let catalog = try await RESTCatalog.connect(
      name: "test",
      properties: [
        "uri": "https://catalog.example/api", "warehouse": "s3://bucket/wh",
        "token": "canary-token",
      ].merging(properties) { _, new in new },
      environment: world.environment, transport: wire, stores: StoreRegistry([:]))
    return (try await catalog.loadTable(world.identifier), wire)
  }

  private func read(
    _ table: Table, _ path: String, _ range: Range<Int64> = 0..<1
  ) async -> StorageError? {
    do throws(StorageError) {
      _ = try await table.store.get(try ObjectPath(path), range: range)
      return nil
    } catch {
      return error
    }
  }

  @Test func `the catalog is asked to sign what is sent, and that is sent`() async throws {
    let (table, wire) = try await opened()
    guard case .notFound? = await read(table, "s3://bucket/wh/t/a b") else {
      Issue.record("what the store says is told")
      return
    }
    let asked = try #require(wire.asked.first)
    #expect(asked.target == "/api/v1/aws/s3/sign")
    #expect(asked.header("authorization") == "Bearer canary-token")
    let body = try JSONValue(parsing: String(decoding: asked.body.array(), as: UTF8.self))
    #expect(body["method"]?.string == "GET")
    #expect(
      body["uri"]?.string == "https://bucket.store.example/wh/t/a%20b"
        || body["uri"]?.string == "https://store.example/bucket/wh/t/a%20b")
    #expect(body["headers"]?["range"] == nil && body["provider"] == nil)
    let sent = try #require(wire.sent.first)
    #expect(sent.header("range") == "bytes=0-0")
    #expect(sent.header("authorization")?.contains("Credential=CATALOG/") == true)
    #expect(sent.headers.count { $0.name == "authorization" } == 1)
    #expect(!sent.headers.contains { $0.value.contains("canary") })
    // The policy comes first, whatever the catalog would sign.
    guard case .refused? = await read(table, "s3://bucket/other") else {
      Issue.record("another table's file was asked for")
      return
    }
    #expect(wire.asked.count == 1)
  }

  @Test func `the signer is where the catalog says, if that is the catalog`() async throws {
    let sign = "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign"
    let load = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"
    func settings(_ more: String) -> String {
      #"{"s3.remote-signing-enabled":"true","s3.endpoint":"https://store.example"\#(more)}"#
    }
    let cases:
      [(settings: String, properties: [String: String], routes: [String], target: String?)] =
        [
          (settings(""), [:], [load, sign], "/api/v1/namespaces/db/tables/t/sign"),
          (
            settings(#","s3.signer.endpoint":"v1/x/s3-sign/t""#), [:], [load, sign],
            "/api/v1/x/s3-sign/t"
          ),
          (
            settings(
              #","s3.signer.uri":"https://catalog.example/other/","signer.endpoint":"/v1/signs""#),
            [:], [load], "/other/v1/signs"
          ),
          (
            settings(#","s3.signer.endpoint":"https://catalog.example/sign""#), [:], [load], "/sign"
          ),
          (settings(#","s3.signer.uri":"https://evil.example""#), [:], [load], nil),
          (settings(#","s3.signer.uri":"http://catalog.example""#), [:], [load], nil),
          (settings(#","s3.signer.uri":"http://169.254.169.254""#), [:], [load], nil),
          (settings(#","s3.signer.endpoint":"https://evil.example/sign""#), [:], [load], nil),
          (settings(#","s3.signer.endpoint":"../../sign""#), [:], [load], nil),
          (
            settings(""), ["s3.signer.uri": "https://signer.example/s"], [load],
            "/s/v1/aws/s3/sign"
          ),
          (settings(""), ["s3.signer.uri": "http://signer.example/s"], [load], nil),
        ]
    for (settings, properties, routes, target) in cases {
      guard let target else {
        await #expect(throws: CatalogError.self, "\(settings)") {
          try await opened(settings, properties: properties, routes: routes)
        }
        continue
      }
      let (table, wire) = try await opened(settings, properties: properties, routes: routes)
      _ = await read(table, "s3://bucket/wh/t/a")
      #expect(wire.asked.map(\.target) == [target], "\(settings)")
      #expect(wire.sent.count == 1)
    }
  }

  @Test func `signatures of reads are used again as long as the catalog allows`() async throws {
    let (table, wire) = try await opened()
    for start in 0..<5 {
      _ = await read(table, "s3://bucket/wh/t/a", Int64(start)..<Int64(start + 1))
    }
    #expect((wire.asked.count, wire.sent.count) == (1, 5))
    _ = await read(table, "s3://bucket/wh/t/b")
    #expect(wire.asked.count == 2)
    let clock = table.environment
    try await clock.sleep(for: .seconds(31))
    _ = await read(table, "s3://bucket/wh/t/a")
    #expect(wire.asked.count == 3)
    for (rule, age, isKept) in [
      ("no-cache", 0, false), ("private, max-age=100", 60, true), ("private, no-store", 0, false),
      ("private, max-age=100", 101, false), ("max-age=99999999999", 301, false), ("", 0, false),
    ] {
      wire.update { $0.cacheControl = rule }
      let path = "s3://bucket/wh/t/\(rule.count)-\(age)"
      _ = await read(table, path)
      let before = wire.asked.count
      try await clock.sleep(for: .seconds(age))
      _ = await read(table, path)
      #expect(wire.asked.count == before + (isKept ? 0 : 1), "\(rule) after \(age)")
    }
    // What is written is signed each time.
    wire.update { $0.cacheControl = "private" }
    let before = wire.asked.count
    for _ in 0..<2 {
      _ = try? await table.store.put(
        Buffer(utf8: "x"), to: try ObjectPath("s3://bucket/wh/t/w"), if: .none)
    }
    #expect(wire.asked.count >= before + 2)
  }

  @Test func `what the catalog signs in place of what was asked for is not sent`() async throws {
    let lies: [@Sendable (String) -> String] = [
      { $0.replacing("https://", with: "http://") },
      { $0.replacing("store.example", with: "evil.example") },
      { $0.replacing("/t/a", with: "/t/b") },
      { $0.replacing("/t/a", with: "/t/../x/a") },
      { $0.replacing("/t/a\"", with: "/t/a?versionId=1\"") },
      { $0.replacing(#""authorization""#, with: #""x-authorization""#) },
      { $0.replacing("Credential=", with: "Credential=\\r\\nx-evil: ") },
      { _ in "{}" }, { _ in "[" },
    ]
    for lie in lies {
      let (table, wire) = try await opened()
      wire.update { $0.lie = lie }
      guard case .permissionDenied? = await read(table, "s3://bucket/wh/t/a") else {
        Issue.record("a lie is taken")
        continue
      }
      #expect(wire.sent.isEmpty)
    }
    // Headers that would make it another request are left out.
    let (table, wire) = try await opened()
    wire.update {
      $0.lie = { text in
        text.replacing(
          #""headers":{"#,
          with: #""headers":{"x-amz-copy-source":["/other/x"],"range":["bytes=0-9"],"#
            + #""x-amz-acl":["public-read"],"x-amz-request-payer":["requester"],"#)
      }
    }
    _ = await read(table, "s3://bucket/wh/t/a")
    let sent = try #require(wire.sent.first)
    #expect(sent.header("x-amz-copy-source") == nil && sent.header("x-amz-acl") == nil)
    #expect(sent.header("range") == "bytes=0-0")
    #expect(sent.header("x-amz-request-payer") == "requester")
  }

  @Test func `a signature in the address is taken`() async throws {
    let (table, wire) = try await opened()
    wire.update {
      $0.lie = { text in
        text.replacing("/t/a\"", with: "/t/a?X-Amz-Date=1&X-Amz-Signature=2\"")
          .replacing(#""authorization""#, with: #""x-none""#)
      }
    }
    _ = await read(table, "s3://bucket/wh/t/a")
    #expect(wire.sent.first?.query == "X-Amz-Date=1&X-Amz-Signature=2")
  }

  @Test func `a catalog that does not sign is told of, in its words`() async throws {
    let (table, wire) = try await opened()
    wire.update { $0.status = 403 }
    guard case .permissionDenied(_, let reason)? = await read(table, "s3://bucket/wh/t/a") else {
      Issue.record("no refusal")
      return
    }
    #expect(reason.contains("not this one") && !reason.contains("canary"))
    #expect(wire.sent.isEmpty)
  }

  @Test func `a user's own keys come before signing by the catalog`() async throws {
    // There is no store of the user's here, so that the table is opened and nothing is read.
    let (table, wire) = try await opened(
      properties: ["s3.access-key-id": "MINE", "s3.secret-access-key": "canary"])
    #expect(await read(table, "s3://bucket/wh/t/a") != nil)
    #expect(wire.asked.isEmpty && wire.sent.isEmpty)
  }

  @Test func `a table is written and read on S3 by signatures of the catalog alone`() async throws {
    guard let server = try await S3Server.running(.seaweedfs) else { return }
    let random = SeededRandom(printing: "remote signing")
    let environment = Environment.system
    let model = ModelServer(
      store: MemoryStore(), environment: environment, warehouse: "s3://\(server.bucket)/wh")
    await model.update {
      $0.tableSettings =
        #"{"s3.remote-signing-enabled":"true","s3.endpoint":"\#(server.endpoint)","#
        + #""s3.region":"us-east-1","s3.path-style-access":"true"}"#
    }
    let keys = AWSCredentials(
      accessKeyID: server.accessKeyID, secretAccessKey: Secret(server.secretAccessKey))
    let wire = SigningWire(model, keys, environment, network: NetworkTransport())
    let catalog = try await RESTCatalog.connect(
      name: "test",
      properties: [
        "uri": "https://catalog.example/", "warehouse": "s3://\(server.bucket)/wh",
        // A server may name a store of this machine only where the user does.
        "s3.endpoint": server.endpoint,
      ], transport: wire, stores: StoreRegistry([:]))
    let name = try TableIdentifier("db.t\(random.int(in: 0..<1_000_000_000))")
    var table = try await catalog.createTable(
      name, TableDefinition(schema: try Schema("k long, s string")))
    for start in [0, 100] {
      let rows = (start..<start + 100).map { [Value.long(Int64($0)), .string("s \($0)")] }
      table = try #require(
        try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
      ).table
    }
    _ = try await table.deleteRows(where: .less("k", 50), mode: .mergeOnRead)
    table = try await catalog.loadTable(name)
    #expect(try await table.scan().canonicalRows().count == 150)
    #expect(try await table.scan().filter("k = 120").select("s").canonicalRows().count == 1)
    #expect(wire.sent.allSatisfy { $0.header("authorization")?.contains(keys.accessKeyID) == true })
    print("remote signing: \(wire.asked.count) signatures for \(wire.sent.count) requests")
  }
}
