// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport
import Network
import S3Storage
import Storage
import Testing

/// Every law of the contract against servers that speak S3.
@Suite("S3 store contract")
struct S3StoreContractTests {
  @Test(arguments: S3Server.Engine.allCases, StoreContract.laws)
  func `every S3 server keeps every law`(
    engine: S3Server.Engine, law: StoreContract.Law
  ) async throws {
    guard let server = try await S3Server.running(engine) else { return }
    let store = try S3Store.make(properties: server.properties, transport: Self.transport)
    try await law.check(store, under: ObjectPath("s3://\(server.bucket)/contract"))
  }

  static let transport = NetworkTransport()
}
