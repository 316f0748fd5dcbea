// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Network
import RESTCatalog
import Storage
import Testing

/// Requests to catalogs that want them signed, and secrets in what can be printed.
@Suite("REST signatures")
struct SignedRequestTests {
  private static let keys = [
    "rest.sigv4-enabled": "true", "rest.signing-region": "eu-north-1",
    "rest.signing-name": "glue", "rest.access-key-id": "AKIDEXAMPLE",
    "rest.secret-access-key": "canary-key-99182", "rest.session-token": "canary-session-12",
  ]

  @Test func `each request is signed for its service, as it is sent`() async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog(Self.keys)
    try await world.make(catalog)
    let sent = try #require(await world.server.received.last)
    let text = try #require(sent.headers["authorization"])
    #expect(text.contains("/eu-north-1/glue/aws4_request"))
    #expect(text.hasPrefix("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"))
    #expect(sent.headers["x-amz-security-token"] == "canary-session-12")
    // The same request signed again has the same signature.
    var again = HTTPRequest(
      .post, sent.origin, target: sent.path,
      headers: sent.headers.filter { $0.key != "authorization" }.map { ($0.key, $0.value) },
      body: Buffer(utf8: sent.body))
    SignatureV4(service: "glue", region: "eu-north-1").sign(
      &again,
      with: AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("canary-key-99182"),
        sessionToken: Secret("canary-session-12")),
      at: world.environment.now())
    #expect(again.headers.first { $0.name == "authorization" }?.value == text)
  }

  @Test(arguments: [
    keys, ["token": "canary-token"], ["credential": "id:canary-secret"],
    ["header.X-Api-Key": "canary-header"],
    ["s3.secret-access-key": "canary-s3", "s3.access-key-id": "a"],
  ])
  func `no secret is in what a catalog, a table or an error prints`(
    properties: [String: String]
  ) async throws {
    let world = try RESTWorld()
    let catalog = try await world.catalog(properties)
    let table = try await world.make(catalog)
    var text = ""
    // Not of the server, which must know them.
    dump(catalog.ignoredSettings, to: &text)
    print(catalog.name, to: &text)
    await world.server.fail(FaultPlan(.status(403, applied: false), count: 100))
    do {
      _ = try await table.refreshed()
    } catch {
      print(error, to: &text)
      dump(error, to: &text)
    }
    #expect(text.contains("403"))
    #expect(!text.contains("canary"))
  }

  @Test(arguments: [
    keys, ["token": "canary-token"], ["credential": "id:canary-secret"],
    ["header.X-Api-Key": "canary-header"],
    ["s3.secret-access-key": "canary-s3", "s3.access-key-id": "a"],
  ])
  func `no secret is in a catalog that is shown with all there is in it`(
    properties: [String: String]
  ) async throws {
    let world = try RESTWorld()
    let catalog = try await RESTCatalog.connect(
      name: "test", properties: RESTWorld.properties.merging(properties) { _, new in new },
      environment: world.environment, transport: Unseen(base: world.server),
      stores: StoreRegistry([:]))
    var shown = ""
    dump(catalog, to: &shown)
    #expect(shown.contains("catalog.example"))
    #expect(!shown.contains("canary"))
  }
}

/// A server, which knows all it was sent, and of which nothing is shown.
private struct Unseen: HTTPTransport, CustomReflectable {
  let base: ModelServer

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    try await base.send(request)
  }

  var customMirror: Mirror { Mirror(self, children: []) }
}
