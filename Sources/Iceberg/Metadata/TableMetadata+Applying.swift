// SPDX-License-Identifier: Apache-2.0

extension TableMetadata {
  /// This metadata after `updates`, in their order, at `milliseconds` on the clock.
  ///
  /// All rules of the format hold of the result if they held before: sequence numbers grow, row ids
  /// are never given twice, a reference names a snapshot that is there. Updates that change nothing
  /// give back the same metadata, so that no commit is needed.
  ///
  /// Cost: O(change), but for copying lists of references to what stays.
  /// - Parameter previousLocation: where the metadata file of this state lies; it goes to the log.
  /// - Throws: ``IcebergError`` for the first update that is not allowed.
  /// - Source: Iceberg spec, "Table Metadata"; REST catalog spec, `TableUpdate`.
  public func applying(
    _ updates: [TableUpdate], at milliseconds: Int64, previousLocation: String? = nil
  ) throws(IcebergError) -> TableMetadata {
    var builder = MetadataBuilder(base: self, at: milliseconds)
    for update in updates { try builder.apply(update) }
    return try builder.finish(previousLocation: previousLocation)
  }
}

/// Metadata while updates are applied to it, and what later updates have to know of earlier ones.
struct MetadataBuilder {
  let base: TableMetadata
  let now: Int64
  var metadata: TableMetadata
  var hasChanged = false

  var lastAddedSchema: SchemaID?
  var lastAddedSpec: PartitionSpecID?
  var lastAddedOrder: SortOrderID?
  /// The newest time of a snapshot that was added, if one was.
  var addedSnapshotTime: Int64?
  var addedSnapshots: Set<SnapshotID> = []
  /// Snapshots that `main` was at in between.
  var passedSnapshots: Set<SnapshotID> = []
  var hasRemovedSnapshots = false
  var mustCheckCompatibility = false

  init(base: TableMetadata, at now: Int64) {
    self.base = base
    self.now = now
    metadata = base
  }

  mutating func apply(_ update: TableUpdate) throws(IcebergError) {
    switch update {
    case .assignUUID(let uuid): try assign(uuid)
    case .upgradeFormatVersion(let version): try upgrade(to: version)
    case .addSchema(let schema): try add(schema)
    case .setCurrentSchema(let id): try setCurrentSchema(id)
    case .addPartitionSpec(let spec): try add(spec)
    case .setDefaultPartitionSpec(let id): try setDefaultSpec(id)
    case .addSortOrder(let order): try add(order)
    case .setDefaultSortOrder(let id): try setDefaultOrder(id)
    case .addSnapshot(let snapshot): try add(snapshot)
    case .setSnapshotReference(let name, let reference): try set(reference, as: name)
    case .removeSnapshots(let ids): try remove(Set(ids))
    case .removeSnapshotReference(let name): removeReference(name)
    case .setLocation(let location): change(\.location, to: location)
    case .setProperties(let properties): setProperties(properties)
    case .removeProperties(let names): removeProperties(names)
    case .setStatistics(let file): set(file)
    case .removeStatistics(let id): removeStatistics([id])
    case .setPartitionStatistics(let file): set(file)
    case .removePartitionStatistics(let id): removePartitionStatistics([id])
    case .removePartitionSpecs(let ids): try removeSpecs(Set(ids))
    case .removeSchemas(let ids): try removeSchemas(Set(ids))
    case .addEncryptionKey(let key): try add(key)
    case .removeEncryptionKey(let id): removeKey(id)
    case .enableRowLineage:
      guard metadata.formatVersion >= .v3 else {
        throw .invalid("row lineage", reason: "it needs format version 3")
      }
    }
  }

  mutating func change<T: Equatable>(
    _ path: WritableKeyPath<TableMetadata, T>, to value: T
  ) {
    guard metadata[keyPath: path] != value else { return }
    metadata[keyPath: path] = value
    hasChanged = true
  }

  mutating func finish(previousLocation: String?) throws(IcebergError) -> TableMetadata {
    guard hasChanged else { return base }
    if mustCheckCompatibility { try checkCompatibility() }
    let time = max(now, base.lastUpdatedMilliseconds)
    metadata.lastUpdatedMilliseconds = addedSnapshotTime.map { max($0, time) } ?? time
    pruneSnapshotLog()
    if let previousLocation { try log(previousLocation) }
    return metadata
  }

  /// The default spec and order must work with the current schema, or no file could be written.
  private func checkCompatibility() throws(IcebergError) {
    try metadata.defaultPartitionSpec.check(for: metadata.currentSchema)
    try metadata.defaultSortOrder.check(for: metadata.currentSchema)
  }

  /// Notes the file of the state before, and lets the oldest ones go.
  private mutating func log(_ previousLocation: String) throws(IcebergError) {
    let limit = try metadata.properties.value(of: .previousMetadataFileCount)
    metadata.metadataLog.append(
      MetadataLogEntry(
        timestampMilliseconds: base.lastUpdatedMilliseconds, location: previousLocation))
    let kept = Int(clamping: max(1, limit))
    if metadata.metadataLog.count > kept {
      metadata.metadataLog.removeFirst(metadata.metadataLog.count - kept)
    }
  }
}

// MARK: - Schemas, specs and orders

extension MetadataBuilder {
  private mutating func assign(_ uuid: TableUUID) throws(IcebergError) {
    guard let old = metadata.uuid else { return change(\.uuid, to: uuid) }
    guard old == uuid else {
      throw .invalid("another table UUID", reason: "the table has \(old.rawValue)")
    }
  }

  private mutating func upgrade(to version: FormatVersion) throws(IcebergError) {
    guard version >= metadata.formatVersion else {
      throw .invalid(
        "format version \(version.rawValue)",
        reason: "the table has \(metadata.formatVersion.rawValue), and versions only go up")
    }
    guard version == .v1 || metadata.uuid != nil else {
      throw .invalid("format version \(version.rawValue)", reason: "the table has no UUID")
    }
    change(\.formatVersion, to: version)
  }

  private mutating func add(_ schema: Schema) throws(IcebergError) {
    try schema.check(for: metadata.formatVersion)
    change(\.lastColumnID, to: max(metadata.lastColumnID, schema.highestFieldID))
    if let equal = metadata.schemaDocuments.first(where: { $0.value.hasSameFields(as: schema) }) {
      lastAddedSchema = equal.value.id
      return
    }
    let highest = metadata.schemaDocuments.map(\.value.id.rawValue).max() ?? -1
    let id = SchemaID(try next(highest, "schema id"))
    metadata.schemaDocuments.append(Verbatim(try schema.with(id: id)))
    lastAddedSchema = id
    hasChanged = true
  }

  private mutating func setCurrentSchema(_ id: SchemaID) throws(IcebergError) {
    let id = id == .lastAdded ? try added(lastAddedSchema, "schema") : id
    guard let schema = metadata.schema(id) else {
      throw .unknownField("schema \(id.rawValue)", in: "the table")
    }
    mustCheckCompatibility = mustCheckCompatibility || schema != metadata.currentSchema
    change(\.currentSchema, to: schema)
  }

  private mutating func add(_ spec: PartitionSpec) throws(IcebergError) {
    try spec.check(for: metadata.currentSchema)
    for field in spec.fields where field.fieldID <= TableMetadata.partitionFieldIDBase {
      throw .invalid(
        "partition field id \(field.fieldID.rawValue)", reason: "they begin at 1000")
    }
    if metadata.formatVersion == .v1 {
      for (i, field) in spec.fields.enumerated() where Int(field.fieldID.rawValue) != 1000 + i {
        throw .invalid(
          "partition field id \(field.fieldID.rawValue)",
          reason: "in format version 1 they count from 1000 on, without gaps")
      }
    }
    if let equal = metadata.partitionSpecDocuments.first(where: {
      $0.value.isCompatible(with: spec)
    }) {
      lastAddedSpec = equal.value.id
      return
    }
    let highest = metadata.partitionSpecDocuments.map(\.value.id.rawValue).max() ?? -1
    let id = PartitionSpecID(try next(highest, "partition spec id"))
    metadata.partitionSpecDocuments.append(Verbatim(try PartitionSpec(id: id, fields: spec.fields)))
    metadata.lastPartitionFieldID =
      spec.fields.map(\.fieldID).reduce(metadata.lastPartitionFieldID, max)
    lastAddedSpec = id
    hasChanged = true
  }

  private mutating func setDefaultSpec(_ id: PartitionSpecID) throws(IcebergError) {
    let id = id == .lastAdded ? try added(lastAddedSpec, "partition spec") : id
    guard let spec = metadata.partitionSpec(id) else {
      throw .unknownField("partition spec \(id.rawValue)", in: "the table")
    }
    mustCheckCompatibility = mustCheckCompatibility || spec != metadata.defaultPartitionSpec
    change(\.defaultPartitionSpec, to: spec)
  }

  private mutating func add(_ order: SortOrder) throws(IcebergError) {
    try order.check(for: metadata.currentSchema)
    if let equal = metadata.sortOrderDocuments.first(where: { $0.value.fields == order.fields }) {
      lastAddedOrder = equal.value.id
      return
    }
    var id = SortOrderID.unsorted
    if !order.isUnsorted {
      let highest = metadata.sortOrderDocuments.map(\.value.id.rawValue).max() ?? 0
      id = SortOrderID(try next(max(highest, 0), "sort order id"))
    }
    metadata.sortOrderDocuments.append(Verbatim(SortOrder(id: id, fields: order.fields)))
    lastAddedOrder = id
    hasChanged = true
  }

  private mutating func setDefaultOrder(_ id: SortOrderID) throws(IcebergError) {
    let id = id == .lastAdded ? try added(lastAddedOrder, "sort order") : id
    guard let order = metadata.sortOrder(id) else {
      throw .unknownField("sort order \(id.rawValue)", in: "the table")
    }
    mustCheckCompatibility = mustCheckCompatibility || order != metadata.defaultSortOrder
    change(\.defaultSortOrder, to: order)
  }

  private mutating func removeSpecs(_ ids: Set<PartitionSpecID>) throws(IcebergError) {
    guard !ids.contains(metadata.defaultPartitionSpecID) else {
      throw .invalid("removal of the default partition spec", reason: "writers need it")
    }
    let count = metadata.partitionSpecDocuments.count
    metadata.partitionSpecDocuments.removeAll { ids.contains($0.value.id) }
    hasChanged = hasChanged || metadata.partitionSpecDocuments.count != count
  }

  private mutating func removeSchemas(_ ids: Set<SchemaID>) throws(IcebergError) {
    guard !ids.contains(metadata.currentSchemaID) else {
      throw .invalid("removal of the current schema", reason: "readers need it")
    }
    let count = metadata.schemaDocuments.count
    metadata.schemaDocuments.removeAll { ids.contains($0.value.id) }
    hasChanged = hasChanged || metadata.schemaDocuments.count != count
  }

  private func added<ID>(_ id: ID?, _ what: String) throws(IcebergError) -> ID {
    guard let id else {
      throw .invalid("the last added \(what)", reason: "none was added in the same change")
    }
    return id
  }

  private func next(_ highest: Int32, _ what: String) throws(IcebergError) -> Int32 {
    let (next, overflow) = highest.addingReportingOverflow(1)
    guard !overflow else { throw .invalid("another \(what)", reason: "all numbers are in use") }
    return next
  }
}

// MARK: - Properties, statistics and keys

extension MetadataBuilder {
  private mutating func setProperties(_ properties: [String: String]) {
    var values = metadata.properties
    for (name, value) in properties where !TableProperties.reservedNames.contains(name) {
      values[name] = value
    }
    change(\.properties, to: values)
  }

  private mutating func removeProperties(_ names: [String]) {
    var values = metadata.properties
    for name in names { values[name] = nil }
    change(\.properties, to: values)
  }

  private mutating func set(_ file: StatisticsFile) {
    let others = metadata.statisticsDocuments.filter { $0.value.snapshotID != file.snapshotID }
    change(\.statisticsDocuments, to: others + [Verbatim(file)])
  }

  mutating func removeStatistics(_ ids: Set<SnapshotID>) {
    let left = metadata.statisticsDocuments.filter { !ids.contains($0.value.snapshotID) }
    change(\.statisticsDocuments, to: left)
  }

  private mutating func set(_ file: PartitionStatisticsFile) {
    let others = metadata.partitionStatisticsDocuments.filter {
      $0.value.snapshotID != file.snapshotID
    }
    change(\.partitionStatisticsDocuments, to: others + [Verbatim(file)])
  }

  mutating func removePartitionStatistics(_ ids: Set<SnapshotID>) {
    let left = metadata.partitionStatisticsDocuments.filter { !ids.contains($0.value.snapshotID) }
    change(\.partitionStatisticsDocuments, to: left)
  }

  private mutating func add(_ key: EncryptionKey) throws(IcebergError) {
    guard metadata.formatVersion >= .v3 else {
      throw .invalid("an encryption key", reason: "it needs format version 3")
    }
    guard !metadata.encryptionKeyDocuments.contains(where: { $0.value.id == key.id }) else {
      return
    }
    metadata.encryptionKeyDocuments.append(Verbatim(key))
    hasChanged = true
  }

  private mutating func removeKey(_ id: String) {
    let count = metadata.encryptionKeyDocuments.count
    metadata.encryptionKeyDocuments.removeAll { $0.value.id == id }
    hasChanged = hasChanged || metadata.encryptionKeyDocuments.count != count
  }
}
