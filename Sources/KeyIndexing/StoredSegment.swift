// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg
internal import Storage
internal import Synchronization

/// A segment as it lies in a file of the table: chunks of ``chunkRowCount`` entries, each of which
/// has the columns of its entries one behind the other.
///
/// What is read is held against its checksum, so that a byte that changed costs time, and no row.
struct StoredSegment: Hashable, Sendable {
  /// By which it is found again in a file that others wrote anew.
  let id: UInt64
  let path: String
  let offset: Int64
  let count: Int
  let hasRowIDs: Bool
  let hasOrders: Bool
  let chunks: [Chunk]

  struct Chunk: Hashable, Sendable {
    /// The hash of its first entry.
    let first: UInt64
    let checksum: UInt32
  }

  /// How many entries a chunk has; the last may have fewer.
  static let chunkRowCount = 8192

  /// How many bytes an entry has.
  var width: Int { 20 + (hasRowIDs ? 8 : 0) + (hasOrders ? 8 : 0) }
  var byteCount: Int64 { Int64(count) * Int64(width) }

  func at(_ path: String, _ offset: Int64) -> StoredSegment {
    StoredSegment(
      id: id, path: path, offset: offset, count: count, hasRowIDs: hasRowIDs,
      hasOrders: hasOrders, chunks: chunks)
  }

  private func rows(ofChunks range: Range<Int>) -> Range<Int> {
    range.lowerBound * Self.chunkRowCount..<min(count, range.upperBound * Self.chunkRowCount)
  }

  private func byteRange(ofChunks range: Range<Int>) -> Range<Int64> {
    let rows = rows(ofChunks: range)
    return offset + Int64(rows.lowerBound * width)..<offset + Int64(rows.upperBound * width)
  }

  // MARK: encoding

  /// The chunks of `columns`, and what tells of them.
  static func encode(_ columns: SegmentColumns, id: UInt64) -> (StoredSegment, Buffer) {
    var writer = ByteWriter(capacity: columns.byteCount)
    var chunks: [Chunk] = []
    for start in stride(from: 0, to: columns.count, by: chunkRowCount) {
      let part = columns.slice(start..<min(columns.count, start + chunkRowCount))
      let begin = writer.count
      for buffer in [part.highs, part.lows, part.files, part.positions] { writer.write(buffer) }
      if let rowIDs = part.rowIDs { writer.write(rowIDs) }
      if let orders = part.orders { writer.write(orders) }
      chunks.append(
        Chunk(
          first: part.highs.bytes.loadLE(at: 0, as: UInt64.self),
          checksum: CRC32C.checksum(writer.bytes.extracting(begin..<writer.count))))
    }
    let stored = StoredSegment(
      id: id, path: "", offset: 0, count: columns.count, hasRowIDs: columns.rowIDs != nil,
      hasOrders: columns.orders != nil, chunks: chunks)
    return (stored, writer.finish())
  }

  /// The entries of a chunk; nil if the bytes are not those that were written.
  private func decode(_ bytes: Buffer, chunk: Int) -> SegmentColumns? {
    let count = rows(ofChunks: chunk..<chunk + 1).count
    guard bytes.count == count * width, CRC32C.checksum(bytes.bytes) == chunks[chunk].checksum
    else { return nil }
    let bytes = bytes.aligned(8)
    var at = 0
    func take(_ width: Int) -> Buffer {
      defer { at += count * width }
      return bytes.slice(at..<at + count * width).aligned(width)
    }
    let columns = SegmentColumns(
      count: count, highs: take(8), lows: take(4), files: take(4), positions: take(4),
      rowIDs: hasRowIDs ? take(8) : nil, orders: hasOrders ? take(8) : nil)
    return columns
  }

  // MARK: reading

  /// All entries; nil if they are not there, or not what was written.
  func load(
    from store: any ObjectStore, fileCount: Int, parallelism: Int
  ) async -> MemorySegment? {
    let parts = await mapConcurrently(runs, limit: parallelism) {
      (run) async throws(Never) -> SegmentColumns? in await read(run, store)
    }
    var columns: [SegmentColumns] = []
    for part in parts {
      guard let part else { return nil }
      columns.append(part)
    }
    let all = SegmentColumns.concat(columns)
    guard all.count == count, all.isSound(fileCount: fileCount) else { return nil }
    return MemorySegment(all)
  }

  /// The entries but those of files that are gone, with no more than these and a run in memory; nil as
  /// for ``load(from:fileCount:parallelism:)``.
  func entries(from store: any ObjectStore, isGone: [Bool]) async -> SegmentColumns? {
    var live: [SegmentColumns] = []
    for run in runs {
      guard let part = await read(run, store), part.isSound(fileCount: isGone.count) else {
        return nil
      }
      live.append(SegmentColumns.merged([part], isGone: isGone))
    }
    return SegmentColumns.concat(live)
  }

  /// The chunks that are read at once.
  private var runs: [Range<Int>] {
    let size = 64
    return stride(from: 0, to: chunks.count, by: size).map {
      $0..<min(chunks.count, $0 + size)
    }
  }

  private func read(_ range: Range<Int>, _ store: any ObjectStore) async -> SegmentColumns? {
    let wanted = byteRange(ofChunks: range)
    guard let path = try? ObjectPath(path),
      let bytes = try? await store.get(path, range: wanted), Int64(bytes.count) == wanted.count
    else { return nil }
    var parts: [SegmentColumns] = []
    for chunk in range {
      let own = byteRange(ofChunks: chunk..<chunk + 1)
      let start = Int(own.lowerBound - wanted.lowerBound)
      guard let part = decode(bytes.slice(start..<start + own.count), chunk: chunk) else {
        return nil
      }
      parts.append(part)
    }
    return SegmentColumns.concat(parts)
  }

  /// Appends the entries of each of the `keys` that has any, reading the chunks that may have them.
  ///
  /// - Throws: ``KeyIndexError/segmentIsGone(_:)``.
  func find(
    _ keys: KeyHashes, in cache: ChunkCache, _ store: any ObjectStore,
    into found: inout [FoundEntry]
  ) async throws(KeyIndexError) {
    var wanted: [Int: [Int]] = [:]
    for key in 0..<keys.count {
      let high = keys[key].high
      var chunk = max(0, firstChunk(notBelow: high) - 1)
      while chunk < chunks.count, chunks[chunk].first <= high {
        wanted[chunk, default: []].append(key)
        chunk += 1
      }
    }
    for (chunk, some) in wanted.sorted(by: { $0.key < $1.key }) {
      let segment = try await loaded(chunk, cache, store)
      for key in some { segment.find(keys.slice(key..<key + 1), base: key, into: &found) }
    }
  }

  private func firstChunk(notBelow high: UInt64) -> Int {
    var (low, end) = (0, chunks.count)
    while low < end {
      let middle = (low + end) / 2
      if chunks[middle].first < high { low = middle + 1 } else { end = middle }
    }
    return low
  }

  private func loaded(
    _ chunk: Int, _ cache: ChunkCache, _ store: any ObjectStore
  ) async throws(KeyIndexError) -> MemorySegment {
    if let known = cache.chunk(id, chunk) { return known }
    guard let columns = await read(chunk..<chunk + 1, store), columns.isSound(fileCount: .max)
    else { throw .segmentIsGone(path) }
    let segment = MemorySegment(columns)
    cache.keep(segment, id, chunk)
    return segment
  }
}

/// Chunks of stored segments that were read, kept for the next keys.
///
/// Law: memory is bounded: what was not used for longest goes first.
final class ChunkCache: Sendable {
  private let state: Mutex<RecentlyUsed<Key, MemorySegment>>

  private struct Key: Hashable {
    let segment: UInt64
    let chunk: Int
  }

  init(byteLimit: Int) { state = Mutex(RecentlyUsed(byteLimit: byteLimit)) }

  var byteCount: Int { state.withLock { $0.byteCount } }

  func chunk(_ segment: UInt64, _ chunk: Int) -> MemorySegment? {
    state.withLock { $0.use(Key(segment: segment, chunk: chunk)) }
  }

  func keep(_ memory: MemorySegment, _ segment: UInt64, _ chunk: Int) {
    let key = Key(segment: segment, chunk: chunk)
    state.withLock { $0.keep(memory, byteCount: memory.byteCount, for: key) }
  }
}
