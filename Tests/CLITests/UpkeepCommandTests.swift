// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The commands that keep a table up, as scripts see them.
@Suite("Upkeep commands")
struct UpkeepCommandTests {
  private func table(_ place: Workplace) async throws {
    for number in 1...4 {
      let file = try place.write("f\(number).csv", "id,v\n\(number),a\n\(number + 100),b\n")
      let outcome = try await place.lake("append", "b.t", file, "--create")
      #expect(outcome.status == 0, "\(outcome)")
    }
  }

  @Test func `compact, expire, orphans and verify tell what they did as an object`() async throws {
    let place = try Workplace()
    try await table(place)
    let planned = try await place.lake("compact", "b.t", "--dry-run").rows
    #expect(planned.first?["removed_files"] as? Int64 == 4)
    let compacted = try await place.lake("compact", "b.t").rows
    #expect(compacted.first?["operation"] as? String == "replace")
    #expect(compacted.first?["added_files"] as? Int64 == 1)
    try await Task.sleep(for: .seconds(1.1))
    let expired = try await place.lake("expire", "b.t", "--older-than", "1s").rows
    #expect(expired.first?["expired_snapshots"] as? Int64 == 4)
    #expect(expired.first?["data_files"] as? Int64 == 4)
    #expect(try await place.files("warehouse/b/t/data").count == 1)
    try await place.replace("warehouse/b/t/data/lost.parquet", with: Data("x".utf8))
    try await Task.sleep(for: .seconds(1.1))
    #expect(try await place.lake("orphans", "b.t", "--older-than", "1s").rows.count == 1)
    let swept = try await place.lake("orphans", "b.t", "--older-than", "1s", "--delete").rows
    #expect(swept.first?["deleted_files"] as? Int64 == 1)
    #expect(try await place.lake("verify", "b.t", "--deep").status == 0)
    #expect(try await place.count("b.t") == 8)
  }

  @Test func `maintain tells each step, and a policy that makes no sense is a usage error`()
    async throws
  {
    let place = try Workplace()
    try await table(place)
    let steps = try await place.lake("maintain", "b.t", "--policy", "target=1MB").rows
    #expect(
      steps.map { $0["task"] as? String } == [
        "compact", "expire", "manifests", "metadata", "orphans",
      ])
    #expect(steps.first?["outcome"] as? String == "done")
    let refused = try await place.lake("maintain", "b.t", "--policy", "keep=forever")
    #expect(refused.status == 64, "\(refused)")
    #expect(try await place.lake("expire", "b.t", "--older-than", "soon").status == 64)
    #expect(try await place.lake("orphans", "b.t", "--force").status == 64)
    #expect(try await place.lake("compact", "b.t", "--target-size", "0").status == 64)
    #expect(try await place.count("b.t") == 8)
  }

  @Test func `a lost file is found with 2, and a repair says which rows went`() async throws {
    let place = try Workplace()
    try await table(place)
    let folder = "warehouse/b/t/data"
    let file = try #require(try await place.files(folder).first)
    try await place.remove("\(folder)/\(file)")
    #expect(try await place.lake("verify", "b.t").status == 2)
    let lost = try await place.lake("verify", "b.t", "--repair").rows
    #expect(lost.count == 1)
    #expect(lost.first?["rows"] as? Int64 == 2)
    #expect(lost.first?["positions"] as? String == "0-1")
    #expect(lost.first?["live_rows"] as? Int64 == 2)
    #expect(try await place.count("b.t") == 6)
  }
}
