// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg

/// What the table tells of a data file that rows of it may show: the metadata columns.
struct FileFacts: Sendable {
  let file: DataFile
  let sequenceNumber: SequenceNumber
  /// The partition's values, a null for each field that its spec does not have.
  let partition: [Value?]

  /// The metadata column `column` of the rows at `places`.
  ///
  /// - Parameter stored: what the file itself has of it, as longs.
  func column(
    _ column: MetadataColumn, _ field: Field, at places: RowPlaces, stored: Column?
  ) throws(ColumnarError) -> Column {
    let count = places.count
    let type = field.type.columnType
    switch column {
    case .file: return try .repeating(.string(file.path), type, count: count)
    case .specID: return try .repeating(.int(file.partition.specID.rawValue), type, count: count)
    case .position: return .places(places, from: places.first)
    case .partition: return try partitionColumn(field, count: count)
    case .rowID:
      guard let first = file.firstRowID else { return .nulls(type, count: count) }
      let (start, overflow) = first.addingReportingOverflow(places.first)
      guard !overflow, start <= .max - Int64(places.rows.rowCount) else {
        return .nulls(type, count: count)
      }
      let inherited = Column.places(places, from: start)
      return try stored?.filled(by: inherited) ?? inherited
    case .lastUpdatedSequenceNumber:
      guard file.firstRowID != nil else { return .nulls(type, count: count) }
      let inherited = try Column.repeating(.long(sequenceNumber.rawValue), type, count: count)
      return try stored?.filled(by: inherited) ?? inherited
    }
  }

  private func partitionColumn(_ field: Field, count: Int) throws(ColumnarError) -> Column {
    guard case .structure(let type) = field.type else { preconditionFailure("not a structure") }
    var children: [Column] = []
    for (index, child) in type.fields.enumerated() {
      children.append(
        try .repeating(
          index < partition.count ? partition[index] : nil, child.type.columnType, count: count))
    }
    return Column(
      type: field.type.columnType, count: count, validity: nil, values: .structure(children))
  }
}

extension Column {
  /// A long for each of the rows at `places`: `first` for the first they are selected from, one
  /// more for each that follows.
  ///
  /// Requires: they end within 64 bits.
  fileprivate static func places(_ places: RowPlaces, from first: Int64) -> Column {
    var target = MutableBuffer(byteCount: places.count * 8)
    var values = target.mutableValues(as: Int64.self)
    var next = 0
    for range in places.rows.ranges {
      for row in range {
        values[next] = first &+ Int64(truncatingIfNeeded: row)
        next &+= 1
      }
    }
    return Column(
      type: .int64, count: places.count, validity: nil, values: .fixed(target.freeze()))
  }

  /// These longs, and those of `others` where there is none.
  fileprivate func filled(by others: Column) throws(ColumnarError) -> Column {
    guard let validity else { return self }
    if case .null = values { return others }
    let plain = try materialized()
    let other = try others.materialized()
    guard case .fixed(let own) = plain.values, case .fixed(let rest) = other.values else {
      return others
    }
    let a = own.values(as: Int64.self)
    let b = rest.values(as: Int64.self)
    var target = MutableBuffer(byteCount: count * 8)
    var result = target.mutableValues(as: Int64.self)
    for i in result.indices { result[i] = validity[i] ? a[i] : b[i] }
    return Column(type: type, count: count, validity: nil, values: .fixed(target.freeze()))
  }
}
