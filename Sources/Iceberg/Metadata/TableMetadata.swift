// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The whole state of a table but for its files: what a `metadata.json` holds.
///
/// A value of this type is always consistent enough to be read: what is current or default is
/// there, references name snapshots that are there, ids are unique. The finer rules are told by
/// ``validate()``. It never changes; ``applying(_:at:previousLocation:)`` makes a new one.
///
/// Source: Iceberg spec, "Table Metadata Fields".
public struct TableMetadata: Sendable {
  public internal(set) var formatVersion: FormatVersion
  /// Nil only in v1 tables that never had one.
  public internal(set) var uuid: TableUUID?
  /// The base of the table's files; no slash at its end is added or removed.
  public internal(set) var location: String
  public internal(set) var lastUpdatedMilliseconds: Int64
  /// 0 in v1 tables.
  public internal(set) var lastSequenceNumber = SequenceNumber(0)

  /// The highest field id ever given.
  public internal(set) var lastColumnID: FieldID
  public internal(set) var currentSchema: Schema
  /// The highest partition field id ever given; 999 if none was.
  public internal(set) var lastPartitionFieldID: FieldID
  public internal(set) var defaultPartitionSpec: PartitionSpec
  public internal(set) var defaultSortOrder: SortOrder

  public internal(set) var properties: TableProperties
  public internal(set) var snapshots = SnapshotList()
  /// In the order it was written, which need not be that of time.
  public internal(set) var snapshotLog: [SnapshotLogEntry] = []
  public internal(set) var metadataLog: [MetadataLogEntry] = []
  /// v3: higher than every row id ever given; 0 before.
  public internal(set) var nextRowID: Int64 = 0

  var schemaDocuments: [Verbatim<Schema>]
  var partitionSpecDocuments: [Verbatim<PartitionSpec>]
  var sortOrderDocuments: [Verbatim<SortOrder>]
  var referenceDocuments: [String: Verbatim<SnapshotReference>] = [:]
  var statisticsDocuments: [Verbatim<StatisticsFile>] = []
  var partitionStatisticsDocuments: [Verbatim<PartitionStatisticsFile>] = []
  var encryptionKeyDocuments: [Verbatim<EncryptionKey>] = []
  /// Fields of the document this engine does not know, in its order.
  var unknownFields: [UnknownField] = []
  /// The JSON of the first entries of the log, as they were read.
  var encodedSnapshotLog: EncodedPrefix?
  /// The JSON of the first snapshots, as they were read.
  var encodedSnapshots: EncodedPrefix?

  /// A field this engine does not know, as it was read.
  struct UnknownField: Hashable, Sendable {
    let name: String
    let json: Buffer
  }

  /// The JSON of the first `count` elements of an array, commas between them.
  struct EncodedPrefix: Sendable {
    let json: Buffer
    let count: Int
    /// The CRC-32C of the bytes, if it was taken.
    var checksum: UInt32?
  }

  /// The id below the first one a partition field gets.
  public static let partitionFieldIDBase = FieldID(999)
}

extension TableMetadata {
  public var schemas: [Schema] { schemaDocuments.map(\.value) }
  public var partitionSpecs: [PartitionSpec] { partitionSpecDocuments.map(\.value) }
  public var sortOrders: [SortOrder] { sortOrderDocuments.map(\.value) }
  /// Branches and tags by name.
  public var references: [String: SnapshotReference] { referenceDocuments.mapValues(\.value) }
  public var statistics: [StatisticsFile] { statisticsDocuments.map(\.value) }
  public var partitionStatistics: [PartitionStatisticsFile] {
    partitionStatisticsDocuments.map(\.value)
  }
  public var encryptionKeys: [EncryptionKey] { encryptionKeyDocuments.map(\.value) }

  public var currentSchemaID: SchemaID { currentSchema.id }
  public var defaultPartitionSpecID: PartitionSpecID { defaultPartitionSpec.id }
  public var defaultSortOrderID: SortOrderID { defaultSortOrder.id }

  public func schema(_ id: SchemaID) -> Schema? {
    id == currentSchema.id ? currentSchema : schemaDocuments.first { $0.value.id == id }?.value
  }
  public func partitionSpec(_ id: PartitionSpecID) -> PartitionSpec? {
    id == defaultPartitionSpec.id
      ? defaultPartitionSpec : partitionSpecDocuments.first { $0.value.id == id }?.value
  }
  public func sortOrder(_ id: SortOrderID) -> SortOrder? {
    id == defaultSortOrder.id
      ? defaultSortOrder : sortOrderDocuments.first { $0.value.id == id }?.value
  }

  /// The snapshot with `id`; nil if there is none. Cost: O(1).
  public func snapshot(_ id: SnapshotID) -> Snapshot? { snapshots[id: id] }
  /// The branch or tag `name`; nil if there is none.
  public func reference(_ name: String) -> SnapshotReference? { referenceDocuments[name]?.value }
  /// The snapshot that the branch or tag `name` is at; nil if there is no such reference.
  public func snapshot(named name: String) -> Snapshot? {
    reference(name).flatMap { snapshot($0.snapshotID) }
  }

  public var currentSnapshotID: SnapshotID? {
    reference(SnapshotReference.mainBranch)?.snapshotID
  }
  /// What a reader sees who asks for nothing else; nil of an empty table.
  public var currentSnapshot: Snapshot? { currentSnapshotID.flatMap { snapshot($0) } }

  /// The sequence number the next commit gets: 0 in v1 tables.
  public var nextSequenceNumber: SequenceNumber {
    formatVersion == .v1 ? SequenceNumber(0) : SequenceNumber(lastSequenceNumber.rawValue &+ 1)
  }
}

extension TableMetadata: Equatable {
  public static func == (a: TableMetadata, b: TableMetadata) -> Bool {
    a.formatVersion == b.formatVersion && a.uuid == b.uuid && a.location == b.location
      && a.lastUpdatedMilliseconds == b.lastUpdatedMilliseconds
      && a.lastSequenceNumber == b.lastSequenceNumber && a.lastColumnID == b.lastColumnID
      && a.currentSchema == b.currentSchema && a.lastPartitionFieldID == b.lastPartitionFieldID
      && a.defaultPartitionSpec == b.defaultPartitionSpec
      && a.defaultSortOrder == b.defaultSortOrder && a.properties == b.properties
      && a.snapshots == b.snapshots && a.snapshotLog == b.snapshotLog
      && a.metadataLog == b.metadataLog && a.nextRowID == b.nextRowID
      && a.schemaDocuments == b.schemaDocuments
      && a.partitionSpecDocuments == b.partitionSpecDocuments
      && a.sortOrderDocuments == b.sortOrderDocuments
      && a.referenceDocuments == b.referenceDocuments
      && a.statisticsDocuments == b.statisticsDocuments
      && a.partitionStatisticsDocuments == b.partitionStatisticsDocuments
      && a.encryptionKeyDocuments == b.encryptionKeyDocuments
      && a.unknownFields == b.unknownFields
  }
}
