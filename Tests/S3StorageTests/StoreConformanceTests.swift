// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import LakeTestSupport
import Network
import Storage
import Testing

@testable import S3Storage

/// The same cases on every store there is: memory, a disk, and two servers that speak S3.
@Suite("Store conformance")
struct StoreConformanceTests {
  enum Kind: String, CaseIterable, Sendable, CustomStringConvertible {
    case memory, local, seaweedfs, moto

    var description: String { rawValue }

    /// What it can do; all others it cannot.
    var capabilities: Set<StoreCapability> {
      switch self {
      case .memory: [.objectsBelowObjects, .longNames, .versionOfEachWrite]
      case .local: [.versionOfEachWrite]
      case .seaweedfs:
        [
          .settlesLostAnswers, .objectsBelowObjects, .abandonedParts, .attributes, .tags,
          .signedAddresses, .checksSignatures,
        ]
      case .moto:
        [
          .settlesLostAnswers, .objectsBelowObjects, .longNames, .abandonedParts, .attributes,
          .tags, .signedAddresses,
        ]
      }
    }
  }

  @Test func `there are 18 functions and 25 cases, each with a name of its own`() {
    #expect(StoreConformance.functions.count == 18)
    #expect(StoreConformance.ambiguities.count == 25)
    let names = (StoreConformance.functions + StoreConformance.ambiguities).map(\.name)
    #expect(Set(names).count == 43)
  }

  @Test(arguments: Kind.allCases)
  func `each store can do what its list says, and no more`(kind: Kind) async throws {
    try await with(kind) { store in
      let found = try await StoreConformance.capabilities(of: store)
      let words = StoreCapability.allCases.map { "\($0): \(found.contains($0) ? "yes" : "no")" }
      print("capabilities of \(kind): \(words.joined(separator: ", "))")
      #expect(
        found.map(\.rawValue).sorted() == kind.capabilities.map(\.rawValue).sorted())
    }
  }

  @Test(arguments: Kind.allCases, StoreConformance.functions)
  func `every store passes each of the 18 functions`(
    kind: Kind, function: StoreConformance.Case
  ) async throws {
    try await with(kind) { try await function.check($0) }
  }

  @Test(arguments: Kind.allCases, StoreConformance.ambiguities)
  func `every store passes each of the 25 cases of lost answers and conditions`(
    kind: Kind, ambiguity: StoreConformance.Case
  ) async throws {
    try await with(kind) { try await ambiguity.check($0) }
  }

  /// Runs `work` with a store of `kind`, if it is installed.
  private func with(
    _ kind: Kind, _ work: (StoreUnderTest) async throws -> Void
  ) async throws {
    switch kind {
    case .memory:
      let store = MemoryStore()
      try await work(
        StoreUnderTest(
          name: "memory", store: store, root: ObjectPath("memory://conformance/a"),
          capabilities: kind.capabilities
        ) { ScriptedStore(store, $0) })
    case .local:
      let folder = FileManager.default.temporaryDirectory
        .appending(path: "lake-conformance-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let root = try ObjectPath(folder.path)
      let store = LocalStore(roots: [root])
      try await work(
        StoreUnderTest(
          name: "local", store: store, root: root, capabilities: kind.capabilities
        ) { ScriptedStore(store, $0) })
    case .seaweedfs: try await withServer(.seaweedfs, kind, work)
    case .moto: try await withServer(.moto, kind, work)
    }
  }

  private func withServer(
    _ engine: S3Server.Engine, _ kind: Kind, _ work: (StoreUnderTest) async throws -> Void
  ) async throws {
    guard let server = try await S3Server.running(engine) else { return }
    var options = try S3Options(properties: server.properties)
    options.partByteCount = 5 << 20
    options.partConcurrency = 2
    options.retries.firstDelay = .milliseconds(4)
    options.retries.longestDelay = .milliseconds(40)
    let keys = AWSCredentials(
      accessKeyID: server.accessKeyID, secretAccessKey: Secret(server.secretAccessKey))
    let signing = FixedKeys(keys: keys)
    let given = options
    @Sendable func store(_ transport: any HTTPTransport) -> S3Store {
      S3Store(given, signing: signing, transport: transport, environment: .system)
    }
    let network = S3StoreContractTests.transport
    try await work(
      StoreUnderTest(
        name: "\(engine)", store: store(network),
        root: ObjectPath("s3://\(server.bucket)/conformance"), capabilities: kind.capabilities,
        server: DirectServer(transport: network, options: given, keys: keys)
      ) { store(ScriptedWire(network, $0)) })
  }
}

/// Signs with the keys it has.
private struct FixedKeys: S3Signing {
  let keys: AWSCredentials

  func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest {
    var request = request
    SignatureV4(service: "s3", region: region)
      .sign(&request, with: keys, at: moment, payload: payload)
    return request
  }

  func renew() async -> Bool { false }
}

/// Asks a server what no store asks.
private struct DirectServer: ObjectServer {
  let transport: any HTTPTransport
  let options: S3Options
  let keys: AWSCredentials

  private func request(
    _ method: HTTPRequest.Method, _ path: ObjectPath,
    _ query: [(name: String, value: String)] = [], _ body: String = ""
  ) -> HTTPRequest {
    let address = S3Address(bucket: path.bucket, region: options.region, options)
    return HTTPRequest(
      method, address.origin, target: address.target(key: path.key, query: query),
      body: Buffer(utf8: body))
  }

  private func send(_ given: HTTPRequest) async throws -> HTTPResponse {
    var request = given
    SignatureV4(service: "s3", region: options.region)
      .sign(&request, with: keys, at: Environment.system.now())
    return try await transport.send(request)
  }

  func attributes(of path: ObjectPath) async throws -> [String: String] {
    let response = try await send(request(.head, path))
    return Dictionary(
      response.headers.filter { $0.name.hasPrefix("x-amz-meta-") }.map { ($0.name, $0.value) }
    ) { first, _ in first }
  }

  func tag(_ path: ObjectPath, name: String, value: String) async throws -> Bool {
    let document =
      "<Tagging><TagSet><Tag><Key>\(name)</Key><Value>\(value)</Value></Tag></TagSet></Tagging>"
    return try await send(request(.put, path, [(name: "tagging", value: "")], document))
      .status / 100 == 2
  }

  func tags(of path: ObjectPath) async throws -> String {
    let response = try await send(request(.get, path, [(name: "tagging", value: "")]))
    return String(decoding: response.body.array(), as: UTF8.self)
  }

  func readSigned(
    _ path: ObjectPath, isChanged: Bool
  ) async throws -> (status: Int, bytes: [UInt8]) {
    var signed = request(.get, path)
    SignatureV4(service: "s3", region: options.region).presign(
      &signed, with: keys, at: Environment.system.now(), expires: .seconds(60))
    if isChanged {
      let last = signed.target.last == "0" ? "1" : "0"
      signed.target = String(signed.target.dropLast()) + last
    }
    let response = try await transport.send(signed)
    return (response.status, response.body.array())
  }
}
