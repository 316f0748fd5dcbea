// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Lake
import LakeTestSupport
import Storage
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

  @Test func `only a write that a commit hangs on is asked for, whatever its name`() async throws {
    let model = S3Model(environment, keepsConditions: false)
    let transport = model.transport()
    let store = model.store(transport) { $0.probesConditions = true }
    let path = try ObjectPath("s3://b/wh/v1.metadata.json")
    _ = try await store.put(Buffer(utf8: "x"), to: path, if: .absent)
    _ = try await store.writer(to: path, if: .absent).finish()
    #expect(transport.requests.count == 2, "nothing was asked")
    await #expect(throws: StorageError.self) {
      _ = try await store.put(Buffer(utf8: "x"), to: path, if: .unclaimed)
    }
    await #expect(throws: StorageError.self) {
      _ = try await store.writer(to: path, if: .unclaimed)
    }
    #expect(model.keys == ["wh/v1.metadata.json"])
  }

  @Test func `the question is asked through all stores on the way`() async throws {
    let model = S3Model(environment, keepsConditions: false)
    let bucket = model.store(model.transport()) { $0.probesConditions = true }
    let root = try ObjectPath("s3://b/wh")
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-probe-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let caching = try await CachingStore(
      StoreRegistry(["s3": bucket]), keepingIn: ObjectPath(folder), byteLimit: 1 << 20)
    let store = PolicedStore(
      MeteredStore(RetryingStore(caching, policy: RetryPolicy(), environment: environment)),
      policy: LocationPolicy(within: [root]))
    do throws(StorageError) {
      _ = try await store.put(Buffer(utf8: "x"), to: root.appending("c"), if: .unclaimed)
      Issue.record("a write that two would both make")
    } catch {
      guard case .unsupported(let what, _, _) = error else { throw error }
      #expect(what == "conditional writes")
    }
    #expect(model.keys.isEmpty)
  }
}
