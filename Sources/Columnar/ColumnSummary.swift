// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// What a writer says of a column, so that readers may skip it.
public struct ColumnSummary: Sendable {
  public let rowCount: Int
  public let nullCount: Int
  /// Of float and double columns; 0 for others.
  public let nanCount: Int
  /// The least and the greatest value that is neither null nor NaN; nil if there is none.
  ///
  /// In the order of ``RecordBatch/sortedRows(by:)``: -0 is below +0, bytes are unsigned.
  public let bounds: (minimum: ColumnValue, maximum: ColumnValue)?
}

extension Column {
  /// Counts and bounds of the values of a column that is not nested. Cost: one pass; of a
  /// dictionary, over the codes and the entries in use.
  public func summary() -> ColumnSummary {
    precondition(!type.isNested, "no bounds of \(type)")
    let nanCount = type == .float || type == .double ? nans.countOfOnes : 0
    return ColumnSummary(
      rowCount: count, nullCount: nullCount, nanCount: nanCount,
      bounds: nullCount == count ? nil : withUsedValues().plainBounds())
  }

  /// A plain column of the values that occur.
  private func withUsedValues() -> Column {
    switch values {
    case .dictionary(let codes, let dictionary):
      let used = MinMax.used(codes, validity: validity, entryCount: dictionary.count)
      return dictionary.filter(by: used)
    default: return self
    }
  }

  private func plainBounds() -> (minimum: ColumnValue, maximum: ColumnValue)? {
    switch values {
    case .bits(let bits):
      let ones = (validity.map { bits.and($0) } ?? bits).countOfOnes
      return (.boolean(ones == count - nullCount), .boolean(ones > 0))
    case .fixed(let buffer):
      switch (type, type.layout) {
      case (.uuid, _), (.fixed, _): return byteBounds()
      case (.float, _): return MinMax.numbers(Widen.floats(buffer), validity)
      case (.double, _): return MinMax.numbers(buffer, validity)
      case (_, .fixed(width: 4)):
        return MinMax.of(buffer, as: Int32.self, validity).map {
          (.integer(Int128($0)), .integer(Int128($1)))
        }
      case (_, .fixed(width: 8)):
        return MinMax.of(buffer, as: Int64.self, validity).map {
          (.integer(Int128($0)), .integer(Int128($1)))
        }
      default:
        return MinMax.of(buffer, as: WideInteger.self, validity).map {
          (.integer($0.value), .integer($1.value))
        }
      }
    case .variable: return byteBounds()
    default: return nil
    }
  }

  private func byteBounds() -> (minimum: ColumnValue, maximum: ColumnValue)? {
    MinMax.rowsOfBytes(self).map { (.bytes(bytes($0)), .bytes(bytes($1))) }
  }
}
