// SPDX-License-Identifier: Apache-2.0
import Lake

/// Rows as values, by position of their columns.
public enum Rows {
  /// The batch of `rows`, each of which has a value (nil is null) for each field of `schema`.
  public static func batch(_ rows: some Collection<[Value?]>, _ schema: Schema) -> RecordBatch {
    let builder = BatchBuilder(schema.columnFields)
    for row in rows {
      for (column, value) in zip(builder.columns, row) { column.append(value) }
    }
    return builder.finish()
  }
}

extension FilesystemCatalog {
  /// Makes a table of columns and partition fields told as text.
  public func createTable(
    _ name: String, _ schema: String, partitionedBy spec: String = "",
    properties: [String: String] = [:], formatVersion: FormatVersion = .v2
  ) async throws -> Table {
    let schema = try Schema(schema)
    return try await createTable(
      TableIdentifier(name),
      TableDefinition(
        schema: schema, partitionSpec: PartitionSpec(spec, schema: schema),
        properties: properties, formatVersion: formatVersion))
  }
}
