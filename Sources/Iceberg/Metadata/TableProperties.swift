// SPDX-License-Identifier: Apache-2.0

/// A table's settings: names and values of text, most of them read by writers.
///
/// Any name may be there. Those this engine reads are ``TableProperty`` constants, which know what
/// the text means and what holds when it is missing:
///
///     try properties.value(of: .previousMetadataFileCount)   // 100
///
/// Source: Iceberg docs, "Configuration", and the spec's `properties`.
public struct TableProperties: Hashable, Sendable {
  public var values: [String: String]

  public init(_ values: [String: String] = [:]) { self.values = values }

  public subscript(_ name: String) -> String? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// What `property` is set to, or its default.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if it is set to what can't be read as its type.
  public func value<T>(of property: TableProperty<T>) throws(IcebergError) -> T {
    try setValue(of: property) ?? property.defaultValue
  }

  /// What `property` is set to; nil if it is not set.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` as ``value(of:)`` does.
  public func setValue<T>(of property: TableProperty<T>) throws(IcebergError) -> T? {
    guard let text = values[property.name] else { return nil }
    guard let value = property.parse(text) else {
      throw .invalid(
        "property '\(property.name)' = '\(text)'", reason: "it must be \(property.expected)")
    }
    return value
  }

  /// The settings whose names start with `prefix`, by the rest of their names.
  public func values(withPrefix prefix: String) -> [String: String] {
    var found: [String: String] = [:]
    for (name, value) in values where name.hasPrefix(prefix) {
      found[String(name.dropFirst(prefix.count))] = value
    }
    return found
  }
}

extension TableProperties: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) {
    values = Dictionary(elements) { _, last in last }
  }
}

/// A setting with a type and a default.
public struct TableProperty<Value: Sendable>: Sendable {
  public let name: String
  public let defaultValue: Value
  let expected: String
  let parse: @Sendable (String) -> Value?

  /// - Parameters:
  ///   - expected: what the text must be, for the error, as in "must be a whole number".
  ///   - parse: the value of a text; nil if it has none.
  public init(
    _ name: String, default defaultValue: Value, expected: String,
    parse: @escaping @Sendable (String) -> Value?
  ) {
    self.name = name
    self.defaultValue = defaultValue
    self.expected = expected
    self.parse = parse
  }
}

extension TableProperty<Int64> {
  /// A whole number in `range`.
  static func number(
    _ name: String, _ defaultValue: Int64, in range: ClosedRange<Int64> = 0...Int64.max
  ) -> Self {
    let expected =
      range.upperBound == .max
      ? "a whole number from \(range.lowerBound) on"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return Self(name, default: defaultValue, expected: expected) { text in
      Int64(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension TableProperty<Bool> {
  /// `true` or `false`, in any case.
  static func flag(_ name: String, _ defaultValue: Bool) -> Self {
    Self(name, default: defaultValue, expected: "true or false") { text in
      switch text.lowercased() {
      case "true": true
      case "false": false
      default: nil
      }
    }
  }
}

extension TableProperty<String?> {
  /// Any text; nil if it is not set.
  static func text(_ name: String) -> Self {
    Self(name, default: nil, expected: "text") { .some($0) }
  }
}

extension TableProperty<String> {
  /// One of `choices`, in any case; given in lower case.
  static func choice(_ name: String, _ defaultValue: String, of choices: [String]) -> Self {
    Self(name, default: defaultValue, expected: "one of \(choices.joined(separator: ", "))") {
      choices.contains($0.lowercased()) ? $0.lowercased() : nil
    }
  }
}
