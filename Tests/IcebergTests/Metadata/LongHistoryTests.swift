// SPDX-License-Identifier: Apache-2.0
import Bytes
import Iceberg
import Testing

@Suite("Metadata of very many snapshots")
struct LongHistoryTests {
  private static let snapshots = 100_000

  private static func snapshot(_ n: Int) -> String {
    let parent = n > 1 ? #""parent-snapshot-id":\#(n - 1),"# : ""
    return #"""
      {"sequence-number":\#(n),"snapshot-id":\#(n),\#(parent)"timestamp-ms":\#(1_000_000 + n),\#
      "summary":{"operation":"append","added-records":"100","total-records":"\#(n * 100)"},\#
      "manifest-list":"memory://w/t/metadata/snap-\#(n)-0-u.avro","schema-id":0}
      """#
  }

  private static func document(_ count: Int) -> String {
    let list = (1...count).map(snapshot).joined(separator: ",")
    let log = (1...count).map { #"{"timestamp-ms":\#(1_000_000 + $0),"snapshot-id":\#($0)}"# }
    return #"""
      {"format-version":2,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1",\#
      "location":"memory://w/t","last-sequence-number":\#(count),\#
      "last-updated-ms":\#(1_000_000 + count),"last-column-id":1,"current-schema-id":0,\#
      "schemas":[{"type":"struct","schema-id":0,"fields":[\#
      {"id":1,"name":"a","required":false,"type":"long"}]}],\#
      "default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[]}],"last-partition-id":999,\#
      "default-sort-order-id":0,"sort-orders":[{"order-id":0,"fields":[]}],"properties":{},\#
      "current-snapshot-id":\#(count),\#
      "refs":{"main":{"snapshot-id":\#(count),"type":"branch"}},\#
      "snapshots":[\#(list)],"snapshot-log":[\#(log.joined(separator: ","))],"metadata-log":[]}
      """#
  }

  /// A step that looked at all snapshots for each would take 10^10 of them: hours.
  @Test(.timeLimit(.minutes(2)))
  func `100,000 snapshots are read, committed to and read again, each byte of them kept`() throws {
    let json = Self.document(Self.snapshots)
    var metadata = try TableMetadata(json: Buffer(utf8: json))
    #expect(metadata.snapshots.count == Self.snapshots)
    var sizes: [Int] = []
    for n in Self.snapshots + 1...Self.snapshots + 20 {
      let snapshot = Snapshot(
        id: SnapshotID(Int64(n)), parentID: SnapshotID(Int64(n - 1)),
        sequenceNumber: SequenceNumber(Int64(n)), timestampMilliseconds: 1_000_000 + Int64(n),
        manifestList: "memory://w/t/metadata/snap-\(n)-0-u.avro", operation: .append,
        schemaID: SchemaID(0))
      metadata = try metadata.applying(
        [
          .addSnapshot(snapshot),
          .setSnapshotReference(name: "main", .branch(SnapshotID(Int64(n)))),
        ], at: 1_000_000 + Int64(n))
      sizes.append(metadata.encoded().count)
    }
    // A commit adds what is new of it, and nothing for what there was.
    for (one, next) in zip(sizes, sizes.dropFirst()) { #expect(next - one < 400) }
    let written = metadata.encoded()
    let text = String(decoding: written.array(), as: UTF8.self)
    for n in [1, 2, 50_000, Self.snapshots] { #expect(text.contains(Self.snapshot(n))) }
    let again = try TableMetadata(json: written)
    #expect(again == metadata)
    #expect(again.snapshots.count == Self.snapshots + 20)
    #expect(again.snapshotLog.count == Self.snapshots + 20)
  }
}
