// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Catalogs as a user has them: of folders, and in an SQLite file by the configuration.
@Suite("Catalog commands")
struct CatalogCommandTests {
  static let configuration = """
    catalog:
      dev:
        type: sql
        uri: sqlite:///DIR/catalog.db
        warehouse: DIR/sqlite-warehouse
      folder:
        type: filesystem
        warehouse: DIR/warehouse
    """

  /// A workplace with both, and what is common to all commands of the catalog `name`.
  private func place() throws -> Workplace {
    let place = try Workplace(ownCatalog: true)
    try place.write(
      "lake.yaml",
      Self.configuration.replacingOccurrences(of: "DIR", with: place.folder.path))
    try place.write("rows.csv", "id,part\n1,a\n2,b\n")
    return place
  }

  @discardableResult
  private func expect(
    _ status: Int32, _ outcome: LakeProcess.Outcome, _ words: String...,
    location: SourceLocation = #_sourceLocation
  ) -> LakeProcess.Outcome {
    #expect(outcome.status == status, "\(outcome)", sourceLocation: location)
    for word in words {
      #expect(
        (outcome.stdout + outcome.stderr).contains(word), "no '\(word)': \(outcome)",
        sourceLocation: location)
    }
    return outcome
  }

  private func names(_ outcome: LakeProcess.Outcome) -> [String] {
    outcome.rows.compactMap { $0["name"] as? String }
  }

  @Test(arguments: ["dev", "folder"])
  func `namespaces are made, listed, noted of and dropped`(catalog: String) async throws {
    let place = try place()
    func lake(_ arguments: String...) async throws -> LakeProcess.Outcome {
      try await place.lake(
        arguments[0], arguments[1], "--catalog", catalog, arguments.dropFirst(2).first ?? "",
        rest: Array(arguments.dropFirst(3)))
    }
    let made = try await lake("namespace", "create", "shop", "--property", "owner=me")
    expect(0, made)
    #expect(made.stdout == #"{"namespace":"shop","operation":"create"}"# + "\n")
    expect(1, try await lake("namespace", "create", "shop"), "already")
    expect(0, try await lake("namespace", "create", "shop", "--if-not-exists"), "none")
    expect(0, try await lake("namespace", "create", "shop.eu"))
    expect(64, try await lake("namespace", "create", "a..b"), "namespace")
    expect(64, try await lake("namespace", "create", "../up"), "namespace")
    #expect(names(try await place.lake("namespace", "list", "--catalog", catalog)) == ["shop"])
    #expect(names(try await lake("namespace", "list", "shop")) == ["shop.eu"])
    #expect(names(try await place.lake("ls", "--catalog", catalog)) == ["shop"])
    expect(3, try await lake("namespace", "list", "not"), "no namespace not")
    let noted = try await lake(
      "namespace", "properties", "shop", "--set", "a=1", "--set", "b=x=y", "--unset", "owner")
    expect(0, noted)
    #expect(noted.rows.map { "\($0["key"] ?? "")=\($0["value"] ?? "")" } == ["a=1", "b=x=y"])
    expect(64, try await lake("namespace", "properties", "shop", "--set", "a=1", "--unset", "a"))
    expect(3, try await lake("namespace", "properties", "not"), "no namespace not")
    expect(1, try await lake("namespace", "drop", "shop"), "not empty")
    expect(0, try await lake("namespace", "drop", "shop.eu"))
    expect(0, try await lake("namespace", "drop", "shop"))
    expect(3, try await lake("namespace", "drop", "shop"), "no namespace shop")
    #expect(names(try await place.lake("ls", "--catalog", catalog)) == [])
  }

  @Test func `a table in an SQLite catalog is made, filled, renamed, dropped and registered`()
    async throws
  {
    let place = try place()
    func lake(_ command: String, _ arguments: String...) async throws -> LakeProcess.Outcome {
      try await place.lake(
        command, "--catalog", "dev", arguments[0], rest: Array(arguments.dropFirst()))
    }
    expect(3, try await lake("scan", "shop.orders"), "no table shop.orders in catalog dev")
    expect(0, try await lake("append", "shop.orders", "rows.csv", "--create"))
    expect(0, try await lake("append", "shop.orders", "rows.csv"))
    #expect(try await lake("scan", "shop.orders").rows.count == 4)
    let before = try await lake("describe", "shop.orders")
    expect(0, before, "sqlite-warehouse/shop/orders", "00002-")
    expect(1, try await lake("rename", "shop.orders", "shop.orders"), "already")
    expect(3, try await lake("rename", "shop.not", "shop.b"), "no table")
    expect(0, try await lake("rename", "shop.orders", "archive.old"), "rename")
    expect(3, try await lake("scan", "shop.orders"))
    #expect(try await lake("scan", "archive.old").rows.count == 4)
    #expect(names(try await lake("ls", "archive")) == ["archive.old"])
    let metadata = try #require(before.rows.first?["metadata_location"] as? String)
    expect(0, try await lake("drop", "archive.old"))
    expect(3, try await lake("drop", "archive.old"), "no table")
    expect(0, try await lake("register", "shop.again", metadata), "register")
    expect(1, try await lake("register", "shop.again", metadata), "already")
    expect(3, try await lake("register", "shop.more", metadata + ".not"), "no table")
    #expect(try await lake("scan", "shop.again").rows.count == 4)
    expect(0, try await lake("delete", "shop.again", "--where", "id = 1"))
    #expect(try await lake("count", "shop.again", "--format", "table").stdout == "2\n")
    expect(0, try await lake("verify", "shop.again"))
    expect(0, try await lake("drop", "shop.again", "--purge"))
    #expect(try await place.files("sqlite-warehouse") == [])
    #expect(
      try await place.lake(
        "create", "--catalog", "dev", "x.y",
        rest: ["--schema", "k int", "--location", "/elsewhere"]
      ).status == 1)
    let inside = place.folder.appending(path: "sqlite-warehouse/special").path
    expect(0, try await lake("create", "x.y", "--schema", "k int", "--location", inside))
    #expect(try await place.files("sqlite-warehouse").allSatisfy { $0.hasPrefix("special/") })
  }

  @Test func `what a filesystem catalog can't do it says, and what to use instead`() async throws {
    let place = try place()
    expect(0, try await place.lake("append", "shop.orders", "rows.csv", "--create"))
    expect(
      1, try await place.lake("rename", "shop.orders", "shop.b"), "not supported",
      "catalog of another type")
    expect(
      1,
      try await place.lake("create", "shop.b", "--schema", "k int", "--location", "/elsewhere"),
      "not supported", "catalog of another type")
    let metadata = place.folder.appending(path: "warehouse/shop/orders/metadata/v2.metadata.json")
    expect(1, try await place.lake("register", "shop.b", metadata.path), "not supported")
    expect(1, try await place.lake("register", "shop.orders", metadata.path), "already")
    expect(0, try await place.lake("drop", "shop.orders"))
    let kept = try #require(
      try await place.files("warehouse/shop/orders/metadata").first { $0.hasPrefix("dropped-") })
    expect(
      0,
      try await place.lake("register", "shop.orders", "warehouse/shop/orders/metadata/" + kept))
    #expect(try await place.count("shop.orders") == 2)
    expect(0, try await place.lake("append", "shop.orders", "rows.csv"))
    #expect(try await place.count("shop.orders") == 4)
    expect(0, try await place.lake("drop", "shop.orders", "--purge"))
    #expect(try await !place.files().contains { $0.hasSuffix(".parquet") })
  }

  @Test func `a table that goes from a folder to an SQLite catalog keeps all it has`() async throws
  {
    let place = try place()
    expect(0, try await place.lake("append", "shop.orders", "rows.csv", "--create"))
    expect(0, try await place.lake("drop", "shop.orders"))
    let folder = "warehouse/shop/orders/metadata/"
    let kept = try #require(try await place.files(folder).first { $0.hasPrefix("dropped-") })
    expect(
      1, try await place.lake("register", "--catalog", "dev", "shop.orders", rest: [folder + kept]),
      "outside of")
    let allowed = ["--allow-location", "warehouse"]
    expect(
      0,
      try await place.lake(
        "register", "--catalog", "dev", "shop.orders", rest: [folder + kept] + allowed))
    expect(
      0,
      try await place.lake(
        "append", "--catalog", "dev", "shop.orders", rest: ["rows.csv"] + allowed))
    let counted = try await place.lake(
      "count", "--catalog", "dev", "shop.orders", rest: ["--format", "table"] + allowed)
    #expect(counted.stdout == "4\n")
  }

  @Test func `LAKE_CATALOG names the catalog where nothing else does`() async throws {
    let place = try place()
    let environment = ["LAKE_CATALOG": "dev"]
    expect(
      0,
      try await place.lake(
        "create", "a.b", "--schema", "k int", environment: environment))
    #expect(try await place.files("sqlite-warehouse").count == 1)
    #expect(
      names(try await place.lake("ls", "--warehouse", "warehouse", environment: environment)) == [])
    #expect(
      names(try await place.lake("ls", "--catalog", "folder", environment: environment)) == [])
    #expect(names(try await place.lake("ls", environment: environment)) == ["a"])
  }

  @Test func `a uri of no SQLite file is refused, and not shown`() async throws {
    let place = try Workplace(ownCatalog: true)
    try place.write(
      "lake.yaml",
      "catalog: {dev: {type: sql, uri: 'postgresql://me:canary-secret@host/db', warehouse: w}}")
    let outcome = try await place.lake("ls", "--catalog", "dev")
    #expect(outcome.status == 1 && outcome.stderr.contains("SQLite"), "\(outcome)")
    #expect(!"\(outcome)".contains("canary-secret"))
  }
}

extension Workplace {
  /// Runs `lake` with as many more arguments.
  @discardableResult
  func lake(
    _ arguments: String..., rest: [String]
  ) async throws -> LakeProcess.Outcome {
    try await LakeProcess.run(
      LakeProcess.binary, arguments.filter { !$0.isEmpty } + rest, in: folder)
  }
}
