// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Columnar

/// Turns record batches into the bytes of an Arrow IPC file (Feather V2), which is read from its
/// end.
///
///     file   := "ARROW1", 2 zeros, stream, footer, i32 bytes of footer, "ARROW1"
///     footer := a FlatBuffer: the schema again, and where each batch is
///
/// Does no I/O: each call gives the bytes that come next.
/// Source: Arrow columnar format, "IPC File Format"; format/File.fbs.
public struct ArrowFileWriter: Sendable {
  static let magic: [UInt8] = Array("ARROW1".utf8)

  public let fields: [ColumnField]
  private let options: ArrowWriterOptions
  private var offset = 0
  private var blocks: [Int64] = []

  public init(fields: [ColumnField], options: ArrowWriterOptions = ArrowWriterOptions()) {
    self.fields = fields
    self.options = options
  }

  /// What the file begins with; to be called first.
  public mutating func begin() -> Buffer {
    precondition(offset == 0, "a file begins once")
    var writer = ByteWriter()
    writer.write(Self.magic + [0, 0])
    writer.write(MessageBuilder.schema(fields, after: 8))
    offset = writer.count
    return writer.finish()
  }

  /// The bytes of `batch`, in pieces that follow each other.
  ///
  /// - Throws: as ``ArrowStreamWriter/message(_:)``.
  public mutating func write(_ batch: RecordBatch) throws(ArrowError) -> [Buffer] {
    let message = try MessageBuilder.batch(batch, fields, options)
    // The structure Block: the offset, the metadata's size as 32 bits and 32 bits of padding, the
    // body's size.
    blocks += [
      Int64(offset), Int64(message.metadataByteCount), Int64(message.bodyByteCount),
    ]
    offset += message.metadataByteCount + message.bodyByteCount
    return message.pieces
  }

  /// What the file ends with.
  public func end() -> Buffer {
    let footer = FlatBuilder.encode([
      FlatField(0, .short(4)),
      FlatField(1, .table(ArrowSchema.flat(fields.map { ArrowField($0) }))),
      FlatField(2, .structures([], width: 3)), FlatField(3, .structures(blocks, width: 3)),
    ])
    var writer = ByteWriter()
    writer.writeLE(ArrowMessage.continuation)
    writer.writeLE(UInt32(0))
    writer.write(footer)
    writer.writeLE(UInt32(footer.count))
    writer.write(Self.magic)
    return writer.finish()
  }
}
