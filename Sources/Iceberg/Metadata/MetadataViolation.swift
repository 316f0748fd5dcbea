// SPDX-License-Identifier: Apache-2.0

/// A rule of the format that table metadata breaks.
@nonexhaustive
public enum MetadataViolation: Hashable, Sendable {
  case duplicateSchema(SchemaID)
  case duplicatePartitionSpec(PartitionSpecID)
  case duplicateSortOrder(SortOrderID)
  case duplicateSnapshot(SnapshotID)
  case missingCurrentSchema(SchemaID)
  case missingDefaultPartitionSpec(PartitionSpecID)
  case missingDefaultSortOrder(SortOrderID)
  case missingCurrentSnapshot(SnapshotID)
  /// `current-snapshot-id` and branch `main` name different snapshots.
  case currentSnapshotIsNotMain(current: SnapshotID?, main: SnapshotID)
  case danglingReference(name: String, SnapshotID)
  case mainIsATag
  case badRetention(name: String)
  case missingUUID
  case malformedUUID(String)
  case emptyLocation
  case negativeTime(of: String, Int64)
  case negativeSequenceNumber(SnapshotID?, SequenceNumber)
  /// A snapshot's sequence number is above the table's last.
  case sequenceNumberAhead(SnapshotID, SequenceNumber, last: SequenceNumber)
  /// A snapshot's sequence number is not above its parent's.
  case sequenceNumberNotAboveParent(SnapshotID)
  case nonPositiveSnapshotID(SnapshotID)
  case parentCycle(SnapshotID)
  case unknownSchema(SchemaID, of: SnapshotID)
  case missingManifestList(SnapshotID)
  case missingSummary(SnapshotID)
  case fieldIDAboveLast(FieldID, last: FieldID, SchemaID)
  case reservedFieldID(FieldID, SchemaID)
  case partitionFieldIDAboveLast(FieldID, last: FieldID, PartitionSpecID)
  case partitionFieldIDTooLow(FieldID, PartitionSpecID)
  /// A column that the default partition spec needs is not in the current schema.
  case missingPartitionSource(FieldID, PartitionSpecID)
  case missingSortSource(FieldID, SortOrderID)
  case logEntryOutOfOrder(SnapshotLogEntry)
  case updatedBeforeLog(lastUpdated: Int64, log: Int64)
  case metadataLogOutOfOrder(MetadataLogEntry)
  case negativeNextRowID(Int64)
  /// A snapshot has row ids that the table has not given yet.
  case rowIDsAhead(SnapshotID, next: Int64)
  case rowLineageBeforeV3
  case statisticsOfUnknownSnapshot(SnapshotID, path: String)
  case negativeSize(path: String, Int64)
  case typeNeedsNewerVersion(FieldID, SchemaID)

  /// True if metadata that breaks this rule is not read at all: what it says could not be told.
  public var isFatal: Bool {
    switch self {
    case .duplicateSchema, .duplicatePartitionSpec, .duplicateSortOrder, .duplicateSnapshot,
      .missingCurrentSchema, .missingDefaultPartitionSpec, .missingDefaultSortOrder,
      .missingCurrentSnapshot, .currentSnapshotIsNotMain, .danglingReference, .mainIsATag,
      .badRetention:
      true
    default: false
    }
  }
}

extension MetadataViolation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .duplicateSchema(let id): "schema \(id.rawValue) is there twice"
    case .duplicatePartitionSpec(let id): "partition spec \(id.rawValue) is there twice"
    case .duplicateSortOrder(let id): "sort order \(id.rawValue) is there twice"
    case .duplicateSnapshot(let id): "snapshot \(id.rawValue) is there twice"
    case .missingCurrentSchema(let id): "current schema \(id.rawValue) is not there"
    case .missingDefaultPartitionSpec(let id): "default partition spec \(id.rawValue) is not there"
    case .missingDefaultSortOrder(let id): "default sort order \(id.rawValue) is not there"
    case .missingCurrentSnapshot(let id): "current snapshot \(id.rawValue) is not there"
    case .currentSnapshotIsNotMain(let current, let main):
      "current snapshot is \(current.map { "\($0.rawValue)" } ?? "none"), but main is at "
        + "\(main.rawValue)"
    case .danglingReference(let name, let id):
      "reference '\(name)' is to snapshot \(id.rawValue), which is not there"
    case .mainIsATag: "main is a tag"
    case .badRetention(let name): "reference '\(name)' has a retention it can't have"
    case .missingUUID: "the table has no UUID"
    case .malformedUUID(let text): "table UUID '\(text)' is none"
    case .emptyLocation: "the table has no location"
    case .negativeTime(let what, let time): "time of \(what) is negative: \(time) ms"
    case .negativeSequenceNumber(let id, let number):
      "sequence number of \(id.map { "snapshot \($0.rawValue)" } ?? "the table") is negative: "
        + "\(number.rawValue)"
    case .sequenceNumberAhead(let id, let number, let last):
      "snapshot \(id.rawValue) has sequence number \(number.rawValue), above the last, "
        + "\(last.rawValue)"
    case .sequenceNumberNotAboveParent(let id):
      "sequence number of snapshot \(id.rawValue) is not above its parent's"
    case .nonPositiveSnapshotID(let id): "snapshot id \(id.rawValue) is not positive"
    case .parentCycle(let id): "snapshot \(id.rawValue) is its own ancestor"
    case .unknownSchema(let id, let snapshot):
      "schema \(id.rawValue) of snapshot \(snapshot.rawValue) is not there"
    case .missingManifestList(let id): "snapshot \(id.rawValue) has no manifest list"
    case .missingSummary(let id): "snapshot \(id.rawValue) has no summary"
    case .fieldIDAboveLast(let id, let last, let schema):
      "field id \(id.rawValue) of schema \(schema.rawValue) is above the last, \(last.rawValue)"
    case .reservedFieldID(let id, let schema):
      "field id \(id.rawValue) of schema \(schema.rawValue) is reserved"
    case .partitionFieldIDAboveLast(let id, let last, let spec):
      "partition field id \(id.rawValue) of spec \(spec.rawValue) is above the last, "
        + "\(last.rawValue)"
    case .partitionFieldIDTooLow(let id, let spec):
      "partition field id \(id.rawValue) of spec \(spec.rawValue) is below 1000"
    case .missingPartitionSource(let id, let spec):
      "column \(id.rawValue), which partition spec \(spec.rawValue) needs, is not there"
    case .missingSortSource(let id, let order):
      "column \(id.rawValue), which sort order \(order.rawValue) needs, is not there"
    case .logEntryOutOfOrder(let entry):
      "snapshot log goes back by more than a minute to \(entry.timestampMilliseconds) ms"
    case .updatedBeforeLog(let time, let log):
      "last update, \(time) ms, lies more than a minute before the last log entry, \(log) ms"
    case .metadataLogOutOfOrder(let entry):
      "metadata log goes back by more than a minute to \(entry.timestampMilliseconds) ms"
    case .negativeNextRowID(let id): "next row id is negative: \(id)"
    case .rowIDsAhead(let id, let next):
      "snapshot \(id.rawValue) has row ids from the table's next one, \(next), on"
    case .rowLineageBeforeV3: "row lineage in a table before version 3"
    case .statisticsOfUnknownSnapshot(let id, let path):
      "statistics \(path) are of snapshot \(id.rawValue), which is not there"
    case .negativeSize(let path, let size): "size of \(path) is negative: \(size)"
    case .typeNeedsNewerVersion(let id, let schema):
      "field \(id.rawValue) of schema \(schema.rawValue) has what needs a newer format version"
    }
  }
}
