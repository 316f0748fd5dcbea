// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// The names of leaves as options and metrics have them: names from the root, joined by dots, with
/// `element`, `key` and `value` for what is in lists and maps.
enum ColumnPaths {
  /// One a leaf, in the order of the schema.
  static func all(_ fields: [ColumnField]) -> [String] {
    fields.flatMap { paths($0.type, $0.name) }
  }

  /// The type of the column at `path`, a leaf or not; nil if there is none.
  static func type(at path: String, _ fields: [ColumnField]) -> ColumnType? {
    for field in fields {
      if field.name == path { return field.type }
      guard path.hasPrefix(field.name + ".") else { continue }
      let rest = String(path.dropFirst(field.name.count + 1))
      if let found = type(at: rest, children(field.type)) { return found }
    }
    return nil
  }

  private static func children(_ type: ColumnType) -> [ColumnField] {
    switch type {
    case .list(let element): [ColumnField("element", element.type)]
    case .map(let key, let value): [ColumnField("key", key.type), ColumnField("value", value.type)]
    default: type.children
    }
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
