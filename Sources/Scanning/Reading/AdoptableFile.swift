// SPDX-License-Identifier: Apache-2.0
package import Catalogs
internal import Columnar
internal import Expressions
package import Iceberg
internal import Parquet
internal import ParquetFiles
package import Storage

/// A Parquet file that others wrote, looked at to be made a data file of a table.
///
/// Only the footer is read. Its columns are found by their ids if it has any, else by their names.
package struct AdoptableFile: Sendable {
  package let path: ObjectPath
  package let rowCount: Int64
  package let byteCount: Int64
  package let splitOffsets: [Int64]
  /// What the footer tells of columns that lie in no list or map, bounds as values.
  package let columns: [Facts]

  /// What is known of one column.
  package struct Facts: Sendable {
    package let id: FieldID
    package let byteCount: Int64
    package let valueCount: Int64
    package let nullCount: Int64?
    package let nanCount: Int64?
    package let lower: Value?
    package let upper: Value?
  }

  /// What is known of the column `id`; nil if the file does not have it.
  package func facts(of id: FieldID) -> Facts? { columns.first { $0.id == id } }

  /// - Parameters:
  ///   - mapping: of names to the table's fields, for a file without ids.
  ///   - constants: columns whose values the file's place tells.
  /// - Throws: ``ScanError/schemaMismatch(file:column:expected:found:)`` if the table's columns
  ///   can't be read from it, or its ids are those of other columns.
  package init(
    _ path: ObjectPath, of table: Table, mapping: NameMapping, constants: Set<FieldID>
  ) async throws(ScanError) {
    let file: ParquetFile
    do throws(StorageError) { byteCount = try await table.store.head(path).byteCount } catch {
      throw .storage(error, while: "looking at \(path)")
    }
    do throws(ParquetFileError) {
      file = try await ParquetFile.open(path, in: table.store, byteCount: byteCount)
    } catch {
      throw .dataFile(error)
    }
    let schema = table.metadata.currentSchema
    let found = try FileColumns(file.footer.schema) { () throws(ScanError) in mapping }
    try Self.check(file.footer.schema.fields, schema, path.text)
    try Self.check(found, file, schema, constants)
    self.path = path
    rowCount = file.footer.rowCount
    let footer = file.footer
    splitOffsets = (0..<footer.rowGroupCount).compactMap { group in
      try? footer.readPlan(rowGroup: group, projection: footer.schema.all).ranges.first?.lowerBound
    }
    columns = found.leaves.sorted { $0.key < $1.key }.compactMap { id, leaf in
      guard let type = schema.field(id)?.type.primitive else { return nil }
      return Facts(id, leaf, type, footer)
    }
  }

  /// Refuses ids that stand for other columns in the table.
  private static func check(
    _ columns: [ColumnField], _ schema: Schema, _ file: String
  ) throws(ScanError) {
    for column in columns {
      guard let id = column.fieldID, let field = schema.field(FieldID(id)) else { continue }
      guard field.name == column.name else {
        throw .schemaMismatch(
          file: file, column: column.name, expected: "field id of a column of that name",
          found: "\(id), which is '\(field.name)' in the table")
      }
    }
  }

  /// Reads no rows as rows of the table: what fails then would fail with any.
  private static func check(
    _ columns: FileColumns, _ file: ParquetFile, _ schema: Schema, _ constants: Set<FieldID>
  ) throws(ScanError) {
    let opened = OpenDataFile(
      file, columns, name: file.path.text, output: schema.fields, extra: [],
      partitionValues: Dictionary(uniqueKeysWithValues: constants.map { ($0, nil) }),
      residual: .alwaysTrue)
    let fields = opened.rest.fieldsWithIDs ?? opened.rest.projection.fields
    let none = RecordBatch(
      fields: fields, columns: fields.map { ColumnBuilder($0.type).finish() }, rowCount: 0)
    _ = try opened.rows(nil, none, at: RowPlaces(first: 0, rows: .all(0)))
  }
}

extension AdoptableFile.Facts {
  fileprivate init?(_ id: FieldID, _ leaf: Int, _ type: PrimitiveType, _ footer: ParquetFooter) {
    var bytes: Int64 = 0
    var values: Int64 = 0
    var nulls: Int64? = 0
    var nans: Int64? = 0
    var bounds: (lower: Value, upper: Value)?
    var areKnown = true
    for group in 0..<footer.rowGroupCount {
      guard let chunk = footer.metadata.rowGroups[group].columns[leaf].metaData else { return nil }
      bytes &+= max(0, chunk.totalCompressedSize)
      values &+= max(0, chunk.valueCount)
      let statistics = footer.statistics(rowGroup: group, leaf: leaf)
      nulls = nulls.flatMap { sum in statistics?.nullCount.map { sum &+ $0 } }
      nans = nans.flatMap { sum in statistics?.nanCount.map { sum &+ $0 } }
      if statistics?.areAllNull == true { continue }
      guard let statistics,
        let lower = statistics.lower?.value(of: statistics.type, as: type),
        let upper = statistics.upper?.value(of: statistics.type, as: type)
      else {
        areKnown = false
        continue
      }
      guard let known = bounds else {
        bounds = (lower, upper)
        continue
      }
      bounds = (
        (Value.compare(lower, known.lower) ?? 0) < 0 ? lower : known.lower,
        (Value.compare(upper, known.upper) ?? 0) > 0 ? upper : known.upper
      )
    }
    self.id = id
    byteCount = bytes
    valueCount = values
    nullCount = nulls
    nanCount = nans
    lower = areKnown ? bounds?.lower : nil
    upper = areKnown ? bounds?.upper : nil
  }
}
