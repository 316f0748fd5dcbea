// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// Refuses decimals of more digits than their type has, as files that lie of their types may hold:
/// they would be cut where the type is stored in fewer bytes.
enum DecimalRange {
  /// - Throws: ``ParquetError/unwritable(path:what:)``.
  static func check(_ column: Column, path: String) throws(ParquetError) {
    if case .dictionary(_, let entries) = column.values { return try check(entries, path: path) }
    switch column.type {
    case .decimal(let precision, _):
      guard case .fixed = column.values, let bounds = column.summary().bounds,
        case .integer(let least) = bounds.minimum, case .integer(let greatest) = bounds.maximum
      else { return }
      var limit: Int128 = 1
      for _ in 0..<min(precision, 38) { limit *= 10 }
      guard -limit < least, greatest < limit else {
        throw .unwritable(path: path, what: "a decimal of more than \(precision) digits")
      }
    case .structure(let fields):
      for (field, child) in zip(fields, column.children) {
        try check(child, path: "\(path).\(field.name)")
      }
    case .list, .map:
      if case .list(_, let elements) = column.values { try check(elements, path: path) }
    default: break
    }
  }
}
