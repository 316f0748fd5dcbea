// SPDX-License-Identifier: Apache-2.0

/// How a variant, or a part of one, is spread over columns.
///
///     variant := metadata, [value], [typed_value]
///     part    := [value], [typed_value]
///
/// A place is a field's number in the structure that the group is read as.
/// Source: parquet-format VariantShredding.md.
package struct VariantShape: Sendable {
  /// Where values lie that are not of the typed form, or the rest of objects.
  let value: Int?
  let typed: Typed?

  struct Typed: Sendable {
    let place: Int
    let form: Form
  }

  indirect enum Form: Sendable {
    /// A leaf whose values become primitives of that type.
    case scalar(VariantPrimitive)
    case array(VariantShape)
    case object([(name: String, shape: VariantShape)])
  }

  /// The shape of `node`, a group; nil if it is none of a variant.
  init?(_ node: SchemaNode) {
    var value: Int?
    var typed: Typed?
    for (place, child) in node.children.enumerated() where child.repetition != .repeated {
      switch child.name {
      case "value" where child.element.type == .byteArray: value = place
      case "typed_value":
        guard let form = Self.form(child) else { return nil }
        typed = Typed(place: place, form: form)
      default: continue
      }
    }
    if value == nil, typed == nil { return nil }
    self.value = value
    self.typed = typed
  }

  private static func form(_ node: SchemaNode) -> Form? {
    if node.isLeaf { return VariantPrimitive(node.element).map { .scalar($0) } }
    if node.element.annotation == .list {
      guard node.children.count == 1, node.children[0].repetition == .repeated,
        node.children[0].children.count == 1, !node.children[0].children[0].isLeaf
      else { return nil }
      return VariantShape(node.children[0].children[0]).map { .array($0) }
    }
    guard node.element.annotation == nil else { return nil }
    var fields: [(name: String, shape: VariantShape)] = []
    for child in node.children {
      guard !child.isLeaf, child.repetition != .repeated, let shape = VariantShape(child) else {
        return nil
      }
      fields.append((child.name, shape))
    }
    return .object(fields)
  }
}

/// The types of primitive values, by the numbers they have in variants.
/// Source: parquet-format VariantEncoding.md, "Encoding types".
enum VariantPrimitive: UInt8, Sendable {
  case null = 0
  case `true` = 1
  case `false` = 2
  case int8 = 3
  case int16 = 4
  case int32 = 5
  case int64 = 6
  case double = 7
  case decimal4 = 8
  case decimal8 = 9
  case decimal16 = 10
  case date = 11
  case timestampMicros = 12
  case localTimestampMicros = 13
  case float = 14
  case binary = 15
  case string = 16
  case time = 17
  case timestampNanos = 18
  case localTimestampNanos = 19
  case uuid = 20

  /// What the values of a leaf are, booleans by ``true``; nil if variants have no such type.
  init?(_ element: SchemaElement) {
    switch (element.type, element.annotation) {
    case (.boolean?, nil): self = .true
    case (.int32?, nil), (.int32?, .integer(32, isSigned: true)?): self = .int32
    case (.int32?, .integer(8, isSigned: true)?): self = .int8
    case (.int32?, .integer(16, isSigned: true)?): self = .int16
    case (.int32?, .decimal?): self = .decimal4
    case (.int32?, .date?): self = .date
    case (.int64?, nil), (.int64?, .integer(64, isSigned: true)?): self = .int64
    case (.int64?, .decimal?): self = .decimal8
    case (.int64?, .time(_, .micros)?): self = .time
    case (.int64?, .timestamp(true, .micros)?): self = .timestampMicros
    case (.int64?, .timestamp(false, .micros)?): self = .localTimestampMicros
    case (.int64?, .timestamp(true, .nanos)?): self = .timestampNanos
    case (.int64?, .timestamp(false, .nanos)?): self = .localTimestampNanos
    case (.float?, nil): self = .float
    case (.double?, nil): self = .double
    case (.byteArray?, nil): self = .binary
    case (.byteArray?, .string?): self = .string
    case (.byteArray?, .decimal?), (.fixedLenByteArray?, .decimal?): self = .decimal16
    case (.fixedLenByteArray?, .uuid?) where element.typeLength == 16: self = .uuid
    default: return nil
    }
  }
}
