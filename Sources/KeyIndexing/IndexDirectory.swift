// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg
internal import Storage

/// What is kept of an index beside its segments: what it is of, and where they are.
///
///     directory := "LKIX" version (4) hash version (4) seed (16) snapshot id (8)
///                  fields (4) id (4)…  order: id (4, 0 if there is none) type (text)
///                  files (4) path (text, empty if it was given up)…
///                  segments (4) segment…  CRC-32C of all before (4)
///     segment   := id (8) path (text, empty for the same file) offset (8) entries (8) flags (4)
///                  files (4) number (4)…  chunks (4) { first hash (8) CRC-32C (4) }…
///     text      := bytes (4) UTF-8
///
/// Numbers are little-endian.
struct IndexDirectory: Sendable {
  var seed: KeySeed
  var snapshotID: SnapshotID
  var fieldIDs: [FieldID]
  /// Nil: no order values are kept.
  var order: (id: FieldID, type: String)?
  /// Nil for those that were given up.
  var files: [String?]
  var segments: [Segment]

  struct Segment: Sendable {
    let numbers: [UInt32]
    /// With an empty path: the blob of its id in the directory's own file.
    let stored: StoredSegment
  }

  /// The type of its blob.
  static let blobType = StatisticsFile.indexType
  /// The type of segments' blobs.
  static let segmentType = "lake-key-index-segment-v1"
  /// By which a segment's blob tells which it is.
  static let segmentProperty = "segment-id"

  fileprivate static let magic: [UInt8] = Array("LKIX".utf8)
  fileprivate static let version: UInt32 = 1

  // MARK: encoding

  func encoded() -> Buffer {
    var writer = ByteWriter(capacity: 1 << 12)
    writer.write(Self.magic)
    writer.writeLE(Self.version)
    writer.writeLE(UInt32(KeyHasher.version))
    writer.writeLE(seed.first)
    writer.writeLE(seed.second)
    writer.writeLE(snapshotID.rawValue)
    writer.writeLE(UInt32(fieldIDs.count))
    for id in fieldIDs { writer.writeLE(id.rawValue) }
    writer.writeLE(order?.id.rawValue ?? 0)
    writer.writeText(order?.type ?? "")
    writer.writeLE(UInt32(files.count))
    for path in files { writer.writeText(path ?? "") }
    writer.writeLE(UInt32(segments.count))
    for segment in segments { Self.write(segment, to: &writer) }
    writer.writeLE(CRC32C.checksum(writer.bytes))
    return writer.finish()
  }

  private static func write(_ segment: Segment, to writer: inout ByteWriter) {
    let stored = segment.stored
    writer.writeLE(stored.id)
    writer.writeText(stored.path)
    writer.writeLE(stored.offset)
    writer.writeLE(Int64(stored.count))
    writer.writeLE(UInt32(stored.hasRowIDs ? 1 : 0) | UInt32(stored.hasOrders ? 2 : 0))
    writer.writeLE(UInt32(segment.numbers.count))
    for number in segment.numbers { writer.writeLE(number) }
    writer.writeLE(UInt32(stored.chunks.count))
    for chunk in stored.chunks {
      writer.writeLE(chunk.first)
      writer.writeLE(chunk.checksum)
    }
  }

}

// MARK: - Decoding

extension IndexDirectory {
  /// Nil if the bytes are no directory, not what was written, or of hashes that are not known.
  init?(decoding bytes: RawSpan) {
    guard bytes.byteCount > 4,
      CRC32C.checksum(bytes.extracting(first: bytes.byteCount - 4))
        == bytes.loadLE(at: bytes.byteCount - 4, as: UInt32.self)
    else { return nil }
    var reader = ByteReader(bytes.extracting(first: bytes.byteCount - 4))
    do throws(ByteError) { try self.init(&reader) } catch { return nil }
    guard reader.isAtEnd, segments.allSatisfy({ $0.isSound(fileCount: files.count) }) else {
      return nil
    }
  }

  private init(_ reader: inout ByteReader) throws(ByteError) {
    try reader.expect(Self.magic, as: "key index")
    try reader.expect(Self.version)
    try reader.expect(UInt32(KeyHasher.version))
    seed = KeySeed(first: try reader.readUInt64LE(), second: try reader.readUInt64LE())
    snapshotID = SnapshotID(try reader.readInt64LE())
    fieldIDs = []
    for _ in 0..<(try reader.readUInt32LE()) { fieldIDs.append(FieldID(try reader.readInt32LE())) }
    let orderID = FieldID(try reader.readInt32LE())
    let orderType = try reader.readText()
    order = orderID.rawValue == 0 ? nil : (orderID, orderType)
    files = []
    for _ in 0..<(try reader.readUInt32LE()) {
      let path = try reader.readText()
      files.append(path.isEmpty ? nil : path)
    }
    segments = []
    for _ in 0..<(try reader.readUInt32LE()) { segments.append(try Self.segment(&reader)) }
  }

  private static func segment(_ reader: inout ByteReader) throws(ByteError) -> Segment {
    let id = try reader.readUInt64LE()
    let path = try reader.readText()
    let offset = try reader.readInt64LE()
    let count = try reader.readInt64LE()
    let flags = try reader.readUInt32LE()
    var numbers: [UInt32] = []
    for _ in 0..<(try reader.readUInt32LE()) { numbers.append(try reader.readUInt32LE()) }
    var chunks: [StoredSegment.Chunk] = []
    for _ in 0..<(try reader.readUInt32LE()) {
      chunks.append(
        StoredSegment.Chunk(
          first: try reader.readUInt64LE(), checksum: try reader.readUInt32LE()))
    }
    return Segment(
      numbers: numbers,
      stored: StoredSegment(
        id: id, path: path, offset: offset, count: Int(clamping: count), hasRowIDs: flags & 1 != 0,
        hasOrders: flags & 2 != 0, chunks: chunks))
  }
}

extension IndexDirectory.Segment {
  /// True if its numbers fit each other.
  fileprivate func isSound(fileCount: Int) -> Bool {
    let size = StoredSegment.chunkRowCount
    return stored.count >= 0 && stored.count <= Int(UInt32.max) && stored.offset >= 0
      && stored.offset <= .max - stored.byteCount
      && stored.chunks.count == (stored.count + size - 1) / size
      && numbers.allSatisfy { Int($0) < fileCount }
  }
}

extension ByteWriter {
  fileprivate mutating func writeText(_ text: String) {
    writeLE(UInt32(text.utf8.count))
    write(utf8: text)
  }
}

extension ByteReader {
  fileprivate mutating func readText() throws(ByteError) -> String {
    try readUTF8(Int(try readUInt32LE()))
  }

  fileprivate mutating func expect(_ value: UInt32) throws(ByteError) {
    var writer = ByteWriter(capacity: 4)
    writer.writeLE(value)
    try expect(writer.finish().array(), as: "version")
  }
}
