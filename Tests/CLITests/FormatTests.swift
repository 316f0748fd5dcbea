// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Every command in every format")
struct FormatTests {
  /// Commands that read, and how many rows each has to print.
  static let commands: [([String], Int)] = [
    (["scan", "shop.orders"], 4),
    (["count", "shop.orders"], 1),
    (["log", "shop.orders"], 2),
    (["show", "shop.orders"], 1),
    (["schema", "shop.orders"], 7),
    (["schema", "shop.orders", "--history"], 7),
    (["describe", "shop.orders"], 1),
    (["ls"], 1),
    (["ls", "shop"], 1),
    (["verify", "shop.orders"], 0),
    (["version"], 1),
    (["inspect", "shop.orders", "snapshots"], 2),
    (["inspect", "shop.orders", "history"], 2),
    (["inspect", "shop.orders", "refs"], 1),
    (["inspect", "shop.orders", "metadata_log_entries"], 3),
    (["inspect", "shop.orders", "properties"], 1 + TestCatalog.ownProperties.count),
    (["inspect", "shop.orders", "manifests"], 2),
    (["inspect", "shop.orders", "files"], 3),
    (["inspect", "shop.orders", "data_files"], 3),
    (["inspect", "shop.orders", "delete_files"], 0),
    (["inspect", "shop.orders", "entries"], 3),
    (["inspect", "shop.orders", "partitions"], 3),
    (["inspect", "shop.orders", "all_manifests"], 3),
    (["inspect", "shop.orders", "all_files"], 3),
    (["inspect", "shop.orders", "all_data_files"], 3),
    (["inspect", "shop.orders", "all_delete_files"], 0),
    (["inspect", "shop.orders", "all_entries"], 3),
    (["parquet", "schema", "DATA"], 8),
    (["parquet", "meta", "DATA"], 1),
    (["parquet", "head", "DATA"], 1),
    (["parquet", "cat", "DATA"], 1),
    (["parquet", "count", "DATA"], 1),
    (["parquet", "pages", "DATA"], 6),
    (["parquet", "index", "DATA"], 6),
    (["parquet", "verify", "DATA"], 0),
  ]

  @Test func `lines of JSON, a JSON array, CSV and a table have the same rows`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let data = try #require(try await place.files().first { $0.contains("part=null") })
    let path = try await place.fetch("warehouse/\(data)").path
    for (command, count) in Self.commands {
      let command = command.map { $0 == "DATA" ? path : $0 }
      func run(_ format: String) async throws -> LakeProcess.Outcome {
        let outcome = try await LakeProcess.run(
          LakeProcess.binary, command + ["--format", format], in: place.folder)
        #expect(outcome.status == 0, "\(command) \(format): \(outcome)")
        return outcome
      }
      let lines = try await run("jsonl")
      #expect(lines.rows.count == count, "\(command): \(lines)")
      #expect(lines.lines.count == count, "\(command): a line that is no JSON object: \(lines)")
      let array = try JSONSerialization.jsonObject(with: Data(try await run("json").stdout.utf8))
      let rows = try #require(array as? [[String: Any]])
      #expect(NSArray(array: rows).isEqual(to: lines.rows), "\(command)")
      let csv = try CSVTable(try await run("csv").stdout)
      #expect(csv.rows.count == count, "\(command)")
      for (row, object) in zip(csv.rows, lines.rows) {
        #expect(row.count == csv.columns.count, "\(command)")
        #expect(Set(csv.columns) == Set(object.keys), "\(command)")
      }
      #expect(!(try await run("table")).stdout.isEmpty, "\(command)")
    }
  }

  @Test func `what goes into a pipe is lines of JSON`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let outcome = try await place.shell("lake scan shop.orders --select id --where 'id = 2' | cat")
    #expect(outcome.stdout == "{\"id\":2}\n")
  }

  @Test func `commands that change something tell it in an object or a line`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let rows = try place.write("more.csv", "id,part\n9,z\n")
    let commands = [
      ["create", "shop.other", "--schema", "a int"], ["append", "shop.orders", rows],
      ["alter", "shop.orders", "set", "k=v"], ["alter", "shop.orders", "unset", "k"],
      ["drop", "shop.other"],
    ]
    let keys = [
      "table", "snapshot_id", "operation", "sequence_number", "added_rows", "deleted_rows",
      "added_files", "removed_files", "attempts", "duration_ms",
    ]
    for command in commands {
      let outcome = try await LakeProcess.run(
        LakeProcess.binary, command + ["--format", "json"], in: place.folder)
      #expect(outcome.status == 0, "\(command): \(outcome)")
      #expect(outcome.rows.count == 1, "\(command): \(outcome)")
      #expect(Set(outcome.rows.first?.keys ?? [:].keys) == Set(keys), "\(command): \(outcome)")
    }
    let line = try await place.lake("append", "shop.orders", rows, "--format", "table")
    #expect(line.stdout.hasPrefix("shop.orders: append, 1 rows in 1 files added, snapshot "))
    #expect(line.lines.count == 1)
  }
}

/// Just enough of RFC 4180 to count fields.
struct CSVTable {
  var columns: [String] = []
  var rows: [[String]] = []

  struct Unterminated: Error {}

  init(_ text: String) throws {
    var records: [[String]] = []
    var record: [String] = []
    var field = ""
    var isQuoted = false
    var rest = Substring(text)
    while let character = rest.popFirst() {
      if isQuoted {
        if character != "\"" {
          field.append(character)
        } else if rest.first == "\"" {
          field.append(rest.removeFirst())
        } else {
          isQuoted = false
        }
      } else if character == "\"" {
        isQuoted = true
      } else if character == "," || character == "\n" {
        record.append(field)
        field = ""
        if character == "\n" {
          records.append(record)
          record = []
        }
      } else {
        field.append(character)
      }
    }
    guard !isQuoted, field.isEmpty, record.isEmpty else { throw Unterminated() }
    columns = records.first ?? []
    rows = Array(records.dropFirst())
  }
}
