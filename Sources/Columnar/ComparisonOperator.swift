// SPDX-License-Identifier: Apache-2.0

/// How two values are compared.
public enum ComparisonOperator: Hashable, Sendable, CaseIterable {
  case equal
  case notEqual
  case less
  case lessOrEqual
  case greater
  case greaterOrEqual
}

/// What NaN is against numbers, in `<`, `<=`, `>` and `>=`. It equals nothing in either, and -0 is
/// 0 in both.
public enum NaNOrder: Hashable, Sendable {
  /// IEEE 754: neither less nor greater than any number. What a filter of a table needs, as bounds
  /// of files, by which they are skipped, leave NaN out.
  case unordered
  /// Greater than every number.
  case aboveAll
}
