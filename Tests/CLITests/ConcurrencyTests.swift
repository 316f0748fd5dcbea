// SPDX-License-Identifier: Apache-2.0
import Foundation
import SeededNumbers
import Testing

@Suite("Processes side by side")
struct ConcurrencyTests {
  /// Each of 8 processes appends one row at a time; 8 × 50 rows with `LAKE_DEPTH=long`.
  @Test func `eight writers lose nothing, double nothing and keep one history`() async throws {
    let appends = Depth.isLong ? 50 : 10
    let place = try Workplace()
    #expect(
      try await place.lake("create", "b.t", "--schema", "writer int, n int").status == 0)
    let outcomes = try await Workplace.eight { writer in
      try await place.shell(
        """
        for n in $(seq \(appends)); do
          echo "{\\"writer\\":\(writer),\\"n\\":$n}" \
            | lake append b.t - --input-format jsonl || exit
        done
        """)
    }
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome)") }

    let total = 8 * appends
    let rows = try await place.lake("scan", "b.t").rows
    #expect(rows.count == total)
    #expect(Set(rows.map { "\($0)" }).count == total, "rows are there twice")

    let snapshots = try await place.linearHistory("b.t")
    #expect(snapshots.count == total)
    let numbers = snapshots.compactMap { $0["sequence_number"] as? Int64 }
    #expect(numbers == (1...Int64(total)).reversed())
    #expect(snapshots.last?["parent_id"] is NSNull)

    let metadata = try await place.files("warehouse/b/t/metadata")
    let versions = metadata.filter { $0.hasSuffix(".metadata.json") }
    let states = versions.compactMap(TestCatalog.version).sorted()
    // A server of a REST catalog leaves what it wrote for attempts that lost.
    let isOnServer = TestCatalog.kind == .rest
    #expect((isOnServer ? Set(states).sorted() : states) == Array(1...total + 1))
    // What was written for attempts that lost is gone again: a list and a manifest a snapshot.
    #expect(metadata.filter { $0.hasSuffix(".avro") }.count == 2 * total)
    #expect(try await place.files("warehouse/b/t/data").count == total)

    let verified = try await place.lake("verify", "b.t")
    #expect(verified.status == 0, "\(verified)")
    let attempts = outcomes.flatMap(\.rows).compactMap { $0["attempts"] as? Int }
    #expect(attempts.count == total)
    print("8 × \(appends) appends took \(attempts.reduce(0, +)) attempts")
  }

  @Test func `of writers that create one table, one does`() async throws {
    let place = try Workplace()
    let outcomes = try await withThrowingTaskGroup(of: LakeProcess.Outcome.self) { group in
      for writer in 0..<8 {
        group.addTask { try await place.lake("create", "b.t", "--schema", "a\(writer) int") }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.filter { $0.status == 0 }.count == 1)
    for outcome in outcomes where outcome.status != 0 {
      #expect(outcome.status == 1 && outcome.stderr.contains("already"), "\(outcome)")
    }
  }
}
