// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The state of a table at some time: all its data and delete files, by way of manifests.
///
/// Source: Iceberg spec, "Snapshots".
public struct Snapshot: Sendable {
  /// A table has up to 10^5 of them, in a list that each commit copies: one reference each.
  private let fields: Fields

  private final class Fields: Sendable {
    let id: SnapshotID
    let parentID: SnapshotID?
    let sequenceNumber: SequenceNumber
    let timestampMilliseconds: Int64
    let manifests: SnapshotManifests
    let operation: SnapshotOperation?
    let schemaID: SchemaID?
    let rowLineage: RowLineage?
    let keyID: String?
    let summarySource: SummarySource
    let json: Buffer?

    init(
      id: SnapshotID, parentID: SnapshotID?, sequenceNumber: SequenceNumber,
      timestampMilliseconds: Int64, manifests: SnapshotManifests,
      operation: SnapshotOperation?, schemaID: SchemaID?, rowLineage: RowLineage?, keyID: String?,
      summarySource: SummarySource, json: Buffer?
    ) {
      self.id = id
      self.parentID = parentID
      self.sequenceNumber = sequenceNumber
      self.timestampMilliseconds = timestampMilliseconds
      self.manifests = manifests
      self.operation = operation
      self.schemaID = schemaID
      self.rowLineage = rowLineage
      self.keyID = keyID
      self.summarySource = summarySource
      self.json = json
    }
  }

  public var id: SnapshotID { fields.id }
  public var parentID: SnapshotID? { fields.parentID }
  /// 0 in v1 tables.
  public var sequenceNumber: SequenceNumber { fields.sequenceNumber }
  public var timestampMilliseconds: Int64 { fields.timestampMilliseconds }
  public var manifests: SnapshotManifests { fields.manifests }
  /// What kind of change made it; nil only in v1 tables without a summary.
  public var operation: SnapshotOperation? { fields.operation }
  /// The table's current schema when it was made.
  public var schemaID: SchemaID? { fields.schemaID }
  /// v3: the row ids it may give to rows begin here; nil if it was made before row lineage.
  public var rowLineage: RowLineage? { fields.rowLineage }
  /// v3: the key that encrypts the manifest list's key metadata.
  public var keyID: String? { fields.keyID }

  var summarySource: SummarySource { fields.summarySource }
  /// The bytes it was read from or first written as, so that it is written as it was; nil for one
  /// that is not in a table's metadata yet.
  var json: Buffer? { fields.json }

  /// The range of row ids a snapshot takes.
  public struct RowLineage: Hashable, Sendable {
    public let firstRowID: Int64
    /// An upper bound of the rows that get ids; existing ones may count among them.
    public let addedRowCount: Int64

    public init(firstRowID: Int64, addedRowCount: Int64) {
      self.firstRowID = firstRowID
      self.addedRowCount = addedRowCount
    }
  }

  /// - Parameter summary: what changed, `operation` left out of it (see ``SnapshotSummary``).
  public init(
    id: SnapshotID, parentID: SnapshotID?, sequenceNumber: SequenceNumber,
    timestampMilliseconds: Int64, manifestList: String, operation: SnapshotOperation,
    summary: [String: String] = [:], schemaID: SchemaID?, rowLineage: RowLineage? = nil,
    keyID: String? = nil
  ) {
    self.init(
      id: id, parentID: parentID, sequenceNumber: sequenceNumber,
      timestampMilliseconds: timestampMilliseconds, manifests: .list(manifestList),
      operation: operation, schemaID: schemaID, rowLineage: rowLineage, keyID: keyID,
      summarySource: .values(summary), json: nil)
  }

  init(
    id: SnapshotID, parentID: SnapshotID?, sequenceNumber: SequenceNumber,
    timestampMilliseconds: Int64, manifests: SnapshotManifests, operation: SnapshotOperation?,
    schemaID: SchemaID?, rowLineage: RowLineage?, keyID: String?, summarySource: SummarySource,
    json: Buffer?
  ) {
    fields = Fields(
      id: id, parentID: parentID, sequenceNumber: sequenceNumber,
      timestampMilliseconds: timestampMilliseconds, manifests: manifests, operation: operation,
      schemaID: schemaID, rowLineage: rowLineage, keyID: keyID, summarySource: summarySource,
      json: json)
  }

  /// What changed, as names and values; `operation` is not among them.
  ///
  /// Cost: of a snapshot that was read, its summary is parsed anew with each call.
  public var summary: [String: String] { summarySource.values }

  /// Where the manifest list lies; nil for a v1 snapshot that names its manifests itself.
  public var manifestList: String? {
    if case .list(let location) = manifests { location } else { nil }
  }
}

/// Where a snapshot's manifests are told.
public enum SnapshotManifests: Hashable, Sendable {
  /// In the manifest list at this location.
  case list(String)
  /// v1 only: here.
  case embedded([String])
}

/// What kind of change made a snapshot; others' conflict checks and expiry rely on it.
///
/// Source: Iceberg spec, "Snapshots", `operation`.
public enum SnapshotOperation: Hashable, Sendable {
  /// Data files were added, nothing was removed.
  case append
  /// Files were swapped for others with the same rows.
  case replace
  /// Data files were added and rows removed.
  case overwrite
  /// Rows were removed.
  case delete
  /// One this engine does not know, kept as it is spelled.
  case unknown(String)

  public init(_ name: String) {
    self =
      switch name {
      case "append": .append
      case "replace": .replace
      case "overwrite": .overwrite
      case "delete": .delete
      default: .unknown(name)
      }
  }

  public var name: String {
    switch self {
    case .append: "append"
    case .replace: "replace"
    case .overwrite: "overwrite"
    case .delete: "delete"
    case .unknown(let name): name
    }
  }
}

extension Snapshot: Equatable {
  public static func == (a: Snapshot, b: Snapshot) -> Bool {
    a.id == b.id && a.parentID == b.parentID && a.sequenceNumber == b.sequenceNumber
      && a.timestampMilliseconds == b.timestampMilliseconds && a.manifests == b.manifests
      && a.operation == b.operation && a.schemaID == b.schemaID && a.rowLineage == b.rowLineage
      && a.keyID == b.keyID && a.summary == b.summary
  }
}
