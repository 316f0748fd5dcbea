// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Columnar

/// Reads an Arrow IPC file (Feather V2) batch by batch: from its footer, then from ranges of its
/// bytes that the caller fetches.
///
///     let wanted = try ArrowFileReader.tailByteCount(last10Bytes, fileByteCount: size)
///     var reader = try ArrowFileReader(tail: tail, fileByteCount: size)
///     for block in reader.blocks {
///       if let batch = try reader.decode(bytes(block.range), block) { … }
///     }
///
/// ``blocks`` has the dictionaries first, as a batch may come before them in the file.
/// Laws: as ``ArrowStreamReader``. A range lies inside the file before its last bytes.
/// Source: Arrow columnar format, "IPC File Format".
public struct ArrowFileReader: Sendable {
  /// Where a message is.
  public struct Block: Hashable, Sendable {
    /// From the first byte of the file.
    public let range: Range<Int64>
    let metadataByteCount: Int
  }

  /// The columns of the batches.
  public var fields: [ColumnField] { decoder.schema.columns }
  /// What there is to be decoded, in this order.
  public let blocks: [Block]
  private let limits: DecodeLimits
  private var decoder: MessageDecoder

  /// How many of a file's last bytes tell how long its footer is.
  public static let trailerByteCount = 10

  /// True if `bytes`, the first eight of a file, are those of an Arrow file.
  public static func isFile(startingWith bytes: RawSpan) -> Bool {
    bytes.byteCount >= 6 && bytes.extracting(0..<6).array() == ArrowFileWriter.magic
  }

  /// How many of the file's last bytes the footer takes, the trailer included.
  ///
  /// - Parameter trailer: the last ``trailerByteCount`` bytes of the file, at least.
  public static func tailByteCount(
    _ trailer: Buffer, fileByteCount: Int64, limits: DecodeLimits = .standard
  ) throws(ArrowError) -> Int {
    guard trailer.count >= trailerByteCount, fileByteCount >= 18 else {
      throw .truncated(what: "file", needed: 18, available: fileByteCount)
    }
    let start = trailer.count - trailerByteCount
    let magic = trailer.bytes.extracting(start + 4..<trailer.count).array()
    guard magic == ArrowFileWriter.magic else {
      throw .malformed(
        field: "", expected: "ARROW1 at the file's end", found: "0x" + magic.hexadecimal)
    }
    let size = trailer.bytes.loadLE(at: start, as: Int32.self)
    guard size > 0, Int64(size) <= fileByteCount - 18, Int(size) <= limits.documentByteCount
    else {
      throw .malformed(
        field: "", expected: "a footer of at most \(fileByteCount - 18) bytes",
        found: "\(size) bytes")
    }
    return Int(size) + trailerByteCount
  }

  /// Reads the footer.
  ///
  /// - Parameter tail: the last bytes of the file, at least ``tailByteCount(_:fileByteCount:limits:)``.
  public init(
    tail: Buffer, fileByteCount: Int64, limits: DecodeLimits = .standard
  ) throws(ArrowError) {
    let needed = try Self.tailByteCount(tail, fileByteCount: fileByteCount, limits: limits)
    guard needed <= tail.count else {
      throw .truncated(what: "footer", needed: Int64(needed), available: Int64(tail.count))
    }
    let footer = tail.slice(tail.count - needed..<tail.count - Self.trailerByteCount)
    var blocks: [Block] = []
    let schema: FlatTable?
    // Messages don't overlap, so that a small footer can't have one decoded again and again.
    var left = fileByteCount
    do throws(ByteError) {
      let table = try FlatTable(root: footer)
      schema = try table.table(1)
      for slot in [2, 3] {
        guard let vector = try table.vector(slot, elementByteCount: 24) else { continue }
        for index in 0..<vector.count {
          blocks.append(
            try Block(vector, index, limit: fileByteCount - Int64(needed)))
          left -= Int64(blocks[blocks.count - 1].range.count)
          guard left >= 0 else {
            throw .outOfRange(offset: 0, what: "size of all messages", value: fileByteCount - left)
          }
        }
      }
    } catch {
      throw .metadata(error)
    }
    guard let schema else {
      throw .malformed(field: "", expected: "a schema in the footer", found: "none")
    }
    self.blocks = blocks
    self.limits = limits
    decoder = MessageDecoder(try ArrowSchema(schema, limits: limits), limits: limits)
  }

  /// The rows of the message in `bytes`, which are those of `block`; nil for a dictionary, which is
  /// kept for the batches.
  public mutating func decode(
    _ bytes: Buffer, _ block: Block
  ) throws(ArrowError) -> RecordBatch? {
    let byteCount = Int64(block.range.count)
    guard Int64(bytes.count) == byteCount else {
      throw .truncated(what: "message", needed: byteCount, available: Int64(bytes.count))
    }
    let isMarked =
      bytes.count >= 8 && bytes.bytes.loadLE(at: 0, as: UInt32.self) == ArrowMessage.continuation
    let prefix = isMarked ? 8 : 4
    guard block.metadataByteCount >= prefix, block.metadataByteCount <= bytes.count else {
      throw .malformed(
        field: "", expected: "the metadata of a message",
        found: "\(block.metadataByteCount) bytes")
    }
    let message = try ArrowMessage(bytes.slice(prefix..<block.metadataByteCount))
    let rest = bytes.count - block.metadataByteCount
    guard message.bodyByteCount <= rest else {
      throw .truncated(
        what: "body of a message", needed: Int64(message.bodyByteCount), available: Int64(rest))
    }
    let end = block.metadataByteCount + message.bodyByteCount
    let body = bytes.slice(block.metadataByteCount..<end)
    return try decoder.decode(
      message, body: body.isAligned(to: 8) ? body : Buffer(copying: body.bytes))
  }

  /// The batches and columns of a file all of which is in `bytes`.
  public static func read(
    _ bytes: Buffer, limits: DecodeLimits = .standard
  ) throws(ArrowError) -> (fields: [ColumnField], batches: [RecordBatch]) {
    guard isFile(startingWith: bytes.bytes) else {
      throw .malformed(field: "", expected: "ARROW1 at the file's start", found: "other bytes")
    }
    var reader = try ArrowFileReader(
      tail: bytes, fileByteCount: Int64(bytes.count), limits: limits)
    var batches: [RecordBatch] = []
    for block in reader.blocks {
      let part = bytes.slice(Int(block.range.lowerBound)..<Int(block.range.upperBound))
      if let batch = try reader.decode(part, block) { batches.append(batch) }
    }
    return (reader.fields, batches)
  }
}

extension ArrowFileReader.Block {
  /// The block in `vector`, which has to lie before byte `limit`.
  fileprivate init(_ vector: FlatVector, _ index: Int, limit: Int64) throws(ByteError) {
    let offset = vector.integer(index, as: Int64.self)
    let metadata = vector.integer(index, offset: 8, as: Int32.self)
    let body = vector.integer(index, offset: 16, as: Int64.self)
    guard offset >= 8, offset <= limit, metadata >= 0, body >= 0,
      Int64(metadata) <= limit - offset, body <= limit - offset - Int64(metadata)
    else {
      throw .outOfRange(offset: index * 24, what: "offset of a message", value: offset)
    }
    range = offset..<offset + Int64(metadata) + body
    metadataByteCount = Int(metadata)
  }
}
