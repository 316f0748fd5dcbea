// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import JSON

extension TableMetadata {
  /// The metadata that `json` holds, of format versions 1 to 3.
  ///
  /// What old writers leave out is filled in: a v1 table's lists of schemas, specs and orders, and
  /// branch `main`. Snapshots and other parts keep their bytes, and are written as they were.
  ///
  /// Cost: one pass over the text; the summaries of snapshots are not taken apart before they are
  /// asked for. Memory stays alive for all of `json`.
  /// - Throws: ``IcebergError/json(_:in:)`` if it is not JSON,
  ///   ``IcebergError/malformed(_:at:expected:found:)`` if a field is missing or wrong,
  ///   ``IcebergError/unsupported(_:)`` for a version after 3,
  ///   ``IcebergError/checksumMismatch(_:recorded:computed:)`` if it is not what Lake wrote, and
  ///   ``IcebergError/inconsistent(_:)`` for a fatal ``MetadataViolation``.
  /// - Source: Iceberg spec, "Table Metadata" and "Table Metadata and Snapshots".
  public init(json: Buffer, limits: DecodeLimits = .standard) throws(IcebergError) {
    guard json.count <= limits.documentByteCount else {
      throw .unsupported("table metadata of \(json.count) bytes")
    }
    let text: MetadataText
    do { text = try MetadataText(json.bytes) } catch { throw .json(error, in: Self.document) }
    var snapshotsChecksum: UInt32?
    if let digits = text.checksum {
      snapshotsChecksum = try DocumentChecksum.verify(
        json, digits: digits, part: text.snapshotsRange)
    }
    self = try MetadataAssembly(text: text, json: json).metadata()
    encodedSnapshots?.checksum = snapshotsChecksum
  }

  static let document = "table metadata"

  /// The field of the document's own checksum, which Lake writes and others pass over.
  ///
  /// It is a string of eight hexadecimal digits: the CRC-32C of all bytes of the document (as they
  /// are before compression) with eight `0` in place of these digits.
  static let checksumField = "lake-crc32c"

  /// True if `json` was written by Lake itself, as its checksum at the end shows.
  package static func isOwn(_ json: Buffer) -> Bool { DocumentChecksum.isAtEnd(of: json) }
}

/// Makes metadata of a document that was taken apart.
struct MetadataAssembly {
  let text: MetadataText
  let json: Buffer
  let version: FormatVersion

  init(text: MetadataText, json: Buffer) throws(IcebergError) {
    self.text = text
    self.json = json
    guard let number = text.formatVersion else { throw Self.missing("format-version", "a number") }
    guard let version = Int(exactly: number).flatMap(FormatVersion.init(rawValue:)) else {
      throw .unsupported("format version \(number)")
    }
    self.version = version
  }

  func metadata() throws(IcebergError) -> TableMetadata {
    let (schemas, current) = try schemas()
    let (specs, spec) = try specs()
    let (orders, order) = try orders()
    let uuid = text.uuid.map { TableUUID($0) }
    if version > .v1, uuid == nil { throw Self.missing("table-uuid", "a UUID") }
    var metadata = TableMetadata(
      formatVersion: version, uuid: uuid,
      location: try required(text.location, "location", "a location"),
      lastUpdatedMilliseconds: try required(
        text.lastUpdatedMilliseconds, "last-updated-ms", "a time"),
      lastColumnID: FieldID(try required(text.lastColumnID, "last-column-id", "a field id")),
      currentSchema: current,
      lastPartitionFieldID: try lastPartitionFieldID(specs.map(\.value)),
      defaultPartitionSpec: spec, defaultSortOrder: order,
      properties: TableProperties(text.properties), schemaDocuments: schemas,
      partitionSpecDocuments: specs, sortOrderDocuments: orders)
    if version > .v1 {
      metadata.lastSequenceNumber = SequenceNumber(
        try required(text.lastSequenceNumber, "last-sequence-number", "a number"))
    }
    if version >= .v3 {
      metadata.nextRowID = try required(text.nextRowID, "next-row-id", "a row id")
    }
    try addSnapshots(to: &metadata)
    try addReferences(to: &metadata)
    metadata.snapshotLog = text.snapshotLog
    metadata.encodedSnapshotLog = text.snapshotLogRange.map {
      TableMetadata.EncodedPrefix(json: json.slice($0), count: text.snapshotLog.count)
    }
    metadata.encodedSnapshots = text.snapshotsRange.map {
      TableMetadata.EncodedPrefix(json: json.slice($0), count: text.snapshots.count)
    }
    metadata.metadataLog = text.metadataLog
    try addStatistics(to: &metadata)
    metadata.unknownFields = text.unknownFields.map {
      TableMetadata.UnknownField(name: $0.name, json: json.slice($0.range))
    }
    return metadata
  }

  private static func missing(_ field: String, _ expected: String) -> IcebergError {
    .malformed(TableMetadata.document, at: field, expected: expected, found: "nothing")
  }

  private func required<T>(
    _ value: T?, _ field: @autoclosure () -> String, _ expected: String
  ) throws(IcebergError) -> T {
    guard let value else { throw Self.missing(field(), expected) }
    return value
  }

  private func tree(_ range: Range<Int>) throws(IcebergError) -> JSONValue {
    do { return try JSONValue(parsing: json.bytes.extracting(range)) } catch {
      throw .json(error, in: TableMetadata.document)
    }
  }
}

// MARK: - Schemas, specs and orders

extension MetadataAssembly {
  private func schemas() throws(IcebergError) -> ([Verbatim<Schema>], current: Schema) {
    guard let ranges = text.schemas else {
      guard version == .v1 else { throw Self.missing("schemas", "a list of schemas") }
      let range = try required(text.schema, "schema", "a schema")
      let schema = try schema(range)
      return ([schema], schema.value)
    }
    var schemas: [Verbatim<Schema>] = []
    for range in ranges { schemas.append(try schema(range)) }
    if let id = schemas.map(\.value.id).firstDuplicate() {
      throw .inconsistent(.duplicateSchema(id))
    }
    let id = SchemaID(try required(text.currentSchemaID, "current-schema-id", "a schema id"))
    guard let current = schemas.first(where: { $0.value.id == id }) else {
      throw .inconsistent(.missingCurrentSchema(id))
    }
    return (schemas, current.value)
  }

  private func schema(_ range: Range<Int>) throws(IcebergError) -> Verbatim<Schema> {
    let tree = try tree(range)
    guard tree["type"]?.string == "struct" else {
      throw .malformed(
        "schema", at: "type", expected: "'struct'", found: tree["type"]?.brief ?? "nothing")
    }
    // Where old writers left the id out, it is written from now on.
    let isWhole = tree["schema-id"] != nil
    return Verbatim(try Schema(json: tree), json: isWhole ? json.slice(range) : nil)
  }

  private func specs() throws(IcebergError) -> ([Verbatim<PartitionSpec>], default: PartitionSpec) {
    guard let ranges = text.partitionSpecs else {
      guard version == .v1 else {
        throw Self.missing("partition-specs", "a list of partition specs")
      }
      let range = try required(text.partitionSpec, "partition-spec", "a list of partition fields")
      let spec = try PartitionSpec(fieldsJSON: tree(range), id: PartitionSpecID(0))
      return ([Verbatim(spec)], spec)
    }
    var specs: [Verbatim<PartitionSpec>] = []
    for range in ranges {
      let tree = try tree(range)
      // Where old writers left the field ids out, they are written from now on.
      let isWhole = tree["fields"]?.elements?.allSatisfy { $0["field-id"] != nil } ?? false
      let spec = try PartitionSpec(json: tree)
      specs.append(Verbatim(spec, json: isWhole ? json.slice(range) : nil))
    }
    if let id = specs.map(\.value.id).firstDuplicate() {
      throw .inconsistent(.duplicatePartitionSpec(id))
    }
    let id = PartitionSpecID(
      try required(text.defaultPartitionSpecID, "default-spec-id", "a partition spec id"))
    guard let spec = specs.first(where: { $0.value.id == id }) else {
      throw .inconsistent(.missingDefaultPartitionSpec(id))
    }
    return (specs, spec.value)
  }

  private func lastPartitionFieldID(_ specs: [PartitionSpec]) throws(IcebergError) -> FieldID {
    if let id = text.lastPartitionFieldID { return FieldID(id) }
    guard version == .v1 else {
      throw Self.missing("last-partition-id", "a partition field id")
    }
    return specs.flatMap(\.fields).map(\.fieldID)
      .reduce(TableMetadata.partitionFieldIDBase, max)
  }

  private func orders() throws(IcebergError) -> ([Verbatim<SortOrder>], default: SortOrder) {
    guard let ranges = text.sortOrders else {
      guard version == .v1 else { throw Self.missing("sort-orders", "a list of sort orders") }
      return ([Verbatim(.unsorted)], .unsorted)
    }
    var orders: [Verbatim<SortOrder>] = []
    for range in ranges {
      orders.append(Verbatim(try SortOrder(json: tree(range)), json: json.slice(range)))
    }
    if let id = orders.map(\.value.id).firstDuplicate() {
      throw .inconsistent(.duplicateSortOrder(id))
    }
    let id = SortOrderID(
      try required(text.defaultSortOrderID, "default-sort-order-id", "a sort order id"))
    if let order = orders.first(where: { $0.value.id == id }) { return (orders, order.value) }
    // The unsorted order need not be listed: its id is reserved for it.
    guard id == .unsorted else { throw .inconsistent(.missingDefaultSortOrder(id)) }
    return (orders + [Verbatim(.unsorted)], .unsorted)
  }
}

// MARK: - Snapshots and references

extension MetadataAssembly {
  private func addSnapshots(to metadata: inout TableMetadata) throws(IcebergError) {
    metadata.snapshots = SnapshotList(capacity: text.snapshots.count)
    for (i, part) in text.snapshots.enumerated() {
      let snapshot = try Snapshot(part, in: json, at: i)
      guard metadata.snapshots.append(snapshot) else {
        throw .inconsistent(.duplicateSnapshot(snapshot.id))
      }
    }
  }

  /// `main` is there even if an old writer did not write it; what it says twice must agree.
  private func addReferences(to metadata: inout TableMetadata) throws(IcebergError) {
    let current = text.currentSnapshotID.flatMap { $0 == -1 ? nil : SnapshotID($0) }
    if let current, !metadata.snapshots.contains(current) {
      throw .inconsistent(.missingCurrentSnapshot(current))
    }
    for (name, part) in text.references ?? [] {
      metadata.referenceDocuments[name] = try reference(part, name, metadata.snapshots)
    }
    guard let main = metadata.reference(SnapshotReference.mainBranch) else {
      if let current {
        metadata.referenceDocuments[SnapshotReference.mainBranch] = Verbatim(.branch(current))
      }
      return
    }
    guard main.kind == .branch else { throw .inconsistent(.mainIsATag) }
    guard main.snapshotID == current else {
      throw .inconsistent(.currentSnapshotIsNotMain(current: current, main: main.snapshotID))
    }
  }

  private func reference(
    _ part: ReferenceText, _ name: String, _ snapshots: SnapshotList
  ) throws(IcebergError) -> Verbatim<SnapshotReference> {
    let kind: SnapshotReference.Kind
    switch part.type?.lowercased() {
    case "branch": kind = .branch
    case "tag": kind = .tag
    default:
      throw .malformed(
        TableMetadata.document, at: "refs.\(name).type", expected: "branch or tag",
        found: part.type ?? "nothing")
    }
    let id = SnapshotID(
      try required(part.snapshotID, "refs.\(name).snapshot-id", "a snapshot id"))
    guard snapshots.contains(id) else {
      throw .inconsistent(.danglingReference(name: name, id))
    }
    let reference: SnapshotReference
    do throws(IcebergError) {
      reference = try SnapshotReference(
        kind, id,
        retention: SnapshotReference.Retention(
          minSnapshotsToKeep: part.minSnapshotsToKeep.map(Int.init),
          maxSnapshotAgeMilliseconds: part.maxSnapshotAgeMilliseconds,
          maxReferenceAgeMilliseconds: part.maxReferenceAgeMilliseconds))
    } catch { throw .inconsistent(.badRetention(name: name)) }
    return Verbatim(reference, json: json.slice(part.range))
  }
}

// MARK: - Statistics and keys

extension MetadataAssembly {
  private func addStatistics(to metadata: inout TableMetadata) throws(IcebergError) {
    for (i, part) in text.statistics.enumerated() {
      metadata.statisticsDocuments.append(
        Verbatim(try StatisticsFile(part, at: "statistics[\(i)]"), json: json.slice(part.range)))
    }
    for (i, part) in text.partitionStatistics.enumerated() {
      let file = try PartitionStatisticsFile(part, at: "partition-statistics[\(i)]")
      metadata.partitionStatisticsDocuments.append(Verbatim(file, json: json.slice(part.range)))
    }
    for (i, part) in text.encryptionKeys.enumerated() {
      let key = try EncryptionKey(part, at: "encryption-keys[\(i)]")
      metadata.encryptionKeyDocuments.append(Verbatim(key, json: json.slice(part.range)))
    }
  }
}

/// What is required of a part of table metadata, named by its place.
struct RequiredFields {
  let place: String

  func callAsFunction<T>(
    _ value: T?, _ field: StaticString, _ expected: StaticString
  ) throws(IcebergError) -> T {
    guard let value else {
      throw .malformed(
        TableMetadata.document, at: "\(place).\(field)", expected: "\(expected)", found: "nothing")
    }
    return value
  }
}

extension StatisticsFile {
  init(_ part: StatisticsText, at place: String) throws(IcebergError) {
    let required = RequiredFields(place: place)
    var blobs: [StatisticsBlob] = []
    for blob in try required(part.blobs, "blob-metadata", "a list of blobs") {
      blobs.append(
        StatisticsBlob(
          type: try required(blob.type, "blob-metadata.type", "a type"),
          snapshotID: SnapshotID(
            try required(blob.snapshotID, "blob-metadata.snapshot-id", "a snapshot id")),
          sequenceNumber: SequenceNumber(
            try required(blob.sequenceNumber, "blob-metadata.sequence-number", "a number")),
          fieldIDs: try required(blob.fields, "blob-metadata.fields", "a list of field ids")
            .map { FieldID($0) },
          properties: blob.properties))
    }
    let path = try required(part.path, "statistics-path", "a path")
    if !blobs.contains(where: { $0.type.hasPrefix(Self.indexTypePrefix) }) {
      blobs += Self.indexes(namedBy: path)
    }
    self.init(
      snapshotID: SnapshotID(try required(part.snapshotID, "snapshot-id", "a snapshot id")),
      path: path,
      byteCount: try required(part.byteCount, "file-size-in-bytes", "a size"),
      footerByteCount: try required(part.footerByteCount, "file-footer-size-in-bytes", "a size"),
      keyMetadata: part.keyMetadata, blobs: blobs)
  }
}

extension PartitionStatisticsFile {
  init(_ part: PartitionStatisticsText, at place: String) throws(IcebergError) {
    let required = RequiredFields(place: place)
    self.init(
      snapshotID: SnapshotID(try required(part.snapshotID, "snapshot-id", "a snapshot id")),
      path: try required(part.path, "statistics-path", "a path"),
      byteCount: try required(part.byteCount, "file-size-in-bytes", "a size"))
  }
}

extension EncryptionKey {
  init(_ part: EncryptionKeyText, at place: String) throws(IcebergError) {
    let required = RequiredFields(place: place)
    self.init(
      id: try required(part.id, "key-id", "a key id"),
      encryptedKeyMetadata: try required(
        part.encryptedKeyMetadata, "encrypted-key-metadata", "key metadata"),
      encryptedByID: part.encryptedByID, properties: part.properties)
  }
}
