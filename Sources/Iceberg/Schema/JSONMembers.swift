// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// A JSON object of a document with a known layout, asked for its members by name.
///
/// Errors name the document and the path to what is wrong in it.
struct JSONMembers {
  let document: String
  let path: String
  private let value: JSONValue

  /// - Throws: ``IcebergError/malformed(_:at:expected:found:)`` if `value` is no object.
  init(_ value: JSONValue, of document: String, at path: String) throws(IcebergError) {
    self.document = document
    self.path = path
    self.value = value
    guard value.kind == .object else { throw malformed(path, "an object", value) }
  }

  /// The member `key`; nil if it is not there or null.
  func optional(_ key: String) -> JSONValue? {
    guard let member = value[key], member.kind != .null else { return nil }
    return member
  }

  func required(_ key: String, _ expected: String) throws(IcebergError) -> JSONValue {
    guard let member = optional(key) else {
      throw .malformed(document, at: place(key), expected: expected, found: "nothing")
    }
    return member
  }

  func string(_ key: String) throws(IcebergError) -> String {
    let member = try required(key, "a string")
    guard let text = member.string else { throw malformed(place(key), "a string", member) }
    return text
  }

  func optionalString(_ key: String) throws(IcebergError) -> String? {
    optional(key) == nil ? nil : try string(key)
  }

  func int32(_ key: String) throws(IcebergError) -> Int32 {
    let member = try required(key, "an integer of 32 bits")
    return try int32(member, at: place(key))
  }

  func optionalInt32(_ key: String) throws(IcebergError) -> Int32? {
    optional(key) == nil ? nil : try int32(key)
  }

  func boolean(_ key: String) throws(IcebergError) -> Bool {
    let member = try required(key, "true or false")
    guard let value = member.boolean else { throw malformed(place(key), "true or false", member) }
    return value
  }

  func array(_ key: String) throws(IcebergError) -> [JSONValue] {
    let member = try required(key, "an array")
    guard let elements = member.elements else { throw malformed(place(key), "an array", member) }
    return elements
  }

  func optionalInt32s(_ key: String) throws(IcebergError) -> [Int32]? {
    guard optional(key) != nil else { return nil }
    var values: [Int32] = []
    for element in try array(key) { values.append(try int32(element, at: place(key))) }
    return values
  }

  /// The path of member `key`.
  func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func malformed(_ place: String, _ expected: String, _ found: JSONValue) -> IcebergError {
    .malformed(document, at: place, expected: expected, found: found.brief)
  }

  private func int32(_ value: JSONValue, at place: String) throws(IcebergError) -> Int32 {
    guard let integer = value.integer, let result = Int32(exactly: integer) else {
      throw malformed(place, "an integer of 32 bits", value)
    }
    return result
  }
}

extension JSONValue {
  /// The value if it is short, else its kind: for errors.
  var brief: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .double(let value): "\(value)"
    case .decimal(let text): text.count <= 60 ? text : "a number"
    case .string(let text): text.count <= 60 ? "'\(text)'" : "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
