// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import Testing

@Suite("Statistics and reports")
struct StatisticsTests {
  @Test func `what is analyzed is described`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    #expect(try await place.lake("describe", "shop.orders").rows.first?["statistics"] == nil)
    let all = try await place.lake("analyze", "shop.orders")
    let report = try #require(all.rows.first)
    #expect(report["operation"] as? String == "analyze")
    #expect(
      report["ndv"] as? [String: Int] == ["id": 4, "name": 2, "price": 3, "at": 3, "part": 2])
    let lines = try await place.lake(
      "analyze", "shop.orders", "--columns", "id, part", "--format", "table")
    #expect(lines.stdout.contains("  id: 4 distinct values\n  part: 2 distinct values\n"))
    let described = try await place.lake("describe", "shop.orders")
    let statistics = try #require(described.rows.first?["statistics"] as? [[String: Any]])
    var counts: [String: Int] = [:]
    for blob in statistics {
      #expect(blob["kind"] as? String == "apache-datasketches-theta-v1")
      #expect(blob["snapshot_id"] as? Int64 == report["snapshot_id"] as? Int64)
      let columns = try #require(blob["columns"] as? [String])
      counts[columns.joined()] = blob["ndv"] as? Int
    }
    #expect(counts == report["ndv"] as? [String: Int])
    #expect(try await place.lake("verify", "shop.orders").status == 0)
    let missing = try await place.lake("analyze", "shop.orders", "--columns", "nope")
    #expect(missing.status == 1 && missing.stderr.contains("'nope'"))
  }

  /// As an engine sets it that computes such files.
  private struct PartitionStatistics: TableChange {
    let path: String

    func plan(
      onto base: Table, attempt: CommitAttempt
    ) async throws(CommitError) -> ChangePlan {
      guard let id = base.metadata.currentSnapshotID else {
        return ChangePlan(requirements: [], updates: [])
      }
      let file = PartitionStatisticsFile(snapshotID: id, path: path, byteCount: 12)
      return ChangePlan(requirements: [], updates: [.setPartitionStatistics(file)])
    }
  }

  @Test func `partition statistics files are kept and listed`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let table = try await TestCatalog.open(in: place.folder)
      .loadTable(TableIdentifier("shop.orders"))
    let path = "\(table.metadata.location)/metadata/partitions.parquet"
    _ = try await table.commit(PartitionStatistics(path: path))
    #expect(try await place.lake("analyze", "shop.orders").status == 0)
    let described = try await place.lake("describe", "shop.orders")
    let listed = try #require(
      described.rows.first?["partition_statistics"] as? [[String: Any]])
    #expect(listed.count == 1 && listed[0]["file"] as? String == path)
    #expect(listed[0]["bytes"] as? Int == 12)
    #expect(
      listed[0]["snapshot_id"] as? Int64 == table.metadata.currentSnapshotID?.rawValue)
    #expect(described.rows.first?["statistics"] != nil)
  }

  @Test func `new columns come with the rows of files`() async throws {
    let place = try Workplace()
    let first = try place.write("first.csv", "id,city\n1,Rome\n")
    let second = try place.write("second.csv", "zip,id\n00123,2\n")
    let third = try place.write("third.jsonl", #"{"id": 3, "at": {"lat": 1.5}}"# + "\n")
    #expect(try await place.lake("append", "db.t", first, "--create").status == 0)
    #expect(try await place.lake("append", "db.t", second).status != 0)
    let outcome = try await place.lake("append", "db.t", second, third, "--union-by-name")
    #expect(outcome.rows.first?["added_rows"] as? Int == 2, "\(outcome)")
    #expect(
      try await place.lake("scan", "db.t").stdout == """
        {"id":1,"city":"Rome","zip":null,"at":null}
        {"id":2,"city":null,"zip":"00123","at":null}
        {"id":3,"city":null,"zip":null,"at":{"lat":1.5}}

        """)
    #expect(try await place.lake("log", "db.t").rows.count == 2)
    for arguments in [["-"], [second, "--no-header"]] {
      let outcome = try await LakeProcess.run(
        LakeProcess.binary, ["append", "db.t", "--union-by-name"] + arguments, in: place.folder)
      #expect(outcome.status == 64)
    }
  }

  @Test func `--stats tells of commits on standard error`() async throws {
    let place = try Workplace()
    let file = try place.write("rows.csv", "id,city\n1,Rome\n2,Oslo\n")
    let added = try await place.lake("append", "db.t", file, "--create", "--stats")
    #expect(added.stderr.contains("commit: append, 1 attempts\ndata files: 1 added, 0 removed"))
    #expect(added.rows.count == 1)
    let deleted = try await place.lake("delete", "db.t", "--where", "id = 1", "--stats")
    #expect(deleted.stderr.contains("1 deleted by position"), "\(deleted)")
    let scanned = try await place.lake("scan", "db.t", "--stats")
    #expect(scanned.stderr.contains("data files: 1 of 1 kept\ndelete files: 1 of 1 applied"))
    #expect(try await place.lake("scan", "db.t").stderr == "")
  }
}
