// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SeededNumbers
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
  /// What engines get wrong on tables that java, pyiceberg and polars read as we do: no other answer
  /// than one of these is let pass.
  private static let gaps: [Gap] = [
    Gap(
      engine: "spark", says: "Cannot cast default value to int",
      why: "1.10.2 can't read columns with a decimal default of less than ten digits"),
    Gap(
      engine: "duckdb", says: "Unimplemented type for cast (INTEGER -> DATE)",
      why: "1.5.5 takes a void partition field for what it was before it was dropped (v1)"),
    Gap(
      engine: "duckdb", says: "'manifest_entry.sequence_number' is only allowed to be NULL",
      why: "1.5.5 does not know that files of v1 manifests have the sequence number 0"),
    Gap(
      engine: "chdb", says: "Position deletes are supported only for parquet format",
      why: "has no deletion vectors"),
    Gap(
      engine: "chdb", says: "differs: ", isOnlyIn: .v3,
      why: "has no defaults of columns that were added"),
  ]

  private struct Gap {
    let engine: String
    let says: String
    var isOnlyIn: FormatVersion?
    let why: String

    func explains(_ answer: Oracles.Answer, _ version: FormatVersion) -> Bool {
      answer.engine == engine && answer.text.contains(says) && isOnlyIn ?? version == version
    }
  }

  private static let count = Depth.isLong ? 67 : 2

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
        let now = told.table.metadata.formatVersion
        let note =
          "v\(version.rawValue), now v\(now.rawValue): \(answer.text)\n"
          + told.log.joined(separator: "; ")
        if let gap = Self.gaps.first(where: { $0.explains(answer, now) }) {
          print("\(engine) \(gap.why): \(note)")
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
