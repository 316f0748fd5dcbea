// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg
internal import Parquet
internal import ParquetFiles

/// The dictionaries of the columns of a filter in one row group, where all values are in them and
/// looking at those is little work.
struct FileDictionaries {
  private let part: RowGroupPart
  private let filter: FileFilter

  /// Dictionaries of more bytes than this are not looked at before the rows.
  private static let byteCountLimit: Int64 = 128 << 10

  init(_ part: RowGroupPart, _ filter: FileFilter) {
    self.part = part
    self.filter = filter
  }

  /// By field: a batch of that column, as the schema has it.
  func batches() -> [FieldID: RecordBatch] {
    var found: [FieldID: RecordBatch] = [:]
    let shapes = filter.part.projection.shapes
    let fields = filter.part.fieldsWithIDs ?? shapes.map(\.field)
    for column in filter.residual.columns {
      guard let leaf = filter.leaves[column.id],
        let index = shapes.firstIndex(where: { $0.isLeaf(leaf) }),
        let values = values(leaf, fields[index])
      else { continue }
      found[column.id] = values
    }
    return found
  }

  private func values(_ leaf: Int, _ field: ColumnField) -> RecordBatch? {
    let footer = part.file.parquet.footer
    guard let range = footer.dictionaryRange(rowGroup: part.rowGroup, leaf: leaf),
      range.upperBound - range.lowerBound <= Self.byteCountLimit,
      let values = footer.dictionary(rowGroup: part.rowGroup, leaf: leaf, bytes: part.bytes)
    else { return nil }
    let batch = RecordBatch(
      fields: [field], columns: [values.retyped(as: field.type)], rowCount: values.count)
    let mapping = filter.mapping.keeping { $0.rawValue == field.fieldID }
    return try? mapping.apply(batch, at: RowPlaces(first: 0, rows: .all(values.count)))
  }
}

extension ColumnShape {
  /// True if the column is leaf `index` and nothing else.
  fileprivate func isLeaf(_ index: Int) -> Bool {
    if case .leaf(index) = kind { true } else { false }
  }
}
