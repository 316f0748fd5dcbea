// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import SeededNumbers
import Testing

@testable import Iceberg

/// Bytes of manifests and lists that are not what was written. That nothing traps is shown by the
/// tests ending.
@Suite("Hostile manifests")
struct HostileManifestTests {
  static let version = FormatVersion.v3

  static func manifest() throws -> NewManifest {
    var writer = try Manifests.writer(version)
    for i in 0..<5 {
      var file = Manifests.file(
        "f\(i)", day: i == 0 ? nil : Int32(i), rows: Int64(i), metrics: ManifestTests.metrics)
      file.splitOffsets = [4]
      try writer.add(file)
    }
    try writer.keep(
      Manifests.entry(.added, Manifests.file("k", metrics: ManifestTests.metrics, firstRowID: 5)))
    return try writer.finish()
  }

  static func list() throws -> ManifestList {
    try ManifestListTests.writer(version).write(
      adding: (0..<4).map { ManifestListTests.manifest("m\($0)", added: 10) }
        + [ManifestListTests.manifest("d", content: .deletes)]
    ).list
  }

  /// The entries of `bytes`, whose length is taken for the listed one; nil if they are refused.
  static func read(_ bytes: Buffer) -> [ManifestEntry]? {
    var listed = Manifests.listed(bytes)
    listed.firstRowID = 100
    do { return try Manifests.entries(bytes, of: listed) } catch is IcebergError {
      return nil
    } catch {
      Issue.record("an error of another kind: \(error)")
      return nil
    }
  }

  /// `bytes` with the checksum's entry renamed, so that it is not looked at.
  static func unchecked(_ bytes: Buffer) -> [UInt8] {
    var array = bytes.array()
    let name = Array("lake.crc32c".utf8)
    for i in 0..<array.count - name.count where Array(array[i..<i + name.count]) == name {
      array[i] = UInt8(ascii: "x")
      break
    }
    return array
  }

  @Test func `every truncation of a manifest is refused`() throws {
    let bytes = try Self.manifest().bytes
    let plain = Buffer(Self.unchecked(bytes))
    let header = try AvroFileHeader(plain.bytes).byteCount
    for count in 0..<bytes.count {
      #expect(Self.read(bytes.slice(0..<count)) == nil, "\(count) bytes")
      // Between two blocks a file without a checksum may end.
      if count != header {
        #expect(Self.read(plain.slice(0..<count)) == nil, "\(count) bytes, unchecked")
      }
    }
  }

  @Test func `every truncation of a manifest list is refused`() throws {
    let list = try Self.list()
    for count in 0..<list.bytes.count {
      #expect(throws: IcebergError.self, "\(count) bytes") {
        try ManifestList(list.bytes.slice(0..<count))
      }
    }
  }

  @Test func `every flipped bit of what lake wrote is found, or changes nothing`() throws {
    let manifest = try Self.manifest().bytes
    let entries = try #require(Self.read(manifest))
    try Self.flip(manifest) { bytes in Self.read(bytes).map { $0 == entries } }
    let list = try Self.list()
    try Self.flip(list.bytes) { bytes in
      (try? ManifestList(bytes)).map { $0.manifests == list.manifests }
    }
  }

  /// Flips each bit; `isSame` tells if what is read is the same, nil if nothing is.
  private static func flip(_ original: Buffer, _ isSame: (Buffer) throws -> Bool?) throws {
    let array = original.array()
    for i in array.indices {
      for bit in 0..<8 {
        var bytes = array
        bytes[i] ^= 1 << bit
        if try isSame(Buffer(bytes)) == false {
          Issue.record("bit \(bit) of byte \(i) changed what is read")
          return
        }
      }
    }
  }

  @Test func `random changes give a typed error or entries`() throws {
    var random = Seeded(printing: "hostile manifests")
    for source in [try Self.plainManifest(), Self.unchecked(try Self.manifest().bytes)] {
      for _ in 0..<4000 {
        var bytes = source
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let i = Int.random(in: 0..<bytes.count, using: &random)
          switch random.next() % 4 {
          case 0: bytes[i] = UInt8(truncatingIfNeeded: random.next())
          case 1: bytes[i] ^= 1 << UInt8(random.next() % 8)
          case 2: bytes.remove(at: i)
          default: bytes.insert(random.pick([0, 1, 2, 0x7f, 0x80, 0xff]), at: i)
          }
        }
        for entry in Self.read(Buffer(bytes)) ?? [] {
          _ = entry.file.usableSplitOffsets
          _ = entry.rowID(stored: nil, at: .max)
        }
      }
    }
  }

  /// The sample, not compressed, so that changes reach the records.
  static func plainManifest() throws -> [UInt8] {
    let bytes = try manifest().bytes
    var file = try AvroFileReader(bytes)
    var plain = try AvroFileWriter(
      schema: file.header.schema, syncMarker: AvroSyncMarker(seed: 5))
    while let block = try file.nextBlock() {
      try plain.append(encoded: block.bytes.bytes, count: block.recordCount)
    }
    return try plain.finish().array()
  }

  @Test func `random changes of a list give a typed error or manifests that can be listed again`()
    throws
  {
    var random = Seeded(printing: "hostile manifest lists")
    let list = try Self.list()
    var plain = try AvroFileWriter(schema: list.schema, syncMarker: AvroSyncMarker(seed: 5))
    for block in list.blocks { try plain.append(block.raw) }
    let source = try plain.finish().array()
    var accepted = 0
    for _ in 0..<8000 {
      var bytes = source
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let i = Int.random(in: 0..<bytes.count, using: &random)
        bytes[i] = random.chance(50) ? UInt8(truncatingIfNeeded: random.next()) : bytes[i] ^ 1
      }
      guard let read = try? ManifestList(Buffer(bytes)) else { continue }
      accepted += 1
      _ = try? ManifestListTests.writer(.v3, nextRowID: .max - 20).write(
        base: read, removing: ["x"], adding: [ManifestListTests.manifest("n")])
    }
    #expect(accepted > 100)
  }

  @Test func `counts that no file has are refused`() throws {
    let layout = try Manifests.layout()
    for (rows, bytes) in [(-1, 5), (5, -1), (Int64.min, 0)] as [(Int64, Int64)] {
      var file = Manifests.file("a")
      file.recordCount = rows
      file.byteCount = bytes
      let encoded = try Manifests.raw(schema: ManifestAvroSchema.entry(.v2, layout)) { avro in
        avro.writeInt(1)
        avro.writeOptional(1 as Int64?)
        avro.writeOptional(1 as Int64?)
        avro.writeOptional(1 as Int64?)
        try? avro.write(file, .v2, layout)
      }
      #expect(Self.read(encoded) == nil)
    }
  }

  @Test func `a field of a type the format does not have there is refused`() throws {
    for (id, type) in [(100, AvroSchema.long), (103, .string), (0, .string), (132, .long)]
      as [(Int32, AvroSchema)]
    {
      let schema = AvroSchema.record("manifest_entry", [AvroField("x", type, id: id)])
      let bytes = try Manifests.raw(schema: schema) { $0.writeLong(0) }
      #expect(Self.read(bytes) == nil)
    }
  }
}
