// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Codecs
public import Columnar

/// How Arrow messages are written.
public struct ArrowWriterOptions: Sendable {
  /// How the buffers of batches are compressed; not all readers know how to inflate them.
  public enum Compression: Hashable, Sendable {
    case none
    case lz4
    case zstd
  }

  public var compression = Compression.none
  public var level = CompressionLevel.standard

  public init() {}
}

/// Turns record batches into the messages of an Arrow IPC stream.
///
///     stream := schema, message of a batch *, end
///
/// A message depends on its batch alone, so that messages can be made in parallel and then put in
/// order. Dictionaries are written out: a stream has one type a column, whatever its batches.
/// Laws: the same batch gives the same bytes. Buffers of a batch are part of a message as they are,
/// not copied, unless they are small, compressed, or laid out otherwise in Arrow.
/// Source: Arrow columnar format, "IPC Streaming Format".
public struct ArrowStreamWriter: Sendable {
  public let fields: [ColumnField]
  private let options: ArrowWriterOptions

  public init(fields: [ColumnField], options: ArrowWriterOptions = ArrowWriterOptions()) {
    self.fields = fields
    self.options = options
  }

  /// What a stream begins with.
  public var schema: Buffer {
    MessageBuilder.schema(fields, after: 0)
  }

  /// The marker that ends a stream.
  public var end: Buffer { Buffer([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]) }

  /// The message of `batch`, in pieces that follow each other; several messages, if its strings are
  /// too many for 32-bit offsets without their dictionary.
  ///
  /// - Throws: ``ArrowError/mismatch(field:expected:found:)`` for columns that don't lie as
  ///   ``fields`` do.
  public func message(_ batch: RecordBatch) throws(ArrowError) -> [Buffer] {
    do throws(ArrowError) {
      return try MessageBuilder.batch(batch, fields, options).pieces
    } catch {
      guard case .columnar(.tooLarge, _) = error, batch.rowCount > 1 else { throw error }
      let middle = batch.rowCount / 2
      let first = try message(batch.slice(0..<middle))
      return first + (try message(batch.slice(middle..<batch.rowCount)))
    }
  }

  /// A whole stream of `batches`.
  public func stream(_ batches: [RecordBatch]) throws(ArrowError) -> Buffer {
    var bytes = MutableBuffer()
    bytes.append(schema.bytes)
    for batch in batches {
      for piece in try message(batch) { bytes.append(piece.bytes) }
    }
    bytes.append(end.bytes)
    return bytes.freeze()
  }
}

/// A message's bytes, and what a file's footer says of it.
struct WrittenMessage {
  let pieces: [Buffer]
  let metadataByteCount: Int
  let bodyByteCount: Int
}

/// Puts messages together.
enum MessageBuilder {
  /// What bodies and their buffers begin at a multiple of, so that a file that is mapped can be
  /// used as it is with wide loads.
  static let alignment = 64
  private static let padding = MutableBuffer(zeroed: alignment).freeze()

  /// The message of a schema, which ends `alignment`-aligned if `offset` bytes are before it.
  static func schema(_ fields: [ColumnField], after offset: Int) -> Buffer {
    let schema = ArrowSchema.flat(fields.map { ArrowField($0) })
    return framed(header: 1, schema, bodyByteCount: 0, after: offset)
  }

  private static func framed(
    header kind: UInt8, _ header: [FlatField], bodyByteCount: Int, after offset: Int
  ) -> Buffer {
    let metadata = FlatBuilder.encode([
      FlatField(0, .short(4)), FlatField(1, .byte(kind)), FlatField(2, .table(header)),
      FlatField(3, .long(Int64(bodyByteCount))),
    ])
    let end = padded(offset + 8 + metadata.count)
    var writer = ByteWriter(capacity: end - offset)
    writer.writeLE(ArrowMessage.continuation)
    writer.writeLE(UInt32(end - offset - 8))
    writer.write(metadata)
    while writer.count < end - offset { writer.write(0) }
    return writer.finish()
  }

  static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  static func batch(
    _ batch: RecordBatch, _ fields: [ColumnField], _ options: ArrowWriterOptions
  ) throws(ArrowError) -> WrittenMessage {
    guard batch.columns.count == fields.count else {
      throw .mismatch(
        field: "", expected: "\(fields.count) fields", found: "\(batch.columns.count)")
    }
    var body = BodyBuilder(options)
    for (field, column) in zip(fields, batch.columns) {
      guard column.type.lies(as: field.type) else {
        throw .mismatch(field: field.name, expected: "\(field.type)", found: "\(column.type)")
      }
      let array = try ArrayEncoder.array(column.retyped(as: field.type), field.name)
      try body.append(array, field.name)
    }
    var header = [
      FlatField(0, .long(Int64(batch.rowCount))),
      FlatField(1, .structures(body.nodes, width: 2)),
      FlatField(2, .structures(body.ranges, width: 2)),
    ]
    if let codec = body.codecNumber {
      header.append(FlatField(3, .table([FlatField(0, .byte(codec)), FlatField(1, .byte(0))])))
    }
    let metadata = framed(header: 3, header, bodyByteCount: body.byteCount, after: 0)
    return WrittenMessage(
      pieces: joined([metadata] + body.pieces), metadataByteCount: metadata.count,
      bodyByteCount: body.byteCount)
  }

  /// The same bytes with small pieces put together.
  private static func joined(_ pieces: [Buffer]) -> [Buffer] {
    var result: [Buffer] = []
    var small = MutableBuffer()
    for piece in pieces {
      if piece.count < 1 << 15 {
        small.append(piece.bytes)
        continue
      }
      if !small.isEmpty { result.append(exchange(&small, with: MutableBuffer()).freeze()) }
      result.append(piece)
    }
    if !small.isEmpty { result.append(small.freeze()) }
    return result
  }

  /// Zeros that make `count` bytes a multiple of the alignment; nil if they are.
  static func filler(after count: Int) -> Buffer? {
    let missing = padded(count) - count
    return missing == 0 ? nil : padding.slice(0..<missing)
  }
}

extension ColumnType {
  /// True if values of this type lie as those of `type` do, children included.
  func lies(as type: ColumnType) -> Bool {
    if self == type { return true }
    guard layout == type.layout else { return false }
    if case .map = self, case .list = type { return false }
    if case .list = self, case .map = type { return false }
    let (a, b) = (children, type.children)
    return a.count == b.count && zip(a, b).allSatisfy { $0.type.lies(as: $1.type) }
  }
}

/// The body of a batch: its buffers, and the nodes and ranges that tell of them.
private struct BodyBuilder: ~Copyable {
  private(set) var nodes: [Int64] = []
  private(set) var ranges: [Int64] = []
  private(set) var pieces: [Buffer] = []
  private(set) var byteCount = 0
  private let options: ArrowWriterOptions
  private var compressor: Compressor?

  init(_ options: ArrowWriterOptions) { self.options = options }

  /// Arrow's number of the codec; nil if there is none.
  var codecNumber: UInt8? {
    switch options.compression {
    case .none: nil
    case .lz4: 0
    case .zstd: 1
    }
  }

  mutating func append(_ array: ArrayData, _ path: String) throws(ArrowError) {
    nodes += [Int64(array.count), Int64(array.nullCount ?? 0)]
    for buffer in array.buffers { try append(buffer ?? .empty, path) }
    for child in array.children { try append(child, path) }
  }

  private mutating func append(_ buffer: Buffer, _ path: String) throws(ArrowError) {
    let stored = try compressed(buffer, path)
    ranges += [Int64(byteCount), Int64(stored.count)]
    if stored.isEmpty { return }
    pieces.append(stored)
    byteCount += stored.count
    if let filler = MessageBuilder.filler(after: stored.count) {
      pieces.append(filler)
      byteCount += filler.count
    }
  }

  /// The buffer behind its size, compressed; behind -1 as it is where that is not smaller.
  private mutating func compressed(
    _ buffer: Buffer, _ path: String
  ) throws(ArrowError) -> Buffer {
    guard options.compression != .none, !buffer.isEmpty else { return buffer }
    var output = MutableBuffer(capacity: buffer.count / 2 + 64)
    output.append(value: Int64(buffer.count))
    do throws(CodecError) {
      if compressor == nil {
        compressor = try Compressor(
          options.compression == .lz4 ? .lz4Frame : .zstd, level: options.level)
      }
      try compressor?.compress(buffer.bytes, into: &output)
    } catch {
      throw .codec(error, field: path)
    }
    if output.count < buffer.count + 8 { return output.freeze() }
    output.removeAll()
    output.append(value: Int64(-1))
    output.append(buffer.bytes)
    return output.freeze()
  }
}
