// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// What is known of the values that one column has in some rows: a data file's, a row group's, a
/// manifest's partitions', or one partition's.
public struct ColumnFacts: Hashable, Sendable {
  /// False only if it is known that no value is null.
  public var mayHaveNulls: Bool
  /// False only if it is known that no value is NaN, as of all types that have none.
  public var mayHaveNaNs: Bool
  /// False only if it is known that all values are null or NaN.
  public var mayHaveValues: Bool
  /// No value but null and NaN is lower; nil if unknown.
  public var lower: Value?
  /// No value but null and NaN is higher; nil if unknown.
  public var upper: Value?

  public init(
    mayHaveNulls: Bool, mayHaveNaNs: Bool, mayHaveValues: Bool, lower: Value?, upper: Value?
  ) {
    self.mayHaveNulls = mayHaveNulls
    self.mayHaveNaNs = mayHaveNaNs
    self.mayHaveValues = mayHaveValues
    self.lower = lower.flatMap { $0.isNaN ? nil : $0 }
    self.upper = upper.flatMap { $0.isNaN ? nil : $0 }
    // Bounds that contradict each other tell nothing.
    if let lower, let upper, (Value.predicateOrder(lower, upper) ?? 1) > 0 {
      self.lower = nil
      self.upper = nil
    }
  }

  /// Of counts, nil where unknown, of a column of `type`; counts that can't be true are unknown.
  ///
  /// Requires: the counts are of rows, as they are not of what lies in lists and maps.
  public init(
    valueCount: Int64?, nullCount: Int64?, nanCount: Int64?, lower: Value?, upper: Value?,
    type: PrimitiveType
  ) {
    let nulls = ColumnFacts.plausible(nullCount, of: valueCount)
    let isFloating = type.isFloatingPoint
    let nans = isFloating ? ColumnFacts.plausible(nanCount, of: valueCount) : 0
    var others = true
    if let valueCount, let nulls, nulls <= Int64.max - (nans ?? 0) {
      others = nulls + (nans ?? 0) < valueCount
    }
    self.init(
      mayHaveNulls: nulls != 0, mayHaveNaNs: nans != 0,
      mayHaveValues: others || valueCount ?? 0 < 0,
      lower: lower, upper: upper)
  }

  private static func plausible(_ count: Int64?, of total: Int64?) -> Int64? {
    guard let count, count >= 0, count <= total ?? .max else { return nil }
    return count
  }

  /// Of a manifest's summary of a partition field of `type`: bounds as bytes, nil where not there.
  ///
  /// Without bounds all values are null or NaN, if the summary admits to any.
  public init(
    containsNull: Bool, containsNaN: Bool?, lower: [UInt8]?, upper: [UInt8]?, type: PrimitiveType
  ) {
    let mayHaveNaNs = type.isFloatingPoint && containsNaN ?? true
    let isEmpty = lower == nil && upper == nil
    self.init(
      mayHaveNulls: containsNull, mayHaveNaNs: mayHaveNaNs,
      mayHaveValues: !isEmpty || !(containsNull || containsNaN == true)
        || (type.isFloatingPoint && containsNaN == nil),
      lower: Value(bound: lower, as: type), upper: Value(bound: upper, as: type))
  }

  /// Of rows that all have `value`, or all have null.
  public init(of value: Value?) {
    let isNaN = value?.isNaN ?? false
    self.init(
      mayHaveNulls: value == nil, mayHaveNaNs: isNaN, mayHaveValues: value != nil && !isNaN,
      lower: value, upper: value)
  }

  /// Nothing is known.
  public static let unknown = ColumnFacts(
    mayHaveNulls: true, mayHaveNaNs: true, mayHaveValues: true, lower: nil, upper: nil)
}

/// Something that knows facts about the columns of some rows.
public protocol ColumnFactsSource {
  /// The facts about `column`; nil if none are known.
  func facts(of column: BoundColumn) -> ColumnFacts?
}

extension BoundPredicate {
  /// False only if no row that `source` is about can match: such a file need not be read.
  ///
  /// Files with nulls are kept by `<>`, `NOT IN` and `NOT LIKE` too, though nulls don't match those
  /// here: they do in other engines that plan with the same answer.
  public func mightMatch(_ source: some ColumnFactsSource) -> Bool {
    switch self {
    case .always(let value): value
    case .and(let parts): parts.allSatisfy { $0.mightMatch(source) }
    case .or(let parts): parts.contains { $0.mightMatch(source) }
    case .test(let column, let test): source.facts(of: column).map(test.mightHold) ?? true
    }
  }

  /// True only if all rows that `source` is about match: such a file can be deleted whole.
  public func mustMatch(_ source: some ColumnFactsSource) -> Bool {
    switch self {
    case .always(let value): value
    case .and(let parts): parts.allSatisfy { $0.mustMatch(source) }
    case .or(let parts): parts.contains { $0.mustMatch(source) }
    case .test(let column, let test): source.facts(of: column).map(test.mustHold) ?? false
    }
  }
}

extension BoundTest {
  /// False only if the test is false of every value.
  func mightHold(_ facts: ColumnFacts) -> Bool {
    switch self {
    case .isNull: return facts.mayHaveNulls
    case .isNotNull: return facts.mayHaveNaNs || facts.mayHaveValues
    case .isNaN: return facts.mayHaveNaNs
    case .isNotNaN: return facts.mayHaveNulls || facts.mayHaveValues
    case .compare(.notEqual, let value):
      return facts.hasOthers || (facts.mayHaveValues && !facts.areAll(value))
    case .compare(let comparison, let value):
      return facts.mayHaveValues && facts.might(comparison, value)
    case .isIn(let values):
      return facts.mayHaveValues && facts.mightBeAny(of: values)
    case .isNotIn(let values):
      return facts.hasOthers || (facts.mayHaveValues && !facts.areAllOne(of: values))
    case .startsWith(let prefix): return facts.mayHaveValues && facts.mightStart(with: prefix)
    case .doesNotStartWith(let prefix):
      return facts.hasOthers || (facts.mayHaveValues && !facts.mustStart(with: prefix))
    }
  }

  /// True only if the test is true of every value.
  func mustHold(_ facts: ColumnFacts) -> Bool {
    switch self {
    case .isNull: return !facts.mayHaveNaNs && !facts.mayHaveValues
    case .isNotNull: return !facts.mayHaveNulls
    case .isNaN: return !facts.mayHaveNulls && !facts.mayHaveValues
    case .isNotNaN: return !facts.mayHaveNaNs
    default: break
    }
    // Of nulls and NaNs none of the others is taken to be true.
    guard !facts.hasOthers else { return false }
    guard facts.mayHaveValues else { return true }
    switch self {
    case .compare(let comparison, let value): return facts.must(comparison, value)
    case .isIn(let values): return facts.areAllOne(of: values)
    case .isNotIn(let values): return !facts.mightBeAny(of: values)
    case .startsWith(let prefix): return facts.mustStart(with: prefix)
    case .doesNotStartWith(let prefix): return !facts.mightStart(with: prefix)
    default: return false
    }
  }
}

extension ColumnFacts {
  fileprivate var hasOthers: Bool { mayHaveNulls || mayHaveNaNs }

  /// How the lower bound compares with `value`; nil if it is not known or can't be compared.
  private func low(_ value: Value) -> Int? { lower.flatMap { Value.predicateOrder($0, value) } }
  private func high(_ value: Value) -> Int? { upper.flatMap { Value.predicateOrder($0, value) } }

  /// Every value is `value`.
  fileprivate func areAll(_ value: Value) -> Bool { low(value) == 0 && high(value) == 0 }

  /// Every value is the same, one of `values`, which ascend.
  fileprivate func areAllOne(of values: [Value]) -> Bool {
    guard let lower, values.containsSorted(lower) else { return false }
    return areAll(lower)
  }

  /// False only if none of `values`, which ascend, lies between the bounds. Cost: O(log values).
  fileprivate func mightBeAny(of values: [Value]) -> Bool {
    var low = 0
    var high = values.count
    while low < high {
      let middle = (low + high) / 2
      if (self.low(values[middle]) ?? 0) > 0 { low = middle + 1 } else { high = middle }
    }
    return low < values.count && (self.high(values[low]) ?? 0) >= 0
  }

  /// False only if no value compares so with `value`.
  fileprivate func might(_ comparison: Comparison, _ value: Value) -> Bool {
    switch comparison {
    case .equal: (low(value) ?? 0) <= 0 && (high(value) ?? 0) >= 0
    case .notEqual: !areAll(value)
    case .less: (low(value) ?? -1) < 0
    case .lessOrEqual: (low(value) ?? 0) <= 0
    case .greater: (high(value) ?? 1) > 0
    case .greaterOrEqual: (high(value) ?? 0) >= 0
    }
  }

  /// True only if every value compares so with `value`.
  fileprivate func must(_ comparison: Comparison, _ value: Value) -> Bool {
    switch comparison {
    case .equal: areAll(value)
    case .notEqual: (low(value) ?? 0) > 0 || (high(value) ?? 0) < 0
    case .less: (high(value) ?? 0) < 0
    case .lessOrEqual: (high(value) ?? 1) <= 0
    case .greater: (low(value) ?? 0) > 0
    case .greaterOrEqual: (low(value) ?? -1) >= 0
    }
  }

  /// False only if no value starts with `prefix`.
  fileprivate func mightStart(with prefix: String) -> Bool {
    if case .string(let lower) = lower, lower.comparesAsPrefix(with: prefix) > 0 { return false }
    if case .string(let upper) = upper, upper.comparesAsPrefix(with: prefix) < 0 { return false }
    return true
  }

  /// True only if every value starts with `prefix`: if both bounds do, what lies between does.
  fileprivate func mustStart(with prefix: String) -> Bool {
    guard let lower, let upper else { return false }
    return lower.starts(with: prefix) && upper.starts(with: prefix)
  }
}

extension String {
  /// How the UTF-8 of this string, cut to the length of `prefix`'s, compares with `prefix`.
  fileprivate func comparesAsPrefix(with prefix: String) -> Int {
    let own = utf8Span.span.rawBytes
    let other = prefix.utf8Span.span.rawBytes
    let count = Swift.min(own.byteCount, other.byteCount)
    return own.extracting(0..<count).compare(with: other)
  }
}

/// What is known of rows of one partition: the values of its fields.
package struct PartitionFacts: ColumnFactsSource {
  private let spec: PartitionSpec
  private let values: [Value?]

  /// - Parameter values: one for each field of `spec`, in its order.
  package init(_ values: [Value?], of spec: PartitionSpec) {
    self.spec = spec
    self.values = values
  }

  package func facts(of column: BoundColumn) -> ColumnFacts? {
    guard let index = spec.fields.firstIndex(where: { $0.fieldID == column.id }),
      index < values.count
    else { return nil }
    return ColumnFacts(of: values[index])
  }
}
