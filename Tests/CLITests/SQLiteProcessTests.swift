// SPDX-License-Identifier: Apache-2.0
import Foundation
import SeededNumbers
import Testing

/// Processes side by side on one SQLite catalog, some of them failing in the middle of a commit.
@Suite("Processes on an SQLite catalog")
struct SQLiteProcessTests {
  private static let hasStrace = FileManager.default.isExecutableFile(atPath: FaultTests.strace)

  private func place() throws -> Workplace {
    let place = try Workplace(ownCatalog: true)
    try place.write(
      "lake.yaml",
      """
      catalog:
        dev:
          type: sql
          uri: sqlite:///\(place.folder.path)/catalog.db
          warehouse: \(place.folder.path)/warehouse

      """)
    return place
  }

  /// One commit of a writer, and how it ended.
  private struct Ended {
    let row: String
    let status: Int32
  }

  /// Each of 8 processes appends one row at a time, 8 × 100 rows with `LAKE_DEPTH=long`. Of some
  /// commits a sync of the catalog fails, so that no one can tell at first how they ended.
  @Test
  func `A4 B1: eight processes lose nothing and double nothing, and settle what was in doubt`()
    async throws
  {
    let appends = Depth.isLong ? 100 : 3
    let place = try place()
    let created = try await place.lake(
      "create", "b.t", "--schema", "row string", "--catalog", "dev")
    guard created.status == 0 else { throw Unexpected(created) }
    if !Self.hasStrace { print("skipped: strace is missing, so that no sync fails") }
    // One in 20 with many commits, one in 3 with few.
    let every = Depth.isLong ? 20 : 3
    let script = """
      for n in $(seq \(appends)); do
        row="writer $1 commit $n"
        inject=""
        if [ "\(Self.hasStrace)" = true ] && [ $(( (n + $1) % \(every) )) = 0 ]; then
          inject="\(FaultTests.strace) -f -qq -o trace-$1-$n -e trace=fdatasync \
      -e inject=fdatasync:error=EIO:when=$(( (n + $1) % 4 + 1 ))"
        fi
        echo "{\\"row\\":\\"$row\\"}" | $inject "$LAKE_BINARY" append b.t - --input-format jsonl \
          --catalog dev > out-$1-$n 2>&1
        echo "$?|$row"
      done
      """
    let outcomes = try await place.eightScripts(script)
    let ended = outcomes.flatMap(\.lines).compactMap { line -> Ended? in
      let parts = line.split(separator: "|", maxSplits: 1)
      guard parts.count == 2, let status = Int32(parts[0]) else { return nil }
      return Ended(row: String(parts[1]), status: status)
    }
    #expect(ended.count == 8 * appends)
    let faults = try FileManager.default.contentsOfDirectory(atPath: place.folder.path)
      .filter { $0.hasPrefix("trace-") }
      .count {
        try String(contentsOf: place.folder.appending(path: $0), encoding: .utf8)
          .contains("INJECTED")
      }
    print("8 × \(appends) appends, \(faults) failing syncs, exits \(Set(ended.map(\.status)))")
    if Self.hasStrace { #expect(faults > 0, "no sync failed") }

    let rows = try await place.lake("scan", "b.t", "--catalog", "dev").rows
      .compactMap { $0["row"] as? String }
    #expect(Set(rows).count == rows.count, "rows are there twice")
    for one in ended {
      switch one.status {
      case 0: #expect(rows.contains(one.row), "lost: \(one.row)")
      case 1: #expect(!rows.contains(one.row), "said to have failed: \(one.row)")
      // What is in doubt is settled: the disk works again.
      default: Issue.record("\(one.row) ended with \(one.status)")
      }
    }
    let snapshots = try await place.linearHistory("b.t", ["--catalog", "dev"])
    #expect(snapshots.count == rows.count)
    #expect(try await place.lake("verify", "b.t", "--catalog", "dev").status == 0)
    #expect(try await place.lake("doctor", "--catalog", "dev").status == 0)
  }

  @Test func `A11: a process killed anywhere in a commit leaves a catalog that goes on`()
    async throws
  {
    guard Self.hasStrace else {
      print("skipped: strace is missing")
      return
    }
    let place = try place()
    try place.write("rows.csv", "id\n1\n2\n3\n")
    let created = try await place.lake("append", "b.t", "rows.csv", "--create", "--catalog", "dev")
    guard created.status == 0 else { throw Unexpected(created) }
    func count() async throws -> Int {
      let outcome = try await place.lake("count", "b.t", "--catalog", "dev", "--format", "table")
      return Int(outcome.stdout.dropLast()) ?? -1
    }
    var rows = 3
    var kills = 0
    for call in ["pwrite64", "fdatasync", "unlink"] {
      for number in Depth.isLong ? Array(1...60) : [1, 3, 6] {
        let log = place.folder.appending(path: "log").path
        let outcome = try await LakeProcess.run(
          URL(filePath: FaultTests.strace),
          [
            "-f", "-qq", "-o", log, "-e", "trace=\(call)", "-e",
            "inject=\(call):signal=KILL:when=\(number)", LakeProcess.binary.path, "append", "b.t",
            "rows.csv", "--catalog", "dev",
          ], in: place.folder)
        let now = try await count()
        let what = Comment("\(call) number \(number): \(outcome)")
        if outcome.status == 0 {
          #expect(now == rows + 3, what)
        } else {
          kills += 1
          #expect(now == rows || now == rows + 3, what)
        }
        rows = now
        #expect(try await place.lake("verify", "b.t", "--catalog", "dev").status == 0, what)
        if outcome.status == 0 { break }
      }
    }
    print("\(kills) kills, \(rows / 3) commits")
    #expect(kills > 2, "the kills did not reach the program")
    #expect(try await place.lake("doctor", "--catalog", "dev").status == 0)
    #expect(try await place.lake("append", "b.t", "rows.csv", "--catalog", "dev").status == 0)
  }

  @Test func `B7: processes that make the catalog at once make one`() async throws {
    let place = try place()
    let outcomes = try await Workplace.eight { writer in
      try await place.lake("create", "b.t\(writer)", "--schema", "k int", "--catalog", "dev")
    }
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome)") }
    #expect(try await place.lake("ls", "b", "--catalog", "dev").rows.count == 8)
  }
}
