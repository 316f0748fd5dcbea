// SPDX-License-Identifier: Apache-2.0
public import JSON

/// Updates and requirements as REST catalogs take them.
///
/// Source: Iceberg REST catalog spec, `TableUpdate` and `TableRequirement`.
extension TableUpdate {
  /// Writes this update as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.write("action", action)
    writeLayoutFields(to: &writer)
    writeHistoryFields(to: &writer)
    writeOtherFields(to: &writer)
    writer.endObject()
  }

  /// What the update is called in a request.
  var action: String {
    switch self {
    case .assignUUID: "assign-uuid"
    case .upgradeFormatVersion: "upgrade-format-version"
    case .addSchema: "add-schema"
    case .setCurrentSchema: "set-current-schema"
    case .addPartitionSpec: "add-spec"
    case .setDefaultPartitionSpec: "set-default-spec"
    case .addSortOrder: "add-sort-order"
    case .setDefaultSortOrder: "set-default-sort-order"
    case .addSnapshot: "add-snapshot"
    case .setSnapshotReference: "set-snapshot-ref"
    case .removeSnapshots: "remove-snapshots"
    case .removeSnapshotReference: "remove-snapshot-ref"
    case .setLocation: "set-location"
    case .setProperties: "set-properties"
    case .removeProperties: "remove-properties"
    case .setStatistics: "set-statistics"
    case .removeStatistics: "remove-statistics"
    case .setPartitionStatistics: "set-partition-statistics"
    case .removePartitionStatistics: "remove-partition-statistics"
    case .removePartitionSpecs: "remove-partition-specs"
    case .removeSchemas: "remove-schemas"
    case .addEncryptionKey: "add-encryption-key"
    case .removeEncryptionKey: "remove-encryption-key"
    case .enableRowLineage: "enable-row-lineage"
    }
  }

  private func writeLayoutFields(to writer: inout JSONWriter) {
    switch self {
    case .addSchema(let schema):
      writer.writeKey("schema")
      schema.write(to: &writer)
      // What old servers want told; others work it out.
      writer.write("last-column-id", schema.highestFieldID.rawValue)
    case .setCurrentSchema(let id): writer.write("schema-id", id.rawValue)
    case .addPartitionSpec(let spec):
      writer.writeKey("spec")
      spec.write(to: &writer)
    case .setDefaultPartitionSpec(let id): writer.write("spec-id", id.rawValue)
    case .addSortOrder(let order):
      writer.writeKey("sort-order")
      order.write(to: &writer)
    case .setDefaultSortOrder(let id): writer.write("sort-order-id", id.rawValue)
    case .removePartitionSpecs(let ids): writer.write("spec-ids", ids.map { Int64($0.rawValue) })
    case .removeSchemas(let ids): writer.write("schema-ids", ids.map { Int64($0.rawValue) })
    default: break
    }
  }

  private func writeHistoryFields(to writer: inout JSONWriter) {
    switch self {
    case .addSnapshot(let snapshot):
      writer.writeKey("snapshot")
      snapshot.write(to: &writer)
    case .setSnapshotReference(let name, let reference):
      writer.write("ref-name", name)
      reference.writeFields(to: &writer)
    case .removeSnapshots(let ids): writer.write("snapshot-ids", ids.map(\.rawValue))
    case .removeSnapshotReference(let name): writer.write("ref-name", name)
    case .setStatistics(let file):
      writer.write("snapshot-id", file.snapshotID.rawValue)
      writer.writeKey("statistics")
      file.write(to: &writer)
    case .removeStatistics(let id), .removePartitionStatistics(let id):
      writer.write("snapshot-id", id.rawValue)
    case .setPartitionStatistics(let file):
      writer.writeKey("partition-statistics")
      file.write(to: &writer)
    default: break
    }
  }

  private func writeOtherFields(to writer: inout JSONWriter) {
    switch self {
    case .assignUUID(let uuid): writer.write("uuid", uuid.rawValue)
    case .upgradeFormatVersion(let version):
      writer.write("format-version", Int64(version.rawValue))
    case .setLocation(let location): writer.write("location", location)
    case .setProperties(let properties): writer.write("updates", properties)
    case .removeProperties(let names):
      writer.writeKey("removals")
      writer.beginArray()
      for name in names { writer.write(name) }
      writer.endArray()
    case .addEncryptionKey(let key):
      writer.writeKey("encryption-key")
      key.write(to: &writer)
    case .removeEncryptionKey(let id): writer.write("key-id", id)
    default: break
    }
  }
}

extension TableRequirement {
  /// Writes this requirement as one JSON object.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    switch self {
    case .notThere: writer.write("type", "assert-create")
    case .tableUUID(let uuid):
      writer.write("type", "assert-table-uuid")
      writer.write("uuid", uuid.rawValue)
    case .referenceSnapshot(let name, let id):
      writer.write("type", "assert-ref-snapshot-id")
      writer.write("ref", name)
      writer.writeKey("snapshot-id")
      if let id { writer.write(id.rawValue) } else { writer.writeNull() }
    case .lastAssignedFieldID(let id):
      writer.write("type", "assert-last-assigned-field-id")
      writer.write("last-assigned-field-id", id.rawValue)
    case .currentSchema(let id):
      writer.write("type", "assert-current-schema-id")
      writer.write("current-schema-id", id.rawValue)
    case .lastAssignedPartitionFieldID(let id):
      writer.write("type", "assert-last-assigned-partition-id")
      writer.write("last-assigned-partition-id", id.rawValue)
    case .defaultPartitionSpec(let id):
      writer.write("type", "assert-default-spec-id")
      writer.write("default-spec-id", id.rawValue)
    case .defaultSortOrder(let id):
      writer.write("type", "assert-default-sort-order-id")
      writer.write("default-sort-order-id", id.rawValue)
    }
    writer.endObject()
  }
}

extension JSONWriter {
  mutating func write(_ key: String, _ values: [Int64]) {
    writeKey(key)
    beginArray()
    for value in values { write(value) }
    endArray()
  }
}
