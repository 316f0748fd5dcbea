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
        + "~/.config/lake/config.yaml, else ~/.pyiceberg.yaml).", valueName: "name"))
  var catalog: String?

  func validate() throws {
    if warehouse != nil, catalog != nil {
      throw ValidationError("--warehouse and --catalog exclude each other.")
    }
  }

  /// The catalog asked for.
  func open() async throws -> any Catalog {
    if let catalog { return try await Configuration.load().filesystemCatalog(named: catalog) }
    let location = warehouse ?? ProcessEnvironment["LAKE_WAREHOUSE"] ?? "./warehouse"
    return try FilesystemCatalog(warehouse: Location.absolute(location), store: Stores.local)
  }

  /// The table that `name` names: in the catalog, or at a location.
  func table(_ name: TableName) async throws -> Table {
    switch name.kind {
    case .identifier(let identifier): try await open().loadTable(identifier)
    case .location(let text):
      try await TableAtLocation.open(Location.absolute(text), store: Stores.local)
    }
  }
}

/// A table as the command line names it: `namespace.table`, or a location, which has a `/`.
struct TableName: ExpressibleByArgument {
  enum Kind {
    case identifier(TableIdentifier)
    case location(String)
  }

  let text: String
  let kind: Kind

  init?(argument: String) {
    text = argument
    if argument.utf8.contains(UInt8(ascii: "/")) {
      kind = .location(argument)
    } else if let identifier = try? TableIdentifier(argument) {
      kind = .identifier(identifier)
    } else {
      return nil
    }
  }

  /// The name in the catalog, for commands that make or drop tables there.
  func identifier() throws -> TableIdentifier {
    guard case .identifier(let identifier) = kind else {
      throw ValidationError("Expected namespace.table, found the location '\(text)'.")
    }
    return identifier
  }

  static var defaultValueDescription: String { "namespace.table" }
}

/// The stores the command can reach.
enum Stores {
  static let local: any ObjectStore = LocalStore()
}
