// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import JSON
internal import Lake

/// `lake namespace ACTION …`
struct NamespaceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "namespace",
    abstract: "List, make and drop namespaces, and note things of them.",
    subcommands: [
      ListNamespacesCommand.self, CreateNamespaceCommand.self, DropNamespaceCommand.self,
      NamespacePropertiesCommand.self,
    ])
}

struct ListNamespacesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the namespaces of the catalog, or in one of them.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "A namespace: a, or a.b.", transform: NamespaceName.parse)
  var namespace: NamespaceName?

  func run() async throws {
    var result = try ResultTable("name string not null")
    for parts in try await catalog.open().listNamespaces(in: namespace?.parts ?? []) {
      result.rows.append([.text(parts.joined(separator: "."))])
    }
    result.print(output)
  }
}

struct CreateNamespaceCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make an empty namespace. Tables make theirs by themselves in most catalogs.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: NamespaceName.help, transform: NamespaceName.parse)
  var namespace: NamespaceName
  @Option(help: ArgumentHelp("A property; may be repeated.", valueName: "k=v"))
  var property: [String] = []
  @Flag(help: "Do nothing if the namespace is there.") var ifNotExists = false

  func run() async throws {
    var report = NamespaceReport(namespace: namespace, operation: "create")
    do {
      try await catalog.open().createNamespace(
        namespace.parts, properties: try NamespaceName.properties(property))
    } catch CatalogError.namespaceExists where ifNotExists {
      report.operation = "none"
    }
    report.print(output)
  }
}

struct DropNamespaceCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop", abstract: "Take an empty namespace away.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: NamespaceName.help, transform: NamespaceName.parse)
  var namespace: NamespaceName

  func run() async throws {
    try await catalog.open().dropNamespace(namespace.parts)
    NamespaceReport(namespace: namespace, operation: "drop").print(output)
  }
}

struct NamespacePropertiesCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "properties",
    abstract: "Print what is noted of a namespace, after --unset and --set changed it.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: NamespaceName.help, transform: NamespaceName.parse)
  var namespace: NamespaceName
  @Option(help: ArgumentHelp("A property to set; may be repeated.", valueName: "k=v"))
  var set: [String] = []
  @Option(help: ArgumentHelp("A property to remove; may be repeated.", valueName: "k"))
  var unset: [String] = []

  func validate() throws {
    let changes = try NamespaceName.properties(set)
    if let both = unset.first(where: { changes[$0] != nil }) {
      throw ValidationError("'\(both)' can't be both set and unset.")
    }
  }

  func run() async throws {
    let catalog = try await self.catalog.open()
    if !set.isEmpty || !unset.isEmpty {
      try await catalog.updateNamespaceProperties(
        of: namespace.parts, setting: try NamespaceName.properties(set), removing: unset)
    }
    var result = try ResultTable("key string not null, value string not null")
    let properties = try await catalog.namespaceProperties(of: namespace.parts)
    for (key, value) in properties.sorted(by: { $0.key < $1.key }) {
      result.rows.append([.text(key), .text(value)])
    }
    result.print(output)
  }
}

/// A namespace as the command line names it.
struct NamespaceName {
  let parts: [String]
  var text: String { parts.joined(separator: ".") }

  static let help: ArgumentHelp = "The namespace: a, or a.b."

  /// - Throws: `ValidationError` if `text` names no namespace.
  static func parse(_ text: String) throws -> NamespaceName {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    do {
      // What holds of the name of a table in it holds of its levels.
      _ = try TableIdentifier(namespace: parts, name: "t")
    } catch {
      throw ValidationError("'\(text)' is no namespace: expected a, or a.b")
    }
    return NamespaceName(parts: parts)
  }

  static func properties(_ texts: [String]) throws -> [String: String] {
    var properties: [String: String] = [:]
    for text in texts {
      guard let cut = text.firstIndex(of: "="), cut != text.startIndex else {
        throw ValidationError("Expected a property as name=value, found '\(text)'.")
      }
      properties[String(text[..<cut])] = String(text[text.index(after: cut)...])
    }
    return properties
  }
}

/// What a command tells that changed a namespace.
private struct NamespaceReport {
  let namespace: NamespaceName
  var operation: String

  func print(_ options: OutputOptions) {
    guard options.printsObject else {
      return StandardOutput.writeReport("\(namespace.text): \(operation)\n")
    }
    var writer = JSONWriter()
    writer.beginObject()
    writer.writeKey("namespace")
    writer.write(namespace.text)
    writer.writeKey("operation")
    writer.write(operation)
    writer.endObject()
    StandardOutput.writeReport(String(decoding: writer.finish().array(), as: UTF8.self) + "\n")
  }
}
