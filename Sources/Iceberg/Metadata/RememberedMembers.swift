// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// The members of the JSON object that a property of a table has as its value: what the table
/// remembers of a writer or a backfill.
struct RememberedMembers {
  /// The property, for errors.
  let what: String
  private let members: [String: JSONValue]

  /// - Throws: ``IcebergError/invalid(_:reason:)`` for text that is no JSON.
  init(parsing text: String, ofProperty name: String) throws(IcebergError) {
    what = "property '\(name)'"
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
      throw .invalid(what, reason: "\(error)")
    }
    members = Dictionary((value.members ?? []).map { ($0.key, $0.value) }) { $1 }
  }

  subscript(_ name: String) -> JSONValue? { members[name] }

  func string(_ name: String) throws(IcebergError) -> String {
    guard let text = members[name]?.string else {
      throw .invalid(what, reason: "expected text called '\(name)'")
    }
    return text
  }

  /// A number from 0 on.
  func integer(_ name: String) throws(IcebergError) -> Int64 {
    guard let number = members[name]?.integer, number >= 0 else {
      throw .invalid(what, reason: "expected a number called '\(name)'")
    }
    return number
  }
}
