// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Bytes
internal import Columnar
internal import JSON
internal import Lake

/// `lake get TABLE KEY…`: the newest rows of keys.
struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Read the newest row of each of some keys.",
    discussion: """
      lake get shop.orders 17 18
      lake get air.flights '{"time_hour":"2013-01-01T10:00:00Z","carrier":"UA","flight":1545}'

      A key is a value, or a JSON object where the key has several columns. A file of keys has a \
      column for each of them. Rows come in the order of the keys; keys that have none are left \
      out, and where none has, the exit code is 3.
      """)

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var state: StateOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Argument(help: ArgumentHelp("Keys: values, or JSON objects.", valueName: "key"))
  var keys: [String] = []
  @Option(help: ArgumentHelp("A file of keys; '-' is standard input.", valueName: "file"))
  var keyFile: String?
  @Option(help: ArgumentHelp("The file's format (else by ending).", valueName: "format"))
  var inputFormat: String?
  @Option(
    name: .customLong("key"),
    help: ArgumentHelp(
      "The columns of the key (default: the table's identifier fields).", valueName: "columns"))
  var keyColumns: String?
  @Option(help: ArgumentHelp("Columns, by comma: a,b.c,*.", valueName: "columns"))
  var select: String?
  @Option(
    help: ArgumentHelp(
      "Where a key has several rows, that of the greatest value is the newest.",
      valueName: "column"))
  var orderBy: String?

  func validate() throws {
    guard keys.isEmpty != (keyFile == nil) else {
      throw ValidationError("Give keys either as arguments or by --key-file.")
    }
    if let inputFormat, InputFormat(rawValue: inputFormat) == nil {
      let known = InputFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("Expected one of \(known), found '\(inputFormat)'.")
    }
  }

  func run() async throws {
    let target = try await catalog.table(table)
    let schema = try target.metadata.state(state.selection).schema
    let key = try KeyColumns(
      schema: schema, names: keyColumns.map { $0.split(separator: ",").map { String($0).trimmed } },
      table: target.name)
    let fields = schema.columnFields.filter { key.names.contains($0.name) }.map { field in
      var field = field
      field.isNullable = false
      return field
    }
    let columns = select?.split(separator: ",").map { String($0).trimmed }
    let reader = try await open(fields)
    let index = try await keptIndex(of: target, key)
    var printer: RowPrinter?
    var asked = 0
    var found = 0
    while let batch = try await reader.next() {
      let rows = try await target.get(
        Self.keys(batch, fields), key: key.names, columns: columns, at: state.selection,
        orderBy: orderBy, index: index
      ).rows
      asked += batch.rowCount
      found += rows.rowCount
      if printer == nil { printer = RowPrinter(output.effectiveFormat, fields: rows.fields) }
      if rows.rowCount > 0 { printer?.print(rows) }
    }
    guard found > 0 else {
      throw CommandError.notFound("none of the \(asked) keys has a row in \(table.text)")
    }
    printer?.finish()
  }

  /// The index that is kept with the table for its newest state, if there is one that covers it.
  private func keptIndex(of target: Table, _ key: KeyColumns) async throws -> KeyIndex? {
    guard case .current = state.selection, target.metadata.currentSnapshot != nil else {
      return nil
    }
    let status = try await KeyIndex.status(of: target).first { $0.key == key.names }
    guard let status, status.uncoveredFileCount <= status.coveredFileCount,
      orderBy == nil || orderBy == status.orderBy
    else { return nil }
    // For few keys pieces of it are read, for many it is taken into memory.
    return try await KeyIndex.open(
      TableState(of: target, at: .current), key: key.names,
      options: KeyIndexOptions(memoryLimit: keyFile == nil ? 0 : .max))
  }

  /// The columns of the key, whatever else a file of keys has.
  private static func keys(_ batch: RecordBatch, _ fields: [ColumnField]) -> RecordBatch {
    let indices = fields.compactMap { field in
      batch.fields.firstIndex { $0.name == field.name }
    }
    return batch.selecting(indices)
  }

  private func open(_ fields: [ColumnField]) async throws -> InputReader {
    var options = InputOptions()
    options.columns = fields
    if let keyFile {
      options.format = inputFormat.flatMap(InputFormat.init(rawValue:))
      if keyFile == "-" {
        return try await InputReader.open(
          StandardInput(), format: options.format ?? .jsonl, options: options)
      }
      let path = try Location.absolute(keyFile)
      return try await InputReader.open(
        path, in: Stores.reaching(path), options: options)
    }
    let lines = try keys.map { key in
      if key.hasPrefix("{") { return key.split(separator: "\n").joined(separator: " ") }
      guard fields.count == 1 else {
        let names = fields.map { "\"\($0.name)\": …" }.joined(separator: ", ")
        throw ValidationError("Expected a key as {\(names)}, found '\(key)'.")
      }
      return try JSONValue.object([JSONMember(fields[0].name, .string(key))]).line()
    }
    let text = lines.joined(separator: "\n") + "\n"
    return try await InputReader.open(
      SampleSource(Buffer(utf8: text), called: "keys"), format: .jsonl, options: options)
  }
}

extension JSONValue {
  fileprivate func line() throws -> String {
    String(decoding: try text(.compact).array(), as: UTF8.self)
  }
}
