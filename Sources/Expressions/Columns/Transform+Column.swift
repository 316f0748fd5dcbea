// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
public import Iceberg

extension Transform {
  /// The transform of each value of `column`, whose type is that of the source field.
  ///
  /// Nulls stay nulls. Numbers and moments are transformed a column at a time; text and bytes once
  /// a distinct value where they are a dictionary.
  /// - Requires: ``applies(to:)`` is true of `type`.
  public func apply(to column: Column, of type: PrimitiveType) -> Column {
    let result = resultType(of: type).columnType
    switch self {
    case .identity: return column
    case .void, .unknown: return .nulls(result, count: column.count)
    default: break
    }
    if case .dictionary(let codes, let dictionary) = column.values {
      return Column(
        type: result, count: column.count, validity: column.validity,
        values: .dictionary(codes: codes, apply(to: dictionary, of: type)))
    }
    guard case .fixed(let values) = column.values, let numbers = applyToNumbers(values, type) else {
      return applyToEach(column, type, result)
    }
    return Column(
      type: result, count: column.count, validity: column.validity, values: .fixed(numbers))
  }

  /// The transform of numbers of 4 or 8 bytes; nil for other types.
  private func applyToNumbers(_ values: Buffer, _ type: PrimitiveType) -> Buffer? {
    switch (self, type) {
    case (.bucket(let count), .int), (.bucket(let count), .date):
      return fill(values.count / 4) { output in
        BucketTransform.apply(
          values.values(as: Int32.self), count: Int32(clamping: count), into: &output)
      }
    case (.bucket(let count), .long), (.bucket(let count), .time),
      (.bucket(let count), .timestamp), (.bucket(let count), .timestamptz):
      return fill(values.count / 8) { output in
        BucketTransform.apply(
          values.values(as: Int64.self), count: Int32(clamping: count), into: &output)
      }
    case (.bucket(let count), .timestampNs), (.bucket(let count), .timestamptzNs):
      return fill(values.count / 8) { output in
        BucketTransform.apply(
          nanoseconds: values.values(as: Int64.self), count: Int32(clamping: count), into: &output)
      }
    case (.truncate(let width), .int):
      return fill(values.count / 4) { output in
        TruncateTransform.apply(
          values.values(as: Int32.self), width: Int32(clamping: width), into: &output)
      }
    case (.truncate(let width), .long):
      var output = MutableBuffer(byteCount: values.count)
      var span = output.mutableValues(as: Int64.self)
      TruncateTransform.apply(values.values(as: Int64.self), width: Int64(width), into: &span)
      return output.freeze()
    case (.year, _), (.month, _), (.day, _), (.hour, _): return applyToMoments(values, type)
    default: return nil
    }
  }

  private func applyToMoments(_ values: Buffer, _ type: PrimitiveType) -> Buffer? {
    let granularity: TimeTransform.Granularity =
      switch self {
      case .year: .year
      case .month: .month
      case .day: .day
      default: .hour
      }
    let unit: TimeTransform.Unit
    switch type {
    case .date:
      return fill(values.count / 4) { output in
        TimeTransform.apply(days: values.values(as: Int32.self), granularity, into: &output)
      }
    case .timestamp, .timestamptz: unit = .microseconds
    case .timestampNs, .timestamptzNs: unit = .nanoseconds
    default: return nil
    }
    return fill(values.count / 8) { output in
      TimeTransform.apply(values.values(as: Int64.self), unit, granularity, into: &output)
    }
  }

  private func fill(_ count: Int, _ body: (inout MutableSpan<Int32>) -> Void) -> Buffer {
    var output = MutableBuffer(byteCount: count * 4)
    var span = output.mutableValues(as: Int32.self)
    body(&span)
    return output.freeze()
  }

  /// One value at a time, for text, bytes and decimals.
  private func applyToEach(
    _ column: Column, _ type: PrimitiveType, _ result: ColumnType
  ) -> Column {
    let builder = ColumnBuilder(result, capacity: column.count)
    for row in 0..<column.count {
      builder.append(column.icebergValue(row).flatMap { apply(to: $0, of: type) })
    }
    return builder.finish()
  }
}
