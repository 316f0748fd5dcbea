// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Codecs
internal import JSON

/// Writes a container file into memory.
///
///     var file = try AvroFileWriter(schema: schema, syncMarker: AvroSyncMarker(seed: seed))
///     file.encoder.writeLong(id)
///     file.encoder.writeString(name)
///     try file.endRecord()
///     let bytes = try file.finish()
///
/// Laws: the same calls give the same bytes; records come out in the order they went in. That they
/// follow the schema is the caller's contract.
///
/// Source: Avro 1.12 specification, "Object Container Files".
public struct AvroFileWriter: ~Copyable {
  /// Where the next record is written, its fields in the schema's order; then ``endRecord()``.
  public var encoder: AvroEncoder
  public let codec: AvroCodec
  /// How many records were written, those of blocks included.
  public private(set) var recordCount = 0

  private let syncMarker: AvroSyncMarker
  private let blockByteCount: Int
  private var file: AvroEncoder
  private var compressed = MutableBuffer()
  private var compressor: Compressor
  /// How many records, in how many bytes, wait in the encoder for their block to be full.
  private var pendingCount = 0
  private var pendingByteCount = 0

  /// - Parameters:
  ///   - metadata: further entries of the header, in this order; none of Avro's own.
  ///   - blockByteCount: a block is written once its records, not compressed, have as many bytes.
  ///   - syncMarker: of a seed that is different for each file.
  /// - Throws: ``AvroError/codec(_:offset:)`` if the codec does not have the level.
  public init(
    schema: AvroSchema, metadata: [(key: String, value: [UInt8])] = [], codec: AvroCodec = .null,
    level: CompressionLevel = .standard, blockByteCount: Int = 64 << 10,
    syncMarker: AvroSyncMarker
  ) throws(AvroError) {
    precondition(blockByteCount <= AvroFileReader.blockByteLimit, "a block no reader takes")
    self.codec = codec
    self.syncMarker = syncMarker
    self.blockByteCount = blockByteCount
    encoder = AvroEncoder(capacity: blockByteCount + 1024)
    file = AvroEncoder(capacity: 4096)
    do {
      compressor = try Compressor(codec.codec, level: level)
    } catch {
      throw .codec(error, offset: 0)
    }
    let own = [
      (key: "avro.schema", value: Array(schema.jsonText.utf8)),
      (key: "avro.codec", value: Array(codec.rawValue.utf8)),
    ]
    writeHeader(own + metadata)
  }

  private mutating func writeHeader(_ entries: [(key: String, value: [UInt8])]) {
    let magic = AvroFileHeader.magic
    file.writeRaw(magic.span.rawBytes)
    file.writeBlockCount(entries.count)
    for entry in entries {
      file.writeString(entry.key)
      file.writeBytes(entry.value)
    }
    file.endBlocks()
    writeMarker()
  }

  private mutating func writeMarker() {
    file.buffer.append(value: syncMarker.low.littleEndian)
    file.buffer.append(value: syncMarker.high.littleEndian)
  }

  /// Ends the record that was written to ``encoder``.
  ///
  /// - Throws: ``AvroError/limitExceeded(what:value:limit:)`` if that is longer than a block may be.
  public mutating func endRecord() throws(AvroError) {
    pendingCount += 1
    recordCount += 1
    pendingByteCount = encoder.count
    if pendingByteCount >= blockByteCount { try flush() }
  }

  /// Adds `count` records that were encoded before, with the same schema.
  public mutating func append(encoded records: RawSpan, count: Int) throws(AvroError) {
    precondition(count >= 0 && encoder.count == pendingByteCount, "records amid another record")
    if encoder.count > 0, encoder.count + records.byteCount > blockByteCount { try flush() }
    encoder.writeRaw(records)
    pendingCount += count
    recordCount += count
    pendingByteCount = encoder.count
    if pendingByteCount >= blockByteCount { try flush() }
  }

  /// Adds all records of a block of another file, written with the same schema.
  ///
  /// Cost: a copy of the compressed bytes if both files have the same codec; it is inflated and
  /// compressed again if not.
  public mutating func append(_ block: AvroRawBlock) throws(AvroError) {
    guard block.codec == codec else {
      var limits = DecodeLimits.standard
      limits.blockByteCount = AvroFileReader.blockByteLimit
      var decompressor = Decompressor(block.codec.codec)
      let records = try block.codec.inflate(
        block, with: &decompressor, into: MutableBuffer(), limits)
      return try append(encoded: records.bytes, count: block.recordCount)
    }
    try flush()
    recordCount += block.recordCount
    file.writeLong(Int64(block.recordCount))
    file.writeBytes(block.bytes.bytes)
    writeMarker()
  }

  /// Writes the records that wait as a block.
  public mutating func flush() throws(AvroError) {
    precondition(encoder.count == pendingByteCount, "a record that did not end")
    guard pendingCount > 0 else { return }
    guard encoder.count <= AvroFileReader.blockByteLimit else {
      throw .limitExceeded(
        what: "block size", value: Int64(encoder.count),
        limit: Int64(AvroFileReader.blockByteLimit))
    }
    // A span of one part of self blocks the others: the parts are taken out while it is used.
    var records = AvroEncoder(capacity: 0)
    swap(&records, &encoder)
    defer { swap(&records, &encoder) }
    file.writeLong(Int64(pendingCount))
    if codec == .null {
      file.writeBytes(records.bytes)
    } else {
      var block = MutableBuffer()
      swap(&block, &compressed)
      defer { swap(&block, &compressed) }
      block.removeAll()
      try codec.deflate(records.bytes, with: &compressor, into: &block)
      file.writeBytes(block.bytes)
    }
    writeMarker()
    records.removeAll()
    pendingCount = 0
    pendingByteCount = 0
  }

  /// How many bytes the file has so far, without the records that wait for their block.
  public var byteCount: Int { file.count }

  /// The whole file.
  public consuming func finish() throws(AvroError) -> Buffer {
    try flush()
    return file.finish()
  }
}
