// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import Testing

@testable import Iceberg

@Suite("Updates and requirements as JSON")
struct UpdateJSONTests {
  static func updates() throws -> [(String, TableUpdate)] {
    let table = try Samples.table(.v3, partitioned: true)
    let id = SnapshotID(7)
    return [
      ("assign-uuid", .assignUUID(Samples.uuid)),
      ("upgrade-format-version", .upgradeFormatVersion(.v3)),
      ("add-schema", .addSchema(table.currentSchema)),
      ("set-current-schema", .setCurrentSchema(.lastAdded)),
      ("add-spec", .addPartitionSpec(table.defaultPartitionSpec)),
      ("set-default-spec", .setDefaultPartitionSpec(PartitionSpecID(3))),
      ("add-sort-order", .addSortOrder(.unsorted)),
      ("set-default-sort-order", .setDefaultSortOrder(.lastAdded)),
      ("add-snapshot", .addSnapshot(Samples.snapshot(7, on: table, summary: ["a": "b"]))),
      (
        "set-snapshot-ref",
        .setSnapshotReference(
          name: "x",
          try SnapshotReference(
            .branch, id,
            retention: SnapshotReference.Retention(
              minSnapshotsToKeep: 3, maxSnapshotAgeMilliseconds: 4, maxReferenceAgeMilliseconds: 5))
        )
      ),
      ("remove-snapshots", .removeSnapshots([id, SnapshotID(.max)])),
      ("remove-snapshot-ref", .removeSnapshotReference(name: "x")),
      ("set-location", .setLocation("s3://b")), ("set-properties", .setProperties(["a": "b"])),
      ("remove-properties", .removeProperties(["a", "c"])),
      (
        "set-statistics",
        .setStatistics(
          StatisticsFile(
            snapshotID: id, path: "p", byteCount: 1, footerByteCount: 2,
            blobs: [
              StatisticsBlob(
                type: "t", snapshotID: id, sequenceNumber: SequenceNumber(1),
                fieldIDs: [FieldID(1)])
            ]))
      ), ("remove-statistics", .removeStatistics(id)),
      (
        "set-partition-statistics",
        .setPartitionStatistics(PartitionStatisticsFile(snapshotID: id, path: "q", byteCount: 4))
      ), ("remove-partition-statistics", .removePartitionStatistics(id)),
      ("remove-partition-specs", .removePartitionSpecs([PartitionSpecID(1), PartitionSpecID(2)])),
      ("remove-schemas", .removeSchemas([SchemaID(1)])),
      (
        "add-encryption-key",
        .addEncryptionKey(
          EncryptionKey(
            id: "k", encryptedKeyMetadata: "bb==", encryptedByID: "m", properties: ["p": "q"]))
      ), ("remove-encryption-key", .removeEncryptionKey(id: "k")),
      ("enable-row-lineage", .enableRowLineage),
    ]
  }

  @Test func `every update is written under its name and read back`() throws {
    for (action, update) in try Self.updates() {
      var writer = JSONWriter()
      update.write(to: &writer)
      let json = try JSONValue(parsing: writer.finish().bytes)
      #expect(json["action"] == .string(action))
      #expect(try TableUpdate(json: json) == update, "\(action)")
    }
  }

  @Test func `rule 114: every requirement is written under its name and read back`() throws {
    let cases: [(String, TableRequirement)] = [
      (#"{"type":"assert-create"}"#, .notThere),
      (#"{"type":"assert-table-uuid","uuid":"u"}"#, .tableUUID(TableUUID("u"))),
      (
        #"{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null}"#,
        .referenceSnapshot(name: "main", nil)
      ),
      (
        #"{"type":"assert-ref-snapshot-id","ref":"b","snapshot-id":9223372036854775807}"#,
        .referenceSnapshot(name: "b", SnapshotID(.max))
      ),
      (
        #"{"type":"assert-last-assigned-field-id","last-assigned-field-id":3}"#,
        .lastAssignedFieldID(FieldID(3))
      ),
      (
        #"{"type":"assert-current-schema-id","current-schema-id":0}"#, .currentSchema(SchemaID(0))
      ),
      (
        #"{"type":"assert-last-assigned-partition-id","last-assigned-partition-id":1000}"#,
        .lastAssignedPartitionFieldID(FieldID(1000))
      ),
      (
        #"{"type":"assert-default-spec-id","default-spec-id":2}"#,
        .defaultPartitionSpec(PartitionSpecID(2))
      ),
      (
        #"{"type":"assert-default-sort-order-id","default-sort-order-id":1}"#,
        .defaultSortOrder(SortOrderID(1))
      ),
    ]
    for (text, requirement) in cases {
      var writer = JSONWriter()
      requirement.write(to: &writer)
      #expect(String(decoding: writer.finish().array(), as: UTF8.self) == text)
      #expect(try TableRequirement(json: try JSONValue(parsing: text)) == requirement)
    }
  }

  @Test func `what is not known is refused, not passed over`() throws {
    for text in [
      #"{"action":"frobnicate"}"#, "{}", #"{"action":"set-location"}"#, "[]",
      #"{"action":"add-spec","spec":{"fields":[{"source-id":1,"name":"a","transform":"identity"}]}}"#,
      #"{"action":"upgrade-format-version","format-version":9}"#,
    ] {
      #expect(throws: IcebergError.self) { try TableUpdate(json: try JSONValue(parsing: text)) }
    }
    for text in [
      #"{"type":"assert-view-uuid","uuid":"x"}"#, "{}", #"{"type":"assert-table-uuid"}"#,
    ] {
      #expect(throws: IcebergError.self) {
        try TableRequirement(json: try JSONValue(parsing: text))
      }
    }
  }

  @Test func `A8 D6: every kind of file is found from what names it`() throws {
    var table = try Samples.committing([1, 2], to: try Samples.table())
    table = try table.applying(
      [
        .setPartitionStatistics(
          PartitionStatisticsFile(snapshotID: SnapshotID(1), path: "ps", byteCount: 1)),
        .setStatistics(
          StatisticsFile(
            snapshotID: SnapshotID(1), path: "st", byteCount: 1, footerByteCount: 1, blobs: [])),
      ], at: 0, previousLocation: "v1")
    #expect(
      Set(table.referencedFiles()) == [
        FileReference(.metadata, "v1"), FileReference(.statistics, "st"),
        FileReference(.partitionStatistics, "ps"),
        FileReference(.manifestList, "s3://bucket/db/table/metadata/snap-1.avro"),
        FileReference(.manifestList, "s3://bucket/db/table/metadata/snap-2.avro"),
      ])
    let file = Manifests.file("a")
    #expect(
      Manifests.entry(.existing, file).referencedFile == FileReference(.data, "s3://b/t/a"))
    #expect(Manifests.entry(.deleted, file).referencedFile == nil)
    #expect(
      Manifests.entry(.added, Manifests.file("d", content: .equalityDeletes)).referencedFile?.kind
        == .deletes)
    let list = try ManifestListTests.writer().write(adding: [ManifestListTests.manifest("m")]).list
    #expect(list.referencedFiles() == [FileReference(.manifest, "s3://b/t/metadata/m.avro")])
  }
}
