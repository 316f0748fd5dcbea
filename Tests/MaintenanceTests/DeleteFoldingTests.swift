// SPDX-License-Identifier: Apache-2.0
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Testing

/// Delete files put together, and those of no rows dropped.
@Suite("Delete files put together")
struct DeleteFoldingTests {
  @Test func `deletes of a file in many places come to be in one, and no row changes`() async throws
  {
    let world = try await CompactionWorld(.v2)
    for start in stride(from: Int64(0), to: 40, by: 10) {
      try await world.append(start..<start + 10)
    }
    for some in [[0, 11], [1, 12, 31], [2], [13]] as [[Int64]] {
      _ = try await world.table().deleteRows(
        where: .isIn("k", some.map { .integer($0) }), mode: .mergeOnRead)
    }
    #expect(try await world.deleteFileCount() == 4)
    let kept = (Int64(0)..<40).filter { ![0, 1, 2, 11, 12, 13, 31].contains($0) }
    let files = try await world.table().scan().plan().tasks.map(\.file.path)
    let plan = try await DeleteFolding(world.table()).plan()
    let report = try await DeleteFolding(world.table()).run()
    #expect(report.removedFiles == 4 && plan.removedFiles == 4)
    #expect(report.addedFiles == 3 && report.dataFiles >= 3)
    #expect(try await world.keys() == kept)
    #expect(try await world.table().scan().plan().tasks.map(\.file.path) == files)
    #expect(try await world.deleteFileCount() == 3)
    let again = try await DeleteFolding(world.table()).run()
    #expect(again.snapshotID == nil && again.removedFiles == 0)
    #expect(try await world.orphans() == [])
  }

  @Test func `deletes from before an upgrade become vectors with what came after`() async throws {
    let world = try await CompactionWorld(.v2)
    try await world.append(0..<20)
    _ = try await world.table().deleteRows(where: .isIn("k", [1, 2]), mode: .mergeOnRead)
    _ = try await world.table().deleteRows(where: .equal("k", 3), mode: .mergeOnRead)
    _ = try await world.table().commit(FormatUpgrade(to: .v3))
    let report = try await DeleteFolding(world.table()).run()
    #expect(report.removedFiles == 2 && report.addedFiles == 1)
    _ = try await world.table().deleteRows(where: .equal("k", 4), mode: .mergeOnRead)
    #expect(try await world.deleteFileCount() == 1)
    #expect(try await world.keys() == [0] + Array(5..<20))
  }

  @Test func `E5: delete files of no rows go`() async throws {
    let world = try await CompactionWorld(.v2, partitionedBy: "p")
    try await world.append(0..<10)
    try await CompactionWorld.deleteByValue([2, 3], world.table(), inPartitions: true)
    _ = try await world.table().deleteRows(where: .less("k", 10), mode: .copyOnWrite)
    // No row is left that is older than those.
    try await world.append(10..<20)
    try await CompactionWorld.deleteByValue([14], world.table(), inPartitions: true)
    #expect(try await world.deleteFileCount() == 3)
    let kept = (Int64(10)..<20).filter { $0 != 14 }
    let before = try await world.keys()
    #expect(before == kept)
    let report = try await DeleteFolding(world.table()).run()
    #expect(report.danglingFiles == 2)
    #expect(report.addedFiles == 0)
    #expect(try await world.deleteFileCount() == 1)
    let after = try await world.keys()
    #expect(after == kept)
  }

  @Test(arguments: [FormatVersion.v2, .v3])
  func `random histories are the same after it, and others' deletes beside it stay`(
    version: FormatVersion
  ) async throws {
    let random = SeededRandom(printing: "deletes put together, v\(version.rawValue)")
    var removed = 0
    for round in 0..<(Depth.isLong ? 200 : 4) {
      let random = random.fork()
      var history = try await RandomHistory(random, version)
      for _ in 0..<random.int(in: 4..<16) {
        try await history.step(random)
        let note = Comment("round \(round), seed \(random.seed): \(history.log)")
        let before = try await history.difference()
        try #require(before == nil, note)
        guard random.chance(30) else { continue }
        let branch = random.pick(history.branchNames)
        guard history.table.metadata.reference(branch) != nil else { continue }
        removed += try await DeleteFolding(history.table, branch: branch).run().removedFiles
        try await history.refresh()
        let difference = try await history.difference()
        try #require(difference == nil, note)
        #expect(try await history.invariants.violations() == [], note)
      }
    }
    print("deletes put together: \(removed) files went")
  }
}
