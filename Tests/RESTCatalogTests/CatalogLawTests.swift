// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog
import Testing

/// A REST catalog keeps the laws of every catalog, with a model server behind it.
@Suite("REST catalog laws")
struct CatalogLawTests {
  /// But for one: a server makes a commit on another state than it was planned on, if what it
  /// requires holds there too.
  static let laws = CatalogContract.laws.filter {
    $0.name != "of commits on one state exactly one is made, and the others are conflicts"
  }

  @Test(arguments: laws)
  func `keeps the law`(law: CatalogContract.Law) async throws {
    let world = try RESTWorld(seed: 11)
    try await law.check(
      CatalogSubject(
        try await world.catalog(), beside: try await world.catalog(), store: world.memory,
        [.renames, .registersAnything, .takesLocations, .nests, .anyNames]))
  }

  @Test func `of commits that move one reference from one state exactly one is made`()
    async throws
  {
    let world = try RESTWorld()
    let base = try await world.append("one", to: try await world.make())
    let snapshot = try #require(base.metadata.currentSnapshotID)
    let won = try await withThrowingTaskGroup(of: Bool.self) { group in
      for n in 0..<6 {
        group.addTask {
          let commit = TableCommit(
            base: base, requirements: [.referenceSnapshot(name: "r", nil)],
            updates: [
              .setSnapshotReference(
                name: "r",
                try SnapshotReference(
                  .tag, snapshot, retention: .init(maxReferenceAgeMilliseconds: Int64(n + 1))))
            ])
          guard case .committed = try await base.commit(commit) else { return false }
          return true
        }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(won == 1)
  }
}
