// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Doctor")
struct DoctorTests {
  /// The lines of the checks, by name.
  private func checks(_ outcome: LakeProcess.Outcome) -> [String: (result: String, text: String)] {
    var found: [String: (String, String)] = [:]
    for row in outcome.rows {
      guard let name = row["check"] as? String, let result = row["result"] as? String else {
        continue
      }
      found[name] = (result, "\(row["finding"] ?? "") → \(row["fix"] ?? "")")
    }
    return found
  }

  private func expect(
    _ outcome: LakeProcess.Outcome, failed name: String, _ words: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.status == 2, "\(outcome)", sourceLocation: location)
    let check = checks(outcome)[name]
    #expect(check?.result == "failed", "\(name): \(outcome)", sourceLocation: location)
    for word in words {
      #expect(
        check?.text.contains(word) == true, "no '\(word)': \(outcome)", sourceLocation: location)
    }
  }

  private func configure(_ place: Workplace, _ entry: String) throws {
    try place.write(
      "lake.yaml",
      "catalog:\n  dev: {\(entry.replacingOccurrences(of: "DIR", with: place.folder.path))}\n")
  }

  private static let sqlite = "type: sql, uri: 'sqlite:///DIR/catalog.db', warehouse: DIR/w"

  @Test func `a warehouse and an SQLite catalog that are well are found so, and left as they were`()
    async throws
  {
    let place = try Workplace(ownCatalog: true)
    let folder = try await place.lake("doctor")
    #expect(folder.status == 0, "\(folder)")
    #expect(checks(folder).values.allSatisfy { $0.result == "ok" }, "\(folder)")
    #expect(
      Set(checks(folder).keys) == [
        "configuration", "reachability", "write", "read", "list", "clock", "delete",
        "conditional writes",
      ])
    #expect(!FileManager.default.fileExists(atPath: place.folder.path + "/warehouse"))
    try configure(place, Self.sqlite)
    let early = try await place.lake("doctor", "--catalog", "dev")
    #expect(early.status == 0, "\(early)")
    #expect(checks(early)["catalog file"]?.text.contains("not there yet") == true)
    #expect(try await !place.files("").contains { $0.contains("catalog.db") })
    try await place.lake("create", "a.b", "--schema", "k int", "--catalog", "dev")
    let before = try await place.files("w")
    let later = try await place.lake("doctor", "--catalog", "dev", "--format", "jsonl")
    #expect(later.status == 0, "\(later)")
    #expect(checks(later).values.allSatisfy { $0.result == "ok" }, "\(later)")
    #expect(checks(later)["catalog file"]?.text.contains("version 1, 1 tables") == true)
    #expect(checks(later)["catalog file"]?.text.contains("wal") == true)
    #expect(try await place.files("w") == before)
    let table = try await place.lake("doctor", "--catalog", "dev", "--format", "table")
    #expect(table.stdout.contains("integrity"))
  }

  @Test func `what is wrong with the configuration is told, with what to write`() async throws {
    let place = try Workplace(ownCatalog: true)
    expect(try await place.lake("doctor", "--catalog", "dev"), failed: "configuration", "lake.yaml")
    try place.write("lake.yaml", "catalog: [")
    expect(try await place.lake("doctor", "--catalog", "dev"), failed: "configuration", "YAML")
    try configure(place, Self.sqlite)
    expect(try await place.lake("doctor", "--catalog", "prod"), failed: "catalog", "dev")
    try configure(place, "type: hive, uri: 'thrift://x'")
    expect(try await place.lake("doctor", "--catalog", "dev"), failed: "catalog", "hive")
    try configure(place, "type: filesystem")
    expect(try await place.lake("doctor", "--catalog", "dev"), failed: "catalog", "warehouse")
    try configure(place, Self.sqlite + ", warehose: x")
    let misspelled = try await place.lake("doctor", "--catalog", "dev")
    #expect(misspelled.status == 0)
    #expect(checks(misspelled)["property warehose"]?.result == "warning", "\(misspelled)")
  }

  @Test func `secrets that others can read are warned of, and not shown`() async throws {
    let place = try Workplace(ownCatalog: true)
    try configure(place, Self.sqlite + ", s3.secret-access-key: canary-secret")
    let file = place.folder.appending(path: "lake.yaml").path
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
    let outcome = try await place.lake("doctor", "--catalog", "dev")
    #expect(checks(outcome)["secrets"]?.result == "warning", "\(outcome)")
    #expect(!"\(outcome)".contains("canary-secret"))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    #expect(checks(try await place.lake("doctor", "--catalog", "dev"))["secrets"] == nil)
  }

  @Test func `a catalog file that is broken, foreign or out of reach is told of`() async throws {
    let place = try Workplace(ownCatalog: true)
    try configure(place, "type: sql, uri: 'sqlite:///DIR/not/catalog.db', warehouse: DIR/w")
    expect(try await place.lake("doctor", "--catalog", "dev"), failed: "catalog file", "folder")
    try configure(place, Self.sqlite)
    try place.write("catalog.db", "no database, however long this text may be")
    expect(
      try await place.lake("doctor", "--catalog", "dev"), failed: "catalog file", "not a database")
    try FileManager.default.removeItem(at: place.folder.appending(path: "catalog.db"))
    try await place.lake("create", "a.b", "--schema", "k int", "--catalog", "dev")
    let python = """
      import sqlite3, sys
      c = sqlite3.connect("catalog.db")
      c.executescript(sys.argv[1])
      c.close()
      """
    try place.write("sql.py", python)
    func sql(_ text: String) async throws -> Bool {
      try await place.shell("python3 sql.py " + Workplace.quoted(text)).status == 0
    }
    guard try await sql("SELECT 1") else {
      print("skipped: python3 is missing")
      return
    }
    _ = try await sql(
      "INSERT INTO iceberg_tables VALUES ('dev', 'a', 'x', '/etc/passwd', NULL, NULL)")
    let odd = try await place.lake("doctor", "--catalog", "dev")
    #expect(odd.status == 0 && checks(odd)["tables"]?.result == "warning", "\(odd)")
    _ = try await sql("CREATE TRIGGER t AFTER DELETE ON iceberg_tables BEGIN SELECT 1; END")
    expect(try await place.lake("doctor", "--catalog", "dev"), failed: "catalog file", "trigger")
    _ = try await sql("DROP TRIGGER t; PRAGMA writable_schema = ON; PRAGMA journal_mode = DELETE")
    let file = place.folder.appending(path: "catalog.db")
    var bytes = try Data(contentsOf: file)
    // The first page of the tables' key: what it counts is not what there is.
    for offset in stride(from: 4096 * 2 + 8, to: min(bytes.count, 4096 * 3), by: 3) {
      bytes[offset] = 0xff
    }
    try bytes.write(to: file)
    let broken = try await place.lake("doctor", "--catalog", "dev")
    #expect(broken.status == 2, "\(broken)")
  }

  @Test func `a warehouse that can't be written is told of`() async throws {
    let place = try Workplace(ownCatalog: true)
    try place.write("warehouse", "a file in its place")
    expect(try await place.lake("doctor"), failed: "write", "→")
  }
}
