// SPDX-License-Identifier: Apache-2.0

/// Bounds cut to a length: still below, or above, all that the whole ones bound.
///
/// Source: Iceberg spec, "Manifests", `lower_bounds` and `upper_bounds`; the lengths are those of
/// the reference implementation: code points of strings, bytes of binary.
public enum BoundTruncation {
  /// The first `length` code points of `text`: at or below it.
  public static func lower(_ text: String, length: Int) -> String {
    text.prefix(codePoints: length)
  }

  /// A string of at most `length` code points at or above `text`; nil if there is none.
  ///
  /// Cuts, then raises the last code point that can be: not over U+10FFFF, and past surrogates.
  public static func upper(_ text: String, length: Int) -> String? {
    var scalars = Array(text.prefix(codePoints: length).unicodeScalars)
    if scalars.count == text.unicodeScalars.count { return text }
    while let last = scalars.popLast() {
      let raised = last.value == 0xd7ff ? 0xe000 : last.value + 1
      if let scalar = UnicodeScalar(raised) {
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars)
        result.append(scalar)
        return String(result)
      }
    }
    return nil
  }

  /// The first `length` bytes: at or below `bytes`.
  public static func lower(_ bytes: [UInt8], length: Int) -> [UInt8] {
    Array(bytes.prefix(length))
  }

  /// At most `length` bytes at or above `bytes`; nil if there are none such.
  public static func upper(_ bytes: [UInt8], length: Int) -> [UInt8]? {
    guard bytes.count > length else { return bytes }
    var result = Array(bytes.prefix(length))
    while let last = result.popLast() {
      if last < 0xff { return result + [last + 1] }
    }
    return nil
  }

  /// The lower bound to write for `value`, one of `type`, under `mode`; nil for none.
  public static func lower(_ value: Value, of type: PrimitiveType, mode: MetricsMode) -> Value? {
    guard let length = mode.boundLength else { return nil }
    switch (value, type) {
    case (.string(let text), _): return .string(lower(text, length: length))
    case (.bytes(let bytes), .binary): return .bytes(lower(bytes, length: length))
    default: return value
    }
  }

  /// The upper bound to write for `value`, one of `type`, under `mode`; nil for none.
  public static func upper(_ value: Value, of type: PrimitiveType, mode: MetricsMode) -> Value? {
    guard let length = mode.boundLength else { return nil }
    switch (value, type) {
    case (.string(let text), _): return upper(text, length: length).map { .string($0) }
    case (.bytes(let bytes), .binary): return upper(bytes, length: length).map { .bytes($0) }
    default: return value
    }
  }
}

/// What a writer keeps of a column's values in manifests.
public enum MetricsMode: Hashable, Sendable {
  case none
  /// Of values, nulls and NaNs, but no bounds.
  case counts
  /// Counts, and bounds cut to a length.
  case truncate(Int)
  case full

  /// `none`, `counts`, `truncate(16)` or `full` in any case; nil of other text.
  public init?(_ text: String) {
    let text = text.lowercased()
    switch text {
    case "none": self = .none
    case "counts": self = .counts
    case "full": self = .full
    default:
      guard text.hasPrefix("truncate("), text.hasSuffix(")"),
        let length = Int(text.dropFirst(9).dropLast()), length > 0
      else { return nil }
      self = .truncate(length)
    }
  }

  /// How long bounds may be; nil if there are none.
  var boundLength: Int? {
    switch self {
    case .none, .counts: nil
    case .truncate(let length): length
    case .full: .max
    }
  }
}

/// The metrics mode of each column of a table, from its properties.
///
/// Wide tables keep metrics of their first columns only, unless the properties say which; columns
/// the table is sorted by always have bounds.
///
/// Source: the reference implementation's `MetricsConfig`.
public struct MetricsModes: Sendable {
  private var modes: [FieldID: MetricsMode] = [:]
  private let other: MetricsMode

  /// What position deletes are written with: equal bounds tell that one file is meant.
  public static let positionDeletes = MetricsModes(other: .full)

  private init(other: MetricsMode) { self.other = other }

  /// - Throws: ``IcebergError/invalid(_:reason:)`` if a property names a mode that there is not.
  public init(
    schema: Schema, sortOrder: SortOrder, properties: [String: String]
  ) throws(IcebergError) {
    let prefix = "write.metadata.metrics."
    let standard = MetricsMode.truncate(16)
    if let text = properties[prefix + "default"] {
      other = try MetricsModes.mode(text, of: prefix + "default")
    } else {
      let leaves = MetricsModes.leaves(of: schema)
      let text = properties[prefix + "max-inferred-column-defaults"]
      let limit = text.flatMap { Int($0) }.map { max(0, $0) } ?? 100
      other = leaves.count <= limit ? standard : .none
      if other == .none { for id in leaves.prefix(limit) { modes[id] = standard } }
    }
    for id in sortOrder.fields.flatMap(\.sourceIDs) where mode(for: id).boundLength == nil {
      modes[id] = standard
    }
    for (name, text) in properties where name.hasPrefix(prefix + "column.") {
      let column = String(name.dropFirst(prefix.count + 7))
      let mode = try MetricsModes.mode(text, of: name)
      if let field = schema.field(named: column) { modes[field.id] = mode }
    }
  }

  public func mode(for id: FieldID) -> MetricsMode { modes[id] ?? other }

  private static func mode(_ text: String, of name: String) throws(IcebergError) -> MetricsMode {
    guard let mode = MetricsMode(text) else {
      throw .invalid(
        "'\(text)' as \(name)", reason: "it is none of none, counts, truncate(n) and full")
    }
    return mode
  }

  /// The primitive fields, columns before nested ones.
  private static func leaves(of schema: Schema) -> [FieldID] {
    let leaves = schema.allFields.filter { $0.type.primitive != nil }.map(\.id)
    return leaves.filter { schema.parent(of: $0) == nil }
      + leaves.filter { schema.parent(of: $0) != nil }
  }
}
