// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import JSON

/// Single values as JSON: defaults of fields, and literals in REST messages.
///
/// Source: Iceberg spec, "Appendix D: Single-value serialization", "JSON single-value
/// serialization".
extension Value {
  /// The value of `type` that `json` stands for; nil if it is null.
  ///
  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if it stands for none.
  public static func decode(_ json: JSONValue, as type: FieldType) throws(IcebergError) -> Value? {
    if json == .null { return nil }
    switch type {
    case .primitive(let type): return try decode(json, as: type)
    case .structure(let type): return try structure(json, of: type)
    case .list(let type):
      guard let elements = json.elements else { throw mismatch(json, "an array") }
      var values: [Value?] = []
      for element in elements { values.append(try decode(element, as: type.element)) }
      return .list(values)
    case .map(let type): return try map(json, of: type)
    }
  }

  private static func structure(
    _ json: JSONValue, of type: StructType
  ) throws(IcebergError) -> Value {
    guard let members = json.members else { throw mismatch(json, "an object") }
    var values: [FieldID: Value?] = [:]
    for member in members {
      guard let field = type.fields.first(where: { String($0.id.rawValue) == member.key }) else {
        throw .malformed(
          "value", at: member.key, expected: "the id of a field",
          found: "'\(member.key)'")
      }
      values[field.id] = .some(try decode(member.value, as: field.type))
    }
    return .structure(values)
  }

  private static func map(_ json: JSONValue, of type: MapType) throws(IcebergError) -> Value {
    guard let keys = json["keys"]?.elements, let values = json["values"]?.elements,
      keys.count == values.count
    else { throw mismatch(json, "an object of as many keys as values") }
    var entries: [Entry] = []
    for (key, value) in zip(keys, values) {
      guard let key = try decode(key, as: type.key) else { throw mismatch(.null, "a key") }
      entries.append(Entry(key: key, value: try decode(value, as: type.value)))
    }
    return .map(entries)
  }

  private static func decode(
    _ json: JSONValue, as type: PrimitiveType
  ) throws(IcebergError) -> Value {
    switch (type, json) {
    case (.boolean, .boolean(let value)): return .boolean(value)
    case (.int, .integer(let wide)):
      if let value = Int32(exactly: wide) { return .int(value) }
    case (.long, .integer(let value)): return .long(value)
    case (.float, _), (.double, _): if let value = floating(json, type) { return value }
    case (_, .string(let text)): if let value = Value(json: text, as: type) { return value }
    default: break
    }
    throw mismatch(json, "a value of \(type)")
  }

  private static func floating(_ json: JSONValue, _ type: PrimitiveType) -> Value? {
    var number = json.doubleValue
    switch json.string {
    case "NaN": number = .nan
    case "Infinity": number = .infinity
    case "-Infinity": number = -.infinity
    default: break
    }
    guard let number else { return nil }
    guard type == .float else { return .double(number) }
    let value = Float(number)
    return value.isInfinite && number.isFinite ? nil : .float(value)
  }

  /// The value of `type` that JSON has as a string.
  private init?(json text: String, as type: PrimitiveType) {
    switch type {
    case .string: self = .string(text)
    case .date:
      guard let days = TimestampText.date(text), let value = Int32(exactly: days) else {
        return nil
      }
      self = .int(value)
    case .time:
      guard let time = TimestampText.timeOfDay(text), time % 1000 == 0 else { return nil }
      self = .long(time / 1000)
    case .timestamp, .timestamptz, .timestampNs, .timestamptzNs:
      guard let value = Value.timestamp(text, as: type) else { return nil }
      self = .long(value)
    case .decimal(let precision, let scale):
      guard let number = DecimalNumber(text), number.scale == scale,
        number.unscaled.magnitude <= DecimalNumber.highest(precision: precision).magnitude
      else { return nil }
      self = .decimal(number.unscaled)
    case .uuid, .fixed, .binary:
      guard let bytes = Value.bytes(text, as: type) else { return nil }
      self = .bytes(bytes)
    default: return nil
    }
  }

  /// Of a point in time, only with a zone, and that must be UTC; else only without one.
  private static func timestamp(_ text: String, as type: PrimitiveType) -> Int64? {
    guard let time = TimestampText(text), !time.isDate, time.hasZone == type.hasZone else {
      return nil
    }
    if time.hasZone, !["Z", "z"].contains(text.last), !text.hasSuffix("+00:00") { return nil }
    if type.isNanosecondTimestamp { return Int64(exactly: time.nanoseconds) }
    let (microseconds, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1000)
    return rest == 0 ? Int64(exactly: microseconds) : nil
  }

  private static func bytes(_ text: String, as type: PrimitiveType) -> [UInt8]? {
    if type == .uuid { return UUIDText.bytes(text) }
    guard let bytes = Hexadecimal.bytes(Array(text.utf8)) else { return nil }
    if case .fixed(let byteCount) = type, bytes.count != byteCount { return nil }
    return bytes
  }

  private static func mismatch(_ json: JSONValue, _ expected: String) -> IcebergError {
    .malformed("value", at: "it", expected: expected, found: json.brief)
  }
}

// MARK: - Writing

extension JSONWriter {
  /// Writes `value`, one of `type` or null.
  public mutating func write(_ value: Value?, as type: FieldType) {
    guard let value else { return writeNull() }
    switch (value, type) {
    case (.boolean(let value), _): write(value)
    case (.float(let number), _): writeFloating(Double(number), "\(number)")
    case (.double(let number), _): writeFloating(number, "\(number)")
    case (.int(let number), .primitive(.int)): write(number)
    case (.int(let number), .primitive(.long)): write(number)
    case (.long(let number), .primitive(.long)): write(number)
    case (.structure(let values), .structure(let type)): writeStructure(values, of: type)
    case (.list(let values), .list(let type)):
      beginArray()
      for value in values { write(value, as: type.element) }
      endArray()
    case (.map(let entries), .map(let type)):
      beginObject()
      writeKey("keys")
      beginArray()
      for entry in entries { write(entry.key, as: type.key) }
      endArray()
      writeKey("values")
      beginArray()
      for entry in entries { write(entry.value, as: type.value) }
      endArray()
      endObject()
    default: write(value.text(as: type.primitive ?? .string))
    }
  }

  private mutating func writeStructure(_ values: [FieldID: Value?], of type: StructType) {
    beginObject()
    for field in type.fields {
      guard let value = values[field.id] else { continue }
      writeKey(String(field.id.rawValue))
      write(value, as: field.type)
    }
    endObject()
  }

  /// JSON has no form for what is not finite: those are strings, as the reference writes them.
  private mutating func writeFloating(_ number: Double, _ text: String) {
    if number.isFinite { return write(rawUTF8: text) }
    write(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
  }
}
