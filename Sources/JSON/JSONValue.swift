// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// A JSON value as a tree, for text whose shape is not known beforehand.
///
/// Laws: an object keeps the order of its members, and no key is there twice in what was parsed.
/// Numbers lose nothing: what an `Int64` holds is ``integer(_:)``; what a double gives back when it
/// is written shortest is ``double(_:)``; anything else stays text, ``decimal(_:)``.
public enum JSONValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case double(Double)
  /// A number as it was written, which neither an `Int64` nor a double holds.
  case decimal(String)
  case string(String)
  case array([JSONValue])
  case object([JSONMember])
}

/// A key of an object and its value.
public struct JSONMember: Hashable, Sendable {
  public var key: String
  public var value: JSONValue

  public init(_ key: String, _ value: JSONValue) {
    self.key = key
    self.value = value
  }
}

// MARK: - Parsing

extension JSONValue {
  /// The one value that `text` is.
  public init(
    parsing text: RawSpan, depth: Int = JSONReader.standardDepth
  ) throws(JSONError) {
    var reader = JSONReader(text, depth: depth)
    self = try reader.readValue()
    try reader.finish()
  }

  /// The one value that `text` is.
  public init(parsing text: String) throws(JSONError) {
    let bytes = Buffer(utf8: text)
    self = try JSONValue(parsing: bytes.bytes)
  }
}

extension JSONReader {
  /// The next value as a tree. Cost: recurses as deep as values nest, which is limited.
  public mutating func readValue() throws(JSONError) -> JSONValue {
    switch try peek() {
    case .object: return .object(try readMembers())
    case .array:
      var elements: [JSONValue] = []
      try beginArray()
      while try nextElement() { elements.append(try readValue()) }
      return .array(elements)
    case .string: return .string(try readString())
    case .number: return try readNumber()
    case .boolean: return .boolean(try readBool())
    case .null:
      try readNull()
      return .null
    }
  }

  /// The members of the next value, an object.
  public mutating func readMembers() throws(JSONError) -> [JSONMember] {
    var members: [JSONMember] = []
    try beginObject()
    while let key = try nextKey() {
      let name = key.string
      members.append(JSONMember(name, try readValue()))
    }
    return members
  }

  /// The next value, a number, as the first of `integer`, `double` and `decimal` that is exact.
  public mutating func readNumber() throws(JSONError) -> JSONValue {
    let token = try nextNumber()
    // An integer has no negative zero: that one is a double.
    if let integer = token.int64, integer != 0 || !token.isNegative { return .integer(integer) }
    let text = String(validatingUTF8: bytes.extracting(token.range)) ?? ""
    guard let value = Double(text), value.isFinite else { return .decimal(text) }
    // A double keeps any 15 digits, unless it is near the smallest ones.
    let isSafe = token.digitCount <= 15 && abs(token.exponent) <= 290
    let isExact = isSafe || DecimalForm(text) == DecimalForm(value.description)
    return isExact ? .double(value) : .decimal(text)
  }
}

/// The digits of a decimal number without zeros around them, and the power of ten of the last one.
private struct DecimalForm: Equatable {
  var isNegative = false
  var digits: [UInt8] = []
  var exponent = 0

  /// `text` is a number in JSON's grammar.
  init(_ text: String) {
    var isFraction = false
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        if rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        // An exponent beyond Int equals nothing a double is written as.
        exponent = exponent &+ (Int(Substring(rest)) ?? .max / 2)
        rest = rest[rest.endIndex...]
      default:
        digits.append(byte)
        if isFraction { exponent &-= 1 }
      }
    }
    digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      exponent &+= 1
    }
    if digits.isEmpty { exponent = 0 }
  }
}

// MARK: - Looking inside

extension JSONValue {
  /// The value of member `key` of an object; nil if there is none or this is no object.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  public var kind: JSONKind {
    switch self {
    case .null: .null
    case .boolean: .boolean
    case .integer, .double, .decimal: .number
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }

  public var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }
  public var integer: Int64? {
    guard case .integer(let value) = self else { return nil }
    return value
  }
  public var boolean: Bool? {
    guard case .boolean(let value) = self else { return nil }
    return value
  }
  public var elements: [JSONValue]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }
  public var members: [JSONMember]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  /// A number as the nearest double.
  public var doubleValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    case .decimal(let text): Double(text)
    default: nil
    }
  }
}

// MARK: - Writing

extension JSONValue {
  /// The text of this value.
  ///
  /// - Throws: ``JSONError/notFinite`` if a double in it is infinite or not a number, which none is
  ///   that was parsed.
  public func text(_ layout: JSONLayout = .compact) throws(JSONError) -> Buffer {
    var writer = JSONWriter(layout)
    try writer.write(self)
    return writer.finish()
  }
}

extension JSONWriter {
  /// Writes a tree.
  ///
  /// - Throws: ``JSONError/notFinite`` as ``JSONValue/text(_:)`` does.
  public mutating func write(_ value: JSONValue) throws(JSONError) {
    switch value {
    case .null: writeNull()
    case .boolean(let value): write(value)
    case .integer(let value): write(value)
    case .double(let value): try write(value)
    case .decimal(let text): write(rawUTF8: text)
    case .string(let text): write(text)
    case .array(let elements):
      beginArray()
      for element in elements { try write(element) }
      endArray()
    case .object(let members):
      beginObject()
      for member in members {
        writeKey(member.key)
        try write(member.value)
      }
      endObject()
    }
  }
}
