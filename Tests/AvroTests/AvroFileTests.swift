// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Codecs
import JSON
import SeededNumbers
import Testing

@Suite("Avro container files")
struct AvroFileTests {
  @Test(arguments: AvroCodec.allCases)
  func `files of another writer are read with every codec`(codec: AvroCodec) throws {
    let file = try Fixtures.bytes("avro/all_types_\(codec.rawValue).avro")
    let reader = try AvroFileReader(file)
    #expect(reader.header.codec == codec && reader.header.text("note") == "made by fastavro")
    let expected = try Fixtures.lines("avro/all_types.jsonl")
    #expect(try readAll(file).map(\.canonical).map(sorted) == expected.map(doubles).map(sorted))
  }

  @Test(arguments: ["partitioned_v2", "deletion_vectors_v3", "list_v3"])
  func `files of Iceberg are read, and come back when written`(name: String) throws {
    let file = try Fixtures.bytes("manifests/\(name).avro")
    let reader = try AvroFileReader(file)
    let values = try readAll(file)
    #expect(values.count == (name == "deletion_vectors_v3" ? 1 : 3))
    #expect(reader.header.text("format-version") == String(name.suffix(1)))
    let again = try write(values, reader.header.schema, .deflate, blockByteCount: 64 << 10)
    #expect(try readAll(again) == values)
  }

  @Test(arguments: ["primitive", "no_records"])
  func `a file may have any type, and no block`(name: String) throws {
    let values = try readAll(try Fixtures.bytes("avro/\(name).avro"))
    #expect(values.map(\.canonical) == (try Fixtures.lines("avro/\(name).jsonl")))
  }

  @Test(arguments: AvroCodec.allCases)
  func `what is written comes back, in blocks of the size asked for`(codec: AvroCodec) throws {
    var generator = AvroGenerator(21)
    for round in 0..<20 {
      let schema = generator.record()
      let values = (0..<generator.random.below(200)).map { _ in generator.value(schema) }
      let file = try write(values, schema, codec, blockByteCount: 500)
      #expect(try readAll(file) == values, "round \(round), seed \(generator.random.seed)")
      #expect(try write(values, schema, codec, blockByteCount: 500) == file)
      var reader = try AvroFileReader(file)
      #expect(reader.header.schema == schema)
      #expect(reader.header.metadata["k"] == [1, 2, 3])
      while let block = try reader.nextBlock() {
        #expect(block.bytes.count < 500 + 20_000 && block.recordCount > 0)
      }
    }
  }

  @Test func `blocks and encoded records are spliced into another file`() throws {
    let schema = AvroSchema.record("r", [AvroField("a", .long), AvroField("b", .string)])
    let values = (0..<300).map { index in
      AvroValue.record([.init("a", .long(Int64(index))), .init("b", .string("text \(index)"))])
    }
    for from in AvroCodec.allCases {
      for to in AvroCodec.allCases {
        var source = try AvroFileReader(try write(values, schema, from, blockByteCount: 300))
        var target = try AvroFileWriter(
          schema: schema, codec: to, syncMarker: AvroSyncMarker(seed: 9))
        try target.encoder.write(values[7], as: schema)
        try target.endRecord()
        while let block = try source.nextRawBlock() { try target.append(block) }
        let more = try encoded { try $0.write(values[8], as: schema) }
        try target.append(encoded: more.bytes, count: 1)
        #expect(target.recordCount == 302)
        #expect(try readAll(try target.finish()) == [values[7]] + values + [values[8]])
      }
    }
  }

  @Test(arguments: AvroCodec.allCases)
  func `every truncation throws, but those between two blocks`(codec: AvroCodec) throws {
    let file = try Fixtures.bytes("avro/all_types_\(codec.rawValue).avro").array()
    var boundaries: Set<Int> = []
    var reader = try AvroFileReader(Buffer(file))
    while let block = try reader.nextRawBlock() { boundaries.insert(block.offset) }
    #expect(boundaries.count > 1)
    for count in 0..<file.count where !boundaries.contains(count) {
      #expect(throws: AvroError.self, "\(count) bytes") {
        try readAll(Buffer(Array(file[..<count])))
      }
    }
  }

  @Test(arguments: AvroCodec.allCases)
  func `mutated files throw or give records, and never trap`(codec: AvroCodec) throws {
    let file = try Fixtures.bytes("avro/all_types_\(codec.rawValue).avro").array()
    let bodyStart = try AvroFileReader(Buffer(file)).header.byteCount
    var random = Seeded(22)
    var refused = 0
    let rounds = Depth.isLong ? 100_000 : 1000
    for round in 0..<rounds {
      var bytes = file
      // Half of the rounds leave the header alone, or few would come as far as the blocks.
      let first = round % 2 == 0 ? 0 : bodyStart
      for _ in 0...random.below(4) {
        let at = first + random.below(bytes.count - first)
        switch random.below(4) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[at] ^= 1 << UInt8(random.below(8))
        case 2: bytes.remove(at: at)
        default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
        }
      }
      do { _ = try readAll(Buffer(bytes)) } catch { refused += 1 }
    }
    #expect(refused > rounds / 4, "seed \(random.seed)")
  }

  @Test func `what is wrong with a file is told`() throws {
    let schema = AvroSchema.long
    let good = try write([.long(1), .long(2)], schema, .null, blockByteCount: 100).array()
    let start = try AvroFileReader(Buffer(good)).header.byteCount
    #expect(Array(good[start...].prefix(4)) == [0x04, 0x04, 0x02, 0x04])

    func error(_ change: (inout [UInt8]) -> Void) -> AvroError? {
      var bytes = good
      change(&bytes)
      return #expect(throws: AvroError.self) { try readAll(Buffer(bytes)) }
    }
    #expect(
      error { $0[3] = 2 }
        == .malformed(offset: 0, expected: "an avro file", found: "0x4f626a02"))
    #expect(
      error { $0[start + 4] ^= 1 }
        == .malformed(
          offset: start + 4, expected: "the header's sync marker", found: "another"))
    #expect(
      error { $0[start] = 0x03 }
        == .malformed(offset: start, expected: "a count of records", found: "-2"))
    #expect(
      error { $0[start] = 0x06 }
        == .malformed(
          offset: start, expected: "records that 2 bytes hold", found: "3 records"))
    #expect(
      error { $0[start] = 0x02 }
        == .malformed(offset: 1, expected: "the end of the block", found: "1 more bytes"))
    #expect(
      error { $0.replaceSubrange(start + 1..<start + 2, with: [0x80, 0x80, 0x80, 0x80, 0x01]) }
        == .limitExceeded(what: "block size", value: 1 << 27, limit: 64 << 20))
    #expect(
      error { $0.removeLast() }
        == .truncated(offset: start + 4, needed: 16, available: 15))
    #expect(error { $0.append(0) } != nil)
    let odd = try header(["avro.schema": "\"long\"", "avro.codec": "bzip2"])
    #expect(throws: AvroError.unsupportedCodec("bzip2")) { try readAll(odd) }
    let noCodec = try header(["avro.schema": "\"long\""])
    #expect(try readAll(noCodec) == [])
    #expect(throws: AvroError.self) { try readAll(try header(["avro.codec": "null"])) }
  }

  @Test func `a snappy block with another checksum is refused`() throws {
    var bytes = try write([.long(1)], .long, .snappy, blockByteCount: 100).array()
    bytes[bytes.count - 17] ^= 1
    let error = #expect(throws: AvroError.self) { try readAll(Buffer(bytes)) }
    guard case .codec(.checksumMismatch(.snappy), _) = error else {
      return #expect(Bool(false), "\(String(describing: error))")
    }
  }

  @Test func `a sync marker follows from its seed alone`() {
    #expect(AvroSyncMarker(seed: 1) == AvroSyncMarker(seed: 1))
    #expect(Set((0..<1000).map { AvroSyncMarker(seed: $0) }).count == 1000)
  }

  // MARK: Parts

  func header(_ entries: [String: String]) throws -> Buffer {
    encoded { encoder in
      encoder.writeRaw(Buffer([0x4f, 0x62, 0x6a, 0x01]).bytes)
      encoder.writeBlockCount(entries.count)
      for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
        encoder.writeString(key)
        encoder.writeString(value)
      }
      encoder.endBlocks()
      encoder.writeRaw(Buffer([UInt8](repeating: 7, count: 16)).bytes)
    }
  }

  func write(
    _ values: [AvroValue], _ schema: AvroSchema, _ codec: AvroCodec, blockByteCount: Int
  ) throws -> Buffer {
    var writer = try AvroFileWriter(
      schema: schema, metadata: [("k", [1, 2, 3])], codec: codec, blockByteCount: blockByteCount,
      syncMarker: AvroSyncMarker(seed: 5))
    for value in values {
      try writer.encoder.write(value, as: schema)
      try writer.endRecord()
    }
    return try writer.finish()
  }

  /// Members in the order of their keys: a map has none.
  func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members):
      .object(
        members.map { JSONMember($0.key, sorted($0.value)) }.sorted { $0.key < $1.key })
    case .array(let elements): .array(elements.map(sorted))
    default: value
    }
  }

  /// Python writes some doubles with more digits than are needed.
  func doubles(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members):
      .object(members.map { JSONMember($0.key, doubles($0.value)) })
    case .array(let elements): .array(elements.map(doubles))
    case .decimal(let text): .double(Double(text) ?? .nan)
    default: value
    }
  }
}
