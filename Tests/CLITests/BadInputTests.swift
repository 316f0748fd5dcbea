// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What people and disks do wrong: each a line that names file, place, expected and found; and the
/// table is as it was.
@Suite("Bad input")
struct BadInputTests {
  /// Expects `arguments` to fail so, and nothing of the warehouse to change.
  private func expectFailure(
    _ place: Workplace, _ arguments: [String], status: Int32, says parts: [String],
    stdin: String? = nil, at location: SourceLocation = #_sourceLocation
  ) async throws {
    let before = try await place.files()
    let outcome = try await LakeProcess.run(
      LakeProcess.binary, arguments, in: place.folder, stdin: stdin)
    #expect(outcome.status == status, "\(outcome)", sourceLocation: location)
    let lines = outcome.stderr.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.count == 2 && lines.last == "" && outcome.stderr.hasPrefix("lake: "),
      "not one line: \(outcome)", sourceLocation: location)
    for part in parts {
      #expect(
        outcome.stderr.contains(part), "no '\(part)' in: \(outcome)", sourceLocation: location)
    }
    #expect(try await place.files() == before, "files came or went", sourceLocation: location)
  }

  @Test func `a CSV row with another number of fields`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let file = try place.write("bad.csv", "id,name,part\n7,a,x\n8,b\n9,c,x\n")
    try await expectFailure(
      place, ["append", "shop.orders", file], status: 1,
      says: ["append failed: ", "bad.csv", "line 3", "expected 3 fields, found 2"])
    #expect(try await place.count("shop.orders") == 4)
  }

  @Test func `a text that is no value of its column`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let csv = try place.write("bad.csv", "id,name\n7,a\nseven,b\n")
    try await expectFailure(
      place, ["append", "shop.orders", csv], status: 1,
      says: ["bad.csv", "line 3", "column 'id'", "expected", "found 'seven'"])
    let lines = try place.write("bad.jsonl", "{\"id\":1}\n{\"id\":2,\"price\":\"much\"}\n")
    try await expectFailure(
      place, ["append", "shop.orders", lines], status: 1,
      says: ["bad.jsonl", "line 2", "column 'price'", "expected", "much"])
    let broken = try place.write("broken.jsonl", "{\"id\":1}\n{\"id\":2,\n")
    try await expectFailure(
      place, ["append", "shop.orders", broken], status: 1, says: ["broken.jsonl", "line 2"])
    let null = try place.write("null.csv", "id,name\n1,a\n,b\n")
    try await expectFailure(
      place, ["append", "shop.orders", null], status: 1, says: ["id", "expected a value"])
    #expect(try await place.count("shop.orders") == 4)
  }

  @Test func `columns that do not fit`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let more = try place.write("more.csv", "id,color\n1,red\n")
    try await expectFailure(
      place, ["append", "shop.orders", more], status: 1, says: ["more.csv", "'color'", "name"])
    let less = try place.write("less.csv", "name\nann\n")
    try await expectFailure(
      place, ["append", "shop.orders", less], status: 1, says: ["less.csv", "'id'"])
    let other = try await place.lake("create", "shop.other", "--schema", "id string")
    #expect(other.status == 0)
    #expect(
      try await place.lake("append", "shop.other", place.write("o.csv", "id\na\n")).status == 0)
    let data = try #require(try await place.files().first { $0.hasPrefix("shop/other/data") })
    try await place.fetch("warehouse/\(data)")
    try await expectFailure(
      place, ["append", "shop.orders", "warehouse/\(data)"], status: 1,
      says: ["column 'id'", "expected long", "found string"])
  }

  @Test func `an input file that is not there, or may not be read`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    try await expectFailure(
      place, ["append", "shop.orders", "nothing.csv"], status: 3, says: ["nothing.csv"])
    try await expectFailure(
      place, ["append", "shop.orders", "nothing"], status: 1, says: ["nothing", "csv", "parquet"])
    try await expectFailure(
      place, ["append", "shop.orders", "-"], status: 1, says: ["standard input", "csv"],
      stdin: "id\n")
  }

  @Test func `a Parquet file that is cut off or corrupt, as input`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let data = try #require(try await place.files().first { $0.contains("part=x") })
    let whole = try Data(contentsOf: try await place.fetch("warehouse/\(data)"))
    for (name, bytes) in [
      ("cut.parquet", whole.prefix(whole.count / 2)), ("empty.parquet", Data()),
      ("text.parquet", Data("id,name\n1,a\n".utf8)), ("corrupt.parquet", corrupted(whole)),
    ] {
      try bytes.write(to: place.folder.appending(path: name))
      try await expectFailure(
        place, ["append", "shop.orders", name], status: 1, says: [name])
      try await expectFailure(place, ["parquet", "head", name], status: 1, says: [name])
    }
    #expect(try await place.count("shop.orders") == 4)
  }

  /// With the bytes of the first page turned over: the footer stays as it was.
  private func corrupted(_ file: Data) -> Data {
    var bytes = file
    for index in 4..<64 { bytes[index] ^= 0xff }
    return bytes
  }

  @Test func `a Parquet file that is cut off or corrupt, as part of a table`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let name = try #require(try await place.files().first { $0.contains("part=x") })
    let file = "warehouse/\(name)"
    let whole = try Data(contentsOf: try await place.fetch(file))
    try await place.replace(file, with: corrupted(whole))
    try await expectFailure(
      place, ["scan", "shop.orders"], status: 1, says: ["part=x", ".parquet"])
    try await place.replace(file, with: whole.prefix(whole.count - 20))
    try await expectFailure(
      place, ["scan", "shop.orders"], status: 1, says: ["part=x", ".parquet"])
    let verified = try await place.lake("verify", "shop.orders")
    #expect(verified.status == 2)
    #expect(verified.rows.count == 1)
    #expect(verified.rows.first?["check"] as? String == "length")
    #expect(verified.rows.first?["expected"] as? String == "\(whole.count) bytes")
    try await place.remove(file)
    try await expectFailure(
      place, ["scan", "shop.orders"], status: 1, says: ["part=x", ".parquet"])
    let gone = try await place.lake("verify", "shop.orders")
    #expect(gone.status == 2 && gone.rows.first?["check"] as? String == "exists", "\(gone)")
  }

  @Test(.notWith(.rest, because: "the server reads the file, again and again for a minute"))
  func `a metadata file that is no JSON`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let file = try await place.newestMetadata("shop/orders")
    let name = String(file.split(separator: "/").last ?? "")
    try await place.replace(file, with: Data("{\"format-version\": 2,".utf8))
    for command in ["scan", "log", "count", "verify", "describe"] {
      try await expectFailure(
        place, [command, "shop.orders"], status: 1, says: [name, "JSON"])
    }
    let rows = try place.write("rows.csv", "id\n1\n")
    try await expectFailure(
      place, ["append", "shop.orders", rows], status: 1, says: [name])
  }

  @Test func `a manifest or manifest list that is gone`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    for (isWanted, what) in [
      ({ (name: String) in name.hasSuffix("m0.avro") }, "m0.avro"),
      ({ $0.contains("/snap-") }, "snap-"),
    ] {
      let name = try #require(try await place.files().first(where: isWanted))
      try await place.remove("warehouse/\(name)")
      let verified = try await place.lake("verify", "shop.orders")
      #expect(verified.status == 2, "\(verified)")
      #expect(
        verified.rows.contains {
          $0["check"] as? String == "exists" && ($0["file"] as? String)?.contains(what) == true
        }, "\(verified)")
    }
  }

  @Test func `a manifest that is not the one that was written`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    for name in try await place.files() where name.hasSuffix(".avro") {
      let file = "warehouse/\(name)"
      var bytes = try Data(contentsOf: try await place.fetch(file))
      let whole = bytes
      bytes[bytes.count - 20] ^= 1
      try await place.replace(file, with: bytes)
      let verified = try await place.lake("verify", "shop.orders")
      #expect(verified.status == 2, "\(name): \(verified)")
      try await place.replace(file, with: whole)
    }
    #expect(try await place.lake("verify", "shop.orders").status == 0)
  }

  @Test func `predicates and columns that make no sense`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    try await expectFailure(
      place, ["scan", "shop.orders", "--where", "color = 'red'"], status: 1,
      says: ["scan failed: ", "'color'"])
    try await expectFailure(
      place, ["scan", "shop.orders", "--select", "id,color"], status: 1, says: ["'color'", "name"])
    try await expectFailure(
      place, ["scan", "shop.orders", "--where", "id = = 1"], status: 64,
      says: ["at character 6", "expected", "found '='"])
    try await expectFailure(
      place, ["scan", "shop.orders", "--where", "id = 'one'"], status: 1, says: ["id", "one"])
    try await expectFailure(
      place, ["inspect", "shop.orders", "files", "--select", "color"], status: 1, says: ["'color'"])
  }

  @Test func `tables, snapshots and namespaces that are not there`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    for command in ["scan", "count", "log", "show", "describe", "schema", "verify", "drop"] {
      try await expectFailure(
        place, [command, "shop.nothing"], status: 3, says: ["\(command) failed: ", "shop.nothing"])
    }
    try await expectFailure(
      place, ["scan", "./nowhere/table"], status: 3, says: ["nowhere/table"])
    try await expectFailure(
      place, ["scan", "shop.orders", "--snapshot", "1"], status: 3, says: ["snapshot 1"])
    try await expectFailure(
      place, ["scan", "shop.orders", "--ref", "nope"], status: 3, says: ["'nope'"])
    try await expectFailure(
      place, ["scan", "shop.orders", "--as-of", "2001-01-01"], status: 3, says: ["2001-01-01"])
    try await expectFailure(place, ["show", "shop.orders", "7"], status: 3, says: ["snapshot 7"])
    try await expectFailure(place, ["ls", "nope"], status: 3, says: ["nope"])
    let rows = try place.write("rows.csv", "id\n1\n")
    try await expectFailure(
      place, ["append", "shop.nothing", rows], status: 3, says: ["shop.nothing"])
    #expect(try await place.lake("create", "shop.empty", "--schema", "a int").status == 0)
    try await expectFailure(place, ["show", "shop.empty"], status: 3, says: ["no snapshot yet"])
    try await expectFailure(
      place, ["create", "shop.orders", "--schema", "a int"], status: 1, says: ["already"])
  }

  @Test func `a command line that makes no sense`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let cases: [([String], [String])] = [
      (["scan"], ["scan: ", "table", "lake help scan"]),
      (["scan", "orders"], ["'orders'", "namespace.table"]),
      (["scan", "shop..orders"], ["shop..orders", "empty"]),
      (["scan", "shop.orders", "--bogus"], ["--bogus"]),
      (["scan", "shop.orders", "--limit", "-1"], ["limit"]),
      (["scan", "shop.orders", "--limit", "many"], ["many"]),
      (["scan", "shop.orders", "--format", "xml"], ["xml", "jsonl"]),
      (["scan", "shop.orders", "--snapshot", "1", "--ref", "main"], ["--snapshot", "--ref"]),
      (["scan", "shop.orders", "--as-of", "yesterday"], ["yesterday", "2026-01-31"]),
      (["inspect", "shop.orders", "everything"], ["everything", "snapshots"]),
      (["changes", "shop.orders", "--from", "7d", "--memory", "1KB"], ["--memory", "1MB"]),
      (["changes", "shop.orders", "--from", "7d", "--memory", "much"], ["--memory", "much"]),
      (["create", "shop.new"], ["--schema"]),
      (["create", "shop.new", "--schema", "id lung"], ["lung"]),
      (["alter", "shop.orders", "paint"], ["add-column", "unset", "upgrade"]),
      (["alter", "shop.orders", "set", "k"], ["name=value", "'k'"]),
      (["completions", "tcsh"], ["tcsh", "bash"]),
      (["frobnicate"], ["frobnicate"]),
      (["scan", "shop.orders", "--warehouse", "a", "--catalog", "b"], ["exclude"]),
    ]
    for (arguments, parts) in cases {
      try await expectFailure(place, arguments, status: 64, says: parts)
    }
  }

  @Test func `causes are told when asked for`() async throws {
    let place = try Workplace()
    try await place.makeOrders()
    let outcome = try await place.lake("scan", "shop.orders", "--where", "color = 1", "--verbose")
    let lines = outcome.stderr.split(separator: "\n")
    #expect(lines.count > 1 && lines.allSatisfy { $0.hasPrefix("lake: ") }, "\(outcome)")
    #expect(lines.dropFirst().allSatisfy { $0.contains("Error: ") }, "\(outcome)")
  }
}
