// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// Which catalog a command works on, as every command has it.
struct CatalogOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of a filesystem catalog (default: $LAKE_WAREHOUSE, else ./warehouse).",
      valueName: "uri"))
  var warehouse: String?

  @Option(
    help: ArgumentHelp(
      "A catalog of the configuration file ($LAKE_CONFIG, else ./lake.yaml, else "
        + "~/.config/lake/config.yaml, else ~/.pyiceberg.yaml); default: $LAKE_CATALOG.",
      valueName: "name"))
  var catalog: String?

  /// The name of the catalog asked for; nil if a warehouse is.
  var catalogName: String? {
    if let catalog { return catalog }
    return warehouse == nil ? ProcessEnvironment["LAKE_CATALOG"] : nil
  }

  @Option(
    name: .customLong("allow-location"),
    help: ArgumentHelp(
      "Let tables have files below this place besides their own folder; may be repeated (also: "
        + "$LAKE_ALLOW_LOCATION, by comma).", valueName: "uri"))
  var allowedLocations: [String] = []

  /// Where tables may have files outside of their folders.
  func allowed() throws -> [ObjectPath] {
    let named = (ProcessEnvironment["LAKE_ALLOW_LOCATION"] ?? "").split(separator: ",")
    return try (allowedLocations + named.map(String.init)).map { try Location.absolute($0) }
  }

  func validate() throws {
    if warehouse != nil, catalog != nil {
      throw ValidationError("--warehouse and --catalog exclude each other.")
    }
  }

  /// The catalog asked for.
  func open() async throws -> any Catalog {
    if let catalog = catalogName {
      return try await Configuration.load().catalog(named: catalog).open(
        allowing: try allowed())
    }
    let location = try Location.absolute(
      warehouse ?? ProcessEnvironment["LAKE_WAREHOUSE"] ?? "./warehouse")
    return FilesystemCatalog(
      warehouse: location, store: try await Stores.reaching(location), allowing: try allowed())
  }

  /// The table that `name` names: in the catalog, or at a location.
  func table(_ name: TableName) async throws -> Table {
    if let table = try await tableIfPresent(name) { return table }
    switch name.kind {
    case .identifier:
      throw CommandError.notFound(
        "no table \(name.text) in \(place) ('lake ls' lists what is there)")
    case .location: throw CommandError.notFound("no table at \(name.text)")
    }
  }

  /// As ``table(_:)``; nil if there is none.
  func tableIfPresent(_ name: TableName) async throws -> Table? {
    do {
      switch name.kind {
      case .identifier(let identifier): return try await open().loadTable(identifier)
      case .location(let text):
        let location = try Location.absolute(text)
        return try await TableAtLocation.open(
          location, store: try await Stores.reaching(location), allowing: try allowed())
      }
    } catch CatalogError.tableNotFound {
      return nil
    }
  }

  /// What was looked in, for people.
  private var place: String {
    if let catalog = catalogName { return "catalog \(catalog)" }
    return "warehouse \(warehouse ?? ProcessEnvironment["LAKE_WAREHOUSE"] ?? "./warehouse")"
  }
}

/// A table as the command line names it: `namespace.table`, or a location, which has a `/`.
struct TableName {
  enum Kind {
    case identifier(TableIdentifier)
    case location(String)
  }

  let text: String
  let kind: Kind

  static let help: ArgumentHelp = "The table: namespace.table, or its location."

  /// - Throws: `ValidationError` if `text` names no table.
  static func parse(_ text: String) throws -> TableName {
    if text.utf8.contains(UInt8(ascii: "/")) { return TableName(text: text, kind: .location(text)) }
    do {
      return TableName(text: text, kind: .identifier(try TableIdentifier(text)))
    } catch {
      throw ValidationError("\(error) (or give a location, which has a '/')")
    }
  }

  /// The name in the catalog, for commands that make or drop tables there.
  func identifier() throws -> TableIdentifier {
    guard case .identifier(let identifier) = kind else {
      throw ValidationError("Expected namespace.table, found the location '\(text)'.")
    }
    return identifier
  }
}
