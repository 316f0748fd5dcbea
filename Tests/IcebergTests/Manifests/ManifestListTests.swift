// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import JSON
import SeededNumbers
import Testing

@testable import Iceberg

@Suite("Manifest lists")
struct ManifestListTests {
  static func manifest(
    _ name: String, added: Int64? = 1, existing: Int64? = 0, content: ManifestFile.Content = .data,
    firstRowID: Int64? = nil, files: Int64? = 1
  ) -> ManifestFile {
    ManifestFile(
      path: "s3://b/t/metadata/\(name).avro", byteCount: 100,
      partitionSpecID: PartitionSpecID(0), content: content, sequenceNumber: SequenceNumber(3),
      minSequenceNumber: SequenceNumber(2), addedSnapshotID: SnapshotID(7),
      counts: ManifestFile.Counts(
        addedFiles: files, existingFiles: 0, deletedFiles: 0, addedRows: added,
        existingRows: existing, deletedRows: 0),
      partitions: [
        FieldSummary(containsNull: false, containsNaN: nil, lowerBound: [1], upperBound: nil)
      ], firstRowID: firstRowID)
  }

  static func writer(
    _ version: FormatVersion = .v2, snapshot: Int64 = 9, nextRowID: Int64 = 0
  ) -> ManifestListWriter {
    ManifestListWriter(
      formatVersion: version, snapshotID: SnapshotID(snapshot), parentID: nil,
      sequenceNumber: SequenceNumber(version == .v1 ? 0 : 4), nextRowID: nextRowID)
  }

  @Test func `rule 58: the counts of old writers are read, whatever they are called`() throws {
    let schema = AvroSchema.record(
      "manifest_file",
      [
        AvroField("manifest_path", .string, id: 500), AvroField("manifest_length", .long, id: 501),
        AvroField("partition_spec_id", .int, id: 502),
        .optional("added_snapshot_id", .long, id: 503),
        .optional("added_data_files_count", .int, id: 504),
        .optional("existing_data_files_count", .int, id: 505),
        .optional("deleted_data_files_count", .int, id: 506),
      ])
    let bytes = try Manifests.raw(schema: schema) { avro in
      avro.writeString("m")
      avro.writeLong(5)
      avro.writeInt(3)
      avro.writeOptional(8 as Int64?)
      avro.writeOptional(1 as Int64?)
      avro.writeOptional(0 as Int64?)
      avro.writeOptional(nil as Int64?)
    }
    let manifest = try #require(try ManifestList(bytes).manifests.first)
    #expect(manifest.counts.addedFiles == 1)
    #expect(manifest.counts.existingFiles == 0)
    #expect(manifest.counts.deletedFiles == nil)
    #expect(manifest.content == .data)
    #expect(manifest.sequenceNumber == SequenceNumber(0))
    #expect(manifest.partitions == nil)
  }

  @Test func `rule 63: the header says what Java's says, and is not relied on`() throws {
    func header(_ version: FormatVersion, parent: Int64?) throws -> AvroFileHeader {
      let writer = ManifestListWriter(
        formatVersion: version, snapshotID: SnapshotID(9), parentID: parent.map { SnapshotID($0) },
        sequenceNumber: SequenceNumber(version == .v1 ? 0 : 4), nextRowID: 70)
      return try AvroFileHeader(try writer.write(adding: []).list.bytes.bytes)
    }
    let first = try header(.v2, parent: nil)
    #expect(first.text("snapshot-id") == "9")
    #expect(first.text("parent-snapshot-id") == "null")
    #expect(first.text("sequence-number") == "4")
    #expect(first.text("format-version") == "2")
    #expect(first.text("first-row-id") == nil)
    #expect(try header(.v3, parent: 8).text("first-row-id") == "70")
    #expect(try header(.v3, parent: 8).text("parent-snapshot-id") == "8")
    #expect(try header(.v1, parent: 8).text("sequence-number") == nil)

    let list = try Self.writer().write(adding: [Self.manifest("a")]).list
    var bare = try AvroFileWriter(schema: list.schema, syncMarker: AvroSyncMarker(seed: 3))
    for block in list.blocks { try bare.append(block.raw) }
    #expect(try ManifestList(try bare.finish()).manifests == list.manifests)
  }

  @Test func `rule 65: counts that are missing are unknown, and nothing is skipped for them`()
    throws
  {
    let list = try Self.writer(.v1).write(adding: [Self.manifest("a", added: nil, files: nil)])
    let manifest = try #require(try ManifestList(list.list.bytes).manifests.first)
    #expect(manifest.counts.addedFiles == nil)
    #expect(manifest.mayHaveAddedFiles)
    #expect(manifest.mayHaveLiveFiles)
    #expect(manifest.assignableRowCount == nil)
    #expect(throws: IcebergError.self) { try Self.writer(.v2).write(adding: [manifest]) }
    var counted = manifest
    counted.counts = ManifestFile.Counts(of: [Manifests.entry(.existing, Manifests.file("a"))])
    #expect(counted.counts.existingRows == 10)
    #expect(try Self.writer(.v2).write(adding: [counted]).list.manifests.count == 1)
  }

  @Test func `G7, rule 71: manifests without live files carry over like all others`() throws {
    var empty = Self.manifest("a", added: 0, files: 0)
    empty.counts.deletedFiles = 3
    let base = try Self.writer().write(adding: [empty, Self.manifest("b", content: .deletes)]).list
    let next = try Self.writer().write(base: base, adding: [Self.manifest("c")]).list
    #expect(next.manifests.map(\.path) == ["a", "b", "c"].map { "s3://b/t/metadata/\($0).avro" })
  }

  @Test func `rule 72: whether there are NaNs may be unknown`() throws {
    let list = try Self.writer().write(adding: [Self.manifest("a")]).list
    let summary = try #require(try ManifestList(list.bytes).manifests.first?.partitions?.first)
    #expect(summary.containsNaN == nil)
    #expect(summary.upperBound == nil)
    #expect(summary.lowerBound == [1])
  }

  @Test func `rule 93: the first commit after an upgrade gives row ids to all data manifests`()
    throws
  {
    let old = [
      Self.manifest("a", added: 10), Self.manifest("d", content: .deletes),
      Self.manifest("b", added: 2, existing: 3),
    ]
    let base = try Self.writer(.v2).write(adding: old).list
    let output = try Self.writer(.v3).write(base: base, adding: [Self.manifest("c", added: 1)])
    #expect(output.list.manifests.map(\.firstRowID) == [0, nil, 10, 15])
    #expect(output.rowLineage == Snapshot.RowLineage(firstRowID: 0, addedRowCount: 16))
    #expect(try ManifestList(output.list.bytes).manifests == output.list.manifests)
  }

  @Test func `rule 96: each new manifest begins after the one before, as in the specification`()
    throws
  {
    let base = try Self.writer(.v3).write(
      adding: [Self.manifest("existing", added: 75, existing: 0, firstRowID: 925)]
    ).list
    let output = try Self.writer(.v3, nextRowID: 1000).write(
      base: base,
      adding: [
        Self.manifest("added2", added: 100, existing: 25), Self.manifest("added3", added: 100),
        Self.manifest("deletes", content: .deletes),
        Self.manifest("added1", added: 50, existing: 100),
      ])
    #expect(output.list.manifests.map(\.firstRowID) == [925, 1000, 1125, nil, 1225])
    let lineage = try #require(output.rowLineage)
    #expect(lineage.firstRowID + lineage.addedRowCount == 1375)
  }

  @Test func `rule 97: a list without new rows takes no ids, and states where they would begin`()
    throws
  {
    let output = try Self.writer(.v3, nextRowID: 50).write(adding: [])
    #expect(output.rowLineage == Snapshot.RowLineage(firstRowID: 50, addedRowCount: 0))
    #expect(try Self.writer(.v2).write(adding: []).rowLineage == nil)
    #expect(throws: IcebergError.self) {
      try Self.writer(.v3, nextRowID: .max - 5).write(adding: [Self.manifest("a", added: 6)])
    }
  }

  @Test func `what stays is copied as it lies there, over any series of commits`() throws {
    var random = Seeded(printing: "manifest lists")
    var base = try Self.writer(snapshot: 1).write(adding: []).list
    var expected: [ManifestFile] = []
    var copied = 0
    for commit in 1...200 {
      let removed = expected.filter { _ in commit % 20 == 0 && random.next() % 4 == 0 }
      let added = (0..<Int.random(in: 0...3, using: &random)).map {
        Self.manifest("\(commit)-\($0)")
      }
      let old = Set(base.blocks.map(\.raw.bytes))
      base = try Self.writer(snapshot: Int64(commit)).write(
        base: base, removing: Set(removed.map(\.path)), adding: added
      ).list
      expected = expected.filter { !removed.contains($0) } + added
      #expect(base.manifests == expected)
      copied += base.blocks.count { old.contains($0.raw.bytes) }
    }
    #expect(try ManifestList(base.bytes).manifests == expected)
    #expect(base.blocks.count < 24, "blocks are merged")
    #expect(copied > 300, "blocks are copied")
  }

  @Test func `a list of another writer is continued in its own bytes if they are the same`() throws
  {
    let list = try Self.writer().write(adding: (0..<50).map { Self.manifest("\($0)") }).list
    var documented = try AvroFileWriter(
      schema: list.schema.with("doc", .string("x")), codec: .deflate,
      syncMarker: AvroSyncMarker(seed: 1))
    for block in list.blocks { try documented.append(block.raw) }
    let foreign = try ManifestList(try documented.finish())
    let next = try Self.writer().write(base: foreign, adding: [Self.manifest("new")]).list
    #expect(next.blocks.first?.raw.bytes == foreign.blocks.first?.raw.bytes)
    #expect(next.manifests.count == 51)
  }

  @Test func `a v1 manifest that no list tells of is found out from its header`() throws {
    var writer = try Manifests.writer(.v1)
    try writer.add(Manifests.file("a"))
    let manifest = try writer.finish()
    let file = try ManifestFile(embedded: "m", manifest.bytes, of: SnapshotID(3))
    #expect(file.partitionSpecID == PartitionSpecID(0))
    let entries = try Manifests.entries(manifest.bytes, of: file)
    #expect(entries.map(\.sequenceNumber) == [SequenceNumber(0)])
    #expect(ManifestFile.Counts(of: entries) == manifest.counts)
  }
}
