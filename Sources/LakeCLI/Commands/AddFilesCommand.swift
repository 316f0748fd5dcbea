// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `lake add-files TABLE FILE…`: registers Parquet files, not copied.
struct AddFilesCommand: AsyncParsableCommand, ChangingCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-files",
    abstract: "Make Parquet files that are there part of a table, without copying them.",
    discussion: """
      lake add-files shop.orders /data/orders/ --create --allow-location /data/orders

      Of a folder all .parquet files below it are added. Partitions are told by paths such as \
      day=2026-01-31/, or by the files' footers. Tables touch nothing outside of their own folder \
      unless --allow-location (or LAKE_ALLOW_LOCATION, or allow-locations in the configuration) \
      names it.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var definition: DefinitionOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: "Parquet files, or folders of them.") var files: [String]
  @Flag(help: "Make the table if it is not there, with the columns of the first file.")
  var create = false
  @Option(help: ArgumentHelp("The branch.", valueName: "name")) var branch = "main"

  func run() async throws {
    let environment = Environment.system
    let start = environment.uptime()
    var paths: [ObjectPath] = []
    for file in files { paths += try await Self.parquetFiles(Location.absolute(file)) }
    let target =
      if create {
        try await definition.openOrCreate(table, in: catalog) {
          try await InputReader.open(paths[0], in: Stores.reaching(paths[0]))
        }
      } else {
        try await catalog.table(table)
      }
    let receipt = try await target.commit(AddFiles(paths, branch: branch))
    ChangeReport(table: table.text, receipt, since: start, environment).print(output)
  }

  /// `path` itself, or the Parquet files in the folder it is.
  private static func parquetFiles(_ path: ObjectPath) async throws -> [ObjectPath] {
    let store = try await Stores.reaching(path)
    // Asking a folder for what a file is fails.
    if let info = try? await store.headIfPresent(path), info.byteCount >= 0 {
      return [path]
    }
    let found = try await store.listAll(path).map(\.path).filter { file in
      let below = path.relativePath(of: file) ?? ""
      let isHidden = below.split(separator: "/").contains {
        $0.hasPrefix(".") || $0.hasPrefix("_")
      }
      return !isHidden && file.name.lowercased().hasSuffix(".parquet")
    }
    guard !found.isEmpty else { throw CommandError.notFound("no Parquet file at \(path.text)") }
    return found
  }
}
