// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import Network
internal import Storage

/// How a table's files are got at: what a server tells with the table besides its state.
struct TableAccess: Sendable {
  /// Settings for the table's files; keys of stores among them.
  var settings: [String: Secret] = [:]
  /// Keys for places of a store, to be used where the longest of their prefixes fits.
  var credentials: [PlacedCredential] = []
  /// The plan that the credentials are for; nil if they are for the whole table.
  var planID: String?

  /// Settings for what lies below a place.
  struct PlacedCredential: Sendable {
    let prefix: String
    let settings: [String: Secret]
  }

  /// True if the server told nothing.
  var isEmpty: Bool { settings.isEmpty && credentials.isEmpty }

  /// The credentials of an answer that has them: that to a load, or to a request for new ones.
  static func credentials(_ message: Message) throws(RESTFailure) -> [PlacedCredential] {
    var credentials: [PlacedCredential] = []
    for element in message.json["storage-credentials"]?.elements ?? [] {
      let credential = try Message(element, "a storage credential")
      credentials.append(
        PlacedCredential(
          prefix: try credential.string("prefix"),
          settings: (try credential.optionalStrings("config") ?? [:]).mapValues { Secret($0) }))
    }
    return credentials
  }

  /// The keys for the table's files, by place: those for a place of their own, else those for all.
  var grants: [PlacedCredential] {
    let placed = credentials.filter { $0.settings.keys != nil }
    if !placed.isEmpty || settings.keys == nil { return placed }
    return [PlacedCredential(prefix: "", settings: settings)]
  }
}
