// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// The names of leaves as options and metrics have them: names from the root, joined by dots, with
/// `element`, `key` and `value` for what is in lists and maps.
enum ColumnPaths {
  /// One a leaf, in the order of the schema.
  static func all(_ fields: [ColumnField]) -> [String] {
    fields.flatMap { paths($0.type, $0.name) }
  }

  static func leafCount(_ type: ColumnType) -> Int { paths(type, "").count }

  private static func paths(_ type: ColumnType, _ path: String) -> [String] {
    switch type {
    case .structure(let fields): fields.flatMap { paths($0.type, "\(path).\($0.name)") }
    case .list(let element): paths(element.type, "\(path).element")
    case .map(let key, let value):
      paths(key.type, "\(path).key") + paths(value.type, "\(path).value")
    default: [path]
    }
  }
}
