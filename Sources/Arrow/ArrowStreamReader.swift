// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Columnar

/// Reads the batches of an Arrow IPC stream from bytes that come in any pieces.
///
///     var reader = ArrowStreamReader()
///     while let chunk = … {
///       reader.feed(chunk)
///       while let batch = try reader.next() { … }
///     }
///     try reader.finish()
///
/// Dictionaries may be replaced and grown between batches. Integers that no column has become wider
/// ones, half floats floats, seconds and milliseconds microseconds; dictionaries of strings and
/// numbers stay dictionaries. Intervals, durations and unions throw.
/// Laws: no byte sequence traps; a message is decoded when all of it is there, and refers to the
/// memory it was fed in where that is aligned; an error ends the reading.
/// Source: Arrow columnar format, "IPC Streaming Format".
public struct ArrowStreamReader: Sendable {
  private let limits: DecodeLimits
  private var unread = ByteQueue()
  private var decoder: MessageDecoder?
  /// The message whose body is being waited for.
  private var pending: ArrowMessage?
  /// True once the marker of the stream's end was read; what follows it is not looked at.
  public private(set) var isAtEnd = false

  public init(limits: DecodeLimits = .standard) { self.limits = limits }

  /// The columns; nil until the schema was read by ``next()``.
  public var fields: [ColumnField]? { decoder?.schema.columns }

  /// Takes the next bytes of the stream.
  public mutating func feed(_ bytes: Buffer) {
    if !isAtEnd { unread.append(bytes) }
  }

  /// The next batch; nil if more bytes are needed for it, or at the end.
  ///
  /// - Throws: ``ArrowError``, for anything that is not as the format has it.
  public mutating func next() throws(ArrowError) -> RecordBatch? {
    while !isAtEnd {
      if let message = pending {
        guard let body = unread.take(message.bodyByteCount) else { return nil }
        pending = nil
        if let batch = try decode(message, body) { return batch }
      } else {
        guard let metadata = try takeMetadata() else { return nil }
        pending = try ArrowMessage(metadata)
      }
    }
    return nil
  }

  private mutating func decode(
    _ message: ArrowMessage, _ body: Buffer
  ) throws(ArrowError) -> RecordBatch? {
    guard decoder == nil else { return try decoder?.decode(message, body: body) }
    guard message.kind == .schema else {
      throw .malformed(field: "", expected: "a schema first", found: "another message")
    }
    decoder = MessageDecoder(try ArrowSchema(message.header, limits: limits), limits: limits)
    return nil
  }

  /// The next message's FlatBuffer; nil if not all of it is there, or at the end.
  private mutating func takeMetadata() throws(ArrowError) -> Buffer? {
    guard let first = unread.peekUInt32(at: 0) else { return nil }
    var size = first
    var prefix = 4
    if first == ArrowMessage.continuation {
      guard let second = unread.peekUInt32(at: 4) else { return nil }
      size = second
      prefix = 8
    }
    if size == 0 {
      _ = unread.take(prefix)
      isAtEnd = true
      return nil
    }
    let limit = min(limits.documentByteCount, Int(Int32.max))
    guard size <= UInt32(limit) else {
      throw .limitExceeded(what: "size of metadata", value: Int64(size), limit: Int64(limit))
    }
    guard unread.count >= prefix + Int(size) else { return nil }
    _ = unread.take(prefix)
    return unread.take(Int(size))
  }

  /// Throws if the stream, of which all bytes were fed and read, can't end here.
  ///
  /// It may where a message ends: the marker at the end is not required.
  public func finish() throws(ArrowError) {
    if isAtEnd, decoder != nil { return }
    if let message = pending {
      throw .truncated(
        what: "body of a message", needed: Int64(message.bodyByteCount),
        available: Int64(unread.count))
    }
    if unread.count > 0 || decoder == nil {
      throw .truncated(
        what: decoder == nil ? "schema" : "message", needed: Int64(unread.neededByteCount),
        available: Int64(unread.count))
    }
  }
}

extension ArrowStreamReader {
  /// The batches and columns of a stream all of which is in `bytes`.
  public static func read(
    _ bytes: Buffer, limits: DecodeLimits = .standard
  ) throws(ArrowError) -> (fields: [ColumnField], batches: [RecordBatch]) {
    var reader = ArrowStreamReader(limits: limits)
    reader.feed(bytes)
    var batches: [RecordBatch] = []
    while let batch = try reader.next() { batches.append(batch) }
    try reader.finish()
    return (reader.fields ?? [], batches)
  }
}

/// Bytes that came in pieces and are taken from the front, copied only where pieces meet or what is
/// taken would not be aligned.
private struct ByteQueue: Sendable {
  private var pieces: [Buffer] = []
  private var first = 0
  private(set) var count = 0

  /// How many bytes the message at the front takes before its body, as far as is known.
  var neededByteCount: Int {
    guard let size = peekUInt32(at: 0) else { return 8 }
    if size != ArrowMessage.continuation { return Int(size) + 4 }
    return 8 + Int(peekUInt32(at: 4) ?? 0)
  }

  mutating func append(_ bytes: Buffer) {
    guard bytes.count > 0 else { return }
    pieces.append(bytes)
    count += bytes.count
  }

  func peekUInt32(at offset: Int) -> UInt32? {
    guard offset + 4 <= count else { return nil }
    var value: UInt32 = 0
    var start = -offset
    for piece in pieces[first...] {
      for i in max(0, -start)..<max(max(0, -start), min(piece.count, 4 - start)) {
        value |= UInt32(piece.bytes[i]) << UInt32(8 * (start + i))
      }
      start += piece.count
      if start >= 4 { break }
    }
    return value
  }

  /// The first `wanted` bytes; nil if there are fewer.
  mutating func take(_ wanted: Int) -> Buffer? {
    guard wanted <= count else { return nil }
    guard wanted > 0 else { return .empty }
    count -= wanted
    let piece = pieces[first]
    if piece.count >= wanted {
      advance(by: wanted)
      let taken = piece.slice(0..<wanted)
      return taken.isAligned(to: 8) ? taken : Buffer(copying: taken.bytes)
    }
    var joined = MutableBuffer(capacity: wanted)
    while joined.count < wanted {
      let piece = pieces[first]
      let part = min(piece.count, wanted - joined.count)
      joined.append(piece.bytes.extracting(0..<part))
      advance(by: part)
    }
    return joined.freeze()
  }

  /// Drops bytes of the first piece.
  private mutating func advance(by byteCount: Int) {
    let piece = pieces[first]
    if byteCount < piece.count {
      pieces[first] = piece.slice(byteCount..<piece.count)
      return
    }
    pieces[first] = .empty
    first += 1
    if first == pieces.count || first > 64 {
      pieces.removeFirst(first)
      first = 0
    }
  }
}
