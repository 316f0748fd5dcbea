// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Iceberg

/// A conversion of columns of one type to another.
struct Casting {
  let from: PrimitiveType
  let to: PrimitiveType
  let mode: CastMode

  /// - Throws: ``ColumnarError/tooLarge(count:)`` if strings outgrow a column.
  func cast(_ column: Column) throws(ColumnarError) -> Outcome {
    let type = to.columnType
    if column.isAllNull { return Outcome(.nulls(type, count: column.count)) }
    if case .dictionary(let codes, let dictionary) = column.values {
      if dictionary.count == 0 { return Outcome(.nulls(type, count: column.count)) }
      let entries = plain(dictionary)
      if entries.failures == nil, entries.column.nullCount == 0 {
        return Outcome(
          Column(
            type: type, count: column.count, validity: column.validity,
            values: .dictionary(codes: codes, entries.column)))
      }
      // An entry may fail that no row has.
      return plain(try column.materialized())
    }
    return plain(column)
  }

  private func plain(_ column: Column) -> Outcome {
    switch (from, to) {
    case (.string, _): TextCasts(type: to, isExact: mode == .exact).parsed(column)
    case (_, .string): TextCasts.spelled(column, from)
    case _ where from.isNumber && to.isNumber: NumberCasts(from, to, mode).cast(column)
    case (.boolean, _): boolean(column)
    case (_, .boolean): truth(column)
    case (.date, _), (_, .date), (_, .time): MomentCasts(from, to, mode).cast(column)
    case _ where from.isTimestamp && to.isTimestamp: MomentCasts(from, to, mode).cast(column)
    default: bytes(column)
    }
  }

  private func boolean(_ column: Column) -> Outcome {
    guard case .bits(let bits) = column.values else { preconditionFailure("not booleans") }
    let builder = ColumnBuilder(to.columnType, capacity: column.count)
    for row in 0..<column.count {
      if column.isNull(row) {
        builder.appendNull()
      } else if to == .int {
        builder.append(Int32(bits[row] ? 1 : 0))
      } else {
        builder.append(Int64(bits[row] ? 1 : 0))
      }
    }
    return Outcome(builder.finish())
  }

  private func truth(_ column: Column) -> Outcome {
    Outcome(
      from == .int
        ? ColumnLoops.bits(column, Int32.self) { $0 != 0 }
        : ColumnLoops.bits(column, Int64.self) { $0 != 0 })
  }

  /// Bytes under another type, if they are as many as it has.
  private func bytes(_ column: Column) -> Outcome {
    let width: Int? =
      switch to {
      case .fixed(let width): width
      case .uuid: 16
      default: nil
      }
    let builder = OutcomeBuilder(to.columnType, capacity: column.count)
    for row in 0..<column.count {
      if column.isNull(row) {
        builder.appendNull()
        continue
      }
      let bytes = column.bytes(row)
      if let width, width != bytes.count {
        builder.appendFailure()
      } else {
        builder.values.append(bytes.bytes)
      }
    }
    return builder.finish()
  }
}

/// Builds a column value by value, and notes where that fails.
final class OutcomeBuilder {
  let values: ColumnBuilder
  private var failures: [Int] = []

  init(_ type: ColumnType, capacity: Int) {
    values = ColumnBuilder(type, capacity: capacity)
  }

  func appendNull() { values.appendNull() }

  func appendFailure() {
    failures.append(values.count)
    values.appendNull()
  }

  func finish() -> Outcome {
    let column = values.finish()
    if failures.isEmpty { return Outcome(column) }
    var bits = BitmapBuilder(capacity: column.count)
    var next = 0
    for row in failures {
      bits.append(repeating: false, count: row - next)
      bits.append(true)
      next = row + 1
    }
    bits.append(repeating: false, count: column.count - next)
    return Outcome(column, failures: bits.finish())
  }
}
