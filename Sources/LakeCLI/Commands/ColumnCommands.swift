// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// Where a column is put, as the commands that place one have it.
struct PlaceOptions: ParsableArguments {
  @Flag(help: "Before all columns beside it.") var first = false
  @Option(help: ArgumentHelp("Before this column.", valueName: "column")) var before: String?
  @Option(help: ArgumentHelp("Behind this column.", valueName: "column")) var after: String?

  func validate() throws {
    if [first, before != nil, after != nil].filter({ $0 }).count > 1 {
      throw ValidationError("--first, --before and --after exclude each other.")
    }
  }

  var place: SchemaEvolution.Place? {
    if first { return .first }
    if let before { return .before(before) }
    return after.map { .after($0) }
  }
}

struct AddColumnCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-column",
    abstract: "Add a column, or a field of a struct.",
    usage: """
      lake alter TABLE add-column NAME TYPE [--default V] [--required] [--doc TEXT] \
      [--first | --before C | --after C]
      """,
    discussion: """
      lake alter shop.orders add-column address.zip string --after address.city
      lake alter shop.orders add-column score double --default 0.5
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var place: PlaceOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "Its name; a field of a struct by dots.") var name: String
  @Argument(help: "Its type, as in lake create: string, decimal(9,2), list<long>.") var type: String
  @Option(
    name: .customLong("default"),
    help: ArgumentHelp(
      "What old rows hold, and new ones where none is given (format version 3).",
      valueName: "value"))
  var defaultValue: String?
  @Flag(help: "Never null; needs a default.") var required = false
  @Option(help: ArgumentHelp("A comment.", valueName: "text")) var doc: String?

  func run() async throws {
    let (fieldType, value) = try typeAndDefault()
    let (name, isRequired, doc, place) = (name, required, doc, place.place)
    let change = SchemaChange { evolution throws(IcebergError) in
      let (parent, own) = evolution.schema.splitting(newName: name)
      try evolution.add(
        own, type: fieldType, to: parent, isRequired: isRequired, doc: doc, default: value)
      if let place { try evolution.move(name, to: place) }
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }

  private func typeAndDefault() throws -> (FieldType, Value?) {
    let schema = try Schema("c \(type)")
    guard schema.fields.count == 1, let field = schema.fields.first, !field.isRequired else {
      throw ValidationError("Expected a type, found '\(type)'.")
    }
    guard let defaultValue else { return (field.type, nil) }
    guard let primitive = field.type.primitive else {
      throw ValidationError("A \(field.type) can't have a default.")
    }
    return (field.type, try Value(parsing: defaultValue, as: primitive))
  }
}

extension Schema {
  /// The struct that a new field called `name` belongs in, and its name there.
  ///
  /// A dot is part of the name where what is before it is no column.
  fileprivate func splitting(newName name: String) -> (parent: String?, name: String) {
    guard let dot = name.lastIndex(of: "."), field(named: String(name[..<dot])) != nil else {
      return (nil, name)
    }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }
}

struct DropColumnCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop-column",
    abstract: "Drop columns; their values stay in the files, unseen.",
    usage: "lake alter TABLE drop-column NAME…")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The columns.") var names: [String]

  func run() async throws {
    let names = names
    let change = SchemaChange { evolution throws(IcebergError) in
      for name in names { try evolution.drop(name) }
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}

struct RenameColumnCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename-column",
    abstract: "Give a column another name.",
    usage: "lake alter TABLE rename-column NAME NEW-NAME")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The column.") var name: String
  @Argument(help: "Its new name, in its struct if it is in one.") var newName: String

  func run() async throws {
    let (name, newName) = (name, newName)
    let change = SchemaChange { evolution throws(IcebergError) in
      try evolution.rename(name, to: newName)
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}

struct AlterColumnCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "alter-column",
    abstract: "Widen a column's type, let it be null, or change its comment or default.",
    usage: """
      lake alter TABLE alter-column NAME [--type T] [--optional] [--doc TEXT] \
      [--default V | --no-default]
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The column.") var name: String
  @Option(help: ArgumentHelp("A wider type: long, double, decimal(12,2) …", valueName: "type"))
  var type: String?
  @Flag(help: "Let it be null.") var optional = false
  @Flag(help: "Never null: refused where rows may have no value.") var required = false
  @Option(help: ArgumentHelp("A comment; empty: none.", valueName: "text")) var doc: String?
  @Option(
    name: .customLong("default"),
    help: ArgumentHelp(
      "What new rows hold where none is given (format version 3).", valueName: "value"))
  var defaultValue: String?
  @Flag(help: "New rows hold null where no value is given.") var noDefault = false

  func validate() throws {
    if optional, required { throw ValidationError("--optional and --required exclude each other.") }
    if defaultValue != nil, noDefault {
      throw ValidationError("--default and --no-default exclude each other.")
    }
    if type == nil, !optional, !required, doc == nil, defaultValue == nil, !noDefault {
      throw ValidationError("Expected what to change: --type, --optional, --doc or --default.")
    }
  }

  func run() async throws {
    let options = self
    let (name, newType) = (name, try type.map { try PrimitiveType($0) })
    let (optional, required, doc) = (options.optional, options.required, options.doc)
    let (defaultValue, noDefault) = (options.defaultValue, options.noDefault)
    let change = SchemaChange { evolution throws(IcebergError) in
      if let newType { try evolution.changeType(of: name, to: newType) }
      if optional { try evolution.makeOptional(name) }
      if required { try evolution.makeRequired(name) }
      if let doc { try evolution.setDoc(of: name, to: doc.isEmpty ? nil : doc) }
      if noDefault { try evolution.setWriteDefault(of: name, to: nil) }
      if let defaultValue {
        guard let type = evolution.schema.resolve(name)?.type.primitive else {
          throw .invalid("a default of '\(name)'", reason: "it is no column with plain values")
        }
        try evolution.setWriteDefault(of: name, to: try Value(parsing: defaultValue, as: type))
      }
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}

struct MoveColumnCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "move-column",
    abstract: "Move a column within its struct.",
    usage: "lake alter TABLE move-column NAME (--first | --before C | --after C)")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var place: PlaceOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The column.") var name: String

  func run() async throws {
    guard let place = place.place else {
      throw ValidationError("Expected where to: --first, --before or --after.")
    }
    let name = name
    let change = SchemaChange { evolution throws(IcebergError) in
      try evolution.move(name, to: place)
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}
