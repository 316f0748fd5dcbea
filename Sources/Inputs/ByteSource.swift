// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Codecs
public import Storage

/// Bytes that come one chunk after another: an object, a pipe.
public protocol ByteSource: Sendable {
  /// What errors call the source.
  var name: String { get }

  /// The next chunk; nil at the end. An empty chunk says that there is nothing for now: whoever
  /// reads shall make do with what came, and ask again.
  mutating func read() async throws(InputError) -> Buffer?
}

/// Bytes that can be read from any place on.
public protocol SeekableByteSource: ByteSource {
  /// How many bytes there are now.
  func byteCount() async throws(InputError) -> Int64

  /// Has the next chunk begin at `offset`.
  mutating func seek(to offset: Int64)
}

/// The bytes of an object.
public struct ObjectSource: SeekableByteSource {
  public let name: String
  private let path: ObjectPath
  private let store: any ObjectStore
  private var offset: Int64 = 0

  /// How many bytes are asked for at a time.
  private static let chunkByteCount: Int64 = 4 << 20

  public init(_ path: ObjectPath, in store: any ObjectStore) {
    name = path.text
    self.path = path
    self.store = store
  }

  public func byteCount() async throws(InputError) -> Int64 {
    do throws(StorageError) { return try await store.head(path).byteCount } catch {
      throw .storage(error)
    }
  }

  public mutating func seek(to offset: Int64) { self.offset = offset }

  public mutating func read() async throws(InputError) -> Buffer? {
    let chunk: Buffer
    do throws(StorageError) {
      chunk = try await store.get(path, range: offset..<offset + Self.chunkByteCount)
    } catch {
      throw .storage(error)
    }
    offset += Int64(chunk.count)
    return chunk.isEmpty ? nil : chunk
  }
}

/// A source whose bytes were compressed with gzip or zstd, as its first bytes tell; any other
/// source as it is.
struct InflatingSource: ~Copyable {
  private var source: any ByteSource
  private var inflater: StreamDecompressor?
  private var isStarted = false
  /// The first bytes, as long as they do not tell how they are compressed.
  private var head = Buffer.empty
  /// What was read of the source and not inflated yet; a little of it may hold very much.
  private var pending: Buffer?

  /// How many inflated bytes are handed out at a time.
  private static let chunkByteCount = 8 << 20

  var name: String { source.name }

  init(_ source: any ByteSource) { self.source = source }

  /// How many bytes there are now, if the source is one that can seek and is not compressed; known
  /// once a chunk was read.
  func seekableByteCount() async throws(InputError) -> Int64? {
    guard isStarted, inflater == nil, let source = source as? any SeekableByteSource else {
      return nil
    }
    return try await source.byteCount()
  }

  /// Has the next chunk begin at `offset` of a source that can seek.
  mutating func seek(to offset: Int64) {
    guard var seekable = source as? any SeekableByteSource else { return }
    seekable.seek(to: offset)
    source = seekable
  }

  /// The next chunk; nil at the end; an empty one if there is nothing for now.
  mutating func read() async throws(InputError) -> Buffer? {
    while true {
      if let chunk = pending {
        let inflated = try inflate(chunk)
        if !inflated.isEmpty { return inflated }
        continue
      }
      guard let chunk = try await nextChunk() else {
        try finish()
        return nil
      }
      guard !chunk.isEmpty else { return chunk }
      try start(chunk)
      guard inflater != nil else { return chunk }
      pending = chunk
    }
  }

  /// The next chunk of the source; the first one is long enough to tell how it is compressed, where
  /// the source is. Pipes may give it byte by byte.
  private mutating func nextChunk() async throws(InputError) -> Buffer? {
    while true {
      guard let chunk = try await source.read() else {
        let first = exchange(&head, with: .empty)
        return first.isEmpty ? nil : first
      }
      if isStarted || chunk.isEmpty { return chunk }
      var joined = MutableBuffer(capacity: head.count + chunk.count)
      joined.append(head.bytes)
      joined.append(chunk.bytes)
      head = joined.freeze()
      if head.count >= StreamDecompressor.Format.signatureByteCount {
        return exchange(&head, with: .empty)
      }
    }
  }

  private mutating func start(_ first: Buffer) throws(InputError) {
    guard !isStarted else { return }
    isStarted = true
    guard let format = StreamDecompressor.Format(startOf: first.bytes) else { return }
    do throws(CodecError) {
      inflater = try StreamDecompressor(format)
    } catch {
      throw .compression(error, file: name)
    }
  }

  private mutating func inflate(_ chunk: Buffer) throws(InputError) -> Buffer {
    var output = MutableBuffer()
    do throws(CodecError) {
      let limit = Self.chunkByteCount
      let used = try inflater?.feed(chunk.bytes, into: &output, limit: limit) ?? chunk.count
      let isDone = used == chunk.count && output.count < limit
      pending = isDone ? nil : chunk.slice(used..<chunk.count)
    } catch {
      throw .compression(error, file: name)
    }
    return output.freeze()
  }

  private mutating func finish() throws(InputError) {
    let ended = exchange(&inflater, with: nil)
    do throws(CodecError) {
      try ended?.finish()
    } catch {
      throw .compression(error, file: name)
    }
  }
}

/// The part of a text source that is being parsed: whole rows are taken from its front, and more is
/// read when the last one is not whole yet.
struct TextWindow: ~Copyable {
  private var source: InflatingSource
  /// What was read and not taken.
  private(set) var unread = Buffer.empty
  private(set) var isAtEnd = false
  /// Whether the source had nothing more when it was last asked.
  private(set) var isPaused = false
  /// How many bytes come before those unread.
  private(set) var offset: Int64 = 0
  let rowByteLimit: Int

  init(_ source: any ByteSource, rowByteLimit: Int) {
    self.source = InflatingSource(source)
    self.rowByteLimit = rowByteLimit
  }

  var name: String { source.name }

  mutating func take(_ count: Int) {
    unread = unread.slice(count..<unread.count)
    offset += Int64(count)
  }

  /// Takes all bytes before `start`, at which a line must begin or the text end.
  mutating func skip(to start: Int64) async throws(InputError) {
    guard start > offset else { return }
    // The byte before is read too: it tells whether a line ends there.
    let target = start - 1
    try await fill(to: 1)
    if let end = try await source.seekableByteCount() {
      guard end >= start else { throw .endsBeforeStart(file: name, start: start, end: end) }
      if target > offset + Int64(unread.count) {
        source.seek(to: target)
        unread = .empty
        offset = target
      }
    }
    while offset < target {
      try await fill(to: 1)
      if unread.isEmpty, isAtEnd { throw .endsBeforeStart(file: name, start: start, end: offset) }
      take(Int(min(Int64(unread.count), target - offset)))
    }
    while unread.isEmpty, !isAtEnd { try await fill(to: 1) }
    guard !unread.isEmpty else { throw .endsBeforeStart(file: name, start: start, end: offset) }
    if !Self.endsLine(unread, 0) {
      // The last line of a text may lack its end, which comes when more is added.
      try await fill(to: 2)
      if unread.count > 1 {
        guard Self.endsLine(unread, 1) else { throw .startsWithinLine(file: name, start: start) }
        take(1)
      }
    }
    take(1)
  }

  private static func endsLine(_ text: Buffer, _ index: Int) -> Bool {
    let byte = text.bytes.loadLE(at: index, as: UInt8.self)
    return byte == 10 || byte == 13
  }

  /// Reads until at least `byteCount` bytes are there, or all, or those there are for now.
  mutating func fill(to byteCount: Int) async throws(InputError) {
    var parts: [Buffer] = []
    var count = unread.count
    isPaused = false
    while count < byteCount, !isAtEnd {
      guard let chunk = try await source.read() else {
        isAtEnd = true
        break
      }
      if chunk.isEmpty {
        isPaused = true
        break
      }
      parts.append(chunk)
      count += chunk.count
    }
    if parts.isEmpty { return }
    if unread.isEmpty, parts.count == 1 {
      unread = parts[0]
      return
    }
    var joined = MutableBuffer(capacity: count)
    joined.append(unread.bytes)
    for part in parts { joined.append(part.bytes) }
    unread = joined.freeze()
  }

  /// Reads more behind what is there, which is the beginning of one row.
  ///
  /// - Parameter line: named if a row is longer than is allowed.
  mutating func refill(line: Int) async throws(InputError) {
    try checkLength(line: line)
    try await fill(to: unread.count + 1)
  }

  /// Throws if what is there, which is the beginning of one row, is longer than a row may be.
  func checkLength(line: Int) throws(InputError) {
    if unread.count > rowByteLimit {
      throw .tooLongLine(file: name, line: line, limit: rowByteLimit)
    }
  }
}
