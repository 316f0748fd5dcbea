// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Codecs
public import Storage

/// Bytes that come one chunk after another: an object, a pipe.
public protocol ByteSource: Sendable {
  /// What errors call the source.
  var name: String { get }

  /// The next chunk; nil at the end. Chunks are never empty.
  mutating func read() async throws(InputError) -> Buffer?
}

/// The bytes of an object.
public struct ObjectSource: ByteSource {
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
  /// What was read of the source and not inflated yet; a little of it may hold very much.
  private var pending: Buffer?

  /// How many inflated bytes are handed out at a time.
  private static let chunkByteCount = 8 << 20

  var name: String { source.name }

  init(_ source: any ByteSource) { self.source = source }

  /// The next chunk; nil at the end.
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
      try start(chunk)
      guard inflater != nil else { return chunk }
      pending = chunk
    }
  }

  /// The next chunk of the source; the first one is long enough to tell how it is compressed, where
  /// the source is. Pipes may give it byte by byte.
  private mutating func nextChunk() async throws(InputError) -> Buffer? {
    guard var chunk = try await source.read() else { return nil }
    while !isStarted, chunk.count < StreamDecompressor.Format.signatureByteCount,
      let more = try await source.read()
    {
      var joined = MutableBuffer(capacity: chunk.count + more.count)
      joined.append(chunk.bytes)
      joined.append(more.bytes)
      chunk = joined.freeze()
    }
    return chunk
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
  let rowByteLimit: Int

  init(_ source: any ByteSource, rowByteLimit: Int) {
    self.source = InflatingSource(source)
    self.rowByteLimit = rowByteLimit
  }

  var name: String { source.name }

  mutating func take(_ count: Int) { unread = unread.slice(count..<unread.count) }

  /// Reads until at least `byteCount` bytes are there, or all.
  mutating func fill(to byteCount: Int) async throws(InputError) {
    var parts: [Buffer] = []
    var count = unread.count
    while count < byteCount, !isAtEnd {
      guard let chunk = try await source.read() else {
        isAtEnd = true
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
    if unread.count > rowByteLimit {
      throw .tooLongLine(file: name, line: line, limit: rowByteLimit)
    }
    try await fill(to: unread.count + 1)
  }
}
