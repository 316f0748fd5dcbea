// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// A JSON object that a server sent, asked for its members by name.
struct Message {
  let json: JSONValue
  /// What it is, for errors.
  private let what: String

  /// - Throws: ``RESTFailure/unreadable(_:)`` if `json` is no object.
  init(_ json: JSONValue, _ what: String) throws(RESTFailure) {
    self.json = json
    self.what = what
    guard json.members != nil else { throw .unreadable("\(what) is no JSON object") }
  }

  /// Reads a body.
  init(_ body: Buffer, _ what: String) throws(RESTFailure) {
    let json: JSONValue
    do {
      var reader = JSONReader(body.bytes)
      json = try reader.readValue()
      try reader.finish()
    } catch {
      throw .unreadable("\(what) is no JSON: \(error)")
    }
    try self.init(json, what)
  }

  func optionalString(_ key: String) throws(RESTFailure) -> String? {
    guard let value = json[key], value.kind != .null else { return nil }
    guard let text = value.string else { throw wrong(key, "a string") }
    return text
  }

  func string(_ key: String) throws(RESTFailure) -> String {
    guard let text = try optionalString(key) else { throw wrong(key, "a string") }
    return text
  }

  /// A map of texts; a null in it is as good as nothing.
  func optionalStrings(_ key: String) throws(RESTFailure) -> [String: String]? {
    guard let value = json[key], value.kind != .null else { return nil }
    guard let members = value.members else { throw wrong(key, "an object") }
    var strings: [String: String] = [:]
    for member in members where member.value.kind != .null {
      guard let text = member.value.string else { throw wrong("\(key).\(member.key)", "a string") }
      strings[member.key] = text
    }
    return strings
  }

  func elements(_ key: String) throws(RESTFailure) -> [JSONValue] {
    guard let elements = json[key]?.elements else { throw wrong(key, "an array") }
    return elements
  }

  /// The parts of a namespace.
  func namespace(_ value: JSONValue?, _ key: String) throws(RESTFailure) -> [String] {
    guard let elements = value?.elements else { throw wrong(key, "an array of strings") }
    var parts: [String] = []
    for element in elements {
      guard let part = element.string else { throw wrong(key, "an array of strings") }
      parts.append(part)
    }
    return parts
  }

  func wrong(_ key: String, _ expected: String) -> RESTFailure {
    .unreadable("\(what) has no '\(key)' that is \(expected)")
  }
}

/// An error as a server tells it: of the catalog, or of the OAuth server.
///
///     {"error": {"message": …, "type": …, "code": …}}
///     {"error": "invalid_client", "error_description": …}
struct ErrorMessage {
  let type: String
  let message: String
  /// True if it is how something ended that the server worked on, and no answer to a request.
  let isFailure: Bool

  init?(_ json: JSONValue) {
    isFailure = json["status"]?.string == "failed"
    if let error = json["error"], error.members != nil {
      type = error["type"]?.string ?? ""
      message = error["message"]?.string ?? ""
    } else if let error = json["error"]?.string {
      type = error
      message = json["error_description"]?.string ?? ""
    } else if let message = json["message"]?.string {
      type = json["type"]?.string ?? json["__type"]?.string ?? ""
      self.message = message
    } else {
      return nil
    }
  }

  /// The error in the body of a success; nil if there is none, as it should be.
  init?(hiddenIn body: Buffer) {
    var reader = JSONReader(body.bytes)
    guard (1...65_536).contains(body.count), let json = try? reader.readValue(),
      json["error"] != nil
    else { return nil }
    self.init(json)
  }

  /// What `body` says; nil if it is no error message.
  init?(_ body: Buffer) {
    var reader = JSONReader(body.bytes)
    guard body.count <= 1 << 20, let json = try? reader.readValue() else { return nil }
    self.init(json)
  }
}
