// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

@testable import LakeCLI

/// The command on a bucket: what works on a disk works there, with no service but the store.
@Suite("The command on S3")
struct S3CommandTests {
  private static let events = """
    {"k": 1, "at": 10, "v": "a"}
    {"k": 2, "at": 11, "v": "b"}
    {"k": 1, "at": 12, "v": "c"}
    {"k": 3, "at": 13, "v": "d"}

    """

  @Test(arguments: S3Server.Engine.allCases)
  func `a table of a bucket is filled, read, changed, looked up and kept up`(
    engine: S3Server.Engine
  ) async throws {
    guard let server = try await S3Server.running(engine) else { return }
    let place = try Workplace(ownCatalog: true)
    let warehouse = "s3://\(server.bucket)/\(UUID().uuidString)"
    let environment = server.variables.merging(["LAKE_WAREHOUSE": warehouse]) { $1 }
    func lake(_ arguments: String...) async throws -> LakeProcess.Outcome {
      let outcome = try await LakeProcess.run(
        LakeProcess.binary, arguments, in: place.folder, environment: environment)
      #expect(outcome.status == 0, "\(arguments): \(outcome)")
      return outcome
    }
    let file = try place.write("events.jsonl", Self.events)
    _ = try await lake(
      "upsert", "db.t", file, "--create", "--key", "k", "--order-by", "at", "--writer", "w",
      "--source-offset")
    _ = try await lake("append", "db.u", file, "--create")
    _ = try await lake("delete", "db.t", "--where", "k = 2")
    let rows = try await lake("scan", "db.t", "--select", "k,v").rows
    #expect(rows.compactMap { $0["v"] as? String }.sorted() == ["c", "d"])
    #expect(try await lake("get", "db.t", "1").rows.first?["v"] as? String == "c")
    #expect(try await lake("changes", "db.t", "--from", "start", "--net").rows.count == 2)
    _ = try await lake("compact", "db.t")
    _ = try await lake("maintain", "db.t", "--policy", "keep=1s,keep-last=1")
    #expect(try await lake("verify", "db.t", "--deep").rows.isEmpty)
    #expect(try await lake("count", "\(warehouse)/db/u").rows.first?["count"] as? Int == 4)
    #expect(try await lake("doctor").rows.allSatisfy { $0["result"] as? String == "ok" })
    _ = try await lake("drop", "db.u", "--purge")
    #expect(try await lake("ls", "db").rows.count == 1)
    let catalog = try await CatalogConfiguration(
      name: "test",
      properties: server.properties.merging(["type": "filesystem", "warehouse": warehouse]) { $1 },
      file: "the test"
    ).open(allowing: [])
    let table = try await catalog.loadTable(TableIdentifier("db.t"))
    #expect(try await Canary.expectNone(inObjectsOf: table) > 10)
  }

  @Test func `parts of a bucket's files are kept in the folder that is named`() async throws {
    guard let server = try await S3Server.running(.moto) else { return }
    let place = try Workplace(ownCatalog: true)
    let file = try place.write("events.jsonl", Self.events)
    let cache = place.folder.appending(path: "cache")
    let environment = server.variables.merging([
      "LAKE_WAREHOUSE": "s3://\(server.bucket)/\(UUID().uuidString)", "LAKE_CACHE": cache.path,
      "LAKE_CACHE_SIZE": "1MB",
    ]) { $1 }
    try await place.lake("append", "db.t", file, "--create", environment: environment)
    let first = try await place.lake("scan", "db.t", environment: environment)
    let kept = try FileManager.default.contentsOfDirectory(atPath: cache.path)
    #expect(kept.contains { $0.hasSuffix(".range") }, "\(first)")
    let second = try await place.lake("scan", "db.t", environment: environment)
    #expect(first.stdout == second.stdout && second.rows.count == 4)
    let wrong = try await place.lake(
      "scan", "db.t", environment: environment.merging(["LAKE_CACHE_SIZE": "big"]) { $1 })
    #expect(wrong.status == 1 && wrong.stderr.contains("'big'"), "\(wrong)")
  }

  @Test func `a wrong secret is told as that, and printed nowhere`() async throws {
    guard let server = try await S3Server.running(.seaweedfs) else { return }
    let place = try Workplace(ownCatalog: true)
    let canary = "CANARY\(UUID().uuidString)"
    let settings = """
      catalog:
        s:
          type: filesystem
          warehouse: s3://\(server.bucket)/wh
          s3.endpoint: \(server.endpoint)
          s3.access-key-id: \(server.accessKeyID)
          s3.secret-access-key: ${MY_SECRET}

      """
    try place.write("lake.yaml", settings)
    let found = try await place.lake(
      "--catalog", "s", "--verbose", "ls", environment: ["MY_SECRET": canary])
    #expect(found.status == 1, "\(found)")
    #expect(found.stderr.contains("secret"), "\(found)")
    #expect(!found.stdout.contains(canary) && !found.stderr.contains(canary))
  }
}
