// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// The hint says where to begin looking, and nothing that it says, or its absence, does harm.
@Suite("Version hints")
struct VersionHintTests {
  private static let hints: [String] = [
    "4", "3", "1", "5", "99", "0", "-1", "", " \n", "garbage", "v4", "4 4", "4\r\n",
    "99999999999999999999999999", String(repeating: "7", count: 5000), "\u{0}\u{1}", "é",
  ]

  @Test(arguments: hints)
  func `C3 C4: any text in the hint leaves the table readable and writable`(
    hint: String
  ) async throws {
    let world = try CatalogWorld()
    try await world.make(upTo: 4)
    try await world.put(hint, at: "version-hint.text")
    #expect(try await world.load().metadataLocation.name == "v4.metadata.json")
    let next = try await world.append("new", to: try await world.load())
    #expect(next.metadataLocation.name == "v5.metadata.json")
    #expect(try await world.texts() == ["new", "row 1", "row 2", "row 3"])
    #expect(try await world.violations() == [])
  }

  @Test func `C3, rule 56: a missing hint is found around, and made again by the next commit`()
    async throws
  {
    let world = try CatalogWorld()
    try await world.make(upTo: 4)
    try await world.memory.delete(world.metadata("version-hint.text"))
    #expect(try await world.load().metadataLocation.name == "v4.metadata.json")
    try await world.append("new", to: try await world.load())
    #expect(try await world.text(of: "version-hint.text") == "5")
  }

  @Test func `C3: a directory in place of the hint is as good as none`() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-hint-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath(folder.path), store: LocalStore(durability: .unsynced),
      environment: .deterministic(seed: 1))
    let table = try await catalog.createTable("db.t", "k int")
    let hint = folder.appending(path: "db/t/metadata/version-hint.text")
    try FileManager.default.removeItem(at: hint)
    try FileManager.default.createDirectory(at: hint, withIntermediateDirectories: false)
    let other = folder.appending(path: "db/t/metadata/v2.metadata.json.d")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
    try await table.append([Rows.batch([[.int(1)]], table.metadata.currentSchema)])
    let now = try await catalog.loadTable(TableIdentifier("db.t"))
    #expect(now.metadataLocation.name == "v2.metadata.json")
    #expect(try await now.scan().count() == 1)
  }

  @Test(arguments: FaultKind.allCases)
  func `C4: what happens to the hint fails no commit`(kind: FaultKind) async throws {
    for call in 1...4 {
      let world = try CatalogWorld()
      try await world.make(upTo: 3)
      let faulty = FaultyStore(
        world.memory, failing: kind, atCall: call, lasting: .untilHealed,
        where: { $0.path.name == "version-hint.text" && $0.operation != .get })
      let table = try await world.load(faulty)
      try await world.append("new", to: table)
      await faulty.heal()
      #expect(try await world.texts() == ["new", "row 1", "row 2"], "\(kind) at call \(call)")
    }
  }

  @Test func `a hint is never moved back by a slow writer`() async throws {
    let world = try CatalogWorld()
    try await world.make(upTo: 2)
    // While this writer is about to note version 3, someone else commits version 4.
    let slow = InterposedStore(world.memory) { call in
      guard call.operation == .put, call.path.name == "version-hint.text" else { return }
      _ = try? await world.append("other", to: try await world.load())
    }
    try await world.append("slow", to: try await world.load(slow))
    #expect(try await world.text(of: "version-hint.text") == "4")
    #expect(try await world.texts() == ["other", "row 1", "slow"])
  }
}
