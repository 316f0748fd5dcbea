// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Upsert, get and the index, as commands")
struct UpsertTests {
  private func workplace(_ options: String...) async throws -> Workplace {
    let place = try Workplace()
    let made = try await place.shell(
      """
      lake create s.t --schema 'id long, v string, n double, at timestamptz' --key id \
        \(options.joined(separator: " "))
      """)
    guard made.status == 0 else { throw Unexpected(made) }
    return place
  }

  private static let five = """
    {"id":1,"v":"a","at":"2024-01-01T00:00:00Z"}
    {"id":2,"v":"b","at":"2024-01-01T00:00:00Z"}
    {"id":1,"v":"newer","at":"2024-01-02T00:00:00Z"}
    {"id":2,"v":"older","at":"2023-01-01T00:00:00Z"}
    {"id":3,"v":"c","at":"2024-01-01T00:00:00Z"}

    """

  @Test(arguments: ["", "--format-version 2"])
  func `the newest row of each key is there, and is got`(version: String) async throws {
    let place = try await workplace(version)
    let file = try place.write("five.jsonl", Self.five)
    let outcome = try await place.lake("upsert", "s.t", file, "--order-by", "at")
    #expect(outcome.status == 0, "\(outcome)")
    let report = outcome.rows.first ?? [:]
    #expect(report["operation"] as? String == "upsert")
    #expect(report["received"] as? Int == 5 && report["superseded"] as? Int == 2)
    let late = try await place.lake(
      "upsert", "s.t", try place.write("late.jsonl", Self.five), "--order-by", "at")
    #expect(late.status == 0, "\(late)")

    let got = try await place.lake("get", "s.t", "2", #"{"id":1}"#, "9", "--select", "id,v")
    #expect(got.stdout == "{\"id\":2,\"v\":\"b\"}\n{\"id\":1,\"v\":\"newer\"}\n", "\(got)")
    try place.write("keys.csv", "id\n3\n")
    let file3 = try await place.lake(
      "get", "s.t", "--key-file", "keys.csv", "--select", "v", "--format", "csv")
    #expect(file3.stdout == "v\nc\n", "\(file3)")
    let none = try await place.lake("get", "s.t", "9")
    #expect(none.status == 3 && none.stdout.isEmpty, "\(none)")
    let bad = try await place.lake("get", "s.t", "x")
    #expect(bad.status == 1 && bad.stderr.contains("expected long, found 'x'"), "\(bad)")
    let past = try await place.lake("get", "s.t", "1", "--as-of", "1d")
    #expect(past.status == 3, "\(past)")
  }

  @Test func `rows are deleted by a predicate and by a column that says so`() async throws {
    let place = try await workplace()
    try place.write("five.jsonl", Self.five)
    #expect(try await place.lake("upsert", "s.t", "five.jsonl", "--order-by", "at").status == 0)
    try place.write("gone.jsonl", #"{"id":1,"v":"gone"}"# + "\n")
    let gone = try await place.lake("upsert", "s.t", "gone.jsonl", "--delete-when", "v = 'gone'")
    #expect(gone.status == 0 && gone.rows.first?["deleted"] as? Int == 1, "\(gone)")
    try place.write(
      "ops.jsonl", #"{"op":"delete","id":2}"# + "\n" + #"{"op":"upsert","id":4,"v":"d"}"# + "\n")
    let ops = try await place.lake("upsert", "s.t", "ops.jsonl", "--operation-column", "op")
    #expect(ops.status == 0, "\(ops)")
    let rows = try await place.lake("scan", "s.t", "--select", "id,v", "--format", "csv")
    #expect(Set(rows.lines) == ["id,v", "3,c", "4,d"], "\(rows)")
  }

  @Test func `a null keeps what was there, where that is asked for`() async throws {
    let place = try await workplace()
    try place.write("five.jsonl", Self.five)
    #expect(try await place.lake("upsert", "s.t", "five.jsonl", "--order-by", "at").status == 0)
    try place.write("part.jsonl", #"{"id":1,"n":2.5}"# + "\n")
    let part = try await place.lake("upsert", "s.t", "part.jsonl", "--partial")
    #expect(part.status == 0, "\(part)")
    let got = try await place.lake("get", "s.t", "1", "--select", "v,n")
    #expect(got.stdout == "{\"v\":\"newer\",\"n\":2.5}\n", "\(got)")
  }

  @Test func `a table is made of what a pipe has, and gone on with`() async throws {
    let place = try Workplace()
    let line = """
      lake upsert m.t - --input-format jsonl --create --key id --order-by at --partition-by \
      'day(at)' --writer w --source-offset < five.jsonl
      """
    try place.write("five.jsonl", Self.five)
    let first = try await place.shell(line)
    #expect(first.status == 0 && first.rows.first?["written"] as? Int == 3, "\(first)")
    let second = try await place.shell(line)
    #expect(second.status == 0 && second.rows.first?["received"] as? Int == 0, "\(second)")
    #expect(try await place.count("m.t") == 3)
  }

  @Test func `the index is built, told of, used and dropped`() async throws {
    let place = try await workplace()
    try place.write("five.jsonl", Self.five)
    #expect(try await place.lake("upsert", "s.t", "five.jsonl").status == 0)
    _ = try await place.lake("index", "s.t", "drop")
    let built = try await place.lake("index", "s.t", "build")
    #expect(built.status == 0 && built.rows.first?["keys"] as? Int == 3, "\(built)")
    let status = try await place.lake("index", "s.t", "status")
    #expect(status.rows.count == 1 && status.rows[0]["keys"] as? Int == 3, "\(status)")
    #expect(status.rows.first?["uncovered_files"] as? Int == 0)
    let got = try await place.lake("get", "s.t", "3", "4", "1", "--select", "id")
    #expect(got.stdout == "{\"id\":3}\n{\"id\":1}\n", "\(got)")
    // Rows of others are found too.
    #expect(
      try await place.lake(
        "append", "s.t", try place.write("more.jsonl", #"{"id":4,"v":"d"}"# + "\n")
      ).status == 0)
    let more = try await place.lake("get", "s.t", "3", "4", "--select", "id")
    #expect(more.stdout == "{\"id\":3}\n{\"id\":4}\n", "\(more)")
    let dropped = try await place.lake("index", "s.t", "drop")
    #expect(dropped.status == 0, "\(dropped)")
    #expect(try await place.lake("index", "s.t", "status").stdout.isEmpty)
    let without = try await place.lake("get", "s.t", "3", "4", "--select", "id")
    #expect(without.stdout == more.stdout, "\(without)")
  }

  @Test func `a table tells of its writers, and of what they leave to tidy up`() async throws {
    let place = try await workplace()
    try place.write("five.jsonl", Self.five)
    for _ in 0..<2 {
      let outcome = try await place.lake(
        "upsert", "s.t", "five.jsonl", "--writer", "w", "--source-offset", "--commit-rows", "2")
      #expect(outcome.status == 0, "\(outcome)")
    }
    let told = try await place.lake("describe", "s.t").rows.first ?? [:]
    let writer = try #require((told["writers"] as? [[String: Any]])?.first)
    #expect(writer["writer"] as? String == "w" && writer["fence"] as? Int == 2, "\(told)")
    let offsets = try #require(writer["offsets"] as? [[Any]])
    #expect(offsets.first?[1] as? Int == Self.five.utf8.count, "\(offsets)")
    #expect(told["small_files"] as? Int == 3 && told["deleted_share"] as? Double ?? 0 > 0)
  }

  // MARK: bad input

  /// Five rows, the third of which is bad in one way or other.
  private static let bad: [(row: String, says: String)] = [
    (#"{"id":null,"v":"x","at":"2024-01-01T00:00:00Z"}"#, "column 'id'"),
    (#"{"v":"x","at":"2024-01-01T00:00:00Z"}"#, "column 'id'"),
    (#"{"id":7,"v":"x"}"#, "column 'at'"),
    (#"{"id":"seven","v":"x","at":"2024-01-01T00:00:00Z"}"#, "found 'seven'"),
    (#"{"id":7,"v":"x","at":"yesterday"}"#, "found 'yesterday'"),
    (#"{"id":7,"v":"x","#, "line 3"),
  ]

  @Test(arguments: bad)
  func `a bad row is named with its line, and put right is gone on with`(
    row: String, says: String
  ) async throws {
    let place = try await workplace()
    func write(_ third: String) throws {
      var lines = Self.five.split(separator: "\n").map(String.init)
      lines.insert(third, at: 2)
      try place.write("in.jsonl", lines.map { $0 + "\n" }.joined())
    }
    func upsert(_ more: String...) async throws -> LakeProcess.Outcome {
      try await place.shell(
        "lake upsert s.t in.jsonl --order-by at --writer w --source-offset "
          + more.joined(separator: " "))
    }
    try write(row)
    let failed = try await upsert()
    #expect(failed.status == 1 && failed.stderr.contains("in.jsonl, line 3"), "\(failed)")
    #expect(failed.stderr.contains(says) && failed.stderr.contains("to go on: lake upsert"))
    // What came before it is there, once.
    #expect(try await place.count("s.t") == 2)
    let aside = try await upsert("--on-error quarantine aside.jsonl")
    #expect(aside.status == 0 && aside.rows.first?["received"] as? Int == 3, "\(aside)")
    #expect(aside.rows.first?["rejected"] as? Int == 1)
    let kept = try String(contentsOf: place.folder.appending(path: "aside.jsonl"), encoding: .utf8)
    #expect(kept == row + "\n")
    #expect(try await place.count("s.t") == 3)
  }

  @Test func `rows that are skipped are counted`() async throws {
    let place = try await workplace()
    let rows = (1...50).map { #"{"id":\#($0 % 5 == 0 ? "\"x\"" : "\($0)"),"v":"a"}"# + "\n" }
    try place.write("in.jsonl", rows.joined())
    let outcome = try await place.lake("upsert", "s.t", "in.jsonl", "--on-error", "skip")
    #expect(outcome.status == 0 && outcome.rows.first?["rejected"] as? Int == 10, "\(outcome)")
    #expect(outcome.stderr.contains("line 5,") && outcome.stderr.contains("(skipped)"))
    #expect(try await place.count("s.t") == 40)
  }

  @Test func `tables and keys that can't be upserted into are told`() async throws {
    let place = try Workplace()
    try place.write("in.jsonl", #"{"id":1,"x":1.5}"# + "\n")
    let tables = [
      ("none", "id long, x double", "", "", "no identifier fields"),
      ("float", "id long, x double", "", "--key x", "can't identify rows"),
      ("absent", "id long, x double", "", "--key z", "'z' can't be part of the key"),
      ("other", "id long, x double", "--key id", "--key x", "by the table's identifier fields"),
      ("old", "id long, x double", "--format-version 1", "--key id", "upgrade it"),
    ]
    for (name, schema, creating, upserting, says) in tables {
      let outcome = try await place.shell(
        """
        lake create b.\(name) --schema '\(schema)' \(creating) > /dev/null || exit
        lake upsert b.\(name) in.jsonl \(upserting)
        """)
      #expect(outcome.status == 1 && outcome.stderr.contains(says), "\(name): \(outcome)")
    }
    let missing = try await place.lake("upsert", "b.nothing", "in.jsonl")
    #expect(missing.status == 3, "\(missing)")
    for arguments in [
      ["--writer", "w"], ["--source-offset"], ["--create"], ["--on-error", "ignore"],
      ["--commit-interval", "soon"],
    ] {
      let outcome = try await place.shell(
        "lake upsert b.none in.jsonl " + arguments.joined(separator: " "))
      #expect(outcome.status == 64, "\(arguments): \(outcome)")
    }
  }

  @Test func `a writer that is started elsewhere stops the one that ran`() async throws {
    let place = try await workplace()
    try place.write("five.jsonl", Self.five)
    let outcome = try await place.shell(
      """
      cp five.jsonl in.jsonl
      "$LAKE" upsert s.t in.jsonl --follow --writer w --source-offset --commit-interval 50ms \
        > first 2> first.err & first=$!
      for try in $(seq 100); do
        [ "$(lake count s.t --format table)" = 3 ] && break; sleep 0.05
      done
      lake upsert s.t in.jsonl --writer w --source-offset > second; echo $?
      echo '{"id":9,"v":"of the first"}' >> in.jsonl
      wait $first; echo $?; cat first.err >&2
      lake upsert s.t in.jsonl --writer w --source-offset > third; echo $?
      lake get s.t 9 --select v --format csv
      """, environment: ["LAKE": LakeProcess.binary.path])
    #expect(outcome.stdout == "0\n4\n0\nv\nof the first\n", "\(outcome)")
    #expect(outcome.stderr.contains("was opened elsewhere"), "\(outcome)")
  }

  @Test(arguments: [("INT", 130), ("TERM", 143)])
  func `a signal ends with what was taken committed, and says how to go on`(
    signal: String, code: Int
  ) async throws {
    let place = try await workplace()
    let outcome = try await place.shell(
      """
      mkfifo pipe
      (for i in $(seq 1000); do echo "{\\"id\\":$i,\\"v\\":\\"a\\"}"; done; exec sleep 60) > pipe &
      feeder=$!
      "$LAKE" upsert s.t - --input-format jsonl --writer w --source-offset --commit-interval 60s \
        < pipe > report 2> errors & upsert=$!
      # The writer's fence is the first that is seen of it; then rows are taken.
      for try in $(seq 200); do [ -n "$(lake log s.t)" ] && break; sleep 0.05; done
      sleep 1.5; kill -\(signal) $upsert; wait $upsert; echo $?
      kill $feeder
      lake count s.t --format table; lake verify s.t --quiet > /dev/null; echo $?
      cat errors >&2
      """, environment: ["LAKE": LakeProcess.binary.path])
    // A machine that is busy may not have come to take the rows.
    let told = outcome.stderr.contains("upsert interrupted: nothing was committed") ? 0 : 1000
    #expect(outcome.stdout == "\(code)\n\(told)\n0\n", "\(outcome)")
    #expect(
      told == 0 || outcome.stderr.contains("interrupted: 1000 rows are in 1 commits"),
      "\(outcome)")
    #expect(outcome.stderr.contains("to go on: lake upsert s.t - --input-format jsonl"))
  }
}
