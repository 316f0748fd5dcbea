// SPDX-License-Identifier: Apache-2.0
import Foundation
import SeededNumbers
import Testing

/// Rows put aside by a command that is killed: at its k-th call about the file they go to, and at the
/// k-th that makes a commit or sends a request, by strace.
@Suite("Rows put aside by a command that is killed")
struct QuarantineKillTests {

  /// What is killed at: by name, the calls, and the files they are about (nil: any).
  private static let points: [(name: String, calls: String, files: [String]?)] = [
    (
      "the file",
      "openat,write,pwrite64,fsync,fdatasync,unlink,unlinkat,ftruncate,flock",
      ["aside.jsonl", "aside.jsonl.uncommitted"]
    ),
    TestCatalog.kind == .s3
      ? ("the requests", "write,writev,sendto,sendmsg", nil)
      : ("the commit", "link,linkat,rename,renameat,renameat2", nil),
  ]

  private static var numbers: [Int] { Depth.isLong ? Array(1...60) : [3, 5, 6, 8] }

  private static func rows() -> (text: String, bad: [Substring]) {
    let lines = (1...18).map { number in
      number % 3 == 0 || number == 4
        ? #"{"id":"bad","v":"\#(number)"}"# : #"{"id":\#(number),"v":"a"}"#
    }
    let text = lines.map { $0 + "\n" }.joined()
    return (text, text.split(separator: "\n").filter { $0.contains("bad") })
  }

  private static let command = [
    "upsert", "s.t", "in.jsonl", "--source-offset", "--commit-rows", "4", "--quiet",
    "--on-error", "quarantine aside.jsonl",
  ]

  /// Runs the command, killed at call `number` of `point`; whether it was.
  private func run(
    _ place: Workplace, _ writer: String,
    killedAt number: Int, of point: (name: String, calls: String, files: [String]?)
  ) async throws -> Bool {
    let paths = (point.files ?? []).flatMap { ["-P", place.folder.appending(path: $0).path] }
    let outcome = try await LakeProcess.run(
      URL(fileURLWithPath: FaultTests.strace),
      ["-f", "-qq", "-o", "/dev/null", "-e", "trace=\(point.calls)"] + paths
        + [
          "-e", "inject=\(point.calls):signal=KILL:when=\(number)", LakeProcess.binary.path,
        ] + Self.command + ["--writer", writer], in: place.folder)
    #expect([0, 137].contains(outcome.status), "\(outcome)")
    return outcome.status != 0
  }

  private func aside(_ place: Workplace) throws -> [Substring] {
    let file = place.folder.appending(path: "aside.jsonl")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: FaultTests.strace)))
  func `each is there once, whichever call the command was killed at, and killed again`()
    async throws
  {
    let place = try Workplace()
    let made = try await place.lake(
      "create", "s.t", "--schema", "id long, v string", "--key", "id")
    guard made.status == 0 else { throw Unexpected(made) }
    let (text, bad) = Self.rows()
    try place.write("in.jsonl", text)
    var (kills, runs) = (0, 0)
    for point in Self.points {
      for number in Self.numbers {
        let what = "killed at \(number) of \(point.name)"
        runs += 1
        let writer = "w\(runs)"
        try? FileManager.default.removeItem(at: place.folder.appending(path: "aside.jsonl"))
        guard try await run(place, writer, killedAt: number, of: point) else { break }
        kills += 1
        // What was left is put right by a command that may be killed too.
        let second = 1 + number % 4
        if number % 2 == 0 {
          _ = try await run(place, writer, killedAt: second, of: Self.points[0])
        }
        let last = try await place.lake(
          arguments: Self.command + ["--writer", writer])
        #expect(last.status == 0, "\(what): \(last)")
        let found = try aside(place)
        #expect(found == bad, "\(what): \(found)")
        #expect(
          try await place.files(".").filter { $0.hasSuffix(".uncommitted") }.isEmpty, "\(what)")
      }
    }
    #expect(kills > 3, "the kills did not reach the program")
    print("\(kills) kills")
  }

  @Test func `rows that are all bad are put aside, with offsets and without`() async throws {
    for offsets in [[], ["--writer", "w", "--source-offset"]] {
      let place = try Workplace()
      let made = try await place.lake(
        "create", "s.t", "--schema", "id long, v string", "--key", "id")
      guard made.status == 0 else { throw Unexpected(made) }
      try place.write("in.jsonl", "{\"id\":\"bad 1\"}\n{\"id\":\"bad 2\"}\n")
      let outcome = try await place.lake(
        arguments: ["upsert", "s.t", "in.jsonl", "--on-error", "quarantine aside.jsonl"] + offsets)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try aside(place) == ["{\"id\":\"bad 1\"}", "{\"id\":\"bad 2\"}"])
    }
  }
}
