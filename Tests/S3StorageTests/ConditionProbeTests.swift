// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@testable import S3Storage

/// Servers that take the condition of a write and ignore it: two writers would both win.
@Suite("Servers that ignore conditions")
struct ConditionProbeTests {
  private let environment = Environment.deterministic(seed: 11)

  private func catalog(_ store: S3Store) throws -> FilesystemCatalog {
    FilesystemCatalog(
      warehouse: try ObjectPath("s3://b/wh"), store: store, environment: environment)
  }

  @Test func `B3: no table is made on a server that ignores conditions`() async throws {
    let model = S3Model(environment, keepsConditions: false)
    let store = model.store(model.transport()) { $0.probesConditions = true }
    let catalog = try catalog(store)
    do {
      _ = try await catalog.createTable("db.t", "k long")
      Issue.record("a table where two writers would both win")
    } catch CatalogError.storage(.unsupported(let what, _, let instead), _) {
      #expect(what == "conditional writes" && instead.contains("catalog"))
    }
    #expect(model.keys.isEmpty, "what was asked with is gone, and no table is there")
  }

  @Test func `a bucket is asked once, and one that keeps conditions is written to`() async throws {
    let model = S3Model(environment)
    let transport = model.transport()
    let store = model.store(transport) { $0.probesConditions = true }
    _ = try await catalog(store).createTable("db.t", "k long")
    _ = try await catalog(store).createTable("db.u", "k long")
    let asked = transport.requests.filter { $0.path.contains(".lake-probe-") }
    #expect(asked.map(\.method) == [.put, .put, .delete])
    #expect(!model.keys.contains { $0.contains(".lake-probe-") })
  }
}
