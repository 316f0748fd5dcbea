// SPDX-License-Identifier: Apache-2.0

extension PartitionSpec {
  /// A predicate on partitions of this spec that is true of every partition that has a row that
  /// `predicate` matches, and maybe of others.
  ///
  /// Its columns are partition fields, by their ids. Transforms that are not known don't narrow.
  /// Source: Iceberg spec, "Scan Planning".
  public func inclusiveProjection(of predicate: BoundPredicate) -> BoundPredicate {
    predicate.mapTests { column, test in
      .all(
        projections(of: column).map { field, projection in
          projection.inclusive(test).map { .on(field, $0) } ?? .always(true)
        })
    }
  }

  /// A predicate on partitions of this spec that is true only of partitions whose every row
  /// `predicate` matches, and maybe not of all those.
  public func strictProjection(of predicate: BoundPredicate) -> BoundPredicate {
    predicate.mapTests { column, test in
      .any(
        projections(of: column).map { field, projection in
          projection.strict(test).map { .on(field, $0) } ?? .always(false)
        })
    }
  }

  /// What is left to be asked of the rows of the partition `values` (one for each field, in order):
  /// tests that the partition decides are gone.
  public func residual(of predicate: BoundPredicate, in values: [Value?]) -> BoundPredicate {
    let facts = PartitionFacts(values, of: self)
    return predicate.mapTests { column, test in
      let whole = BoundPredicate.test(column, test)
      if strictProjection(of: whole).mustMatch(facts) { return .always(true) }
      if !inclusiveProjection(of: whole).mightMatch(facts) { return .always(false) }
      return whole
    }
  }

  /// The fields that are made of `column`, and how tests go through their transforms.
  private func projections(of column: BoundColumn) -> [(BoundColumn, TestProjection)] {
    fields.compactMap { field in
      guard field.sourceIDs == [column.id], let type = column.type.primitive,
        field.transform.applies(to: type), field.transform != .void
      else { return nil }
      let result = field.transform.resultType(of: type)
      let partition = BoundColumn(
        id: field.fieldID, name: field.name, type: .primitive(result), isOptional: true)
      return (partition, TestProjection(transform: field.transform, type: type))
    }
  }
}

extension BoundPredicate {
  fileprivate static func on(_ column: BoundColumn, _ tests: ProjectedTests) -> BoundPredicate {
    switch tests {
    case .one(let test): .test(column, test)
    case .all(let tests): .all(tests.map { .test(column, $0) })
    case .any(let tests): .any(tests.map { .test(column, $0) })
    case .isIn(let values): .isIn(column, values)
    case .isNotIn(let values): .isNotIn(column, values)
    }
  }
}

/// Tests of a partition value.
private enum ProjectedTests {
  case one(BoundTest)
  case all([BoundTest])
  case any([BoundTest])
  case isIn([Value])
  case isNotIn([Value])
}

/// Takes tests of a column of `type` to tests of what `transform` makes of it; nil where it can't.
private struct TestProjection {
  let transform: Transform
  let type: PrimitiveType

  func inclusive(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .isNull, .isNotNull: return .one(test)
    default: break
    }
    switch transform {
    case .identity: return .one(test)
    case .bucket: return equalities(test)
    case .truncate where isPrefix: return prefixInclusive(test)
    case .truncate, .year, .month, .day, .hour: return floorInclusive(test)
    case .void, .unknown: return nil
    }
  }

  func strict(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .isNull, .isNotNull: return .one(test)
    default: break
    }
    switch transform {
    case .identity: return .one(test)
    case .bucket: return inequalities(test)
    case .truncate where isPrefix: return prefixStrict(test)
    case .truncate, .year, .month, .day, .hour: return floorStrict(test)
    case .void, .unknown: return nil
    }
  }

  private var isPrefix: Bool { type == .string || type == .binary }

  private func apply(_ value: Value) -> Value? { transform.apply(to: value, of: type) }

  /// The partitions that `values` may be in.
  private func apply(_ values: [Value]) -> [Value] {
    var partitions = values.compactMap(apply)
    for value in values where hadWrongWriters && (Value.compare(value, .int(0)) ?? 0) < 0 {
      if case .int(let partition) = apply(value) { partitions.append(.int(partition &+ 1)) }
    }
    return partitions.sortedOnce()
  }

  // MARK: What holds of all transforms

  /// Equal values have equal partitions.
  private func equalities(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .compare(.equal, let value): .isIn(apply([value]))
    case .isIn(let values): .isIn(apply(values))
    default: nil
    }
  }

  /// Values of different partitions differ.
  private func inequalities(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .compare(.notEqual, let value): .isNotIn(apply([value]))
    case .isNotIn(let values): .isNotIn(apply(values))
    default: nil
    }
  }

  // MARK: Transforms that round down

  private func floorInclusive(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .compare(.less, let value): value.predecessor.flatMap(atMost)
    case .compare(.lessOrEqual, let value): atMost(value)
    case .compare(.greater, let value): value.successor.flatMap(atLeast)
    case .compare(.greaterOrEqual, let value): atLeast(value)
    default: equalities(test)
    }
  }

  private func atMost(_ value: Value) -> ProjectedTests? {
    guard let bound = applyWithoutWrap(value) else { return nil }
    let test = BoundTest.compare(.lessOrEqual, raisedForOldWriters(bound))
    return wrapLimits.highest.map { .any([test, .compare(.greater, $0)]) } ?? .one(test)
  }

  private func atLeast(_ value: Value) -> ProjectedTests? {
    guard let bound = applyWithoutWrap(value) else { return nil }
    let test = BoundTest.compare(.greaterOrEqual, bound)
    return wrapLimits.lowest.map { .any([test, .compare(.less, $0)]) } ?? .one(test)
  }

  private func floorStrict(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .compare(.less, let value): below(value)
    case .compare(.lessOrEqual, let value): value.successor.flatMap(below)
    case .compare(.greater, let value): above(value)
    case .compare(.greaterOrEqual, let value): value.predecessor.flatMap(above)
    default: inequalities(test)
    }
  }

  /// Partitions whose every value is lower than `value`.
  private func below(_ value: Value) -> ProjectedTests? {
    guard let bound = applyWithoutWrap(value) else { return nil }
    let test = BoundTest.compare(.less, bound)
    return wrapLimits.lowest.map { .all([test, .compare(.greaterOrEqual, $0)]) } ?? .one(test)
  }

  /// Partitions whose every value is higher than `value`.
  private func above(_ value: Value) -> ProjectedTests? {
    guard let bound = applyWithoutWrap(value) else { return nil }
    let test = BoundTest.compare(.greater, raisedForOldWriters(bound))
    return wrapLimits.highest.map { .all([test, .compare(.lessOrEqual, $0)]) } ?? .one(test)
  }

  // MARK: Values at the end of their range

  /// Partitions below the lowest or above the highest of these may have wrapped around, and hold
  /// values of the other end: truncating the lowest integers does that, and the hours of timestamps
  /// (in microseconds) that are further than 245,000 years away. Nil where nothing wraps.
  private var wrapLimits: (lowest: Value?, highest: Value?) {
    switch (transform, type) {
    case (.truncate(let width), .int) where width > 1:
      (nil, .int(Int32.max - Int32(clamping: width)))
    case (.truncate(let width), .long) where width > 1: (nil, .long(Int64.max - Int64(width)))
    case (.hour, .timestamp), (.hour, .timestamptz):
      // The hour of the lowest timestamp is -2562047789, of the highest 2562047788.
      (.int(Int32(2_562_047_789 - (1 << 32))), .int(Int32((1 << 32) - 2_562_047_790)))
    default: (nil, nil)
    }
  }

  /// Nil if the partition of `value` wrapped around.
  private func applyWithoutWrap(_ value: Value) -> Value? {
    guard let result = apply(value) else { return nil }
    switch (transform, value, result) {
    case (.truncate, _, _): return (Value.compare(result, value) ?? 1) > 0 ? nil : result
    case (.hour, .long(let time), .int(let hour)): return (time < 0) == (hour < 0) ? result : nil
    default: return result
    }
  }

  // MARK: Writers that rounded times before 1970 up

  /// Old writers put times before 1970 one partition too high, unless they fell on its start. What
  /// they wrote must be found as well.
  private var hadWrongWriters: Bool {
    switch transform {
    case .year, .month, .hour: true
    case .day: type != .date
    default: false
    }
  }

  private func raisedForOldWriters(_ bound: Value) -> Value {
    if hadWrongWriters, case .int(let value) = bound, value < 0 { return .int(value + 1) }
    return bound
  }

  // MARK: Prefixes of strings and bytes

  private func prefixInclusive(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .compare(.less, let value), .compare(.lessOrEqual, let value):
      apply(value).map { .one(.compare(.lessOrEqual, $0)) }
    case .compare(.greater, let value), .compare(.greaterOrEqual, let value):
      apply(value).map { .one(.compare(.greaterOrEqual, $0)) }
    case .startsWith(let prefix): startsWith(prefix)
    case .doesNotStartWith(let prefix):
      switch lengthOrder(prefix) {
      case ..<0: .one(.doesNotStartWith(prefix))
      case 0: .one(.compare(.notEqual, .string(prefix)))
      default: nil
      }
    default: equalities(test)
    }
  }

  private func prefixStrict(_ test: BoundTest) -> ProjectedTests? {
    switch test {
    case .compare(.less, let value), .compare(.lessOrEqual, let value):
      apply(value).map { .one(.compare(.less, $0)) }
    case .compare(.greater, let value), .compare(.greaterOrEqual, let value):
      apply(value).map { .one(.compare(.greater, $0)) }
    case .compare(.equal, let value):
      // A value shorter than the width is all there is of it.
      apply(value) == value && isShorter(value) ? .one(.compare(.equal, value)) : nil
    case .startsWith(let prefix): lengthOrder(prefix) > 0 ? nil : startsWith(prefix)
    case .doesNotStartWith(let prefix):
      lengthOrder(prefix) < 0
        ? .one(.doesNotStartWith(prefix))
        : apply(.string(prefix)).map { .one(.compare(.notEqual, $0)) }
    default: inequalities(test)
    }
  }

  private func startsWith(_ prefix: String) -> ProjectedTests? {
    lengthOrder(prefix) < 0
      ? .one(.startsWith(prefix)) : apply(.string(prefix)).map { .one(.compare(.equal, $0)) }
  }

  /// How the code points of `text` compare with the width, in number.
  private func lengthOrder(_ text: String) -> Int {
    guard case .truncate(let width) = transform else { return 1 }
    return (text.unicodeScalars.count - width).signum()
  }

  private func isShorter(_ value: Value) -> Bool {
    guard case .truncate(let width) = transform else { return false }
    switch value {
    case .string(let text): return text.unicodeScalars.count < width
    case .bytes(let bytes): return bytes.count < width
    default: return false
    }
  }
}

extension Value {
  /// The next higher value of a type whose values can be counted; nil if there is none.
  fileprivate var successor: Value? { moved(by: 1) }
  /// The next lower value of a type whose values can be counted; nil if there is none.
  fileprivate var predecessor: Value? { moved(by: -1) }

  private func moved(by step: Int) -> Value? {
    switch self {
    case .int(let value):
      let (result, overflow) = value.addingReportingOverflow(Int32(step))
      return overflow ? nil : .int(result)
    case .long(let value):
      let (result, overflow) = value.addingReportingOverflow(Int64(step))
      return overflow ? nil : .long(result)
    case .decimal(let value):
      let (result, overflow) = value.addingReportingOverflow(Int128(step))
      return overflow ? nil : .decimal(result)
    default: return nil
    }
  }
}
