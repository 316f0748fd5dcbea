// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Signals and readers that go away")
struct InterruptionTests {
  /// A table of 200,000 rows.
  private func makeBig(_ place: Workplace) async throws {
    let outcome = try await place.shell(
      """
      awk 'BEGIN { print "id,name"; for (i = 0; i < 200000; i++) printf "%d,name%d\\n", i, i }' \
        > big.csv
      lake append b.big big.csv --create
      """)
    guard outcome.status == 0 else { throw Unexpected(outcome) }
  }

  /// A function of the shell that returns once the process $1 has set itself up for signals, or
  /// has ended.
  private static let started = """
    started() {
      while exe=$(readlink /proc/$1/exe); do
        [[ $exe == "$LAKE" ]] && grep -q 'SigCgt:.*[4-7c-f]...$' /proc/$1/status && return
        sleep 0.02
      done
    }

    """

  @Test func `a reader that has enough ends a scan silently`() async throws {
    let place = try Workplace()
    try await makeBig(place)
    for format in ["csv", "jsonl", "json"] {
      let outcome = try await place.shell(
        """
        set -o pipefail
        lake scan b.big --format \(format) | head -1 | wc -l; echo "${PIPESTATUS[0]}"
        """)
      #expect(outcome.stdout == "1\n0\n" && outcome.stderr.isEmpty, "\(format): \(outcome)")
    }
  }

  @Test(arguments: [("INT", 130), ("TERM", 143)])
  func `a signal ends a scan at once`(signal: String, code: Int) async throws {
    let place = try Workplace()
    try await makeBig(place)
    let outcome = try await place.shell(
      Self.started + """
        mkfifo pipe
        # Nothing is taken out of the pipe, so that the scan can't come to its end.
        sleep 60 < pipe & reader=$!
        "$LAKE" scan b.big --format csv > pipe & scan=$!
        started $scan; sleep 0.5; kill -\(signal) $scan; wait $scan; echo $?
        kill $reader
        """, environment: ["LAKE": LakeProcess.binary.path])
    #expect(outcome.stdout == "\(code)\n", "\(outcome)")
    #expect(!outcome.stderr.contains("lake: "), "\(outcome)")
  }

  @Test(arguments: [("INT", 130), ("TERM", 143)])
  func `a signal ends an append committed or not committed`(
    signal: String, code: Int
  ) async throws {
    let place = try Workplace()
    try await makeBig(place)
    let before = try await place.files()
    let outcome = try await place.shell(
      Self.started + """
        mkfifo pipe
        (echo 'id,name'; echo '7,x'; exec sleep 60) > pipe & writer=$!
        "$LAKE" append b.big - --input-format csv < pipe & append=$!
        started $append; sleep 0.5; kill -\(signal) $append; wait $append; echo $?
        kill $writer
        lake count b.big --format table; lake verify b.big --quiet; echo $?
        """, environment: ["LAKE": LakeProcess.binary.path])
    #expect(outcome.stdout == "\(code)\n200000\n0\n", "\(outcome)")
    // Silent only if the signal came before the program knew what it had to do.
    #expect(
      outcome.stderr.isEmpty || outcome.stderr.contains("lake: append failed: "), "\(outcome)")
    #expect(try await place.files() == before, "files of the append are left over")
  }

  @Test func `A11: signals at any moment leave a whole table, old or new`() async throws {
    let place = try Workplace()
    try await makeBig(place)
    var count = try await place.count("b.big")
    for delay in stride(from: 0.0, through: 0.6, by: 0.05) {
      let outcome = try await place.shell(
        Self.started + """
          "$LAKE" append b.big big.csv > report & append=$!
          started $append; sleep \(delay); kill -INT $append; wait $append; echo $?
          """, environment: ["LAKE": LakeProcess.binary.path])
      #expect(["130", "0"].contains(outcome.lines.last), "after \(delay) s: \(outcome)")
      let now = try await place.count("b.big")
      #expect(now == count || now == count + 200_000, "after \(delay) s: \(outcome)")
      let report = try String(contentsOf: place.folder.appending(path: "report"), encoding: .utf8)
      #expect(report.isEmpty == (now == count), "the report tells otherwise: \(report)")
      let verified = try await place.lake("verify", "b.big")
      #expect(verified.status == 0, "after \(delay) s: \(verified)")
      count = now
    }
  }
}
