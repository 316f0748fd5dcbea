// SPDX-License-Identifier: Apache-2.0
import Bytes
import Iceberg
import SeededNumbers
import Testing

@Suite("Puffin files")
struct PuffinFileTests {
  static func footer(_ file: [UInt8]) throws -> PuffinFooter {
    let buffer = Buffer(file)
    guard file.count >= 12 else { throw IcebergError.unsupported("too short") }
    let size = try PuffinFooter.byteCount(tail: buffer.bytes.extracting(last: 12))
    guard size <= Int64(file.count) else { throw IcebergError.unsupported("too short") }
    return try PuffinFooter(
      decoding: buffer.bytes.extracting(last: Int(size)), fileByteCount: Int64(file.count))
  }

  static func contents(_ blob: PuffinBlob, of file: [UInt8]) throws -> [UInt8] {
    let stored = Buffer(Array(file[Int(blob.offset)..<Int(blob.offset + blob.byteCount)]))
    return try blob.contents(of: stored.bytes).array()
  }

  static let secondBlob = Array("some blob \u{0} binary data 🤯 that is not ".utf8)

  @Test func `rule 86: the reference implementation's files are read, and written alike`() throws {
    guard let folder = Corpus.folder("corpora/iceberg/puffin") else { return }
    #expect(
      try Corpus.names(in: folder) == [
        "empty-puffin-uncompressed.bin", "sample-metric-data-compressed-zstd.bin",
        "sample-metric-data-uncompressed.bin",
      ])
    let empty = try Corpus.bytes("empty-puffin-uncompressed.bin", in: folder)
    #expect(try Self.footer(empty) == PuffinFooter(blobs: []))
    let (file, footerByteCount) = try PuffinWriter(properties: [:]).finish()
    #expect(file.array() == empty)
    #expect(footerByteCount == Int64(empty.count - 4))

    for name in ["sample-metric-data-uncompressed.bin", "sample-metric-data-compressed-zstd.bin"] {
      let bytes = try Corpus.bytes(name, in: folder)
      let footer = try Self.footer(bytes)
      #expect(footer.properties == ["created-by": "Test 1234"])
      #expect(footer.blobs.map(\.type) == ["some-blob", "some-other-blob"])
      #expect(footer.blobs.map(\.fields) == [[FieldID(1)], [FieldID(2)]])
      #expect(footer.blobs.map(\.snapshotID) == [SnapshotID(2), SnapshotID(2)])
      #expect(try Self.contents(footer.blobs[0], of: bytes) == Array("abcdefghi".utf8))
      #expect(try Self.contents(footer.blobs[1], of: bytes).starts(with: Self.secondBlob))
      guard name.contains("uncompressed") else { continue }
      var writer = PuffinWriter(properties: footer.properties)
      for blob in footer.blobs {
        let contents = Buffer(try Self.contents(blob, of: bytes))
        try writer.append(
          contents.bytes, type: blob.type, fields: blob.fields, snapshotID: blob.snapshotID,
          sequenceNumber: blob.sequenceNumber)
      }
      #expect(try writer.finish().file.array() == bytes)
    }
  }

  @Test func `G8, rules 84 and 85: a deletion vector's blob says what its manifest entry must`()
    throws
  {
    var writer = PuffinWriter(properties: ["created-by": "test"])
    let vector = try DeletionVector([0, 5, 1 << 33])
    let first = try writer.append(vector, of: "file:///a.parquet")
    let second = try writer.append(try DeletionVector([7]), of: "file:///b \"x\".parquet")
    let (file, footerByteCount) = try writer.finish()
    let bytes = file.array()
    let footer = try Self.footer(bytes)
    #expect(footer.blobs == [first, second])
    #expect(first.offset == 4)
    #expect(first.byteCount == Int64(try vector.encoded().count))
    #expect(second.offset == first.offset + first.byteCount)
    #expect(first.type == "deletion-vector-v1")
    #expect(first.snapshotID == SnapshotID(-1))
    #expect(first.sequenceNumber == SequenceNumber(-1))
    #expect(first.compression == nil)
    #expect(
      first.properties == ["referenced-data-file": "file:///a.parquet", "cardinality": "3"])
    let read = Buffer(try Self.contents(first, of: bytes))
    #expect(try DeletionVector(decoding: read.bytes) == vector)
    // Rule 87: the whole footer, magics included.
    #expect(Array(bytes.suffix(Int(footerByteCount)).prefix(4)) == Array("PFA1".utf8))
  }

  @Test(arguments: [PuffinCodec.lz4, .zstd])
  func `rule 86: compressed blobs come back`(codec: PuffinCodec) throws {
    let contents = [UInt8](repeating: 7, count: 100_000)
    var writer = PuffinWriter(properties: [:])
    let blob = try writer.append(
      Buffer(contents).bytes, type: "x", fields: [], snapshotID: SnapshotID(1),
      sequenceNumber: SequenceNumber(1), compression: codec)
    #expect(blob.byteCount < 2000)
    let file = try writer.finish().file.array()
    #expect(try Self.footer(file).blobs == [blob])
    #expect(try Self.contents(blob, of: file) == contents)
    var damaged = file
    damaged[10] ^= 0xff
    #expect(throws: IcebergError.self) { try Self.contents(blob, of: damaged) }
  }

  @Test func `rule 86: a compressed footer is read`() throws {
    let json = Buffer(utf8: #"{"blobs":[],"properties":{"a":"b"}}"#)
    var compressor = PuffinWriter(properties: [:])
    let blob = try compressor.append(
      json.bytes, type: "x", fields: [], snapshotID: SnapshotID(1),
      sequenceNumber: SequenceNumber(1), compression: .lz4)
    let file = try compressor.finish().file.array()
    let payload = Array(file[4..<4 + Int(blob.byteCount)])
    let magic = Array("PFA1".utf8)
    let footer = magic + payload + [UInt8(payload.count), 0, 0, 0, 1, 0, 0, 0] + magic
    #expect(try Self.footer(magic + footer).properties == ["a": "b"])
  }

  static func file(_ payload: String, flags: UInt8 = 0) -> [UInt8] {
    let magic = Array("PFA1".utf8)
    let text = Array(payload.utf8)
    return magic + [1, 2, 3, 4] + magic + text
      + [UInt8(text.count & 255), UInt8(text.count >> 8), 0, 0, flags, 0, 0, 0] + magic
  }

  static func blob(_ offset: String, _ length: String, _ more: String = "") -> String {
    """
    {"blobs":[{"type":"x","fields":[1],"snapshot-id":1,"sequence-number":1,\
    "offset":\(offset),"length":\(length)\(more)}]}
    """
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"blobs":{}}"#, #"{"blobs":[1]}"#, #"{"blobs":[{}]}"#,
    #"{"blobs":[],"properties":{"a":1}}"#, blob("3", "1"), blob("4", "5"), blob("9", "0"),
    blob("4", "-1"), blob("-1", "1"), blob("4", "9223372036854775807"), blob("4.5", "1"),
    blob("9223372036854775807", "9223372036854775807"), blob("4", "1", #","compression-codec":5"#),
  ])
  func `a footer that lies is refused`(payload: String) {
    #expect(throws: IcebergError.self) { try Self.footer(Self.file(payload)) }
  }

  @Test func `blobs up to the footer are taken, unknown flags and codecs told`() throws {
    let payload = Self.blob("4", "4", #","compression-codec":"brotli""#)
    let footer = try Self.footer(Self.file(payload))
    #expect(footer.blobs[0].compression == .unknown("brotli"))
    #expect(throws: IcebergError.unsupported("compression 'brotli' of a Puffin blob")) {
      try Self.contents(footer.blobs[0], of: Self.file(payload))
    }
    #expect(throws: IcebergError.unsupported("a Puffin file with flags 2")) {
      try Self.footer(Self.file(payload, flags: 2))
    }
  }

  @Test func `rule 86: every magic is asked for, and every truncation throws`() throws {
    let file = Self.file(Self.blob("4", "4"))
    #expect(try Self.footer(file).blobs.count == 1)
    for place in [8, file.count - 1] {
      var changed = file
      changed[place] ^= 1
      #expect(throws: IcebergError.self) { try Self.footer(changed) }
    }
    for count in 0..<file.count {
      law((try? Self.footer(Array(file[..<count]))) == nil, "cut to \(count)")
    }
    var random = Seeded(printing: "puffin bytes")
    for _ in 0..<2000 {
      var changed = file
      changed[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(
        in: 0...255, using: &random)
      _ = try? Self.footer(changed)
    }
  }

  @Test func `rule 87: the size of a footer counts both its magics`() throws {
    var writer = PuffinWriter(properties: [:])
    try writer.append(DeletionVector([1, 2]), of: "a.parquet")
    let (file, footerByteCount) = try writer.finish()
    let tail = file.slice(file.count - PuffinFooter.tailByteCount..<file.count)
    #expect(try PuffinFooter.byteCount(tail: tail.bytes) == footerByteCount)
    let start = file.count - Int(footerByteCount)
    #expect(file.slice(start..<start + 4).array() == [0x50, 0x46, 0x41, 0x31])
  }

  @Test func `rule 88: a sketch's estimate is decimal digits`() {
    func estimate(_ text: String?) -> Int64? {
      PuffinBlob(
        type: PuffinBlob.thetaSketchType, fields: [FieldID(1)], snapshotID: SnapshotID(1),
        sequenceNumber: SequenceNumber(1), offset: 4, byteCount: 1,
        properties: text.map { ["ndv": $0] } ?? [:]
      ).distinctCount
    }
    #expect(estimate("125") == 125)
    #expect(estimate("0") == 0)
    for text in [nil, "", "-1", "+1", " 1", "1.5", "x", "9223372036854775808"] {
      #expect(estimate(text) == nil)
    }
  }
}
