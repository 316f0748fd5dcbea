// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet
internal import ParquetFiles
internal import Storage

/// Some columns of a data file, and what becomes of them.
struct FilePart: Sendable {
  /// What is decoded.
  let projection: ParquetProjection
  /// With ids given, where the file has none.
  let fieldsWithIDs: [ColumnField]?

  /// The columns as they were decoded, each with its id.
  func named(_ decoded: RecordBatch) -> RecordBatch {
    guard let fieldsWithIDs else { return decoded }
    let columns = zip(decoded.columns, fieldsWithIDs).map { $0.retyped(as: $1.type) }
    return RecordBatch(fields: fieldsWithIDs, columns: columns, rowCount: decoded.rowCount)
  }
}

/// What is asked of each row of a data file before the rest of its columns is looked at.
struct FileFilter: Sendable {
  /// The columns it takes, and those that deletes by value compare.
  let part: FilePart
  let mapping: ColumnMapping
  /// Nil where rows are only asked whether they are deleted.
  let rows: RowFilter?
  /// What the file's partition leaves of the scan's filter.
  let residual: BoundPredicate
  /// The leaf of each field that lies in no list or map.
  let leaves: [FieldID: Int]
  /// True if some of the columns are handed out, too.
  let isHandedOut: Bool

  /// 1 for each row that matches and is live.
  func matching(
    _ named: RecordBatch, at places: RowPlaces, _ deletes: FileDeletes
  ) throws(ScanError) -> Bitmap {
    let batch = try mapping.apply(named, at: places)
    var kept = deletes.live(places)
    if let rows {
      let matching = rows.matching(batch)
      kept = kept.map { $0.and(matching) } ?? matching
    }
    if !deletes.keys.isEmpty, let left = try deletes.unmatched(batch, of: mapping.file) {
      kept = kept.map { $0.and(left) } ?? left
    }
    return kept ?? Bitmap(repeating: true, count: batch.rowCount)
  }
}

/// A data file that is being read: its footer, and what is made of its rows.
struct OpenDataFile: Sendable {
  let parquet: ParquetFile
  let deletes: FileDeletes
  /// The path as the table has it.
  let name: String
  /// The only rows that are wanted; nil: all.
  let positions: RowPositions?
  /// Nil where every row is wanted that is not deleted by position.
  let filter: FileFilter?
  /// The columns handed out that the filter does not take.
  let rest: FilePart
  /// What is handed out.
  let output: ColumnMapping
  /// Pages that were read before; nil where none are kept.
  var knownPages: KnownPages.OfFile?

  /// True if a request takes no time: to disk and memory no way is long.
  var isNear: Bool { ["file", "memory"].contains(parquet.path.scheme) }

  /// All leaves that are read.
  var leaves: [Int] { (filter?.part.projection.leafIndices ?? []) + rest.projection.leafIndices }

  /// The rows that are handed out, of the columns of the filter and the rest, which have the same.
  func rows(
    _ first: RecordBatch?, _ second: RecordBatch, at places: RowPlaces
  ) throws(ScanError) -> RecordBatch {
    guard let first, filter?.isHandedOut == true else {
      return try output.apply(second, at: places)
    }
    return try output.apply(
      RecordBatch(
        fields: first.fields + second.fields, columns: first.columns + second.columns,
        rowCount: second.rowCount),
      at: places)
  }

  /// - Parameters:
  ///   - extra: fields that only the filter needs.
  ///   - residual: what is asked of the rows.
  ///   - facts: what metadata columns show; nil of a file that is of no table.
  init(
    _ parquet: ParquetFile, _ columns: FileColumns, name: String, output: [Field],
    extra: [Field], partitionValues: [FieldID: Value?], residual: BoundPredicate,
    facts: FileFacts? = nil, deletes: FileDeletes = .none, positions: RowPositions? = nil
  ) {
    self.parquet = parquet
    self.name = name
    self.positions = positions
    self.deletes = deletes
    func mapping(_ fields: [Field]) -> ColumnMapping {
      ColumnMapping(file: name, fields: fields, partitionValues: partitionValues, facts: facts)
    }
    func part(_ fields: [Field]) -> FilePart {
      FilePart(
        projection: columns.projection(of: fields),
        fieldsWithIDs: columns.fieldsWithIDs(of: fields))
    }
    self.output = mapping(output)
    guard residual != .alwaysTrue || !deletes.keys.isEmpty else {
      filter = nil
      rest = part(output)
      return
    }
    // A column of the file is decoded once: with the filter, if that needs any of it.
    let wanted = output + extra
    let fields = wanted + Self.missing(deletes.keyFields, from: wanted)
    let asked = Set(residual.columns.map(\.id)).union(deletes.keys.flatMap(\.table.ids))
    let tops = Set(fields.filter { !asked.isDisjoint(with: $0.allIDs) }.map(\.id))
    let tested = fields.filter { tops.contains($0.id) }
    filter = FileFilter(
      part: part(tested), mapping: mapping(tested),
      rows: residual == .alwaysTrue ? nil : RowFilter(residual), residual: residual,
      leaves: columns.leaves, isHandedOut: output.contains { tops.contains($0.id) })
    rest = part(output.filter { !tops.contains($0.id) })
  }

  /// Those of `wanted` that are not in `fields` with all they have.
  static func missing(_ wanted: [Field], from fields: [Field]) -> [Field] {
    var known = Set(fields.flatMap(\.allIDs))
    var missing: [Field] = []
    for field in wanted where !known.isSuperset(of: field.leafIDs) {
      known.formUnion(field.allIDs)
      missing.append(field)
    }
    return missing
  }
}
