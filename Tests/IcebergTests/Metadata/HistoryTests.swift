// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import Testing

@testable import Iceberg

@Suite("History, retention, summaries and names")
struct HistoryTests {
  static func withLog(_ entries: [(Int64, Int64)], _ ids: [Int64]) throws -> TableMetadata {
    var table = try Samples.committing(ids, to: try Samples.table())
    table.snapshotLog = entries.map {
      SnapshotLogEntry(timestampMilliseconds: $0.0, snapshotID: SnapshotID($0.1))
    }
    return table
  }

  @Test func `rule 49: the state at a time is that of the latest log entry before, in any order`()
    throws
  {
    let table = try Self.withLog([(100, 1), (300, 3), (200, 2), (300, 1)], [1, 2, 3])
    for (time, id) in [(100, 1), (199, 1), (200, 2), (299, 2), (300, 1), (9999, 1)]
      as [(Int64, Int64)]
    {
      #expect(try table.snapshot(asOf: time).id == SnapshotID(id), "\(time)")
    }
  }

  @Test func `rule 49: a time before the log, or of a snapshot that is gone, is an error`() throws {
    let table = try Self.withLog([(100, 1), (200, 77)], [1])
    #expect(throws: IcebergError.self) { try table.snapshot(asOf: 99) }
    #expect(throws: IcebergError.self) { try table.snapshot(asOf: 200) }
    #expect(throws: IcebergError.self) { try Samples.table().snapshot(asOf: .max) }
  }

  /// Snapshots 1, 2, … a day apart, committed to main.
  static func daily(_ count: Int64, properties: TableProperties = [:]) throws -> TableMetadata {
    var table = try Samples.table(properties: properties)
    for id in 1...count {
      let snapshot = Samples.snapshot(id, on: table, at: Samples.start + (id - 1) * day)
      table = try table.applying(
        [.addSnapshot(snapshot), .setSnapshotReference(name: "main", .branch(snapshot.id))],
        at: snapshot.timestampMilliseconds)
    }
    return table
  }
  static let day: Int64 = 86_400_000

  @Test func `rule 53: a branch keeps what is young enough, or among the newest`() throws {
    let table = try Self.daily(10)
    let now = Samples.start + 9 * Self.day
    #expect(try table.expiry(at: now).snapshotIDs.map(\.rawValue) == [1, 2, 3, 4])
    #expect(try table.expiry(at: now + 1).snapshotIDs.map(\.rawValue) == [1, 2, 3, 4, 5])
    #expect(try table.expiry(at: now + 100 * Self.day).snapshotIDs.count == 9)
    let kept = try Self.daily(10, properties: ["history.expire.min-snapshots-to-keep": "8"])
    #expect(
      try kept.expiry(at: now + 100 * Self.day).snapshotIDs.map(\.rawValue) == [1, 2])
  }

  @Test func `rule 53: old references go, but never main, and their own numbers come first`() throws
  {
    let table = try Self.daily(10).applying(
      [
        .setSnapshotReference(
          name: "old",
          try SnapshotReference(
            .tag, SnapshotID(2),
            retention: SnapshotReference.Retention(maxReferenceAgeMilliseconds: Self.day))),
        .setSnapshotReference(name: "kept", .tag(SnapshotID(3))),
        .setSnapshotReference(
          name: "short",
          try SnapshotReference(
            .branch, SnapshotID(4),
            retention: SnapshotReference.Retention(
              minSnapshotsToKeep: 1, maxSnapshotAgeMilliseconds: 1))),
        .setProperties(["history.expire.max-ref-age-ms": "\(1000 * Self.day)"]),
      ], at: Samples.start)
    let expiry = try table.expiry(at: Samples.start + 9 * Self.day)
    #expect(expiry.references == ["old"])
    #expect(expiry.snapshotIDs.map(\.rawValue) == [1, 2])
    let all = try table.expiry(at: Samples.start + 5000 * Self.day)
    #expect(all.references == ["kept", "old", "short"])
    #expect(all.snapshotIDs.map(\.rawValue) == Array(1...9))
  }

  @Test func `rule 53: a snapshot no reference leads to is kept while it is young`() throws {
    var table = try Self.daily(2)
    let staged = Samples.snapshot(50, on: table, parent: 1, at: Samples.start + Self.day)
    table = try table.applying([.addSnapshot(staged)], at: Samples.start)
    #expect(try table.expiry(at: Samples.start + 2 * Self.day).snapshotIDs == [])
    #expect(
      try table.expiry(at: Samples.start + 7 * Self.day).snapshotIDs.map(\.rawValue) == [1, 50])
  }

  @Test func `ancestors end where parents are gone or form a circle`() throws {
    let table = try Self.daily(3)
    #expect(table.ancestry(of: SnapshotID(3)).map(\.id.rawValue) == [3, 2, 1])
    #expect(table.isAncestor(SnapshotID(1), of: SnapshotID(3)))
    #expect(!table.isAncestor(SnapshotID(3), of: SnapshotID(1)))
    #expect(Array(table.ancestry(of: SnapshotID(9))).isEmpty)
    let text = String(decoding: table.encoded().array(), as: UTF8.self)
      .replacing(
        "\"snapshot-id\":1,\"timestamp",
        with: "\"snapshot-id\":1,\"parent-snapshot-id\":3,\"timestamp"
      )
      .replacing(/,"lake-crc32c":"........"/, with: "")
    let circle = try TableMetadata(json: Buffer(utf8: text))
    #expect(circle.ancestry(of: SnapshotID(3)).map(\.id.rawValue) == [3, 2, 1])
    #expect(
      circle.validate().contains {
        if case .parentCycle = $0 { true } else { false }
      })
  }

  @Test func `rule 54: totals follow from the parent's, or are left out`() {
    var summary = SnapshotSummary()
    summary.add(Manifests.file("a", rows: 5))
    summary.add(Manifests.file("b", day: 8, rows: 6))
    summary.remove(Manifests.file("c", rows: 1))
    summary.add(Manifests.file("d", rows: 2, content: .equalityDeletes))
    let parent = [
      "total-data-files": "10", "total-records": "x", "total-files-size": "9000",
      "total-equality-deletes": "", "total-delete-files": "9223372036854775807",
    ]
    let values = summary.values(parent: parent)
    #expect(values["added-data-files"] == "2")
    #expect(values["deleted-data-files"] == "1")
    #expect(values["added-records"] == "11")
    #expect(values["deleted-records"] == "1")
    #expect(values["added-equality-delete-files"] == "1")
    #expect(values["added-equality-deletes"] == "2")
    #expect(values["changed-partition-count"] == "2")
    #expect(values["added-files-size"] == "3000")
    #expect(values["total-data-files"] == "11")
    #expect(values["total-files-size"] == "11000")
    for key in [
      "total-records", "total-equality-deletes", "total-delete-files", "total-position-deletes",
    ] { #expect(values[key] == nil, "\(key)") }
    let first = summary.values(parent: nil)
    #expect(first["total-records"] == "10")
    #expect(first["total-position-deletes"] == "0")
  }

  @Test func `rule 54: a property never stands in for what is counted`() {
    var summary = SnapshotSummary()
    summary.add(Manifests.file("a", rows: 5))
    let values = summary.values(
      parent: [:], commitID: "c1",
      properties: [
        "added-records": "999", "total-records": "999", "deleted-records": "7",
        "operation": "delete",
        "lake.commit-id": "forged", "app": "mine", "changed-partition-count": "0",
      ])
    #expect(values["added-records"] == "5")
    #expect(values["total-records"] == nil)
    #expect(values["deleted-records"] == nil)
    #expect(values["operation"] == nil)
    #expect(values["changed-partition-count"] == "1")
    #expect(values["app"] == "mine")
    #expect(values[SnapshotSummary.commitIDKey] == "c1")
    #expect(SnapshotSummary().values(parent: nil)["total-records"] == "0")
  }

  @Test func `rule 54: a deletion vector counts by its positions and its own bytes`() {
    var vector = Manifests.file("p", rows: 3, content: .positionDeletes)
    vector.format = .puffin
    vector.contentRange = DataFile.ContentRange(offset: 4, byteCount: 40)
    var summary = SnapshotSummary()
    summary.add(vector)
    summary.remove(Manifests.file("q", rows: 2, content: .positionDeletes))
    let values = summary.values(parent: ["total-position-deletes": "2", "total-delete-files": "1"])
    #expect(values["added-dvs"] == "1")
    #expect(values["added-files-size"] == "40")
    #expect(values["removed-position-delete-files"] == "1")
    #expect(values["total-position-deletes"] == "3")
    #expect(values["total-delete-files"] == "1")
  }

  @Test func `rule 55: names of metadata files, new and old`() throws {
    let uuid = "8d736a5e-0000-4000-8000-000000000000"
    let cases: [(String, Int, String?, MetadataFileName.Compression)] = [
      ("00012-\(uuid).metadata.json", 12, uuid, .none),
      ("00000-\(uuid).gz.metadata.json", 0, uuid, .gzip), ("v3.metadata.json", 3, nil, .none),
      ("v12.gz.metadata.json", 12, nil, .gzip), ("v7.metadata.json.gz", 7, nil, .gzip),
      ("123456-\(uuid).metadata.json", 123_456, uuid, .none),
    ]
    for (name, version, id, compression) in cases {
      let parsed = try #require(MetadataFileName(name), "\(name)")
      #expect(parsed.version == version)
      #expect(parsed.uuid == id)
      #expect(parsed.compression == compression)
      #expect(parsed.name == name)
    }
    for name in [
      "v.metadata.json", "v-1.metadata.json", "v1.json", "snap-1.avro", "version-hint.text",
      "v99999999999999999999.metadata.json", "00001-.metadata.json", ".metadata.json",
      "v1.metadata.json.tmp", "v+1.metadata.json",
    ] { #expect(MetadataFileName(name) == nil, "\(name)") }
    #expect(MetadataFileName(version: 100_000, uuid: "u").name == "100000-u.metadata.json")
  }

  @Test func `rule 110: retries are as the reference has them, and a table may say otherwise`()
    throws
  {
    let none = TableProperties()
    #expect(try none.value(of: .commitRetryCount) == 4)
    #expect(try none.value(of: .commitRetryMinWaitMilliseconds) == 100)
    #expect(try none.value(of: .commitRetryMaxWaitMilliseconds) == 60_000)
    #expect(try none.value(of: .commitRetryTotalMilliseconds) == 1_800_000)
    #expect(try none.value(of: .commitStatusCheckCount) == 3)
    #expect(try none.setValue(of: .commitRetryCount) == nil)
    let some: TableProperties = ["commit.retry.num-retries": "0", "write.wap.enabled": "TRUE"]
    #expect(try some.setValue(of: .commitRetryCount) == 0)
    #expect(try some.value(of: .writeAuditPublish))
    for bad in ["", "x", "-1", "1.5", "99999999999999999999"] {
      #expect(throws: IcebergError.self) {
        try TableProperties(["commit.retry.num-retries": bad]).value(of: .commitRetryCount)
      }
    }
    #expect(try none.value(of: .previousMetadataFileCount) == 100)
    #expect(try none.value(of: .metadataCompression) == "none")
    #expect(
      try TableProperties(["write.metadata.compression-codec": "GZIP"])
        .value(of: .metadataCompression) == "gzip")
  }
}
