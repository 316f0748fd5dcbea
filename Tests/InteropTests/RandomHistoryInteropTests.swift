// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// Tables with random histories of appends, deletes, updates, overwrites, evolutions and rewrites,
/// read by other engines.
@Suite("Other engines read tables with a history", .serialized)
struct RandomHistoryInteropTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let wanted =
    environment["LAKE_INTEROP"] == "all"
    ? ["java", "spark", "pyiceberg", "duckdb", "polars", "chdb"] : ["pyiceberg", "duckdb"]
  private static let engines = Oracles.installed(of: wanted)
  /// Engines that get some tables of a version wrong on which java, spark, pyiceberg and polars
  /// agree with us: asked and told, but not held to it.
  private static let gaps: [FormatVersion: [String: String]] = [
    .v3: [
      "duckdb": "1.5.5 applies some deletion vectors to other rows",
      "chdb": "has no deletion vectors, and no defaults of columns that were added",
    ]
  ]
  private static let count = environment["LAKE_DEPTH"] == "long" ? 67 : 2

  /// A table with a history, as it lies on disk.
  private struct Told {
    let table: Table
    let question: Oracles.Question
    let log: [String]
  }

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `every engine reads the rows that a history leaves`(version: FormatVersion) async throws {
    let random = SeededRandom(printing: "histories for other engines, v\(version.rawValue)")
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-histories-\(Environment.system.uuid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    var histories: [Told] = []
    while histories.count < Self.count {
      let place = folder.appending(path: "\(histories.count)")
      if let told = try await history(random, version, in: place) { histories.append(told) }
    }
    for engine in Self.engines {
      let answers = try Oracles.compare(histories.map(\.question), engine)
      let agreed = answers.count(where: \.agrees)
      print("v\(version.rawValue): \(engine) agrees on \(agreed) of \(histories.count) histories")
      try #require(answers.count == histories.count)
      for (answer, told) in zip(answers, histories) where !answer.agrees {
        let note =
          "v\(version.rawValue) (now v\(told.table.metadata.formatVersion.rawValue)): "
          + "\(answer.text)\n\(told.log.joined(separator: "; "))"
        if let gap = Self.gaps[told.table.metadata.formatVersion]?[engine] {
          print("\(engine), which \(gap): \(note)")
        } else {
          Issue.record("\(note)")
        }
      }
    }
  }

  /// Makes a table in `folder` and changes it some times; nil if there is nothing in it then.
  private func history(
    _ random: SeededRandom, _ version: FormatVersion, in folder: URL
  ) async throws -> Told? {
    var history = try await RandomHistory(
      random, version, at: ObjectPath(folder.path), store: LocalStore(durability: .unsynced))
    for _ in 0..<random.int(in: 5..<25) { try await history.step(random) }
    guard history.table.metadata.currentSnapshot != nil else {
      try FileManager.default.removeItem(at: folder)
      return nil
    }
    let rows = try history.model.lines("main")
    let expected = folder.appending(path: "expected.jsonl")
    try rows.map { $0 + "\n" }.joined().write(to: expected, atomically: true, encoding: .utf8)
    let place = URL(filePath: history.table.metadata.location)
    return Told(
      table: history.table, question: Oracles.Question(place, expected: expected),
      log: history.log)
  }
}
