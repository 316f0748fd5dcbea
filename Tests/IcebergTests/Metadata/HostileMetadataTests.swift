// SPDX-License-Identifier: Apache-2.0
import Bytes
import JSON
import SeededNumbers
import Testing

@testable import Iceberg

/// Bytes that are not what was written: each ends in a typed error, or in metadata that is as
/// good as any other. That nothing traps is shown by the tests ending.
@Suite("Hostile table metadata")
struct HostileMetadataTests {
  static func sample() throws -> TableMetadata {
    var table = try Samples.committing([1, 2, 3], to: try Samples.table(.v3, partitioned: true))
    table = try table.applying(
      [
        .setSnapshotReference(name: "t", .tag(SnapshotID(2))),
        .setStatistics(
          StatisticsFile(
            snapshotID: SnapshotID(2), path: "p", byteCount: 1, footerByteCount: 2,
            blobs: [
              StatisticsBlob(
                type: "x", snapshotID: SnapshotID(2), sequenceNumber: SequenceNumber(1),
                fieldIDs: [FieldID(1)])
            ])),
      ], at: Samples.start, previousLocation: "v1.metadata.json")
    return table
  }

  /// Uses metadata in every way that its numbers could break.
  static func exercise(_ table: TableMetadata) {
    _ = table.validate()
    _ = try? table.expiry(at: .max)
    _ = try? table.expiry(at: .min)
    _ = try? table.snapshot(asOf: .max)
    _ = table.snapshotTimestamp(now: 0, parent: table.currentSnapshotID)
    for snapshot in table.snapshots { _ = snapshot.summary }
    _ = try? table.partitionLayout(table.defaultPartitionSpecID)
    _ = try? table.applying([.setProperties(["a": "b"])], at: .max, previousLocation: "x")
    let snapshot = Samples.snapshot(99, on: table)
    _ = try? table.applying(
      [.addSnapshot(snapshot), .setSnapshotReference(name: "main", .branch(snapshot.id))], at: 0)
    _ = try? TableMetadata(json: table.encoded())
  }

  @Test func `every truncation is refused`() throws {
    let bytes = try Self.sample().encoded()
    for count in 0..<bytes.count {
      #expect(throws: IcebergError.self, "\(count) bytes") {
        try TableMetadata(json: bytes.slice(0..<count))
      }
    }
  }

  @Test func `every flipped bit of what lake wrote is found, or changes nothing`() throws {
    let table = try Self.sample()
    let original = table.encoded().array()
    for i in original.indices {
      for bit in 0..<8 {
        var bytes = original
        bytes[i] ^= 1 << bit
        guard let read = try? TableMetadata(json: Buffer(bytes)) else { continue }
        // Only the name of the checksum itself can hide that it is one.
        var plain = read
        plain.unknownFields.removeAll { $0.name.contains("crc") || $0.name.utf8.count == 11 }
        #expect(plain == table, "bit \(bit) of byte \(i)")
      }
    }
  }

  @Test func `a checksum that is not the document's is told with both numbers`() throws {
    let table = try Self.sample()
    var text = String(decoding: table.encoded().array(), as: UTF8.self)
    text.replace("s3://bucket/db/table", with: "s3://bucket/db/tablé")
    #expect {
      try TableMetadata(json: Buffer(utf8: text))
    } throws: { error in
      if case IcebergError.checksumMismatch("table metadata", _, _) = error { true } else { false }
    }
    // Any place and any white space will do, as long as the bytes are the ones that were summed.
    for bad in ["\"1234567\"", "\"1234567G\"", "12345678", "\"\"", "[]"] {
      let forged = try table.tree.with("lake-crc32c", try JSONValue(parsing: bad)).text
      #expect(throws: IcebergError.self) { try TableMetadata(json: forged) }
    }
  }

  @Test func `the checksum holds wherever the field stands`() throws {
    var tree = try Self.sample().tree.with("lake-crc32c", nil)
    guard case .object(let members) = tree else { return }
    tree = .object([JSONMember("lake-crc32c", .string("00000000"))] + members)
    let zeroed = tree.text
    let sum = hexadecimal(CRC32C.checksum(zeroed.bytes))
    let sealed = tree.with("lake-crc32c", .string(sum)).text
    // `with` puts the field last, which is another document.
    #expect(throws: IcebergError.self) { try TableMetadata(json: sealed) }
    let text = String(decoding: zeroed.array(), as: UTF8.self)
      .replacing("\"00000000\"", with: "\"\(sum)\"")
    #expect(try TableMetadata(json: Buffer(utf8: text)) == (try Self.sample()))
  }

  @Test func `random changes of fields give an error or metadata that can be used`() throws {
    var random = Seeded(printing: "hostile metadata")
    let tree = try Self.sample().tree.with("lake-crc32c", nil)
    var accepted = 0
    for _ in 0..<3000 {
      let changed = Mutation.apply(to: tree, using: &random)
      guard let table = try? TableMetadata(json: changed.text) else { continue }
      accepted += 1
      Self.exercise(table)
    }
    #expect(accepted > 100, "mutations that nothing accepts show nothing")
  }

  @Test func `random changes of bytes give an error or metadata that can be used`() throws {
    var random = Seeded(printing: "hostile metadata bytes")
    var tail = try Self.sample().tree.with("lake-crc32c", nil).text.array()
    let original = tail
    for _ in 0..<5000 {
      tail = original
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let i = Int.random(in: 0..<tail.count, using: &random)
        switch random.next() % 3 {
        case 0: tail[i] = UInt8(truncatingIfNeeded: random.next())
        case 1: tail.remove(at: i)
        default: tail.insert(random.pick(Array("0123456789-eE.,:[]{}\"\\".utf8)), at: i)
        }
      }
      guard let table = try? TableMetadata(json: Buffer(tail)) else { continue }
      Self.exercise(table)
    }
  }

  @Test func `a bomb is refused before it is inflated, and depth is bounded`() throws {
    var limits = DecodeLimits.standard
    limits.documentByteCount = 1 << 20
    let spaces = Buffer([UInt8](repeating: 0x20, count: 8 << 20))
    let file = try Self.gzip(spaces)
    #expect(throws: IcebergError.self) { try TableMetadata(file: file, limits: limits) }
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: IcebergError.self) {
      try TableMetadata(json: Buffer(utf8: "{\"x\":" + deep))
    }
    #expect(throws: IcebergError.self) { try TableMetadata(file: Buffer([0x1f, 0x8b])) }
    #expect(throws: IcebergError.self) { try TableMetadata(file: .empty) }
  }

  private static func gzip(_ bytes: Buffer) throws -> Buffer {
    // A table whose one property is the text: our own writer compresses it.
    var table = try Samples.table()
    table = try table.applying(
      [.setProperties(["x": String(decoding: bytes.array(), as: UTF8.self)])], at: 0)
    return try table.file(compression: .gzip)
  }

  @Test func `each broken rule is told by name`() throws {
    func violations(_ change: (JSONValue) throws -> JSONValue) throws -> [MetadataViolation] {
      let tree = try Self.sample().tree.with("lake-crc32c", nil)
      return try TableMetadata(json: try change(tree).text).validate()
    }
    let cases: [(String, JSONValue?, MetadataViolation)] = [
      ("table-uuid", .string("x"), .malformedUUID("x")),
      ("location", .string(""), .emptyLocation),
      ("last-column-id", .integer(2), .fieldIDAboveLast(FieldID(3), last: FieldID(2), SchemaID(0))),
      (
        "last-partition-id", .integer(999),
        .partitionFieldIDAboveLast(FieldID(1000), last: FieldID(999), PartitionSpecID(0))
      ),
      ("last-sequence-number", .integer(-5), .negativeSequenceNumber(nil, SequenceNumber(-5))),
      (
        "last-sequence-number", .integer(1),
        .sequenceNumberAhead(SnapshotID(2), SequenceNumber(2), last: SequenceNumber(1))
      ),
      ("next-row-id", .integer(-1), .negativeNextRowID(-1)),
      ("next-row-id", .integer(5), .rowIDsAhead(SnapshotID(1), next: 5)),
      ("last-updated-ms", .integer(-1), .negativeTime(of: "the last update", -1)),
      (
        "last-updated-ms", .integer(5),
        .updatedBeforeLog(lastUpdated: 5, log: Samples.start + 2)
      ),
    ]
    for (key, value, violation) in cases {
      let found = try violations { $0.with(key, value) }
      #expect(found.contains(violation), "\(key): \(found)")
    }
    #expect(try Self.sample().validate() == [])
  }
}

/// Changes a JSON tree in one place.
enum Mutation {
  static func apply(to tree: JSONValue, using random: inout Seeded) -> JSONValue {
    switch tree {
    case .object(var members) where !members.isEmpty && !random.chance(5):
      let i = Int.random(in: 0..<members.count, using: &random)
      if random.chance(3) {
        members.remove(at: i)
      } else {
        members[i].value = apply(to: members[i].value, using: &random)
      }
      return .object(members)
    case .array(var elements) where !elements.isEmpty && !random.chance(5):
      let i = Int.random(in: 0..<elements.count, using: &random)
      if random.chance(5) {
        elements.append(elements[i])
      } else if random.chance(5) {
        elements.remove(at: i)
      } else {
        elements[i] = apply(to: elements[i], using: &random)
      }
      return .array(elements)
    default:
      return random.pick([
        .null, .boolean(true), .integer(0), .integer(-1), .integer(.max), .integer(.min),
        .integer(Int64(Int32.max)), .integer(1), .integer(2), .integer(3), .string(""),
        .string("main"), .string("branch"), .string("struct"), .array([]), .object([]),
        .double(1.5), .decimal("1e400"), tree,
      ])
    }
  }
}
