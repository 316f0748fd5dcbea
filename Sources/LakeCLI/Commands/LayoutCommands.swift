// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

struct AddPartitionCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-partition",
    abstract: "Partition new files by more.",
    usage: "lake alter TABLE add-partition TERMS",
    discussion: "lake alter shop.orders add-partition 'bucket(16, id), day(ts) as d'")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "What to partition by, as in lake create --partition-by.") var terms: String

  func run() async throws {
    let text = terms
    let change = LayoutChange.partitions { terms, schema throws(IcebergError) in
      terms += try PartitionTerm.parse(text, schema: schema)
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}

struct DropPartitionCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop-partition",
    abstract: "No longer partition new files by something.",
    usage: "lake alter TABLE drop-partition NAME…",
    discussion: "A partition field is named by its name (id_bucket) or its term ('bucket(16, id)')."
  )

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The partition fields.") var names: [String]

  func run() async throws {
    let names = names
    let change = LayoutChange.partitions { terms, schema throws(IcebergError) in
      for name in names {
        if let index = terms.firstIndex(where: { $0.name == name }) {
          terms.remove(at: index)
          continue
        }
        let wanted = try? PartitionTerm.parse(name, schema: schema).first
        guard let wanted,
          let index = terms.firstIndex(where: {
            $0.sourceIDs == wanted.sourceIDs && $0.transform == wanted.transform
          })
        else { throw .unknownField("'\(name)'", in: "the table's partition spec") }
        terms.remove(at: index)
      }
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}

struct SortByCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "sort-by",
    abstract: "Set the order that rows of new files are in; '' for none.",
    usage: "lake alter TABLE sort-by 'id, ts desc nulls last'")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The keys, as in lake create --sort-by.") var keys: String

  func run() async throws {
    let keys = keys
    let change = LayoutChange.sortOrder { schema throws(IcebergError) in
      try SortOrder(keys, schema: schema)
    }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}

struct KeyCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "key",
    abstract: "Set the columns by which rows are told apart, which must be required; '' for none.",
    usage: "lake alter TABLE key 'a, b'")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "The columns, by comma.") var columns: String

  func run() async throws {
    let names = columns.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
    let change = SchemaChange { evolution throws(IcebergError) in try evolution.setKey(names) }
    try await change.run(on: table, catalog, output, as: "alter")
  }
}

struct UpgradeCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade",
    abstract: "Make the table one of a later format version; there is no way back.",
    usage: "lake alter TABLE upgrade VERSION")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "2 or 3.") var version: Int

  func run() async throws {
    guard let version = FormatVersion(rawValue: version) else {
      throw ValidationError("Expected a format version Lake writes (1, 2, 3), found \(version).")
    }
    try await FormatUpgrade(to: version).run(on: table, catalog, output, as: "alter")
  }
}
