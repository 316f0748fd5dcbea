// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Synchronization

/// Writes one field of the schema: splits its columns into leaves, and encodes each.
struct FieldWriter {
  private let field: ColumnField
  private var shredder: RecordShredder
  private let encoders: [ColumnChunkEncoder]

  init(
    field: ColumnField, leaves: ArraySlice<ParquetLeaf>, options: WriterOptions,
    columns: [ColumnOptions]
  ) throws(ParquetError) {
    self.field = field
    shredder = RecordShredder(leaves: leaves)
    var encoders: [ColumnChunkEncoder] = []
    for (leaf, column) in zip(leaves, columns) {
      encoders.append(try ColumnChunkEncoder(leaf: leaf, options: options, column: column))
    }
    self.encoders = encoders
  }

  var encodedByteCount: Int { encoders.reduce(0) { $0 + $1.encodedByteCount } }

  mutating func append(_ column: Column, _ context: inout PageContext) throws(ParquetError) {
    // Nested columns and those with nulls are written out in parts, so that these stay in the cache.
    let step = field.type.isNested || column.nullCount > 0 ? Self.rowsPerPart : column.count
    for start in stride(from: 0, to: column.count, by: max(1, step)) {
      let part = column.slice(start..<min(column.count, start + step))
      let batches = try shredder.shred(part, field)
      for (encoder, batch) in zip(encoders, batches) { try encoder.append(batch, &context) }
    }
  }

  private static let rowsPerPart = 1 << 14

  /// The column chunks of the row group, one a leaf.
  func finishRowGroup(
    _ context: inout PageContext
  ) throws(ParquetError) -> [EncodedColumnChunk] {
    var chunks: [EncodedColumnChunk] = []
    for encoder in encoders { chunks.append(try encoder.finish(&context)) }
    return chunks
  }
}

/// A field writer that one task after the other may use.
final class FieldSlot: Sendable {
  private let writer: Mutex<FieldWriter>

  init(_ writer: consuming sending FieldWriter) { self.writer = Mutex(writer) }

  var encodedByteCount: Int { writer.withLock { $0.encodedByteCount } }

  func append(_ column: Column, _ context: inout PageContext) throws(ParquetError) {
    try writer.withLock { (writer) throws(ParquetError) in try writer.append(column, &context) }
  }

  func finishRowGroup(_ context: inout PageContext) throws(ParquetError) -> [EncodedColumnChunk] {
    try writer.withLock { (writer) throws(ParquetError) in try writer.finishRowGroup(&context) }
  }
}

/// The compressor and scratch memory of one worker.
final class WorkerSlot: Sendable {
  private let context: Mutex<PageContext>

  init(_ options: WriterOptions) throws(ParquetError) {
    let compressor = try PageCompressor(options.codec, level: options.compressionLevel)
    context = Mutex(PageContext(compressor: compressor))
  }

  func withContext<R: Sendable>(
    _ body: (inout PageContext) throws(ParquetError) -> R
  ) throws(ParquetError) -> R {
    try context.withLock { (context) throws(ParquetError) in try body(&context) }
  }
}
