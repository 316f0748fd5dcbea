// SPDX-License-Identifier: Apache-2.0
import Foundation
import LakeTestSupport
import Testing

/// `Fixtures/parquet/variants.parquet`, which DuckDB wrote and shredded: ids from 1 to 8, and a
/// variant `v` and another `s`, objects of the same fields but for two, in each row.
@Suite("Variants")
struct VariantOutputTests {
  private static let fixture = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/parquet/variants.parquet")

  /// What was written, with the spelling that columns of these types have.
  private static let json = [
    #"{"a":[1.0,2.5,null],"b":"0xaa01","big":10000000000,"d":"2024-02-29","dec":1.20,"#
      + #""t":"2024-02-29T12:00:00.000000","u":"b\"q"}"#,
    "null", #""x""#, #""c0ffee00-c0ff-eec0-ffee-c0ffeec0ffee""#, #""12:00:01.500000""#,
    #""2023-12-31T22:00:00.000000Z""#, "1e+300", "1.5",
  ]
  private static let others = (1...8).map { id in
    if id == 4 { return "\"other\"" }
    if id == 5 { return "null" }
    let day = id == 1 ? "2024-02-29" : "2024-03-0\(id - 1)"
    let part = "{\"c\":\"t\(id)\",\"d\":[\(id),null,\(id + 1)]}"
    return "{\"a\":\(id),\"b\":\(part),\"day\":\"\(day)\",\"e\":\(Double(id) / 4)}"
  }
  private static let lines = zip(json, others).enumerated().map { index, row in
    "{\"id\":\(index + 1),\"v\":\(row.0),\"s\":\(row.1)}"
  }

  private func place() throws -> Workplace {
    let place = try Workplace()
    try FileManager.default.copyItem(
      at: Self.fixture, to: place.folder.appending(path: "v.parquet"))
    return place
  }

  @Test func `a shredded variant is printed as the JSON it holds, in every form of text`()
    async throws
  {
    let place = try place()
    for command in ["cat", "head"] {
      let rows = try await place.lake("parquet", command, "v.parquet")
      #expect(rows.lines.map(String.init) == Self.lines, "\(rows)")
      let csv = try await place.lake("parquet", command, "v.parquet", "--format", "csv")
      func field(_ json: String) -> String {
        guard json.contains(where: { "\",".contains($0) }) else { return json }
        return "\"" + json.replacingOccurrences(of: "\"", with: "\"\"") + "\""
      }
      let fields = zip(Self.json, Self.others).enumerated().map { index, row in
        "\(index + 1),\(field(row.0)),\(field(row.1))"
      }
      #expect(csv.lines.map(String.init) == ["id,v,s"] + fields, "\(csv)")
      let table = try await place.lake("parquet", command, "v.parquet", "--format", "table")
      #expect(table.lines.dropFirst(3).first?.hasPrefix(" 2  null ") == true, "\(table)")
      #expect(table.lines.dropFirst(4).first?.hasPrefix(" 3  \"x\" ") == true, "\(table)")
      #expect(table.lines.dropFirst(5).first?.hasSuffix("  \"other\"") == true, "\(table)")
    }
  }

  @Test func `a table of appended and added variants has them all, and changes rows of them`()
    async throws
  {
    let place = try place()
    let refused = try await place.lake("append", "db.v2", "v.parquet", "--create")
    #expect(refused.status == 1 && refused.stderr.contains("format version 3"), "\(refused)")
    let create = try await place.lake(
      "append", "db.v", "v.parquet", "--create", "--format-version", "3")
    #expect(create.status == 0, "\(create)")
    let add = try await place.lake(
      "add-files", "db.v", "v.parquet", "--allow-location", place.folder.path)
    #expect(add.status == 0, "\(add)")
    let all = try await place.lake("scan", "db.v", "--allow-location", place.folder.path)
    #expect(all.lines.map(String.init).sorted() == (Self.lines + Self.lines).sorted(), "\(all)")
    let change = try await place.lake(
      "update", "db.v", "--set", "id = id + 10", "--where", "id <= 2", "--allow-location",
      place.folder.path)
    #expect(change.status == 0, "\(change)")
    let changed = try await place.lake(
      "scan", "db.v", "--where", "id = 11", "--allow-location", place.folder.path)
    let line = "{\"id\":11," + Self.lines[0].dropFirst(8)
    #expect(changed.lines.map(String.init) == [line, line], "\(changed)")
    // Written again as one Parquet file, it is a variant still.
    let again = try await place.shell(
      """
      lake scan db.v --where "id = 8" --format parquet --allow-location . > again.parquet
      lake parquet cat again.parquet
      """)
    #expect(again.lines.map(String.init) == [Self.lines[7], Self.lines[7]], "\(again)")
  }

  @Test(.notWith(.s3, because: "DuckDB is given files of a disk"))
  func `DuckDB reads the variants of a table as they were`() async throws {
    guard let python = Oracles.python(of: "duckdb") else {
      print("skipped: DuckDB is not installed")
      return #expect(ProcessInfo.processInfo.environment["LAKE_CI"] != "1")
    }
    let place = try place()
    let create = try await place.lake(
      "append", "db.v", "v.parquet", "--create", "--format-version", "3")
    #expect(create.status == 0, "\(create)")
    let script = try place.write(
      "compare.py",
      """
      import duckdb, sys
      connection = duckdb.connect()
      connection.execute("load iceberg")
      folder = sys.argv[1]
      last = sys.argv[2]
      query = "select id, v::varchar, variant_typeof(v), s::varchar from {} order by id"
      table = connection.execute(query.format(f"iceberg_scan('{last}')")).fetchall()
      file = connection.execute(query.format(f"'{folder}/v.parquet'")).fetchall()
      sys.exit(0 if len(table) == 8 and table == file else f"{table}\\n{file}")
      """)
    let newest = try await place.newestMetadata("db/v")
    try Oracles.run(
      python, [script, place.folder.path, place.folder.appending(path: newest).path])
  }
}
