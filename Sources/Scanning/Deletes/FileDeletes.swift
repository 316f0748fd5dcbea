// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg

/// What is deleted of one data file: the positions, and keys that its rows are compared with.
struct FileDeletes: Sendable {
  var positions = DeletionVector()
  var keys: [DeletedKeys] = []

  static let none = FileDeletes()

  /// The fields that rows are compared by.
  var keyFields: [Field] { keys.flatMap(\.table.fields) }

  /// How many rows of `range`, which are positions in the file, are deleted by position.
  func count(in range: Range<Int64>) -> Int { positions.count(in: range) }

  /// 1 for each row of `range`, which are positions in the file, that is not deleted by position;
  /// nil if none of them is.
  func live(_ range: Range<Int64>) -> Bitmap? {
    if positions.isEmpty || positions.count(in: range) == 0 { return nil }
    var target = MutableBuffer(zeroed: (range.count + 63) / 64 * 8)
    var words = target.mutableValues(as: UInt64.self)
    positions.mark(range, in: &words)
    for i in words.indices { words[i] = ~words[i] }
    return Bitmap(target.freeze(), count: range.count)
  }

  /// 1 for each of the rows at `places` that is not deleted by position; nil if none of them is.
  func live(_ places: RowPlaces) -> Bitmap? {
    guard let live = live(places.range) else { return nil }
    guard !places.rows.isAll else { return live }
    let bits = Column(type: .boolean, count: live.count, validity: nil, values: .bits(live))
    guard case .bits(let some) = bits.filter(by: places.rows).values else { return nil }
    return some
  }

  /// 1 for each row of `batch` that is not deleted by its values; nil if no values are.
  ///
  /// Requires: the batch has the columns of ``keyFields``.
  func unmatched(_ batch: RecordBatch, of file: String) throws(ScanError) -> Bitmap? {
    var deleted: Bitmap?
    for key in keys {
      let columns = try key.table.columns(of: batch, of: file)
      let found = key.table.lookup.contains(columns, first: key.rowCount)
      deleted = deleted.map { $0.or(found) } ?? found
    }
    return deleted?.inverted()
  }
}

/// The keys of a table that are deleted from one data file: those newer than it.
struct DeletedKeys: Sendable {
  let table: EqualityKeys
  /// How many rows of the table, from its first on.
  let rowCount: Int
}

/// The rows of equality delete files of one set of fields and one partition, newest first.
struct EqualityKeys: Sendable {
  let ids: [FieldID]
  /// The columns the fields are in, cut down to them.
  let fields: [Field]
  /// Of the columns that are compared.
  private let types: [ColumnType]
  let lookup: RowLookup
  /// How many rows there are that are newer than or as new as each number, which descend.
  private let ends: [(sequenceNumber: SequenceNumber, rowCount: Int)]

  /// - Parameter parts: the rows of each file, a column for each of `ids`; newest first.
  init(
    ids: [FieldID], fields: [Field], parts: [(sequenceNumber: SequenceNumber, columns: [Column])]
  ) throws(ColumnarError) {
    self.ids = ids
    self.fields = fields
    var keys: [Column] = []
    for index in ids.indices { keys.append(try Column.concat(parts.map { $0.columns[index] })) }
    types = keys.map(\.type)
    lookup = RowLookup(keys: keys)
    var ends: [(SequenceNumber, Int)] = []
    var total = 0
    for part in parts {
      total += part.columns.first?.count ?? 0
      ends.append((part.sequenceNumber, total))
    }
    self.ends = ends
  }

  /// Those that are deleted from a data file of `number`: of files that are newer.
  func deleted(from number: SequenceNumber) -> DeletedKeys? {
    let newer = ends.last { $0.sequenceNumber > number }
    return newer.map { DeletedKeys(table: self, rowCount: $0.rowCount) }
  }

  /// The columns of `batch`, which is of `file`, that are compared.
  ///
  /// An older state is read with its own schema, whose types may be narrower than those of keys.
  func columns(of batch: RecordBatch, of file: String) throws(ScanError) -> [Column] {
    var columns: [Column] = []
    for (id, type) in zip(ids, types) {
      guard let column = batch.nestedColumn(id) else {
        preconditionFailure("a batch without field \(id.rawValue), which deletes need")
      }
      guard column.type != type else {
        columns.append(column)
        continue
      }
      do throws(ColumnarError) { columns.append(try column.promoted(to: type)) } catch {
        throw .schemaMismatch(
          file: file, column: "field \(id.rawValue)", expected: "\(type)",
          found: "\(column.type)")
      }
    }
    return columns
  }
}
