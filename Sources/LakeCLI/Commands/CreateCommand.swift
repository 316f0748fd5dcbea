// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake create NAMESPACE.TABLE --schema …`: makes an empty table.
struct CreateCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make an empty table.",
    discussion: """
      lake create shop.orders --schema 'id long not null, at timestamptz, tags list<string>' \
      --partition-by 'day(at), bucket(16, id)'

      The format version is 2, which every engine reads and writes, or 3 when there is a --key.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The table, as namespace.table.", transform: TableName.parse)
  var table: TableName
  @OptionGroup var definition: DefinitionOptions
  @Option(help: ArgumentHelp("The columns: 'name type [not null], …'.", valueName: "columns"))
  var schema: String?
  @Option(help: ArgumentHelp("A file to take the columns from.", valueName: "file"))
  var like: String?
  @Option(
    help: ArgumentHelp(
      "Where the table's files go (default: the catalog decides; a filesystem catalog always does).",
      valueName: "uri"))
  var location: String?
  @Flag(help: "Do nothing if the table is there.") var ifNotExists = false

  func validate() throws {
    guard (schema == nil) != (like == nil) else {
      throw ValidationError("Give the columns by either --schema or --like.")
    }
  }

  func run() async throws {
    let identifier = try table.identifier()
    let catalog = try await self.catalog.open()
    let columns: Schema
    if let schema {
      columns = try Schema(schema, key: definition.keyNames)
    } else {
      let path = try Location.absolute(like ?? "")
      let reader = try await InputReader.open(
        path, in: Stores.reaching(path), options: InputOptions())
      columns = try Schema(inferredFrom: reader.fields).identified(by: definition.keyNames)
    }
    var report = ChangeReport(table: identifier.description, operation: "create")
    do {
      var definition = try self.definition.definition(columns)
      definition.location = try location.map { try Location.absolute($0) }
      _ = try await catalog.createTable(identifier, definition)
    } catch CatalogError.tableExists where ifNotExists {
      report.operation = "none"
    }
    report.print(output)
  }
}

/// What a new table is made with, beside its columns.
struct DefinitionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Partition fields: 'day(ts), bucket(16, id)'.", valueName: "fields"))
  var partitionBy: String?
  @Option(help: ArgumentHelp("Sort fields: 'id, ts desc'.", valueName: "fields"))
  var sortBy: String?
  @Option(help: ArgumentHelp("Columns that identify a row: 'a, b'.", valueName: "columns"))
  var key: String?
  @Option(help: ArgumentHelp("A table property; may be repeated.", valueName: "k=v"))
  var property: [String] = []
  @Option(help: ArgumentHelp("1, 2 or 3.", valueName: "version")) var formatVersion: Int?

  func validate() throws {
    for text in property where !text.contains("=") {
      throw ValidationError("Expected a property as name=value, found '\(text)'.")
    }
    if let formatVersion, FormatVersion(rawValue: formatVersion) == nil {
      throw ValidationError("--format-version must be 1, 2 or 3, not \(formatVersion).")
    }
  }

  var keyNames: [String] {
    (key ?? "").split(separator: ",").map { $0.drop { $0 == " " } }.map { name in
      var name = name
      while name.last == " " { name.removeLast() }
      return String(name)
    }
  }

  func definition(_ schema: Schema) throws -> TableDefinition {
    var definition = TableDefinition(schema: schema)
    if let partitionBy { definition.partitionSpec = try PartitionSpec(partitionBy, schema: schema) }
    if let sortBy { definition.sortOrder = try SortOrder(sortBy, schema: schema) }
    for text in property {
      guard let cut = text.firstIndex(of: "=") else { continue }
      definition.properties[String(text[..<cut])] = String(text[text.index(after: cut)...])
    }
    definition.formatVersion =
      formatVersion.flatMap(FormatVersion.init(rawValue:)) ?? (keyNames.isEmpty ? .v2 : .v3)
    return definition
  }

  /// The table that `name` names; a new one with the columns of `input` if there is none.
  func openOrCreate(
    _ name: TableName, in options: CatalogOptions, _ input: () async throws -> InputReader
  ) async throws -> Table {
    if let table = try await options.tableIfPresent(name) { return table }
    let identifier = try name.identifier()
    let columns = try Schema(inferredFrom: try await input().fields).identified(by: keyNames)
    return try await options.open().createTable(identifier, try definition(columns))
  }
}

extension Schema {
  /// The same columns, those called `names` required and identifying.
  func identified(by names: [String]) throws -> Schema {
    guard !names.isEmpty else { return self }
    var ids: [FieldID] = []
    for name in names {
      guard let field = field(named: name) else {
        throw IcebergError.unknownField("'\(name)'", in: "the columns, as a key")
      }
      ids.append(field.id)
    }
    let fields = fields.map { field in
      ids.contains(field.id)
        ? Field(id: field.id, name: field.name, type: field.type, isRequired: true) : field
    }
    return try Schema(fields: fields, identifierFieldIDs: ids)
  }
}
