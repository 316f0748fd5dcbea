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
  /// How the table's files are got at.
  var access: TableAccess
  /// What the server tells the state by, to be asked whether there is a newer one.
  let etag: String?

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
    access = TableAccess(
      settings: (try message.optionalStrings("config") ?? [:]).mapValues { Secret($0) },
      credentials: try TableAccess.credentials(message))
    etag = response.header("etag")
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
