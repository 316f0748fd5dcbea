// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake inspect TABLE files`: Iceberg's metadata tables.
struct InspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Look into a table's metadata: snapshots, files, manifests, partitions, …",
    discussion: """
      lake inspect shop.orders files --select file_path,record_count

      The metadata tables have the names and columns of Iceberg's own. files, data_files, \
      delete_files, manifests, entries and partitions are about one snapshot, the current one \
      unless told; those with all_ are about all. partition_statistics has what another engine \
      computed of the snapshot's partitions.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var state: StateOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(
    help: ArgumentHelp("What to look into: \(Self.known).", valueName: "what"),
    completion: .list(MetadataTable.Kind.allCases.map(\.rawValue)), transform: Self.kind)
  var what: MetadataTable.Kind
  @Option(help: ArgumentHelp("Columns, by comma.", valueName: "columns")) var select: String?

  private static let known = MetadataTable.Kind.allCases.map(\.rawValue).joined(separator: ", ")

  private static func kind(_ text: String) throws -> MetadataTable.Kind {
    guard let kind = MetadataTable.Kind(rawValue: text) else {
      throw ValidationError("Expected one of \(known), found '\(text)'.")
    }
    return kind
  }

  func run() async throws {
    let source = try await catalog.table(table).metadataTable(what, at: state.selection)
    let all = try source.fields()
    var indices = Array(all.indices)
    if let select {
      indices = try select.split(separator: ",").map { name in
        let name = String(name).trimmed
        guard let index = all.firstIndex(where: { $0.name == name }) else {
          let known = all.map(\.name).joined(separator: ", ")
          throw CommandError.failed("no column '\(name)' in \(what.rawValue): \(known)")
        }
        return index
      }
    }
    var printer = RowPrinter(output.effectiveFormat, fields: indices.map { all[$0] })
    try await source.read { batch throws(ScanError) in
      printer.print(batch.selecting(indices))
      return true
    }
    printer.finish()
  }
}
