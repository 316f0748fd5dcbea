// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport
import Network
import Storage
import Testing

@testable import S3Storage

/// Every law of the contract against servers that speak S3.
@Suite("S3 store contract")
struct S3StoreContractTests {
  @Test(arguments: S3Server.Engine.allCases, StoreContract.all)
  func `every S3 server keeps every law`(
    engine: S3Server.Engine, law: StoreContract.Law
  ) async throws {
    guard let store = try await Self.store(engine) else { return }
    try await law.check(store)
  }

  @Test(arguments: S3Server.Engine.allCases)
  func `each S3 server can do what its list says, and no more`(
    engine: S3Server.Engine
  ) async throws {
    guard let store = try await Self.store(engine) else { return }
    let found = try await store.foundCapabilities()
    #expect(found == store.capabilities)
  }

  /// What the store of a server can do; all else it cannot.
  private static func capabilities(of engine: S3Server.Engine) -> Set<StoreCapability> {
    let both: Set<StoreCapability> = [
      .settlesLostAnswers, .objectsBelowObjects, .abandonedParts, .attributes, .tags,
      .signedAddresses,
    ]
    return switch engine {
    case .seaweedfs: both.union([.checksSignatures])
    case .moto: both.union([.longNames])
    }
  }

  static let transport = NetworkTransport()

  /// The store of the server of `engine`, with small parts and short pauses; nil if it is not
  /// installed.
  private static func store(_ engine: S3Server.Engine) async throws -> StoreUnderTest? {
    guard let server = try await S3Server.running(engine) else { return nil }
    var options = try S3Options(properties: server.properties)
    options.partByteCount = 5 << 20
    options.partConcurrency = 2
    options.retries.firstDelay = .milliseconds(4)
    options.retries.longestDelay = .milliseconds(40)
    // Beside a thousand other tests on two processors a minute is over before the next attempt, and
    // a server is out of breath for longer than six short pauses.
    options.retries.deadline = .seconds(600)
    options.retries.attemptLimit = 12
    let keys = AWSCredentials(
      accessKeyID: server.accessKeyID, secretAccessKey: Secret(server.secretAccessKey))
    let given = options
    @Sendable func store(_ transport: any HTTPTransport) -> S3Store {
      S3Store(
        given, signing: FixedKeys(keys: keys), transport: transport, environment: .system)
    }
    return StoreUnderTest(
      name: "\(engine)", store: store(transport),
      root: try ObjectPath("s3://\(server.bucket)/contract"),
      capabilities: capabilities(of: engine),
      server: DirectServer(transport: transport, options: given, keys: keys)
    ) { store(ScriptedWire(transport, $0)) }
  }
}
