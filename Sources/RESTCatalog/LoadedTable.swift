// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg
internal import JSON
internal import Storage

/// A table as a server tells it: in answer to a load, a creation, a registration or a commit.
struct LoadedTable: Sendable {
  /// The text of the table's metadata.
  let metadata: Buffer
  /// Where the server keeps it; nil of a table that is staged.
  let metadataLocation: String?
  /// Settings for the table's files; keys of stores among them.
  private(set) var settings: [String: Secret]
  /// Keys for places of a store, to be used where the longest of their prefixes fits.
  private(set) var credentials: [PlacedCredential]
  /// What the server tells the state by, to be asked whether there is a newer one.
  let etag: String?
  /// The plan that the credentials are for; nil if they are for the whole table.
  private(set) var planID: String?

  /// Settings for what lies below a place.
  struct PlacedCredential: Sendable {
    let prefix: String
    let settings: [String: Secret]
  }

  init(_ response: HTTPResponse) throws(RESTFailure) {
    let what = "the answer about a table"
    let body = response.body
    var metadata: Range<Int>?
    var rest: [JSONMember] = []
    do {
      var reader = JSONReader(body.bytes)
      try reader.beginObject()
      while let key = try reader.nextKey() {
        // Not taken apart here: it may be hundreds of megabytes, and has a reader of its own.
        if key == "metadata" {
          metadata = try reader.readRawValue()
        } else {
          let name = key.string
          rest.append(JSONMember(name, try reader.readValue()))
        }
      }
      try reader.finish()
    } catch {
      throw .unreadable("\(what) is no JSON: \(error)")
    }
    let message = try Message(.object(rest), what)
    guard let metadata else { throw .unreadable("\(what) has no metadata") }
    self.metadata = body.slice(metadata)
    metadataLocation = try message.optionalString("metadata-location")
    settings = (try message.optionalStrings("config") ?? [:]).mapValues { Secret($0) }
    credentials = try Self.credentials(message)
    etag = response.header("etag")
  }

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

  /// True if it tells how the table's files are got at.
  var hasAccess: Bool { !settings.isEmpty || !credentials.isEmpty }

  /// The same table, its files got at as those of `other`.
  func withAccess(of other: LoadedTable) -> LoadedTable {
    var loaded = self
    loaded.settings = other.settings
    loaded.credentials = other.credentials
    return loaded
  }

  /// The same table with keys that came with a plan.
  func granting(_ credentials: [PlacedCredential], planID: String?) -> LoadedTable {
    var loaded = self
    loaded.credentials = credentials
    loaded.planID = planID
    return loaded
  }

  /// The keys for the table's files, by place: those for a place of their own, else those for all.
  var grants: [PlacedCredential] {
    let placed = credentials.filter { $0.settings.keys != nil }
    if !placed.isEmpty || settings.keys == nil { return placed }
    return [PlacedCredential(prefix: "", settings: settings)]
  }

  /// What the text says.
  ///
  /// A server that keeps metadata as a document, and not as the bytes it was given, writes it anew:
  /// then Lake's checksum of the bytes is not of these, which nothing follows from.
  func decoded() throws(IcebergError) -> TableMetadata {
    do throws(IcebergError) {
      return try TableMetadata(json: metadata)
    } catch {
      guard case .checksumMismatch = error, let plain = withoutChecksum() else { throw error }
      return try TableMetadata(json: plain)
    }
  }

  private func withoutChecksum() -> Buffer? {
    var reader = JSONReader(metadata.bytes)
    guard let members = (try? reader.readValue())?.members else { return nil }
    return try? JSONValue.object(members.filter { $0.key != "lake-crc32c" }).text()
  }
}
