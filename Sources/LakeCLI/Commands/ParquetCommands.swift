// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake
internal import Parquet

/// `lake parquet schema|meta|pages|head|cat|count|index|verify FILE`: looks into Parquet files.
struct ParquetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parquet",
    abstract: "Look into Parquet files.",
    subcommands: [
      ParquetSchemaCommand.self, ParquetMetaCommand.self, ParquetPagesCommand.self,
      ParquetHeadCommand.self, ParquetCatCommand.self, ParquetCountCommand.self,
      ParquetIndexCommand.self, ParquetVerifyCommand.self,
    ])

  /// The file at `text`, its footer read.
  static func open(_ text: String) async throws -> ParquetFile {
    let path = try Location.absolute(text)
    return try await ParquetFile.open(path, in: Stores.reaching(path))
  }
}

struct ParquetSchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "List the nodes of a file's schema, nested ones by dotted names.")

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet file.") var file: String

  func run() async throws {
    let schema = try await ParquetCommand.open(file).footer.schema
    var result = try ResultTable(
      """
      name string not null, repetition string not null, physical_type string, length int, \
      logical_type string, converted_type int, field_id int, max_definition_level int not null, \
      max_repetition_level int not null
      """)
    for node in schema.root.children { Self.add(node, prefix: "", to: &result) }
    result.print(output)
  }

  private static func add(_ node: SchemaNode, prefix: String, to result: inout ResultTable) {
    let element = node.element
    let name = prefix + node.name
    result.rows.append([
      .text(name), .text("\(node.repetition)"), Cell(element.type.map { "\($0)" }),
      Cell(element.typeLength), Cell(element.logicalType.map(ParquetNames.text)),
      Cell(element.convertedType?.rawValue), Cell(element.fieldID), Cell(node.definitionLevel),
      Cell(node.repetitionLevel),
    ])
    for child in node.children { add(child, prefix: name + ".", to: &result) }
  }
}

struct ParquetMetaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "meta",
    abstract: "Tell what a file's footer says: rows, row groups, column chunks.")

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet file.") var file: String

  func run() async throws {
    let parquet = try await ParquetCommand.open(file)
    let footer = parquet.footer
    var pairs: [String: String] = [:]
    for pair in footer.metadata.keyValueMetadata ?? [] { pairs[pair.key] = pair.value ?? "" }
    var record = ResultRecord()
    record.add("file", parquet.path.text)
    record.add("bytes", footer.fileByteCount)
    record.add("created_by", footer.createdBy)
    record.add("version", Int64(footer.metadata.version))
    record.add("rows", footer.rowCount)
    record.add("row_groups", Int64(footer.rowGroupCount))
    record.add("columns", Int64(footer.schema.leafCount))
    record.add("key_value_metadata", pairs)
    record.add("column_chunks", try Self.chunks(footer))
    record.print(output)
  }

  private static func chunks(_ footer: ParquetFooter) throws -> ResultTable {
    var result = try ResultTable(
      """
      row_group int not null, rows long not null, column string not null, \
      physical_type string, codec string, encodings list<string>, "values" long, nulls long, \
      compressed_bytes long, uncompressed_bytes long, data_page_offset long, \
      dictionary_page_offset long, has_column_index boolean, has_bloom_filter boolean
      """)
    for (index, group) in footer.metadata.rowGroups.enumerated() {
      for (leaf, chunk) in zip(footer.schema.leaves, group.columns) {
        let meta = chunk.metaData
        result.rows.append([
          Cell(index), Cell(group.rowCount), .text(leaf.name), Cell(meta.map { "\($0.type)" }),
          Cell(meta.map { "\($0.codec)" }),
          meta.map { .list($0.encodings.map { .text("\($0)") }) } ?? .null,
          Cell(meta?.valueCount), Cell(meta?.statistics?.nullCount),
          Cell(meta?.totalCompressedSize), Cell(meta?.totalUncompressedSize),
          Cell(meta?.dataPageOffset), Cell(meta?.dictionaryPageOffset),
          .boolean(chunk.columnIndexOffset != nil), .boolean(meta?.bloomFilterOffset != nil),
        ])
      }
    }
    return result
  }
}

struct ParquetHeadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "head",
    abstract: "Print a file's first rows.")

  @OptionGroup var output: OutputOptions
  @Argument(help: "The Parquet file.") var file: String
  @Option(help: ArgumentHelp("The most rows.", valueName: "count")) var limit = 10

  func validate() throws {
    if limit < 0 { throw ValidationError("--limit must not be negative.") }
  }

  func run() async throws {
    let parquet = try await ParquetCommand.open(file)
    let projection = parquet.footer.schema.all
    var printer = RowPrinter(output.effectiveFormat, fields: projection.fields)
    var left = limit
    for group in 0..<parquet.footer.rowGroupCount where left > 0 {
      let decoder = try await parquet.rowGroup(group, projection: projection)
      do {
        while left > 0, let batch = try decoder.next(limit: min(left, 8192)) {
          printer.print(batch)
          left -= batch.rowCount
        }
      } catch {
        throw ParquetFileError.parquet(error, file: parquet.path)
      }
    }
    printer.finish()
  }
}

/// Types as the format's own documents spell them.
enum ParquetNames {
  static func text(_ type: LogicalType) -> String {
    switch type {
    case .string: "STRING"
    case .map: "MAP"
    case .list: "LIST"
    case .enumeration: "ENUM"
    case .decimal(let scale, let precision): "DECIMAL(\(precision),\(scale))"
    case .date: "DATE"
    case .time(let isAdjusted, let unit): "TIME(\(unit),\(isAdjusted ? "UTC" : "local"))"
    case .timestamp(let isAdjusted, let unit):
      "TIMESTAMP(\(unit),\(isAdjusted ? "UTC" : "local"))"
    case .integer(let bitWidth, let isSigned): "\(isSigned ? "INT" : "UINT")(\(bitWidth))"
    case .unknown: "UNKNOWN"
    case .json: "JSON"
    case .bson: "BSON"
    case .uuid: "UUID"
    case .float16: "FLOAT16"
    case .variant: "VARIANT"
    case .geometry(let crs): crs.map { "GEOMETRY(\($0))" } ?? "GEOMETRY"
    case .geography(let crs, _): crs.map { "GEOGRAPHY(\($0))" } ?? "GEOGRAPHY"
    case .unrecognized: "UNRECOGNIZED"
    }
  }
}
