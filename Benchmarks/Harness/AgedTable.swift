// SPDX-License-Identifier: Apache-2.0
internal import JSON
internal import Lake

/// Makes of a table with one append one that looks as if it had had many: each a snapshot, and a
/// manifest of its own in the newest one's list. The lists of older snapshots do not exist.
struct AgedTable {
  private let table: Table
  private let snapshots: Int
  private let store: LocalStore

  init(_ table: Table, snapshots: Int, store: LocalStore) {
    self.table = table
    self.snapshots = snapshots
    self.store = store
  }

  private static let firstID: Int64 = 1_000_000_000_000
  private var newestID: Int64 { Self.firstID + Int64(snapshots) - 1 }

  /// Puts the state in the place of the table's newest metadata file.
  func make() async throws {
    let list = try await writeManifestList()
    let json = try await store.get(table.metadataLocation, limit: 1 << 30)
    let old = try JSONValue(parsing: json.bytes)
    let aged = try document(old, list: list).text()
    try await store.delete(table.metadataLocation)
    _ = try await store.put(aged, to: table.metadataLocation, if: .absent)
  }

  private func writeManifestList() async throws -> ObjectPath {
    guard let snapshot = table.metadata.currentSnapshot,
      let manifest = try await ManifestFiles(table).list(of: snapshot).manifests.first
    else { throw BenchError.wrongResult("a table of no files") }
    let bytes = try await store.get(try ObjectPath(manifest.path), limit: 1 << 30)
    let folder = try ObjectPath(table.metadata.location).appending("metadata")
    var manifests: [ManifestFile] = []
    for i in 0..<snapshots {
      var copy = manifest
      copy.path = try folder.appending("copy-\(i)-m0.avro").text
      _ = try await store.put(bytes, to: try ObjectPath(copy.path), if: .absent)
      manifests.append(copy)
    }
    let list = try ManifestListWriter(
      formatVersion: .v2, snapshotID: SnapshotID(newestID),
      parentID: SnapshotID(newestID - 1), sequenceNumber: SequenceNumber(Int64(snapshots)),
      nextRowID: 0
    ).write(adding: manifests).list
    let path = try folder.appending("snap-\(newestID)-0-aged.avro")
    _ = try await store.put(list.bytes, to: path, if: .absent)
    return path
  }

  /// The table's document with the history in it, without the checksum that would not be right.
  private func document(_ old: JSONValue, list: ObjectPath) throws -> JSONValue {
    guard let template = old["snapshots"]?.elements?.first?.members,
      let time = old["last-updated-ms"]?.integer
    else { throw BenchError.wrongResult("metadata without a snapshot") }
    let start = time - Int64(snapshots) * 1000
    var history: [JSONValue] = []
    var log: [JSONValue] = []
    for k in 0..<Int64(snapshots) {
      let id = JSONValue.integer(Self.firstID + k)
      let when = JSONValue.integer(start + k * 1000)
      let path = list.text.replacing("\(newestID)", with: "\(Self.firstID + k)")
      var members = template.filter { $0.key != "parent-snapshot-id" }
      members.set("snapshot-id", id)
      if k > 0 { members.set("parent-snapshot-id", .integer(Self.firstID + k - 1)) }
      members.set("sequence-number", .integer(k + 1))
      members.set("timestamp-ms", when)
      members.set("manifest-list", .string(path))
      history.append(.object(members))
      log.append(.object([JSONMember("timestamp-ms", when), JSONMember("snapshot-id", id)]))
    }
    var members = (old.members ?? []).filter { $0.key != "lake-crc32c" }
    members.set("snapshots", .array(history))
    members.set("snapshot-log", .array(log))
    members.set("last-sequence-number", .integer(Int64(snapshots)))
    members.set("current-snapshot-id", .integer(newestID))
    let main = [
      JSONMember("snapshot-id", .integer(newestID)), JSONMember("type", .string("branch")),
    ]
    members.set("refs", .object([JSONMember("main", .object(main))]))
    return .object(members)
  }
}

extension [JSONMember] {
  /// Puts `value` at `key`, where that is or at the end.
  fileprivate mutating func set(_ key: String, _ value: JSONValue) {
    if let i = firstIndex(where: { $0.key == key }) {
      self[i].value = value
    } else {
      append(JSONMember(key, value))
    }
  }
}
