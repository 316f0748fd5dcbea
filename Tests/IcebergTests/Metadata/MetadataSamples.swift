// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Iceberg
import JSON

/// Metadata and files that the tests of table metadata share.
enum Samples {
  static let uuid = TableUUID("9c12d441-03fe-4693-9a96-a0705ddf69c1")
  static let start: Int64 = 1_700_000_000_000

  static func schema() throws -> Schema {
    try Schema(
      fields: [
        Field(id: FieldID(1), name: "id", type: .long, isRequired: true),
        Field(id: FieldID(2), name: "ts", type: .timestamp, isRequired: false),
        Field(id: FieldID(3), name: "name", type: .string, isRequired: false),
      ], identifierFieldIDs: [FieldID(1)])
  }

  static func spec() throws -> PartitionSpec {
    try PartitionSpec(
      id: PartitionSpecID(0),
      fields: [
        PartitionField(
          sourceIDs: [FieldID(2)], fieldID: FieldID(1000), name: "ts_day", transform: .day)
      ])
  }

  static func table(
    _ version: FormatVersion = .v2, partitioned: Bool = false, properties: TableProperties = [:]
  ) throws -> TableMetadata {
    try TableMetadata.create(
      schema: try schema(), partitionSpec: partitioned ? try spec() : .unpartitioned,
      location: "s3://bucket/db/table", properties: properties, formatVersion: version,
      uuid: uuid, at: start)
  }

  static func snapshot(
    _ id: Int64, on table: TableMetadata, parent: Int64? = nil, sequence: Int64? = nil,
    at time: Int64? = nil, lineage: Snapshot.RowLineage? = nil, summary: [String: String] = [:]
  ) -> Snapshot {
    let parentID = parent.map { SnapshotID($0) } ?? table.currentSnapshotID
    let assigned = Snapshot.RowLineage(firstRowID: table.nextRowID, addedRowCount: 10)
    return Snapshot(
      id: SnapshotID(id), parentID: parentID,
      sequenceNumber: sequence.map { SequenceNumber($0) } ?? table.nextSequenceNumber,
      timestampMilliseconds: time ?? table.snapshotTimestamp(now: start, parent: parentID),
      manifestList: "s3://bucket/db/table/metadata/snap-\(id).avro", operation: .append,
      summary: summary, schemaID: table.currentSchemaID,
      rowLineage: table.formatVersion >= .v3 ? lineage ?? assigned : nil)
  }

  /// `table` with `ids` committed to main, one after the other.
  static func committing(
    _ ids: [Int64], to table: TableMetadata, branch: String = "main"
  ) throws -> TableMetadata {
    var table = table
    for id in ids {
      let parent = table.reference(branch)?.snapshotID.rawValue
      let snapshot = snapshot(id, on: table, parent: parent)
      table = try table.applying(
        [
          .addSnapshot(snapshot),
          .setSnapshotReference(name: branch, .branch(snapshot.id)),
        ], at: snapshot.timestampMilliseconds)
    }
    return table
  }

  static func reread(_ table: TableMetadata) throws -> TableMetadata {
    try TableMetadata(json: table.encoded())
  }
}

extension TableMetadata {
  var tree: JSONValue {
    get throws { try JSONValue(parsing: encoded().bytes) }
  }
}

extension JSONValue {
  /// The same value, the members of objects in alphabetical order, `keys` left out at the top.
  func sorted(without keys: Set<String> = []) -> JSONValue {
    switch self {
    case .object(let members):
      .object(
        members.filter { !keys.contains($0.key) }
          .map { JSONMember($0.key, $0.value.sorted()) }.sorted { $0.key < $1.key })
    case .array(let elements): .array(elements.map { $0.sorted() })
    default: self
    }
  }

  /// This object with member `key` replaced, or taken out if `value` is nil.
  func with(_ key: String, _ value: JSONValue?) -> JSONValue {
    guard case .object(var members) = self else { return self }
    members.removeAll { $0.key == key }
    if let value { members.append(JSONMember(key, value)) }
    return .object(members)
  }

  var text: Buffer {
    var writer = JSONWriter()
    do { try writer.write(self) } catch { preconditionFailure("a tree that is not JSON") }
    return writer.finish()
  }
}

/// Files of other implementations, which lie beside the project where it is developed.
enum Corpus {
  /// The folder `shared/PATH` beside or above the project; nil if it is not there.
  static func folder(_ path: String, from file: String = #filePath) -> URL? {
    var folder = URL(fileURLWithPath: file)
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("shared").appendingPathComponent(path)
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
    }
    return nil
  }

  static func read(_ url: URL) throws -> Buffer { Buffer([UInt8](try Data(contentsOf: url))) }
}
