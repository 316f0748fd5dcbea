// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Codecs
internal import JSON

/// How the blocks of a container file are compressed, by the names of its header.
public enum AvroCodec: String, Hashable, Sendable, CaseIterable {
  case null, deflate, snappy, zstandard

  var codec: Codec {
    switch self {
    case .null: .uncompressed
    case .deflate: .deflate
    case .snappy: .snappy
    case .zstandard: .zstd
    }
  }
}

/// The sixteen bytes that end each block of a file, different from file to file.
public struct AvroSyncMarker: Hashable, Sendable {
  static let byteCount = 16
  let low: UInt64
  let high: UInt64

  /// A marker that looks random and follows from `seed` alone.
  public init(seed: UInt64) {
    // SplitMix64, twice.
    func mixed(_ step: UInt64) -> UInt64 {
      var z = seed &+ step &* 0x9e37_79b9_7f4a_7c15
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    low = mixed(1)
    high = mixed(2)
  }

  init(_ bytes: RawSpan) {
    precondition(bytes.byteCount == Self.byteCount, "a sync marker has sixteen bytes")
    low = bytes.loadLE(at: 0, as: UInt64.self)
    high = bytes.loadLE(at: 8, as: UInt64.self)
  }
}

/// What stands at the beginning of a container file.
public struct AvroFileHeader: Sendable {
  /// What the records were written with.
  public let schema: AvroSchema
  public let codec: AvroCodec
  /// All of the header's entries, those of Avro itself (`avro.schema`, `avro.codec`) included.
  public let metadata: [String: [UInt8]]
  public let syncMarker: AvroSyncMarker
  /// How many bytes of the file it takes.
  public let byteCount: Int

  /// An entry as text; nil if there is none or it is not UTF-8.
  public func text(_ key: String) -> String? {
    metadata[key].flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// True if the schema's text is the same in both.
  public func hasSameSchema(as other: AvroFileHeader) -> Bool {
    other.metadata["avro.schema"].map(isSchema) ?? false
  }

  private func isSchema(_ json: [UInt8]) -> Bool {
    guard let own = metadata["avro.schema"] else { return false }
    return own.span.rawBytes.hasSameBytes(as: json.span.rawBytes)
  }

  static let magic: [UInt8] = [0x4f, 0x62, 0x6a, 0x01]

  /// Reads the header of the file that begins with `bytes`, which need not be all of it.
  ///
  /// - Parameter known: the header of a file that may have been written with the same schema: it is
  ///   not parsed again then.
  public init(_ bytes: RawSpan, like known: AvroFileHeader? = nil) throws(AvroError) {
    var decoder = AvroDecoder(bytes)
    guard bytes.byteCount >= 4 else {
      throw .truncated(offset: 0, needed: 4, available: bytes.byteCount)
    }
    let magic = try decoder.readFixed(4).array()
    guard magic == Self.magic else {
      throw .malformed(
        offset: 0, expected: "an avro file", found: "0x" + magic.hexadecimal)
    }
    var metadata: [String: [UInt8]] = [:]
    while case let count = try decoder.readBlockCount(elementByteCount: 2), count > 0 {
      for _ in 0..<count {
        let start = decoder.offset
        let key = try decoder.readString()
        let value = try decoder.readBytes().array()
        guard metadata.updateValue(value, forKey: key) == nil else {
          throw .malformed(offset: start, expected: "different keys", found: "'\(key)' twice")
        }
      }
    }
    syncMarker = AvroSyncMarker(try decoder.readFixed(AvroSyncMarker.byteCount))
    guard let json = metadata["avro.schema"] else {
      throw .malformed(offset: 4, expected: "entry 'avro.schema'", found: "none")
    }
    if let known, known.isSchema(json) {
      schema = known.schema
    } else {
      schema = try AvroSchema(parsing: json.span.rawBytes)
    }
    let name = metadata["avro.codec"].map { String(decoding: $0, as: UTF8.self) } ?? "null"
    guard let codec = AvroCodec(rawValue: name) else { throw .unsupportedCodec(name) }
    self.codec = codec
    self.metadata = metadata
    byteCount = decoder.offset
  }
}

/// A block of a container file: some records, one after the other.
public struct AvroBlock: Sendable {
  public let recordCount: Int
  /// The encoded records.
  public let bytes: Buffer
  /// Where the block begins in the file.
  public let offset: Int
}

/// A block of a container file as it lies there, compressed.
public struct AvroRawBlock: Sendable {
  public let recordCount: Int
  public let codec: AvroCodec
  /// The compressed records.
  public let bytes: Buffer
  /// Where the block begins in the file.
  public let offset: Int
}

/// Reads a container file block by block, from its bytes.
///
///     var file = try AvroFileReader(bytes)
///     while let block = try file.nextBlock() {
///       var decoder = AvroDecoder(block.bytes.bytes)
///       for _ in 0..<block.recordCount { … }
///       try decoder.finish()
///     }
///
/// Laws: a file that ends anywhere but between two blocks throws; so does a block whose marker is not
/// the header's. No memory is taken for more than one block.
///
/// Source: Avro 1.12 specification, "Object Container Files".
public struct AvroFileReader: ~Copyable, Sendable {
  /// The most bytes a block may have, compressed or not.
  public static let blockByteLimit = 64 << 20

  public let header: AvroFileHeader
  private let file: Buffer
  private var offset: Int
  private let limits: DecodeLimits
  private let recordByteCount: Int
  private var decompressor: Decompressor

  /// - Parameter known: as of ``AvroFileHeader``.
  public init(
    _ file: Buffer, limits: DecodeLimits = .standard, like known: AvroFileHeader? = nil
  ) throws(AvroError) {
    self.init(try AvroFileHeader(file.bytes, like: known), file: file, limits: limits)
  }

  /// One that is given its blocks' bytes.
  init(_ header: AvroFileHeader, file: Buffer = .empty, limits: DecodeLimits) {
    self.header = header
    self.file = file
    offset = header.byteCount
    var limits = limits
    limits.blockByteCount = min(limits.blockByteCount, Self.blockByteLimit)
    self.limits = limits
    recordByteCount = header.schema.minimumByteCount
    decompressor = Decompressor(header.codec.codec)
  }

  /// The next block, inflated; nil at the end of the file.
  public mutating func nextBlock() throws(AvroError) -> AvroBlock? {
    guard let raw = try nextRawBlock() else { return nil }
    return try inflate(raw)
  }

  /// As ``nextBlock()``, in the memory of `bytes` if nothing else refers to that: for files of many
  /// small blocks.
  public mutating func nextBlock(reusing bytes: inout Buffer) throws(AvroError) -> AvroBlock? {
    guard let raw = try nextRawBlock() else { return nil }
    return try inflate(raw, into: MutableBuffer.reclaim(&bytes) ?? MutableBuffer())
  }

  /// The next block as it lies in the file, its count of records not checked yet; nil at the end.
  public mutating func nextRawBlock() throws(AvroError) -> AvroRawBlock? {
    guard offset < file.count else { return nil }
    let (block, end) = try block(of: file, from: offset, at: offset)
    offset = end
    return block
  }

  /// The block that `bytes`, which are those from `offset` of the file on, begin with.
  func block(
    of bytes: Buffer, at offset: Int
  ) throws(AvroError) -> (raw: AvroRawBlock, byteCount: Int) {
    let (raw, end) = try block(of: bytes, from: 0, at: offset)
    return (raw, end)
  }

  /// - Parameter start: where the block begins in `file`; in the file itself, that is `offset`.
  private func block(
    of file: Buffer, from start: Int, at offset: Int
  ) throws(AvroError) -> (AvroRawBlock, end: Int) {
    var decoder = AvroDecoder(file.bytes)
    decoder.offset = start
    let count = try decoder.readLong()
    guard count >= 0, count <= Int64(limits.listCount) else {
      throw .malformed(offset: start, expected: "a count of records", found: "\(count)")
    }
    let sizeOffset = decoder.offset
    let size = try decoder.readLong()
    guard size >= 0 else {
      throw .malformed(offset: sizeOffset, expected: "a block's size", found: "\(size)")
    }
    guard size <= Int64(limits.blockByteCount) else {
      throw .limitExceeded(
        what: "block size", value: size, limit: Int64(limits.blockByteCount))
    }
    let first = decoder.offset
    _ = try decoder.readFixed(Int(size))
    let markerOffset = decoder.offset
    let marker = AvroSyncMarker(try decoder.readFixed(AvroSyncMarker.byteCount))
    guard marker == header.syncMarker else {
      throw .malformed(
        offset: markerOffset, expected: "the header's sync marker", found: "another")
    }
    let block = AvroRawBlock(
      recordCount: Int(count), codec: header.codec, bytes: file.slice(first..<markerOffset),
      offset: offset)
    return (block, decoder.offset)
  }

  /// What a block of this file holds.
  public mutating func inflate(_ block: AvroRawBlock) throws(AvroError) -> AvroBlock {
    try inflate(block, into: MutableBuffer())
  }

  private mutating func inflate(
    _ block: AvroRawBlock, into output: consuming MutableBuffer
  ) throws(AvroError) -> AvroBlock {
    let bytes = try block.codec.inflate(block, with: &decompressor, into: output, limits)
    let mostRecords =
      recordByteCount > 0 ? bytes.count / recordByteCount : limits.listCount
    guard block.recordCount <= mostRecords else {
      throw .malformed(
        offset: block.offset, expected: "records that \(bytes.count) bytes hold",
        found: "\(block.recordCount) records")
    }
    return AvroBlock(recordCount: block.recordCount, bytes: bytes, offset: block.offset)
  }

  /// All records as trees: for tools and tests.
  public mutating func readAll() throws(AvroError) -> [AvroValue] {
    var values: [AvroValue] = []
    while let block = try nextBlock() {
      var decoder = AvroDecoder(block.bytes.bytes)
      for _ in 0..<block.recordCount { values.append(try decoder.readValue(header.schema)) }
      try decoder.finish()
    }
    return values
  }
}

extension AvroDecoder {
  /// Throws unless all bytes were read: a block holds its records and nothing else.
  public func finish() throws(AvroError) {
    guard isAtEnd else {
      throw .malformed(
        offset: offset, expected: "the end of the block", found: "\(remaining) more bytes")
    }
  }
}

extension AvroCodec {
  /// What a block holds. Snappy's has a checksum of it after the compressed bytes.
  func inflate(
    _ block: AvroRawBlock, with decompressor: inout Decompressor,
    into output: consuming MutableBuffer, _ limits: DecodeLimits
  ) throws(AvroError) -> Buffer {
    if self == .null { return block.bytes }
    let checksumByteCount = self == .snappy ? 4 : 0
    let end = block.bytes.count - checksumByteCount
    guard end >= 0 else {
      throw .truncated(offset: block.offset, needed: 4, available: block.bytes.count)
    }
    var output = output
    do {
      try decompressor.decompress(
        block.bytes.bytes.extracting(0..<end), into: &output, limits: limits)
    } catch {
      throw .codec(error, offset: block.offset)
    }
    if self == .snappy {
      let stored = block.bytes.bytes.loadLE(at: end, as: UInt32.self).byteSwapped
      guard CRC32.checksum(output.bytes) == stored else {
        throw .codec(.checksumMismatch(.snappy), offset: block.offset)
      }
    }
    return output.freeze()
  }

  /// Appends a block of `records` as this codec has it.
  func deflate(
    _ records: RawSpan, with compressor: inout Compressor, into output: inout MutableBuffer
  ) throws(AvroError) {
    do {
      try compressor.compress(records, into: &output)
    } catch {
      throw .codec(error, offset: 0)
    }
    if self == .snappy { output.append(value: CRC32.checksum(records).bigEndian) }
  }
}
