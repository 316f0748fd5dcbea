// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import JSON
import Testing

@testable import Iceberg

@Suite("Table metadata as JSON")
struct MetadataJSONTests {
  static let v2Text = """
    {"format-version":2,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1",
    "location":"s3://bucket/test/location","last-sequence-number":34,"last-updated-ms":1602638573590,
    "last-column-id":3,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"note":"a",
    "fields":[{"id":1,"name":"x","required":true,"type":"long","color":"red"}]}],
    "default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[]}],"last-partition-id":999,
    "default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],"properties":{"a":"b"},
    "current-snapshot-id":3055729675574597004,
    "snapshots":[{"snapshot-id":3055729675574597004,"timestamp-ms":1555100955770,
    "sequence-number":1,"summary":{"operation":"tidy-up","added-data-files":"1","é":"ü"},
    "manifest-list":"s3://a/b/2.avro","schema-id":0,"wal":{"x":[1,2.50]}}],
    "refs":{"main":{"snapshot-id":3055729675574597004,"type":"branch","owner":"me"}},
    "statistics":[{"snapshot-id":3055729675574597004,"statistics-path":"s3://a/b/stats.puffin",
    "file-size-in-bytes":413,"file-footer-size-in-bytes":42,"by":"x","blob-metadata":[
    {"type":"ndv","snapshot-id":3055729675574597004,"sequence-number":1,"fields":[1]}]}],
    "snapshot-log":[{"timestamp-ms":1555100955770,"snapshot-id":3055729675574597004}],
    "metadata-log":[],"vendor":{"deep":[1,{"k":1.250}]},"nothing":null}
    """

  static func v2(_ key: String, _ value: JSONValue?) throws -> Buffer {
    try JSONValue(parsing: v2Text).with(key, value).text
  }

  static func read(_ text: String) throws -> TableMetadata {
    try TableMetadata(json: Buffer(utf8: text))
  }

  @Test func `fields nobody knows survive at every level`() throws {
    let table = try Self.read(Self.v2Text)
    let changed = try Samples.committing([77], to: table)
    for metadata in [table, changed, try Samples.reread(changed)] {
      let text = String(decoding: metadata.encoded().array(), as: UTF8.self)
      for part in [
        #""note":"a""#, #""color":"red""#, #""wal":{"x":[1,2.50]}"#, #""by":"x""#,
        #""vendor":{"deep":[1,{"k":1.250}]}"#, #""nothing":null"#,
      ] {
        #expect(text.contains(part), "\(part)")
      }
    }
    #expect(String(decoding: table.encoded().array(), as: UTF8.self).contains(#""owner":"me""#))
  }

  @Test func `what does not change is copied byte for byte`() throws {
    let table = try Self.read(Self.v2Text)
    let start = Self.v2Text.range(of: #"{"snapshot-id":3055729675574597004,"timestamp-ms""#)
    let end = Self.v2Text.range(of: #"2.50]}}"#)
    let snapshot = Self.v2Text[try #require(start).lowerBound..<(try #require(end)).upperBound]
    let written = String(
      decoding: try Samples.committing([77], to: table).encoded().array(), as: UTF8.self)
    #expect(written.contains(snapshot))
  }

  @Test func `the same metadata gives the same bytes`() throws {
    let table = try Samples.committing([1, 2, 3], to: try Samples.table(.v3, partitioned: true))
    #expect(table.encoded() == table.encoded())
    #expect(try Samples.reread(table).encoded() == table.encoded())
  }

  @Test(arguments: [FormatVersion.v1, .v2, .v3])
  func `what is written reads back equal`(version: FormatVersion) throws {
    var table = try Samples.table(version, partitioned: true, properties: ["k\"": "v\n"])
    table = try Samples.committing([5, 6], to: table)
    table = try table.applying(
      [
        .setSnapshotReference(
          name: "audit",
          try SnapshotReference(
            .branch, SnapshotID(5),
            retention: SnapshotReference.Retention(
              minSnapshotsToKeep: 2, maxSnapshotAgeMilliseconds: 3, maxReferenceAgeMilliseconds: 4))
        ),
        .setSnapshotReference(name: "t", .tag(SnapshotID(5))),
        .setStatistics(
          StatisticsFile(
            snapshotID: SnapshotID(5), path: "p", byteCount: 1, footerByteCount: 2,
            keyMetadata: "aa==",
            blobs: [
              StatisticsBlob(
                type: "ndv", snapshotID: SnapshotID(5), sequenceNumber: SequenceNumber(1),
                fieldIDs: [FieldID(1), FieldID(2)], properties: ["ndv": "7"])
            ])),
        .setPartitionStatistics(
          PartitionStatisticsFile(snapshotID: SnapshotID(6), path: "q", byteCount: 3)),
      ]
        + (version == .v3
          ? [.addEncryptionKey(EncryptionKey(id: "k", encryptedKeyMetadata: "bb=="))] : []),
      at: Samples.start + 9, previousLocation: "s3://bucket/v1.metadata.json")
    let again = try Samples.reread(table)
    #expect(again == table)
    #expect(again.validate() == [])
    #expect(try again.tree.sorted() == table.tree.sorted())
  }

  @Test func `rule 41: no current snapshot is -1 before v3, null from then on, and either is read`()
    throws
  {
    for version in FormatVersion.allCases {
      let tree = try Samples.table(version).tree
      #expect(tree["current-snapshot-id"] == (version == .v3 ? .null : .integer(-1)))
      for none in [JSONValue.integer(-1), .null, nil] {
        let text = tree.with("current-snapshot-id", none).with("lake-crc32c", nil).text
        #expect(try TableMetadata(json: text).currentSnapshotID == nil)
      }
    }
  }

  @Test func `rule 42: a snapshot has a manifest list or, in v1, manifests`() throws {
    let table = try Samples.table(.v1)
    let snapshot = JSONValue.object([
      JSONMember("snapshot-id", .integer(4)), JSONMember("timestamp-ms", .integer(Samples.start)),
      JSONMember("manifests", .array([.string("m1"), .string("m2")])),
    ])
    let text = try table.tree.with("snapshots", .array([snapshot])).with("lake-crc32c", nil).text
    let read = try TableMetadata(json: text)
    #expect(read.snapshot(SnapshotID(4))?.manifests == .embedded(["m1", "m2"]))
    #expect(read.snapshot(SnapshotID(4))?.schemaID == nil)
    let written = try read.tree["snapshots"]?.elements?.first
    #expect(written?["manifest-list"] == nil)
    #expect(written?["manifests"]?.elements?.count == 2)
    #expect(throws: IcebergError.self) {
      try TableMetadata(
        json: try table.tree.with("snapshots", .array([snapshot.with("manifests", nil)])).text)
    }
  }

  @Test func `rule 43: main is made of the current snapshot, and must agree with it`() throws {
    let id = SnapshotID(3_055_729_675_574_597_004)
    let without = try TableMetadata(json: try Self.v2("refs", nil))
    #expect(without.reference("main") == .branch(id))
    #expect(try TableMetadata(json: try Self.v2("refs", .object([]))).currentSnapshotID == id)
    #expect(throws: IcebergError.inconsistent(.currentSnapshotIsNotMain(current: nil, main: id))) {
      try TableMetadata(json: try Self.v2("current-snapshot-id", nil))
    }
    let tag = try JSONValue(
      parsing: #"{"main":{"snapshot-id":3055729675574597004,"type":"tag"}}"#)
    #expect(throws: IcebergError.inconsistent(.mainIsATag)) {
      try TableMetadata(json: try Self.v2("refs", tag))
    }
    let gone = try JSONValue(parsing: #"{"b":{"snapshot-id":1,"type":"branch"}}"#)
    #expect(throws: IcebergError.inconsistent(.danglingReference(name: "b", SnapshotID(1)))) {
      try TableMetadata(json: try Self.v2("refs", gone))
    }
  }

  static let v1Text = """
    {"format-version":1,"location":"s3://b/t","last-updated-ms":1602638573874,"last-column-id":3,
    "schema":{"type":"struct","fields":[{"id":1,"name":"x","required":true,"type":"long"},
    {"id":2,"name":"y","required":true,"type":"long"}]},
    "partition-spec":[{"name":"x","transform":"identity","source-id":1},
    {"name":"y_b","transform":"bucket[4]","source-id":2}],"properties":{},
    "current-snapshot-id":-1,"snapshots":[]}
    """

  @Test func `rule 43: what a v1 table leaves out is derived`() throws {
    let table = try Self.read(Self.v1Text)
    #expect(table.schemas.map(\.id) == [SchemaID(0)])
    #expect(table.partitionSpecs.map(\.id) == [PartitionSpecID(0)])
    #expect(table.sortOrders == [.unsorted])
    #expect(table.lastPartitionFieldID == FieldID(1001))
    #expect(table.uuid == nil)
    let tree = try table.tree
    #expect(tree["schemas"]?.elements?.first?["schema-id"] == .integer(0))
    #expect(tree["schema"]?["type"] == .string("struct"))
    #expect(tree["partition-spec"]?.elements?.count == 2)
  }

  @Test func `rule 44: partition field ids start at 1000, and 999 says there are none`() throws {
    let table = try Self.read(Self.v1Text)
    #expect(table.defaultPartitionSpec.fields.map(\.fieldID) == [FieldID(1000), FieldID(1001)])
    #expect(try Samples.table(.v1).lastPartitionFieldID == FieldID(999))
    let bare = try JSONValue(parsing: Self.v1Text).with("partition-spec", .array([]))
    #expect(try TableMetadata(json: bare.text).lastPartitionFieldID == FieldID(999))
  }

  @Test func `rule 47: order 0 is the unsorted one, and order ids may have gaps`() throws {
    let orders = try JSONValue(
      parsing: """
        [{"order-id":3,"fields":[{"transform":"identity","source-id":1,"direction":"asc",
        "null-order":"nulls-first"}]}]
        """)
    let table = try TableMetadata(json: try Self.v2("sort-orders", orders))
    #expect(table.defaultSortOrder == .unsorted)
    #expect(table.sortOrder(SortOrderID(3))?.fields.count == 1)
    let next = try table.applying(
      [
        .addSortOrder(
          SortOrder(
            id: SortOrderID(0),
            fields: [
              SortField(
                sourceIDs: [FieldID(1)], transform: .bucket(4), direction: .descending,
                nullOrder: .nullsLast)
            ])),
        .setDefaultSortOrder(.lastAdded),
      ], at: Samples.start)
    #expect(next.defaultSortOrderID == SortOrderID(4))
  }

  @Test func `rules 52 and 118: a version after ours is refused, whatever else is in the document`()
    throws
  {
    for version in ["4", "42", "0", "-1", "9223372036854775807"] {
      let text = Self.v2Text.replacingOccurrences(
        of: "\"format-version\":2", with: "\"format-version\":\(version)")
      #expect(throws: IcebergError.unsupported("format version \(version)")) {
        try Self.read(text)
      }
    }
  }

  @Test func `rule 54: unknown operations and summary keys survive, and values are text`() throws {
    let table = try Self.read(Self.v2Text)
    let snapshot = try #require(table.currentSnapshot)
    #expect(snapshot.operation == .unknown("tidy-up"))
    #expect(snapshot.summary == ["added-data-files": "1", "é": "ü"])
    #expect(try Samples.reread(table).currentSnapshot == snapshot)
    let number = Self.v2Text.replacingOccurrences(
      of: "\"added-data-files\":\"1\"", with: "\"added-data-files\":1")
    #expect(throws: IcebergError.self) { try Self.read(number) }
  }

  @Test func `rule 105: locations are kept as they are spelled`() throws {
    for location in ["s3://b/t/", "s3://b//t", "/tmp/a b", "file:///x/../y", "hdfs://h:1/ü"] {
      let table = try TableMetadata(json: try Self.v2("location", .string(location)))
      #expect(table.location == location)
      #expect(try Samples.reread(table).location == location)
    }
  }

  @Test func `keys that are there twice, and what follows the document, are refused`() throws {
    for text in [
      Self.v2Text.replacingOccurrences(of: "\"location\"", with: "\"table-uuid\""),
      Self.v2Text.replacingOccurrences(of: "\"a\":\"b\"", with: "\"a\":\"b\",\"a\":\"c\""),
      Self.v2Text.replacingOccurrences(of: "\"é\"", with: "\"added-data-files\""),
      Self.v2Text + "x", "\u{feff}" + Self.v2Text, "", "null", "[]",
    ] {
      #expect(throws: IcebergError.self) { try Self.read(text) }
    }
  }

  @Test func `H10: duplicate ids are refused`() throws {
    func doubled(_ key: String) throws -> Buffer {
      let tree = try JSONValue(parsing: Self.v2Text)
      let list = tree[key]?.elements ?? []
      return tree.with(key, .array(list + list)).text
    }
    let id = SnapshotID(3_055_729_675_574_597_004)
    for (key, violation) in [
      ("snapshots", MetadataViolation.duplicateSnapshot(id)),
      ("schemas", .duplicateSchema(SchemaID(0))),
      ("partition-specs", .duplicatePartitionSpec(PartitionSpecID(0))),
      ("sort-orders", .duplicateSortOrder(.unsorted)),
    ] {
      #expect(throws: IcebergError.inconsistent(violation)) {
        try TableMetadata(json: try doubled(key))
      }
    }
  }
}
