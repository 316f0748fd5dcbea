// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import Testing

@testable import Iceberg

@Suite("Updates of table metadata")
struct ApplyingTests {
  static func wider(_ schema: Schema) throws -> Schema {
    try Schema(
      fields: schema.fields + [
        Field(id: FieldID(4), name: "more", type: .int, isRequired: false)
      ], identifierFieldIDs: schema.identifierFieldIDs)
  }

  static func spec(_ id: Int32, _ field: Int32, _ transform: Transform) throws -> PartitionSpec {
    try PartitionSpec(
      id: PartitionSpecID(id),
      fields: [
        PartitionField(
          sourceIDs: [FieldID(1)], fieldID: FieldID(field), name: "p\(transform)",
          transform: transform)
      ])
  }

  @Test func `rule 114: -1 is what was added last, and nothing if nothing was`() throws {
    let table = try Samples.table()
    let next = try table.applying(
      [
        .addSchema(try Self.wider(table.currentSchema)), .setCurrentSchema(.lastAdded),
        .addPartitionSpec(try Self.spec(9, 1000, .bucket(4))), .setDefaultPartitionSpec(.lastAdded),
      ], at: Samples.start + 1)
    #expect(next.currentSchemaID == SchemaID(1))
    #expect(next.lastColumnID == FieldID(4))
    #expect(next.defaultPartitionSpecID == PartitionSpecID(1))
    #expect(next.lastPartitionFieldID == FieldID(1000))
    #expect(next.lastUpdatedMilliseconds == Samples.start + 1)
    for update in [
      TableUpdate.setCurrentSchema(.lastAdded), .setDefaultPartitionSpec(.lastAdded),
      .setDefaultSortOrder(.lastAdded),
    ] {
      #expect(throws: IcebergError.self) { try table.applying([update], at: Samples.start) }
    }
  }

  @Test func `rule 114: each requirement holds of its table, and of no other`() throws {
    let table = try Samples.committing([7], to: try Samples.table())
    let holding: [TableRequirement] = [
      .tableUUID(TableUUID("9C12D441-03FE-4693-9A96-A0705DDF69C1")),
      .referenceSnapshot(name: "main", SnapshotID(7)), .referenceSnapshot(name: "new", nil),
      .lastAssignedFieldID(FieldID(3)), .currentSchema(SchemaID(0)),
      .lastAssignedPartitionFieldID(FieldID(999)), .defaultPartitionSpec(PartitionSpecID(0)),
      .defaultSortOrder(.unsorted),
    ]
    #expect(table.check(holding) == [])
    let failing: [(TableRequirement, RequirementViolation.Found?)] = [
      (.notThere, .table(Samples.uuid)),
      (.tableUUID(TableUUID("x")), .table(Samples.uuid)),
      (.referenceSnapshot(name: "main", SnapshotID(8)), .snapshot(SnapshotID(7))),
      (.referenceSnapshot(name: "main", nil), .snapshot(SnapshotID(7))),
      (.referenceSnapshot(name: "new", SnapshotID(7)), nil),
      (.lastAssignedFieldID(FieldID(4)), .number(3)), (.currentSchema(SchemaID(1)), .number(0)),
      (.lastAssignedPartitionFieldID(FieldID(1000)), .number(999)),
      (.defaultPartitionSpec(PartitionSpecID(1)), .number(0)),
      (.defaultSortOrder(SortOrderID(1)), .number(0)),
    ]
    for (requirement, found) in failing {
      #expect(
        table.check([requirement])
          == [RequirementViolation(requirement: requirement, found: found)])
    }
    #expect(TableRequirement.notThere.violation(on: nil) == nil)
    for requirement in holding { #expect(requirement.violation(on: nil) != nil) }
  }

  @Test func `an equal schema, spec or order is reused`() throws {
    let table = try Samples.table(partitioned: true)
    let other = try PartitionSpec(
      id: PartitionSpecID(5), fields: table.defaultPartitionSpec.fields)
    let schema = try Schema(
      id: SchemaID(12), fields: table.currentSchema.fields, identifierFieldIDs: [FieldID(1)])
    let same = try table.applying(
      [
        .addSchema(schema), .setCurrentSchema(.lastAdded), .addPartitionSpec(other),
        .setDefaultPartitionSpec(.lastAdded), .addSortOrder(.unsorted),
        .setDefaultSortOrder(.lastAdded),
      ], at: Samples.start + 5)
    #expect(same == table, "nothing changed, so neither did the time")
  }

  @Test func `rule 45: no equivalent spec is added twice, whatever its field ids`() throws {
    let table = try Samples.table()
    let once = try table.applying(
      [.addPartitionSpec(try Self.spec(1, 1000, .bucket(4)))], at: Samples.start)
    let twice = try once.applying(
      [.addPartitionSpec(try Self.spec(7, 1001, .bucket(4)))], at: Samples.start)
    #expect(twice.partitionSpecs.count == 2)
    #expect(twice.lastPartitionFieldID == FieldID(1000))
  }

  @Test func `rule 45: a field that was there before gets its old id, a new one the next`() throws {
    let table = try Samples.table(partitioned: true).applying(
      [.addPartitionSpec(.unpartitioned), .setDefaultPartitionSpec(.lastAdded)], at: Samples.start)
    let spec = try table.partitionSpec(of: [
      PartitionTerm(source: FieldID(1), transform: .bucket(8), name: "id_bucket"),
      PartitionTerm(source: FieldID(2), transform: .day, name: "ts_day"),
    ])
    #expect(spec.fields.map(\.fieldID) == [FieldID(1001), FieldID(1000)])
  }

  @Test func `rule 46: v1 replaces a dropped field by void, in its place, v2 takes it out`() throws
  {
    for version in [FormatVersion.v1, .v2] {
      let table = try Samples.table(version, partitioned: true)
      let spec = try table.partitionSpec(of: [
        PartitionTerm(source: FieldID(1), transform: .bucket(8), name: "b")
      ])
      if version == .v1 {
        #expect(spec.fields.map(\.transform) == [.void, .bucket(8)])
        #expect(spec.fields.map(\.fieldID) == [FieldID(1000), FieldID(1001)])
      } else {
        #expect(spec.fields.map(\.transform) == [.bucket(8)])
        #expect(spec.fields.map(\.fieldID) == [FieldID(1001)])
      }
      let next = try table.applying(
        [.addPartitionSpec(spec), .setDefaultPartitionSpec(.lastAdded)], at: Samples.start)
      #expect(next.defaultPartitionSpec.fields == spec.fields)
    }
  }

  @Test func `rule 48: a snapshot may be a minute earlier than the last change, and no more`()
    throws
  {
    let table = try Samples.committing([1], to: try Samples.table())
    let last = table.lastUpdatedMilliseconds
    for (early, isAllowed) in [(0, true), (60_000, true), (60_001, false)] as [(Int64, Bool)] {
      let snapshot = Samples.snapshot(2, on: table, at: last - early)
      let result = Result { try table.applying([.addSnapshot(snapshot)], at: last) }
      #expect(((try? result.get()) != nil) == isAllowed, "\(early) ms")
    }
    #expect(table.snapshotTimestamp(now: 0, parent: SnapshotID(1)) > last)
  }

  @Test func `rule 50: the log loses what lies before a removed snapshot, and keeps the rest`()
    throws
  {
    let table = try Samples.committing([1, 2, 3, 4, 5], to: try Samples.table())
    let removed = try table.applying([.removeSnapshots([SnapshotID(3)])], at: Samples.start)
    #expect(removed.snapshotLog.map(\.snapshotID.rawValue) == [4, 5])
    #expect(removed.snapshots.map(\.id.rawValue) == [1, 2, 4, 5])
    #expect(try Samples.reread(removed) == removed)
  }

  @Test func `a snapshot that main only passed through in one change is not in the log`() throws {
    let table = try Samples.table()
    let first = Samples.snapshot(1, on: table)
    let second = Samples.snapshot(2, on: table, parent: 1, sequence: 2, at: Samples.start + 1)
    let next = try table.applying(
      [
        .addSnapshot(first), .setSnapshotReference(name: "main", .branch(first.id)),
        .addSnapshot(second), .setSnapshotReference(name: "main", .branch(second.id)),
      ], at: Samples.start)
    #expect(next.snapshotLog.map(\.snapshotID.rawValue) == [2])
  }

  @Test func `rule 51: new snapshot ids are positive and not in use`() throws {
    let table = try Samples.committing([1], to: try Samples.table())
    var numbers: [UInt64] = [5, 5, 0, 1, UInt64.max, 0, 3, 5].reversed()
    #expect(table.newSnapshotID { numbers.removeLast() } == SnapshotID(.max))
    numbers = [1, 0, 1 << 63, 9].reversed()
    #expect(table.newSnapshotID { numbers.removeLast() } == SnapshotID(9))
  }

  @Test func `rule 52: the table's UUID stays, and its format version never goes down`() throws {
    let table = try Samples.table(.v2)
    #expect(throws: IcebergError.self) {
      try table.applying([.assignUUID(TableUUID("d20125c8-7284-442c-9aea-15fee620737c"))], at: 0)
    }
    #expect(try table.applying([.assignUUID(Samples.uuid)], at: 0) == table)
    #expect(throws: IcebergError.self) { try table.applying([.upgradeFormatVersion(.v1)], at: 0) }
    let old = try Samples.committing([4], to: try Samples.table(.v1))
    let new = try old.applying([.upgradeFormatVersion(.v3)], at: Samples.start)
    #expect(new.snapshots == old.snapshots)
    #expect(new.lastSequenceNumber == SequenceNumber(0))
    #expect(new.nextSequenceNumber == SequenceNumber(1))
    #expect(try Samples.reread(new) == new)
  }

  @Test func `rule 57: the metadata log gets the previous file, and keeps a hundred`() throws {
    var table = try Samples.table()
    for i in 1...105 {
      table = try table.applying(
        [.setProperties(["i": "\(i)"])], at: Samples.start + Int64(i),
        previousLocation: "v\(i).metadata.json")
    }
    #expect(table.metadataLog.count == 100)
    #expect(table.metadataLog.last?.location == "v105.metadata.json")
    #expect(table.metadataLog.last?.timestampMilliseconds == Samples.start + 104)
    let fewer = try table.applying(
      [.setProperties(["write.metadata.previous-versions-max": "2"])], at: Samples.start,
      previousLocation: "x")
    #expect(fewer.metadataLog.map(\.location) == ["v105.metadata.json", "x"])
  }

  @Test func `rule 93: an upgrade to v3 begins row ids at 0 and leaves old snapshots without`()
    throws
  {
    let old = try Samples.committing([1, 2], to: try Samples.table(.v2))
    let table = try old.applying([.upgradeFormatVersion(.v3)], at: Samples.start)
    #expect(table.nextRowID == 0)
    #expect(table.snapshots.allSatisfy { $0.rowLineage == nil })
    #expect(try table.tree["next-row-id"] == .integer(0))
    let next = try Samples.committing([3], to: table)
    #expect(next.nextRowID == 10)
    #expect(next.currentSnapshot?.rowLineage?.firstRowID == 0)
  }

  @Test func `rule 97: first row ids come from the newest state, on every branch`() throws {
    let table = try Samples.committing([1], to: try Samples.table(.v3))
    let stale = Samples.snapshot(
      2, on: table, lineage: Snapshot.RowLineage(firstRowID: 0, addedRowCount: 5))
    #expect(throws: IcebergError.stale("first row id 0", newest: 10)) {
      try table.applying([.addSnapshot(stale)], at: Samples.start)
    }
    let branch = try table.applying(
      [.setSnapshotReference(name: "b", .branch(SnapshotID(1)))], at: Samples.start)
    #expect(try Samples.committing([3], to: branch, branch: "b").nextRowID == 20)
    let none = Samples.snapshot(
      4, on: table, lineage: Snapshot.RowLineage(firstRowID: 10, addedRowCount: 0))
    #expect(try table.applying([.addSnapshot(none)], at: Samples.start).nextRowID == 10)
  }

  @Test func `H10: row ids that would overflow are refused`() throws {
    let table = try Samples.table(.v3)
    for lineage in [
      Snapshot.RowLineage(firstRowID: 1, addedRowCount: .max),
      Snapshot.RowLineage(firstRowID: 0, addedRowCount: -1),
      Snapshot.RowLineage(firstRowID: -1, addedRowCount: 1),
    ] {
      let snapshot = Samples.snapshot(1, on: table, lineage: lineage)
      #expect(throws: IcebergError.self) { try table.applying([.addSnapshot(snapshot)], at: 0) }
    }
  }

  @Test func `rule 115: a sequence number that is not new is stale, unless there is no parent`()
    throws
  {
    let table = try Samples.committing([1, 2], to: try Samples.table())
    #expect(table.lastSequenceNumber == SequenceNumber(2))
    let stale = Samples.snapshot(3, on: table, sequence: 2)
    #expect(throws: IcebergError.stale("sequence number 2", newest: 2)) {
      try table.applying([.addSnapshot(stale)], at: Samples.start)
    }
    let orphan = Snapshot(
      id: SnapshotID(9), parentID: nil, sequenceNumber: SequenceNumber(1),
      timestampMilliseconds: table.lastUpdatedMilliseconds, manifestList: "m", operation: .append,
      schemaID: nil)
    let next = try table.applying([.addSnapshot(orphan)], at: Samples.start)
    #expect(next.lastSequenceNumber == SequenceNumber(2))
  }

  @Test func `removing a snapshot takes its references and statistics, but never main`() throws {
    var table = try Samples.committing([1, 2], to: try Samples.table())
    table = try table.applying(
      [
        .setSnapshotReference(name: "t", .tag(SnapshotID(1))),
        .setPartitionStatistics(
          PartitionStatisticsFile(snapshotID: SnapshotID(1), path: "p", byteCount: 1)),
      ], at: Samples.start)
    let removed = try table.applying([.removeSnapshots([SnapshotID(1)])], at: Samples.start)
    #expect(removed.references.keys.sorted() == ["main"])
    #expect(removed.partitionStatistics == [])
    #expect(throws: IcebergError.self) {
      try table.applying([.removeSnapshots([SnapshotID(2)])], at: Samples.start)
    }
    #expect(throws: IcebergError.self) {
      try table.applying([.setSnapshotReference(name: "main", .tag(SnapshotID(1)))], at: 0)
    }
    #expect(throws: IcebergError.self) {
      try table.applying([.setSnapshotReference(name: "x", .tag(SnapshotID(99)))], at: 0)
    }
  }

  @Test func `what is current or default is not removed`() throws {
    let table = try Samples.table().applying(
      [.addPartitionSpec(try Self.spec(1, 1000, .bucket(4)))], at: Samples.start)
    #expect(throws: IcebergError.self) {
      try table.applying([.removePartitionSpecs([PartitionSpecID(0)])], at: 0)
    }
    #expect(throws: IcebergError.self) {
      try table.applying([.removeSchemas([SchemaID(0)])], at: 0)
    }
    let less = try table.applying([.removePartitionSpecs([PartitionSpecID(1)])], at: 0)
    #expect(less.partitionSpecs.count == 1)
  }

  @Test func `a schema that drops a column the default spec needs is refused`() throws {
    let table = try Samples.table(partitioned: true)
    let narrower = try Schema(
      fields: table.currentSchema.fields.filter { $0.name != "ts" },
      identifierFieldIDs: [FieldID(1)])
    let updates: [TableUpdate] = [.addSchema(narrower), .setCurrentSchema(.lastAdded)]
    #expect(throws: IcebergError.self) { try table.applying(updates, at: 0) }
    let both = updates + [.addPartitionSpec(.unpartitioned), .setDefaultPartitionSpec(.lastAdded)]
    #expect(try table.applying(both, at: 0).currentSchemaID == SchemaID(1))
  }

  @Test func `types of v3 and initial defaults need v3`() throws {
    for field in [
      Field(id: FieldID(4), name: "n", type: .primitive(.timestampNs), isRequired: false),
      Field(
        id: FieldID(4), name: "n", type: .int, isRequired: false, initialDefault: .int(1),
        writeDefault: .int(1)),
    ] {
      let schema = try Schema(fields: try Samples.schema().fields + [field])
      #expect(throws: IcebergError.self) {
        try Samples.table(.v2).applying([.addSchema(schema)], at: 0)
      }
      #expect(try Samples.table(.v3).applying([.addSchema(schema)], at: 0).schemas.count == 2)
    }
  }

  @Test func `creation gives fresh ids, and spec, order and identifiers follow`() throws {
    let schema = try Schema(
      id: SchemaID(7),
      fields: [
        Field(
          id: FieldID(40), name: "s",
          type: .structure(
            StructType([Field(id: FieldID(10), name: "k", type: .int, isRequired: true)])),
          isRequired: true),
        Field(id: FieldID(20), name: "t", type: .timestamp, isRequired: false),
      ], identifierFieldIDs: [FieldID(10)])
    let table = try TableMetadata.create(
      schema: schema,
      partitionSpec: try PartitionSpec(
        id: PartitionSpecID(3),
        fields: [
          PartitionField(
            sourceIDs: [FieldID(20)], fieldID: FieldID(1005), name: "d", transform: .day)
        ]),
      sortOrder: SortOrder(
        id: SortOrderID(8),
        fields: [
          SortField(
            sourceIDs: [FieldID(10)], transform: .identity, direction: .ascending,
            nullOrder: .nullsFirst)
        ]),
      location: "x", properties: ["format-version": "2", "a": "b"], formatVersion: .v2,
      uuid: Samples.uuid, at: 1)
    #expect(table.currentSchema.fields.map(\.id) == [FieldID(1), FieldID(2)])
    #expect(table.currentSchema.field(named: "s.k")?.id == FieldID(3))
    #expect(table.currentSchema.identifierFieldIDs == [FieldID(3)])
    #expect(table.defaultPartitionSpec.fields.first?.sourceIDs == [FieldID(2)])
    #expect(table.defaultPartitionSpec.fields.first?.fieldID == FieldID(1000))
    #expect(table.defaultSortOrderID == SortOrderID(1))
    #expect(table.defaultSortOrder.fields.first?.sourceIDs == [FieldID(3)])
    #expect(table.properties.values == ["a": "b"])
    #expect(table.lastColumnID == FieldID(3))
    #expect(table.validate() == [])
  }
}
