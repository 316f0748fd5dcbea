// SPDX-License-Identifier: Apache-2.0

/// Collects which values one partition field has in the files of a manifest.
struct FieldSummaryBuilder {
  private let type: PrimitiveType
  private var containsNull = false
  private var containsNaN = false
  private var lowest: Value?
  private var highest: Value?

  init(_ type: PrimitiveType) { self.type = type }

  mutating func add(_ value: Value?) {
    guard let value else {
      containsNull = true
      return
    }
    if value.isNaN {
      containsNaN = true
      return
    }
    if lowest.map({ (Value.compare(value, $0) ?? 0) < 0 }) ?? true { lowest = value }
    if highest.map({ (Value.compare(value, $0) ?? 0) > 0 }) ?? true { highest = value }
  }

  var summary: FieldSummary {
    FieldSummary(
      containsNull: containsNull, containsNaN: containsNaN,
      lowerBound: lowest?.encoded(as: type), upperBound: highest?.encoded(as: type))
  }
}
