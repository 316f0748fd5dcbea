// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg

/// The tables that need nothing but the table's metadata.
extension MetadataTable {
  static let moment = ColumnType.timestamp(.microseconds, zoned: true)
  static let textMap = ColumnType.map(
    key: ColumnField("key", .string, isNullable: false),
    value: ColumnField("value", .string, isNullable: false))

  /// A moment as a column has it; one that does not fit stays within what does.
  static func moment(milliseconds: Int64) -> Cell {
    let (value, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
    return Cell(overflow ? (milliseconds < 0 ? .min : .max) : value)
  }

  static let snapshotFields = [
    ColumnField("committed_at", moment, isNullable: false),
    ColumnField("snapshot_id", .int64, isNullable: false),
    ColumnField("parent_id", .int64),
    ColumnField("operation", .string),
    ColumnField("manifest_list", .string),
    ColumnField("summary", textMap),
  ]

  static func snapshots(_ metadata: TableMetadata) -> [[Cell]] {
    metadata.snapshots.map { snapshot in
      [
        moment(milliseconds: snapshot.timestampMilliseconds), Cell(snapshot.id.rawValue),
        Cell(snapshot.parentID?.rawValue), Cell(snapshot.operation?.name),
        Cell(snapshot.manifestList), Cell(snapshot.summary),
      ]
    }
  }

  static let historyFields = [
    ColumnField("made_current_at", moment, isNullable: false),
    ColumnField("snapshot_id", .int64, isNullable: false),
    ColumnField("parent_id", .int64),
    ColumnField("is_current_ancestor", .boolean, isNullable: false),
  ]

  static func history(_ metadata: TableMetadata) -> [[Cell]] {
    var ancestors: Set<SnapshotID> = []
    if let current = metadata.currentSnapshotID {
      for snapshot in metadata.ancestry(of: current) { ancestors.insert(snapshot.id) }
    }
    return metadata.snapshotLog.map { entry in
      [
        moment(milliseconds: entry.timestampMilliseconds), Cell(entry.snapshotID.rawValue),
        Cell(metadata.snapshot(entry.snapshotID)?.parentID?.rawValue),
        .boolean(ancestors.contains(entry.snapshotID)),
      ]
    }
  }

  static let referenceFields = [
    ColumnField("name", .string, isNullable: false),
    ColumnField("type", .string, isNullable: false),
    ColumnField("snapshot_id", .int64, isNullable: false),
    ColumnField("max_reference_age_in_ms", .int64),
    ColumnField("min_snapshots_to_keep", .int32),
    ColumnField("max_snapshot_age_in_ms", .int64),
  ]

  static func references(_ metadata: TableMetadata) -> [[Cell]] {
    metadata.references.sorted { $0.key < $1.key }.map { name, reference in
      [
        .text(name), .text(reference.kind == .branch ? "BRANCH" : "TAG"),
        Cell(reference.snapshotID.rawValue),
        Cell(reference.retention.maxReferenceAgeMilliseconds),
        Cell(reference.retention.minSnapshotsToKeep),
        Cell(reference.retention.maxSnapshotAgeMilliseconds),
      ]
    }
  }

  static let metadataLogFields = [
    ColumnField("timestamp", moment, isNullable: false),
    ColumnField("file", .string, isNullable: false),
    ColumnField("latest_snapshot_id", .int64),
    ColumnField("latest_schema_id", .int32),
    ColumnField("latest_sequence_number", .int64),
  ]

  static func metadataLog(_ metadata: TableMetadata, current: String) -> [[Cell]] {
    let now = MetadataLogEntry(
      timestampMilliseconds: metadata.lastUpdatedMilliseconds, location: current)
    return (metadata.metadataLog + [now]).map { entry in
      let id = metadata.snapshotLog.last {
        $0.timestampMilliseconds <= entry.timestampMilliseconds
      }?.snapshotID
      let snapshot = id.flatMap { metadata.snapshot($0) }
      return [
        moment(milliseconds: entry.timestampMilliseconds), .text(entry.location),
        Cell(id?.rawValue), Cell(snapshot?.schemaID?.rawValue),
        Cell(snapshot?.sequenceNumber.rawValue),
      ]
    }
  }

  static let propertyFields = [
    ColumnField("key", .string, isNullable: false),
    ColumnField("value", .string, isNullable: false),
  ]

  static func properties(_ metadata: TableMetadata) -> [[Cell]] {
    metadata.properties.values.sorted { $0.key < $1.key }.map { [.text($0.key), .text($0.value)] }
  }
}
