// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// Writers of one process that commit to one table at once.
@Suite("Concurrent commits")
struct ConcurrentCommitTests {
  private static let writerCount = 16
  private static let appendCount = 10

  @Test func `B1 B5: every append of 16 writers is there once, in memory`() async throws {
    let environment = Environment.deterministic(seed: 1)
    try await race(
      MemoryStore(environment: environment), ObjectPath("memory://w/house"), environment)
  }

  @Test func `B1 B5: every append of 16 writers is there once, on disk`() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-race-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await race(
      LocalStore(durability: .unsynced), ObjectPath(folder.path), Environment.deterministic(seed: 2)
    )
  }

  private func race(
    _ store: any ObjectStore, _ warehouse: ObjectPath, _ environment: Environment
  ) async throws {
    let catalog = FilesystemCatalog(warehouse: warehouse, store: store, environment: environment)
    // The clock is virtual: it is every writer's waits together that go by.
    let table = try await catalog.createTable(
      "db.t", "writer int, number int",
      properties: ["commit.retry.total-timeout-ms": "1000000000"])
    let schema = table.metadata.currentSchema
    let acknowledged = try await withThrowingTaskGroup(of: [SnapshotID].self) { group in
      for writer in 0..<Self.writerCount {
        group.addTask {
          var ids: [SnapshotID] = []
          for number in 0..<Self.appendCount {
            let table = try await catalog.loadTable(TableIdentifier("db.t"))
            let rows = [[Value.int(Int32(writer)), .int(Int32(number))] as [Value?]]
            let receipt = try await table.append([Rows.batch(rows, schema)])
            ids.append(try #require(receipt?.snapshot).id)
          }
          return ids
        }
      }
      var all: [SnapshotID] = []
      for try await ids in group { all += ids }
      return all
    }

    let total = Self.writerCount * Self.appendCount
    let now = try await table.refreshed()
    #expect(Set(acknowledged).count == total)
    #expect(now.metadata.snapshots.count == total)
    #expect(now.metadataLocation.name == "v\(total + 1).metadata.json")
    let expected = (0..<Self.writerCount).flatMap { writer in
      (0..<Self.appendCount).map { #"{"number":\#($0),"writer":\#(writer)}"# }
    }.sorted()
    #expect(try await now.scan().canonicalRows() == expected)
    let invariants = TableInvariants(try warehouse.appending(relativePath: "db/t"), in: store)
    #expect(try await invariants.violations(acknowledged: acknowledged) == [])
    #expect(try await invariants.orphans() == [])
  }
}
