// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import JSON

extension TableUpdate {
  /// The update that `json`, an object of a request, asks for.
  ///
  /// - Throws: ``IcebergError/unsupported(_:)`` for an action that is not known, which must not be
  ///   passed over; ``IcebergError/malformed(_:at:expected:found:)``; ``IcebergError/json(_:in:)``.
  public init(json: JSONValue) throws(IcebergError) {
    let members = try JSONMembers(json, of: Self.document, at: "")
    let action = try members.string("action")
    if let update = try Self.layoutUpdate(action, members) {
      self = update
    } else if let update = try Self.historyUpdate(action, members) {
      self = update
    } else if let update = try Self.otherUpdate(action, members) {
      self = update
    } else {
      throw .unsupported("table update '\(action)'")
    }
  }

  private static let document = "table update"

  private static func layoutUpdate(
    _ action: String, _ members: JSONMembers
  ) throws(IcebergError) -> TableUpdate? {
    switch action {
    case "add-schema":
      return .addSchema(try Schema(json: try members.required("schema", "a schema")))
    case "set-current-schema": return .setCurrentSchema(SchemaID(try members.int32("schema-id")))
    case "add-spec": return .addPartitionSpec(try spec(try members.required("spec", "a spec")))
    case "set-default-spec":
      return .setDefaultPartitionSpec(PartitionSpecID(try members.int32("spec-id")))
    case "add-sort-order":
      return .addSortOrder(try SortOrder(json: try members.required("sort-order", "an order")))
    case "set-default-sort-order":
      return .setDefaultSortOrder(SortOrderID(try members.int32("sort-order-id")))
    case "remove-partition-specs":
      return .removePartitionSpecs(
        try members.optionalInt32s("spec-ids").map { $0.map { PartitionSpecID($0) } } ?? [])
    case "remove-schemas":
      return .removeSchemas(
        try members.optionalInt32s("schema-ids").map { $0.map { SchemaID($0) } } ?? [])
    default: return nil
    }
  }

  /// A spec whose fields have ids: who leaves them to the server does not know what it commits.
  private static func spec(_ json: JSONValue) throws(IcebergError) -> PartitionSpec {
    for field in json["fields"]?.elements ?? [] where field["field-id"] == nil {
      throw .malformed(
        document, at: "spec.fields.field-id", expected: "a partition field id", found: "nothing")
    }
    let members = try JSONMembers(json, of: document, at: "spec")
    return try PartitionSpec(
      fieldsJSON: try members.required("fields", "an array"),
      id: PartitionSpecID(try members.optionalInt32("spec-id") ?? -1))
  }

  private static func historyUpdate(
    _ action: String, _ members: JSONMembers
  ) throws(IcebergError) -> TableUpdate? {
    switch action {
    case "add-snapshot": return .addSnapshot(try snapshot(try text("snapshot", members)))
    case "set-snapshot-ref":
      return .setSnapshotReference(
        name: try members.string("ref-name"), try reference(members))
    case "remove-snapshots":
      return .removeSnapshots(try members.int64s("snapshot-ids").map { SnapshotID($0) })
    case "remove-snapshot-ref":
      return .removeSnapshotReference(name: try members.string("ref-name"))
    case "set-statistics":
      return .setStatistics(try statistics(try text("statistics", members)))
    case "remove-statistics":
      return .removeStatistics(SnapshotID(try members.int64("snapshot-id")))
    case "set-partition-statistics":
      return .setPartitionStatistics(
        try partitionStatistics(try text("partition-statistics", members)))
    case "remove-partition-statistics":
      return .removePartitionStatistics(SnapshotID(try members.int64("snapshot-id")))
    default: return nil
    }
  }

  private static func otherUpdate(
    _ action: String, _ members: JSONMembers
  ) throws(IcebergError) -> TableUpdate? {
    switch action {
    case "assign-uuid": return .assignUUID(TableUUID(try members.string("uuid")))
    case "upgrade-format-version":
      let number = try members.int32("format-version")
      guard let version = FormatVersion(rawValue: Int(number)) else {
        throw .unsupported("format version \(number)")
      }
      return .upgradeFormatVersion(version)
    case "set-location": return .setLocation(try members.string("location"))
    case "set-properties": return .setProperties(try members.stringMap("updates"))
    case "remove-properties": return .removeProperties(try members.strings("removals"))
    case "add-encryption-key":
      return .addEncryptionKey(try key(try text("encryption-key", members)))
    case "remove-encryption-key": return .removeEncryptionKey(id: try members.string("key-id"))
    case "enable-row-lineage": return .enableRowLineage
    default: return nil
    }
  }

  private static func reference(
    _ members: JSONMembers
  ) throws(IcebergError) -> SnapshotReference {
    let type = try members.string("type").lowercased()
    guard type == "branch" || type == "tag" else {
      throw .malformed(document, at: "type", expected: "branch or tag", found: type)
    }
    return try SnapshotReference(
      type == "branch" ? .branch : .tag, SnapshotID(try members.int64("snapshot-id")),
      retention: SnapshotReference.Retention(
        minSnapshotsToKeep: try members.optionalInt32("min-snapshots-to-keep").map(Int.init),
        maxSnapshotAgeMilliseconds: try members.optionalInt64("max-snapshot-age-ms"),
        maxReferenceAgeMilliseconds: try members.optionalInt64("max-ref-age-ms")))
  }
}

// MARK: - Parts that metadata has too

extension TableUpdate {
  /// The text of member `key`, to be taken apart as table metadata is.
  private static func text(
    _ key: String, _ members: JSONMembers
  ) throws(IcebergError) -> Buffer {
    let value = try members.required(key, "an object")
    var writer = JSONWriter()
    do { try writer.write(value) } catch { throw .json(error, in: document) }
    return writer.finish()
  }

  private static func snapshot(_ text: Buffer) throws(IcebergError) -> Snapshot {
    let part: SnapshotText
    do {
      var reader = JSONReader(text.bytes)
      part = try SnapshotText(&reader)
    } catch { throw .json(error, in: document) }
    return try Snapshot(part, in: text, at: 0)
  }

  private static func statistics(_ text: Buffer) throws(IcebergError) -> StatisticsFile {
    let part: StatisticsText
    do {
      var reader = JSONReader(text.bytes)
      part = try StatisticsText(&reader)
    } catch { throw .json(error, in: document) }
    return try StatisticsFile(part, at: "statistics")
  }

  private static func partitionStatistics(
    _ text: Buffer
  ) throws(IcebergError) -> PartitionStatisticsFile {
    let part: PartitionStatisticsText
    do {
      var reader = JSONReader(text.bytes)
      part = try PartitionStatisticsText(&reader)
    } catch { throw .json(error, in: document) }
    return try PartitionStatisticsFile(part, at: "partition-statistics")
  }

  private static func key(_ text: Buffer) throws(IcebergError) -> EncryptionKey {
    let part: EncryptionKeyText
    do {
      var reader = JSONReader(text.bytes)
      part = try EncryptionKeyText(&reader)
    } catch { throw .json(error, in: document) }
    return try EncryptionKey(part, at: "encryption-key")
  }
}

// MARK: - Requirements

extension TableRequirement {
  /// The requirement that `json`, an object of a request, states.
  ///
  /// - Throws: ``IcebergError/unsupported(_:)`` for a type that is not known, which must not be
  ///   passed over; ``IcebergError/malformed(_:at:expected:found:)``.
  public init(json: JSONValue) throws(IcebergError) {
    let members = try JSONMembers(json, of: "table requirement", at: "")
    let type = try members.string("type")
    switch type {
    case "assert-create": self = .notThere
    case "assert-table-uuid": self = .tableUUID(TableUUID(try members.string("uuid")))
    case "assert-ref-snapshot-id":
      self = .referenceSnapshot(
        name: try members.string("ref"),
        try members.optionalInt64("snapshot-id").map { SnapshotID($0) })
    case "assert-last-assigned-field-id":
      self = .lastAssignedFieldID(FieldID(try members.int32("last-assigned-field-id")))
    case "assert-current-schema-id":
      self = .currentSchema(SchemaID(try members.int32("current-schema-id")))
    case "assert-last-assigned-partition-id":
      self = .lastAssignedPartitionFieldID(
        FieldID(try members.int32("last-assigned-partition-id")))
    case "assert-default-spec-id":
      self = .defaultPartitionSpec(PartitionSpecID(try members.int32("default-spec-id")))
    case "assert-default-sort-order-id":
      self = .defaultSortOrder(SortOrderID(try members.int32("default-sort-order-id")))
    default: throw .unsupported("table requirement '\(type)'")
    }
  }
}

extension JSONMembers {
  func int64(_ key: String) throws(IcebergError) -> Int64 {
    let member = try required(key, "an integer")
    guard let number = member.integer else { throw malformed(place(key), "an integer", member) }
    return number
  }

  func optionalInt64(_ key: String) throws(IcebergError) -> Int64? {
    optional(key) == nil ? nil : try int64(key)
  }

  func int64s(_ key: String) throws(IcebergError) -> [Int64] {
    var numbers: [Int64] = []
    for element in try array(key) {
      guard let number = element.integer else {
        throw malformed(place(key), "integers", element)
      }
      numbers.append(number)
    }
    return numbers
  }

  func strings(_ key: String) throws(IcebergError) -> [String] {
    var strings: [String] = []
    for element in try array(key) {
      guard let text = element.string else { throw malformed(place(key), "strings", element) }
      strings.append(text)
    }
    return strings
  }

  func stringMap(_ key: String) throws(IcebergError) -> [String: String] {
    let member = try required(key, "an object")
    guard case .object(let members) = member else {
      throw malformed(place(key), "an object", member)
    }
    var map: [String: String] = [:]
    for pair in members {
      guard let text = pair.value.string else {
        throw malformed(place("\(key).\(pair.key)"), "a string", pair.value)
      }
      map[pair.key] = text
    }
    return map
  }
}
