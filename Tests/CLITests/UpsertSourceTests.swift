// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Upsert: sources and their offsets")
struct UpsertSourceTests {
  private func workplace() async throws -> Workplace {
    let place = try Workplace()
    let made = try await place.lake(
      "create", "s.t", "--schema", "id long, v string, at timestamptz", "--key", "id")
    guard made.status == 0 else { throw Unexpected(made) }
    return place
  }

  private static func rows(_ ids: some Sequence<Int>, _ value: String) -> String {
    ids.map { #"{"id":\#($0),"v":"\#(value)","at":"2024-01-01T00:00:00Z"}"# + "\n" }.joined()
  }

  private func contents(_ place: Workplace) async throws -> [String] {
    let outcome = try await place.lake("scan", "s.t", "--select", "id,v", "--format", "csv")
    guard outcome.status == 0 else { throw Unexpected(outcome) }
    return outcome.lines.dropFirst().map(String.init)
      .sorted { (Int($0.prefix { $0 != "," }) ?? 0) < (Int($1.prefix { $0 != "," }) ?? 0) }
  }

  /// A line of the report that a command prints.
  private func number(_ outcome: LakeProcess.Outcome, _ name: String) -> Int? {
    outcome.rows.first?[name] as? Int
  }

  @Test func `a file that has grown is taken from where it was committed`() async throws {
    let place = try await workplace()
    let file = try place.write("in.jsonl", Self.rows(1...3, "a"))
    func upsert() async throws -> LakeProcess.Outcome {
      try await place.lake("upsert", "s.t", file, "--writer", "w", "--source-offset")
    }
    let first = try await upsert()
    #expect(first.status == 0 && number(first, "received") == 3, "\(first)")
    try place.write("in.jsonl", Self.rows(1...3, "a") + Self.rows([2, 4], "b"))
    let second = try await upsert()
    #expect(second.status == 0 && number(second, "received") == 2, "\(second)")
    #expect(try await contents(place) == ["1,a", "2,b", "3,a", "4,b"])
    let third = try await upsert()
    #expect(third.status == 0 && number(third, "received") == 0, "\(third)")
  }

  @Test func `a last line without an end is taken once, whether or not more follows`() async throws
  {
    let place = try await workplace()
    let file = try place.write("in.jsonl", #"{"id":1,"v":"a"}"#)
    for (text, received) in [
      (#"{"id":1,"v":"a"}"#, 1), (#"{"id":1,"v":"a"}"#, 0),
      ("{\"id\":1,\"v\":\"a\"}\n{\"id\":2,\"v\":\"b\"}", 1),
    ] {
      try place.write("in.jsonl", text)
      let outcome = try await place.lake("upsert", "s.t", file, "--writer", "w", "--source-offset")
      #expect(outcome.status == 0 && number(outcome, "received") == received, "\(outcome)")
    }
    #expect(try await contents(place) == ["1,a", "2,b"])
  }

  @Test func `a file that was cut or changed is refused, whatever its rows say`() async throws {
    let place = try await workplace()
    let file = try place.write("in.jsonl", Self.rows(1...3, "a"))
    func upsert() async throws -> LakeProcess.Outcome {
      try await place.lake("upsert", "s.t", file, "--writer", "w", "--source-offset")
    }
    #expect(try await upsert().status == 0)
    try place.write("in.jsonl", Self.rows(1...2, "b"))
    let cut = try await upsert()
    #expect(cut.status == 1 && cut.stderr.contains("it is not what was read before"), "\(cut)")
    try place.write("in.jsonl", Self.rows(1...9, "longer"))
    let other = try await upsert()
    #expect(other.status == 1 && other.stderr.contains("no line ends at"), "\(other)")
    #expect(try await contents(place) == ["1,a", "2,a", "3,a"])
  }

  @Test func `lines of a pipe that is replayed are taken once`() async throws {
    let place = try await workplace()
    let header = "id,v,at\n"
    let start = header + "1,a,\n2,\"two\nlines\",\n"
    func upsert(_ text: String) async throws -> LakeProcess.Outcome {
      try await place.lake(
        "upsert", "s.t", "-", "--input-format", "csv", "--writer", "w", "--source-offset",
        stdin: text)
    }
    let first = try await upsert(start)
    #expect(number(first, "received") == 2, "\(first)")
    let second = try await upsert(start + "2,b,\n3,c,\n")
    #expect(number(second, "received") == 2, "\(second)")
    #expect(try await contents(place) == ["1,a", "2,b", "3,c"])
    let shorter = try await upsert(start)
    #expect(shorter.status == 1 && shorter.stderr.contains("ends at 4"), "\(shorter)")
  }

  @Test func `a column of offsets passes over what was committed, in any file`() async throws {
    let place = try await workplace()
    func line(_ offset: Int, _ id: Int, _ value: String) -> String {
      #"{"o":\#(offset),"id":\#(id),"v":"\#(value)"}"# + "\n"
    }
    let file = try place.write("in.jsonl", line(5, 1, "a") + line(6, 2, "a"))
    func upsert() async throws -> LakeProcess.Outcome {
      try await place.lake(
        "upsert", "s.t", file, "--writer", "w", "--offset-column", "o")
    }
    #expect(number(try await upsert(), "received") == 2)
    // Delivered again, in part, and twice.
    try place.write(
      "in.jsonl",
      line(6, 2, "again") + line(7, 3, "b") + line(6, 1, "again") + line(7, 3, "again")
        + line(9, 2, "c"))
    let second = try await upsert()
    #expect(number(second, "received") == 2 && number(second, "replayed") == 3, "\(second)")
    #expect(try await contents(place) == ["1,a", "2,c", "3,b"])
  }

  @Test(arguments: ["--offset-column o", "--source-offset"])
  func `rows that do not fit are put aside once, however often the command is started`(
    offsets: String
  ) async throws {
    let place = try await workplace()
    func good(_ offset: Int) -> String { #"{"o":\#(offset),"id":\#(offset),"v":"a"}"# + "\n" }
    func bad(_ number: Int) -> String { #"{"o":1,"id":"bad \#(number)","v":"a"}"# + "\n" }
    func upsert() async throws -> LakeProcess.Outcome {
      try await place.shell(
        """
        lake upsert s.t in.jsonl --writer w \(offsets) --on-error 'quarantine aside.jsonl' \
        \(offsets == "--source-offset" ? "--operation-column o" : "")
        """)
    }
    // Of text, whose offsets are places, the column says what a row is.
    func rows(_ text: String) -> String {
      guard offsets == "--source-offset" else { return text }
      return text.replacing(#/"o":\d+/#, with: #""o":"upsert""#)
    }
    var text = ""
    for (number, more) in [
      bad(0) + good(1) + bad(1) + bad(1) + good(2) + bad(2), bad(3), bad(4) + good(3) + bad(5),
      bad(2), good(4) + good(5), "",
    ].enumerated() {
      text += more
      try place.write("in.jsonl", rows(text))
      for again in 0..<2 {
        let outcome = try await upsert()
        #expect(outcome.status == 0, "\(outcome)")
        let aside = try String(
          contentsOf: place.folder.appending(path: "aside.jsonl"), encoding: .utf8)
        let expected = rows(text).split(separator: "\n").filter { $0.contains("bad") }
        #expect(aside.split(separator: "\n") == expected, "step \(number), \(again)")
      }
    }
    #expect(try await contents(place) == (1...5).map { "\($0),a" })
  }

  @Test func `rows of other files are counted`() async throws {
    let place = try await workplace()
    for name in ["first", "second"] {
      let rows = Self.rows(1...(name == "first" ? 3 : 5), "x")
      let made = try await place.shell(
        """
        rm -rf other; printf '%s' \(Workplace.quoted(rows)) > rows.jsonl
        lake append o.\(name) rows.jsonl --create --quiet > /dev/null
        lake scan o.\(name) --format parquet > in.parquet
        lake upsert s.t in.parquet --writer w --source-offset
        """)
      #expect(
        made.status == 0 && number(made, "received") == (name == "first" ? 3 : 2), "\(made)")
    }
    #expect(try await contents(place).count == 5)
  }

  @Test func `a slow pipe's rows are committed within the interval`() async throws {
    let place = try await workplace()
    let outcome = try await place.shell(
      """
      mkfifo pipe
      (echo '{"id":1,"v":"early"}'
       for try in $(seq 600); do [ -e seen ] && break; sleep 0.05; done
       echo '{"id":2,"v":"late"}') > pipe &
      lake upsert s.t - --input-format jsonl --commit-interval 200ms < pipe > report &
      # The second row comes when the first is there, so that nothing but time commits it.
      for try in $(seq 200); do
        [ "$(lake count s.t --format table)" = 1 ] && echo "seen" && break
        sleep 0.1
      done
      touch seen; wait
      lake count s.t --format table
      """)
    #expect(outcome.stdout == "seen\n2\n", "\(outcome)")
  }

  @Test func `a growing file is followed, whole lines at a time, until a signal`() async throws {
    let place = try await workplace()
    let outcome = try await place.shell(
      """
      count() { lake count s.t --format table; }
      until_count() {
        for try in $(seq 100); do [ "$(count)" = $1 ] && return; sleep 0.05; done
        echo "no $1 rows"
      }
      printf '{"id":1,"v":"a"}\\n{"id":2,' > in.jsonl; : > other.jsonl
      "$LAKE" upsert s.t in.jsonl other.jsonl --follow --writer w --source-offset \
        --commit-interval 50ms > report 2> errors & upsert=$!
      until_count 1
      printf '"v":"b"}\\n' >> in.jsonl
      until_count 2
      printf '{"id":3,"v":"c"}\\n' >> other.jsonl
      until_count 3
      printf '{"id":4,"v":"d"}' >> in.jsonl
      sleep 0.3; kill -INT $upsert; wait $upsert; echo $?
      printf '\\n' >> in.jsonl
      cat errors >&2
      lake upsert s.t in.jsonl other.jsonl --writer w --source-offset > report
      count
      """, environment: ["LAKE": LakeProcess.binary.path])
    #expect(outcome.stdout == "130\n4\n", "\(outcome)")
    #expect(
      outcome.stderr.contains("nothing that was taken is lost; to go on: lake upsert s.t in.jsonl"),
      "\(outcome)")
  }

  @Test func `a followed file that is cut or replaced ends the command`() async throws {
    for change in [": > in.jsonl", "cp in.jsonl new; mv new in.jsonl"] {
      let place = try await workplace()
      let outcome = try await place.shell(
        """
        printf '{"id":1,"v":"a"}\\n' > in.jsonl
        "$LAKE" upsert s.t in.jsonl --follow --writer w --source-offset --commit-interval 50ms \
          > report & upsert=$!
        for try in $(seq 100); do
          [ "$(lake count s.t --format table)" = 1 ] && break; sleep 0.05
        done
        \(change)
        wait $upsert; echo $?
        """, environment: ["LAKE": LakeProcess.binary.path])
      #expect(outcome.stdout == "1\n", "\(change): \(outcome)")
      #expect(
        outcome.stderr.contains("was cut to 0 bytes")
          || outcome.stderr.contains("another file took its place"), "\(outcome)")
    }
  }

  @Test func `commits are of as many rows as were asked for`() async throws {
    let place = try await workplace()
    let file = try place.write("in.jsonl", Self.rows(1...1003, "a"))
    let outcome = try await place.lake("upsert", "s.t", file, "--commit-rows", "100")
    #expect(number(outcome, "commits") == 11 && number(outcome, "written") == 1003, "\(outcome)")
    let snapshots = try await place.lake("inspect", "s.t", "snapshots").rows
    let received = snapshots.compactMap {
      ($0["summary"] as? [[String]])?.first { $0[0] == "lake.upsert.received" }?[1]
    }
    #expect(received == [String](repeating: "100", count: 10) + ["3"])
  }
}
