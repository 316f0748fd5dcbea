// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Columnar
internal import Lake

/// `lake schema TABLE`: the columns, nested ones by dotted names.
struct SchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "List a table's columns.",
    discussion: "Nested fields follow their column, by dotted names.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName
  @Flag(help: "List the columns of all schemas the table had.") var history = false

  func run() async throws {
    let metadata = try await catalog.table(table).metadata
    let schemas = history ? metadata.schemas : [metadata.currentSchema]
    var result = try ResultTable("schema_id int not null, \(SchemaRows.columns)")
    for schema in schemas {
      for row in SchemaRows.rows(schema) { result.rows.append([Cell(schema.id.rawValue)] + row) }
    }
    result.print(output)
  }
}

/// The fields of a schema as rows.
enum SchemaRows {
  static let columns = """
    field_id int not null, name string not null, type string not null, required boolean not null, \
    key boolean not null, doc string, initial_default string, write_default string
    """

  static func rows(_ schema: Schema) -> [[Cell]] {
    schema.allFields.map { field in
      [
        Cell(field.id.rawValue), .text(schema.name(of: field.id) ?? field.name),
        .text("\(field.type)"), .boolean(field.isRequired),
        .boolean(schema.identifierFieldIDs.contains(field.id)), Cell(field.doc),
        Cell(text(field.initialDefault, field)), Cell(text(field.writeDefault, field)),
      ]
    }
  }

  private static func text(_ value: Value?, _ field: Field) -> String? {
    value.map { value in field.type.primitive.map { value.text(as: $0) } ?? "\(value)" }
  }
}

/// `lake describe TABLE`: what a person wants to see first.
struct DescribeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Tell what a table is: its size, columns, partitions, properties.",
    discussion: "Reads the table's metadata only.")

  @OptionGroup var catalog: CatalogOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: TableName.help, transform: TableName.parse) var table: TableName

  func run() async throws {
    let table = try await catalog.table(table)
    let metadata = table.metadata
    let current = metadata.currentSnapshot
    let summary = current?.summary ?? [:]
    var record = ResultRecord()
    record.add("table", table.name)
    record.add("uuid", metadata.uuid?.rawValue)
    record.add("format_version", Int64(metadata.formatVersion.rawValue))
    record.add("location", metadata.location)
    record.add("metadata_location", table.metadataLocation.text)
    record.add("last_updated", milliseconds: metadata.lastUpdatedMilliseconds)
    record.add("snapshots", Int64(metadata.snapshots.count))
    record.add("current_snapshot_id", current?.id.rawValue)
    record.add("rows", Self.total(summary, "total-records", isEmpty: current == nil))
    record.add("data_files", Self.total(summary, "total-data-files", isEmpty: current == nil))
    record.add("delete_files", Self.total(summary, "total-delete-files", isEmpty: current == nil))
    record.add("bytes", Self.total(summary, "total-files-size", isEmpty: current == nil))
    record.add("partition_by", Self.text(metadata.defaultPartitionSpec, metadata))
    record.add("sort_by", Self.text(metadata.defaultSortOrder, metadata.currentSchema))
    record.add(
      "key", metadata.currentSchema.identifierFieldIDs.compactMap(metadata.currentSchema.name))
    record.add("refs", metadata.references.keys.sorted())
    record.add("properties", metadata.properties.values)
    var columns = try ResultTable(SchemaRows.columns)
    columns.rows = SchemaRows.rows(metadata.currentSchema)
    try await UpsertRows.add(table, to: &record)
    record.add("columns", columns)
    try StatisticsRows.add(metadata, to: &record)
    record.print(output)
  }

  /// A total of the current snapshot; null where its writer did not tell.
  private static func total(
    _ summary: [String: String], _ key: String, isEmpty: Bool
  ) -> Int64? { isEmpty ? 0 : summary[key].flatMap { Int64($0) } }

  private static func text(_ spec: PartitionSpec, _ metadata: TableMetadata) -> [String] {
    spec.fields.filter { $0.transform != .void }.map { field in
      term(field.transform, field.sourceIDs, metadata.currentSchema)
    }
  }

  private static func text(_ order: SortOrder, _ schema: Schema) -> [String] {
    order.fields.map { field in
      term(field.transform, field.sourceIDs, schema)
        + (field.direction == .descending ? " desc" : " asc")
        + (field.nullOrder == .nullsFirst ? " nulls first" : " nulls last")
    }
  }

  /// As `lake create` takes it: `bucket(16, id)`.
  private static func term(_ transform: Transform, _ ids: [FieldID], _ schema: Schema) -> String {
    let column = ids.map { schema.name(of: $0) ?? "#\($0.rawValue)" }.joined(separator: ", ")
    return switch transform {
    case .identity: column
    case .bucket(let count): "bucket(\(count), \(column))"
    case .truncate(let width): "truncate(\(width), \(column))"
    default: "\(transform)(\(column))"
    }
  }
}
