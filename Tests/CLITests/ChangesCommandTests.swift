// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("lake changes")
struct ChangesCommandTests {
  /// A table `s.o` of three rows, of which one was updated and one deleted since.
  private func place() async throws -> Workplace {
    let place = try Workplace()
    try place.write(
      "a.jsonl", "{\"id\":1,\"c\":\"a\"}\n{\"id\":2,\"c\":\"b\"}\n{\"id\":3,\"c\":\"c\"}\n")
    try place.write("b.jsonl", "{\"id\":4,\"c\":\"d\"}\n")
    let made = try await place.shell(
      """
      set -e
      lake create s.o --schema 'id long not null, c string' --key id
      lake append s.o a.jsonl
      lake update s.o --set "c = 'z'" --where 'id = 2'
      lake delete s.o --where 'id = 3'
      """)
    guard made.status == 0 else { throw Unexpected(made) }
    return place
  }

  /// What became of which row, a line each.
  private func told(_ outcome: LakeProcess.Outcome) -> [String] {
    outcome.rows.map {
      "\($0["_change_ordinal"] ?? "-") \($0["_change_type"] ?? "-") \($0["id"] ?? "-") "
        + "\($0["c"] ?? "-")"
    }
  }

  @Test func `a commit of more rows than --memory allows is told all the same`() async throws {
    let place = try Workplace()
    try place.write(
      "rows.csv",
      "id,c\n" + (0..<40_000).map { "\($0),a text of some length and row \($0)\n" }.joined())
    let made = try await place.shell(
      """
      set -e
      lake create s.o --schema 'id long not null, c string' --key id
      lake append s.o rows.csv
      lake update s.o --set "c = 'z'" --where 'true'
      lake changes s.o --from start --pre-images --format csv | sort > all
      lake changes s.o --from start --pre-images --format csv --memory 1MB | sort > parts
      cmp all parts
      wc -l < all
      """)
    #expect(made.status == 0 && made.stdout.hasSuffix("120001\n"), "\(made)")
  }

  @Test func `changes are told by commit, net, filtered and with pre-images`() async throws {
    let place = try await place()
    let ids = try await place.lake("log", "s.o", "--format", "jsonl").rows
      .compactMap { $0["snapshot_id"] as? Int64 }
    #expect(ids.count == 3)
    let all = try await place.lake("changes", "s.o", "--from", "start", "--pre-images")
    #expect(
      told(all) == [
        "0 insert 1 a", "0 insert 2 b", "0 insert 3 c", "1 update_before 2 b",
        "1 update_after 2 z", "2 delete 3 c",
      ], "\(all)")
    let some = try await place.lake("changes", "s.o", "--from", "\(ids[2])", "--to", "\(ids[1])")
    #expect(told(some) == ["0 update_after 2 z"], "\(some)")
    let net = try await place.lake(
      "changes", "s.o", "--from", "7d", "--net", "--where", "id < 3", "--select", "c,id",
      "--format", "csv")
    #expect(
      net.stdout == """
        _change_type,_change_ordinal,_commit_snapshot_id,c,id
        insert,0,\(ids[0]),a,1
        insert,0,\(ids[0]),z,2

        """, "\(net)")
    let none = try await place.lake("changes", "s.o", "--from", "main", "--format", "csv")
    #expect(
      none.stdout == "_change_type,_change_ordinal,_commit_snapshot_id,id,c\n" && none.status == 0)
  }

  @Test func `a consumer goes on where it left off`() async throws {
    let place = try await place()
    let first = try await place.lake("changes", "s.o", "--consumer", "x")
    #expect(told(first) == ["0 insert 1 a", "0 insert 2 z"], "\(first)")
    try await place.lake("append", "s.o", "b.jsonl")
    let second = try await place.lake("changes", "s.o", "--consumer", "x")
    #expect(told(second) == ["0 insert 4 d"], "\(second)")
    let third = try await place.lake("changes", "s.o", "--consumer", "x")
    #expect(told(third) == [] && third.status == 0, "\(third)")
  }

  @Test(
    .notWith(.s3, because: "the newest data file is found by the times of a disk"),
    arguments: ["jsonl", "csv", "parquet", "table", "json"])
  func `a consumer's place is behind what was printed, and no further, when reading fails`(
    format: String
  ) async throws {
    let place = try await place()
    let outcome = try await place.shell(
      """
      lake changes s.o --consumer x > /dev/null
      for id in 5 6 7; do
        printf '{"id":%d,"c":"n"}' $id > n.jsonl; lake append s.o n.jsonl > /dev/null
      done
      file=$(ls -t warehouse/s/o/data/*.parquet | head -1)
      mv $file lost
      lake changes s.o --consumer x --format \(format) > out 2> /dev/null; echo $?
      mv lost $file
      lake changes s.o --consumer x
      """)
    #expect(outcome.stdout.hasPrefix("1\n"), "\(outcome)")
    let told = outcome.rows.compactMap { $0["id"] as? Int }
    let isPrinted = ["jsonl", "csv", "json"].contains(format)
    let printed =
      isPrinted
      ? try String(
        contentsOf: place.folder.appending(path: "out"), encoding: .utf8) : ""
    for id in 5...7 {
      let isThere = printed.contains("\"id\":\(id)") || printed.contains(",\(id),n")
      #expect(isThere || told.contains(id), "\(id) was never told: \(outcome)")
    }
  }

  @Test func `following tells what comes, and keeps the place when it is interrupted`() async throws
  {
    let place = try await place()
    let outcome = try await place.shell(
      """
      wait_for() { for i in $(seq 400); do grep -q "$1" out && return; sleep 0.05; done; }
      "$LAKE" changes s.o --consumer x --follow --poll 0.05 > out & reader=$!
      wait_for '"id":2'
      lake append s.o b.jsonl > /dev/null
      wait_for '"id":4'
      kill -INT $reader; wait $reader; echo $?
      wc -l < out
      lake append s.o a.jsonl > /dev/null
      lake changes s.o --consumer x | wc -l
      """, environment: ["LAKE": LakeProcess.binary.path])
    // The signal may meet the request that keeps the place: what a server made of it is not known.
    let isUnknown = TestCatalog.kind == .rest && outcome.lines.first == "5"
    #expect(outcome.stdout == "\(isUnknown ? 5 : 130)\n3\n3\n", "\(outcome)")
  }

  @Test func `what can't be told is refused by a line that says why`() async throws {
    let place = try await place()
    let ids = try await place.lake("log", "s.o", "--format", "jsonl").rows
      .compactMap { $0["snapshot_id"] as? Int64 }
    let before = try await place.files()
    for (arguments, status, part) in [
      (["--from", "main", "--to", "\(ids[2])"], Int32(64), "comes after"),
      (["--from", "77"], 3, "no snapshot 77"),
      (["--from", "nowhere"], 3, "'nowhere'"),
      (["--from", "start", "--select", "none"], 1, "'none'"),
      ([], 64, "--from, or --consumer"),
      (["--consumer", "x", "--to", "\(ids[0])"], 64, "--to"),
      (["--from", "start", "--follow", "--format", "parquet"], 64, "--follow"),
    ] {
      let outcome = try await LakeProcess.run(
        LakeProcess.binary, ["changes", "s.o"] + arguments, in: place.folder)
      #expect(outcome.status == status, "\(arguments): \(outcome)")
      #expect(outcome.stderr.contains(part), "\(arguments): \(outcome)")
      #expect(outcome.stderr.split(separator: "\n").count == 1, "\(arguments): \(outcome)")
    }
    #expect(try await place.files() == before)
    try await place.lake("changes", "s.o", "--consumer", "x")
    let again = try await place.lake("changes", "s.o", "--consumer", "x", "--from", "start")
    #expect(again.status == 64 && again.stderr.contains("has a place"), "\(again)")
    try await place.lake("tag", "s.o", "delete", "consumer.x")
    let lost = try await place.lake("changes", "s.o", "--consumer", "x")
    #expect(lost.status == 3 && lost.stderr.contains("expired or removed"), "\(lost)")
    let anew = try await place.lake("changes", "s.o", "--consumer", "x", "--from", "start")
    #expect(told(anew).count == 2, "\(anew)")
  }
}
