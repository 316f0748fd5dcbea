// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Codecs
internal import Columnar

/// A message of a stream or file: what its metadata says, and its body.
///
///     message  := [u32 0xffffffff], i32 bytes of metadata, metadata, body
///     metadata := a FlatBuffer, padded so that the body begins at a multiple of 8
///
/// Before Arrow 0.15 there was no marker before the size. A size of 0 ends a stream.
/// Source: Arrow columnar format, "Encapsulated message format"; format/Message.fbs.
struct ArrowMessage: Sendable {
  static let continuation: UInt32 = 0xffff_ffff

  enum Kind: Sendable {
    case schema, dictionary, batch
  }

  let kind: Kind
  /// True before version 5, which left the validity of runs out.
  let isVersion4: Bool
  let header: FlatTable
  let bodyByteCount: Int

  /// Reads the FlatBuffer of a message.
  init(_ metadata: Buffer) throws(ArrowError) {
    let version: Int16
    let headerKind: UInt8
    do throws(ByteError) {
      let table = try FlatTable(root: metadata)
      version = try table.integer(0, default: 0)
      headerKind = try table.integer(1, default: 0)
      let length = try table.integer(3, default: Int64(0))
      guard length >= 0, length <= Int64(Int.max - 64) else {
        throw .outOfRange(offset: 0, what: "length of a body", value: length)
      }
      bodyByteCount = Int(length)
      guard let header = try table.table(2) else {
        throw .unexpected(offset: 0, expected: "a header", found: "none")
      }
      self.header = header
    } catch {
      throw .metadata(error)
    }
    guard version == 3 || version == 4 else {
      throw .unsupported(field: "", type: "metadata of version V\(version + 1)")
    }
    isVersion4 = version == 3
    switch headerKind {
    case 1: kind = .schema
    case 2: kind = .dictionary
    case 3: kind = .batch
    case 4: throw .unsupported(field: "", type: "tensor")
    case 5: throw .unsupported(field: "", type: "sparse tensor")
    default:
      throw .malformed(field: "", expected: "a known message", found: "kind \(headerKind)")
    }
  }
}

/// Reads the arrays of a record batch's message, field by field.
struct BodyReader {
  private let nodes: FlatVector?
  private let ranges: FlatVector?
  private let variadicCounts: FlatVector?
  private let body: Buffer
  private let isVersion4: Bool
  private let codec: Codec?
  private let limits: DecodeLimits
  private let dictionaries: [Int64: Column]
  private var nextNode = 0
  private var nextBuffer = 0
  private var nextVariadic = 0
  /// What compressed buffers may inflate to together.
  private var inflation: Allowance
  private(set) var inflatedByteCount = 0
  let rowCount: Int

  /// - Parameter batch: the table of a RecordBatch within `message`.
  init(
    _ batch: FlatTable, of message: ArrowMessage, body: Buffer, dictionaries: [Int64: Column],
    limits: DecodeLimits
  ) throws(ArrowError) {
    self.body = body
    isVersion4 = message.isVersion4
    self.dictionaries = dictionaries
    self.limits = limits
    let (total, overflow) = body.count.multipliedReportingOverflow(by: limits.compressionRatio)
    inflation = Allowance(overflow ? .max : max(32 << 20, total))
    do throws(ByteError) {
      let length = try batch.integer(0, default: Int64(0))
      guard length >= 0, length < Int64(Int32.max) else {
        throw .outOfRange(offset: 0, what: "number of rows", value: length)
      }
      rowCount = Int(length)
      nodes = try batch.vector(1, elementByteCount: 16)
      ranges = try batch.vector(2, elementByteCount: 16)
      variadicCounts = try batch.vector(4, elementByteCount: 8)
      codec = try Self.codec(try batch.table(3))
    } catch {
      throw .metadata(error)
    }
  }

  private static func codec(_ compression: FlatTable?) throws(ByteError) -> Codec? {
    guard let compression else { return nil }
    let codec = try compression.integer(0, default: Int8(0))
    let method = try compression.integer(1, default: Int8(0))
    guard method == 0, let known = [0: Codec.lz4Frame, 1: .zstd][Int(codec)] else {
      throw .unexpected(
        offset: 0, expected: "LZ4 frames or zstd by buffer", found: "codec \(codec)")
    }
    return known
  }

  /// The array of the next field, its children included.
  mutating func array(_ field: ArrowField, _ path: String) throws(ArrowError) -> ArrayData {
    guard let nodes, nextNode < nodes.count else {
      throw .malformed(
        field: path, expected: "a node for each field", found: "\(nodes?.count ?? 0) nodes")
    }
    let count = nodes.integer(nextNode, as: Int64.self)
    let nullCount = nodes.integer(nextNode, offset: 8, as: Int64.self)
    nextNode += 1
    guard count >= 0, count < Int64(Int32.max) else {
      throw .malformed(field: path, expected: "a number of rows", found: "\(count)")
    }
    var array = ArrayData(
      count: Int(count), nullCount: nullCount < 0 ? nil : Int(clamping: nullCount), buffers: [])
    if let dictionary = field.dictionary {
      array.buffers = [try buffer(path), try buffer(path)]
      array.dictionary = dictionaries[dictionary.id]
      return array
    }
    var bufferCount = field.type.bufferCount
    if field.type == .runEndEncoded, isVersion4 { bufferCount = 1 }
    if field.type.isView { bufferCount += try variadicCount(path) }
    for _ in 0..<bufferCount { array.buffers.append(try buffer(path)) }
    for child in field.children {
      array.children.append(try self.array(child, field.path(path, to: child)))
    }
    return array
  }

  private mutating func variadicCount(_ path: String) throws(ArrowError) -> Int {
    guard let variadicCounts, nextVariadic < variadicCounts.count else {
      throw .malformed(field: path, expected: "a count of buffers", found: "none")
    }
    let count = variadicCounts.integer(nextVariadic, as: Int64.self)
    nextVariadic += 1
    guard count >= 0, count <= Int64(ranges?.count ?? 0) else {
      throw .malformed(field: path, expected: "a count of buffers", found: "\(count)")
    }
    return Int(count)
  }

  private mutating func buffer(_ path: String) throws(ArrowError) -> Buffer {
    guard let ranges, nextBuffer < ranges.count else {
      throw .malformed(
        field: path, expected: "all buffers", found: "\(ranges?.count ?? 0) buffers")
    }
    let offset = ranges.integer(nextBuffer, as: Int64.self)
    let length = ranges.integer(nextBuffer, offset: 8, as: Int64.self)
    nextBuffer += 1
    if length == 0 { return .empty }
    guard offset >= 0, length > 0, offset <= Int64(body.count),
      length <= Int64(body.count) - offset
    else {
      throw .truncated(
        what: "buffer of field '\(path)'", needed: length,
        available: max(0, Int64(body.count) - max(0, offset)))
    }
    let bytes = body.slice(Int(offset)..<Int(offset) + Int(length))
    guard let codec else { return bytes }
    return try inflated(bytes, codec, path)
  }

  /// What a compressed buffer holds: behind its size, or behind -1 as it is.
  private mutating func inflated(
    _ bytes: Buffer, _ codec: Codec, _ path: String
  ) throws(ArrowError) -> Buffer {
    guard bytes.count >= 8 else {
      throw .truncated(
        what: "size before a buffer of field '\(path)'", needed: 8,
        available: Int64(bytes.count))
    }
    let size = bytes.bytes.loadLE(at: 0, as: Int64.self)
    let content = bytes.slice(8..<bytes.count)
    if size == -1 { return content }
    guard size >= 0, size <= Int64(limits.blockByteCount) else {
      throw .limitExceeded(
        what: "size of a buffer of field '\(path)'", value: size,
        limit: Int64(limits.blockByteCount))
    }
    try inflation.take(Int(size))
    inflatedByteCount += Int(size)
    var decompressor = Decompressor(codec)
    do throws(CodecError) {
      return try decompressor.decompress(
        content.bytes, uncompressedByteCount: Int(size), limits: limits)
    } catch {
      throw .codec(error, field: path)
    }
  }
}

// MARK: - Batches and dictionaries

/// What decodes the messages after the schema: it knows the dictionaries so far.
struct MessageDecoder: Sendable {
  let schema: ArrowSchema
  let limits: DecodeLimits
  private var dictionaries: [Int64: Column] = [:]

  init(_ schema: ArrowSchema, limits: DecodeLimits) {
    self.schema = schema
    self.limits = limits
  }

  /// The rows of a batch; nil for a dictionary, which is kept.
  mutating func decode(
    _ message: ArrowMessage, body: Buffer
  ) throws(ArrowError) -> RecordBatch? {
    switch message.kind {
    case .batch: return try batch(message, body)
    case .dictionary:
      try readDictionary(message, body)
      return nil
    case .schema:
      throw .malformed(field: "", expected: "one schema", found: "another")
    }
  }

  private func batch(
    _ message: ArrowMessage, _ body: Buffer
  ) throws(ArrowError) -> RecordBatch {
    let header = message.header
    var reader = try BodyReader(
      header, of: message, body: body, dictionaries: dictionaries, limits: limits)
    var arrays: [ArrayData] = []
    for field in schema.fields { arrays.append(try reader.array(field, field.name)) }
    var decoder = ColumnDecoder(
      allowance: Allowance(
        forBytes: header.bytes.count + body.count + reader.inflatedByteCount / 8))
    var columns: [Column] = []
    for (field, array) in zip(schema.fields, arrays) {
      guard array.count == reader.rowCount else {
        throw .malformed(
          field: field.name, expected: "\(reader.rowCount) rows", found: "\(array.count)")
      }
      columns.append(try decoder.column(array, field, field.name))
    }
    // Rows of nothing, of which any number takes no bytes.
    let rowLimit = max(limits.listCount, body.count.multipliedClamped(by: 64))
    guard reader.rowCount <= rowLimit else {
      throw .limitExceeded(
        what: "number of rows", value: Int64(reader.rowCount), limit: Int64(rowLimit))
    }
    return RecordBatch(fields: schema.columns, columns: columns, rowCount: reader.rowCount)
  }

  private mutating func readDictionary(
    _ message: ArrowMessage, _ body: Buffer
  ) throws(ArrowError) {
    let header = message.header
    let id: Int64
    let isDelta: Bool
    let data: FlatTable?
    do throws(ByteError) {
      id = try header.integer(0, default: 0)
      data = try header.table(1)
      isDelta = try header.boolean(2)
    } catch {
      throw .metadata(error)
    }
    guard let data, let field = schema.dictionaries[id] else {
      throw .malformed(field: "", expected: "a dictionary of the schema", found: "number \(id)")
    }
    var reader = try BodyReader(
      data, of: message, body: body, dictionaries: dictionaries, limits: limits)
    let array = try reader.array(field, field.name)
    var decoder = ColumnDecoder(
      allowance: Allowance(
        forBytes: header.bytes.count + body.count + reader.inflatedByteCount / 8))
    var entries = try decoder.column(array, field, field.name)
    do throws(ColumnarError) {
      if isDelta, let known = dictionaries[id] { entries = try Column.concat([known, entries]) }
      dictionaries[id] = try entries.materialized()
    } catch {
      throw .columnar(error, field: field.name)
    }
  }
}

extension Int {
  /// The product, held to what an Int can be.
  fileprivate func multipliedClamped(by factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
