// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Synchronization

/// A store whose reads of files that never change are kept on a local disk, for the next time.
///
/// Only data, delete, manifest and statistics files are kept, told by their names: they are written
/// once under a name of their own. Everything else, and every write, goes to the store behind.
///
///     <folder>/<hash of path and version>-<start>-<end>.range  :=  crc32c place-length place bytes
///
/// Laws:
/// 1. An answer is what the store behind would give, or gave while the file was there.
/// 2. What is on the disk is at most the limit, but for what is being written; what was not read for
///    longest goes first.
/// 3. A crash, a full or failing disk, a torn or foreign file cost a request, and nothing else.
///
/// Cost: a hit is one read of a local file; a miss, the request and the writing of a local file.
public final class CachingStore: ObjectStore {
  /// What was asked of it.
  public struct Counts: Hashable, Sendable {
    public var hits = 0
    public var misses = 0
    public var bytesFromCache: Int64 = 0
    public init() {}
  }

  fileprivate struct Entry {
    var byteCount: Int64
    var lastUse: UInt64
  }

  fileprivate struct State {
    var entries: [CachedRange: Entry] = [:]
    /// The ranges there are of a file, by its hash.
    var ranges: [UInt64: [CachedRange]] = [:]
    var byteCount: Int64 = 0
    var clock: UInt64 = 0
    var counts = Counts()
  }

  private let base: any ObjectStore
  private let disk: any ObjectStore
  private let folder: ObjectPath
  private let byteLimit: Int64
  private let state = Mutex(State())

  /// Takes up what is in `folder`, as far as it fits.
  ///
  /// - Parameters:
  ///   - folder: a local one that holds nothing else.
  ///   - byteLimit: the most bytes that are kept there.
  public init(
    _ base: any ObjectStore, keepingIn folder: ObjectPath, byteLimit: Int64
  ) async throws(StorageError) {
    self.base = base
    self.folder = folder
    self.byteLimit = byteLimit
    disk = LocalStore(roots: [folder], durability: .unsynced)
    let found = try await disk.listAll(folder).sorted { $0.modified < $1.modified }
    var kept: [(CachedRange, Int64)] = []
    for info in found {
      if let range = CachedRange(name: info.path.name) { kept.append((range, info.byteCount)) }
    }
    state.withLock { state in
      for (range, byteCount) in kept { state.add(range, byteCount) }
    }
    await shrink()
  }

  public var counts: Counts { state.withLock(\.counts) }
  /// How many bytes are kept.
  public var byteCount: Int64 { state.withLock(\.byteCount) }

  // MARK: reading

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    guard Self.isImmutable(path), !range.isEmpty else {
      return try await base.get(path, range: range, of: version)
    }
    let place = CachedRange.place(path, version)
    if let found = await cached(range, place) { return found }
    let bytes = try await base.get(path, range: range, of: version)
    state.withLock { $0.counts.misses += 1 }
    // The end of a file that is shorter than was asked for is not known to be one.
    if Int64(bytes.count) == Int64(range.upperBound - range.lowerBound) {
      await keep(bytes, range, place)
    }
    return bytes
  }

  /// True for the files of a table that are written once: by their names, which are random.
  static func isImmutable(_ path: ObjectPath) -> Bool {
    [".parquet", ".avro", ".puffin", ".stats", ".orc"].contains { path.name.hasSuffix($0) }
  }

  private func cached(_ range: Range<Int64>, _ place: [UInt8]) async -> Buffer? {
    let hash = CachedRange.hash(place)
    let entry: CachedRange? = state.withLock { state in
      let found = state.ranges[hash]?.first {
        $0.start <= range.lowerBound && $0.end >= range.upperBound
      }
      guard let found else { return nil }
      state.clock += 1
      state.entries[found]?.lastUse = state.clock
      return found
    }
    guard let entry, let path = try? folder.appending(entry.name) else { return nil }
    guard let file = try? await disk.get(path, limit: byteLimit),
      let bytes = entry.bytes(of: file, place)
    else {
      // Gone, torn, or another file's of the same hash.
      await drop([entry])
      return nil
    }
    let start = Int(range.lowerBound - entry.start)
    state.withLock { state in
      state.counts.hits += 1
      state.counts.bytesFromCache += Int64(range.count)
    }
    return bytes.slice(start..<start + range.count)
  }

  private func keep(_ bytes: Buffer, _ range: Range<Int64>, _ place: [UInt8]) async {
    let entry = CachedRange(
      hash: CachedRange.hash(place), start: range.lowerBound, end: range.upperBound)
    let file = entry.file(bytes, place)
    guard Int64(file.count) <= byteLimit / 4, let path = try? folder.appending(entry.name),
      (try? await disk.put(file, to: path, if: .none)) != nil
    else { return }
    state.withLock { $0.add(entry, Int64(file.count)) }
    await shrink()
  }

  /// Lets what was not used for longest go, until the rest fits.
  private func shrink() async {
    let gone = state.withLock { state -> [CachedRange] in
      guard state.byteCount > byteLimit else { return [] }
      var gone: [CachedRange] = []
      var rest = state.byteCount
      // An eighth at once, so that it is seldom looked for.
      let goal = byteLimit - byteLimit / 8
      for (range, entry) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
        if rest <= goal { break }
        gone.append(range)
        rest -= entry.byteCount
      }
      return gone
    }
    await drop(gone)
  }

  private func drop(_ ranges: [CachedRange]) async {
    guard !ranges.isEmpty else { return }
    state.withLock { state in
      for range in ranges { state.remove(range) }
    }
    _ = await disk.delete(ranges.compactMap { try? folder.appending($0.name) })
  }

  // MARK: the rest goes behind

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    try await base.getWithVersion(path, range: range)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try await base.put(bytes, to: path, if: condition)
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try await base.writer(to: path, if: condition)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try await base.head(path)
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) { try await base.delete(path) }

  public func delete(_ paths: [ObjectPath]) async -> [StorageError?] { await base.delete(paths) }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable { base.list(prefix) }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    try await base.removeAbandonedWrites(under: prefix, before: moment)
  }
}

extension CachingStore.State {
  fileprivate mutating func add(_ range: CachedRange, _ byteCount: Int64) {
    remove(range)
    clock += 1
    entries[range] = CachingStore.Entry(byteCount: byteCount, lastUse: clock)
    ranges[range.hash, default: []].append(range)
    self.byteCount += byteCount
  }

  fileprivate mutating func remove(_ range: CachedRange) {
    guard let entry = entries.removeValue(forKey: range) else { return }
    byteCount -= entry.byteCount
    ranges[range.hash]?.removeAll { $0 == range }
    if ranges[range.hash]?.isEmpty == true { ranges[range.hash] = nil }
  }
}

/// A part of a file that is kept, as the name of the local file tells it.
struct CachedRange: Hashable {
  /// Of the file's place and version.
  let hash: UInt64
  let start: Int64
  let end: Int64

  init(hash: UInt64, start: Int64, end: Int64) {
    self.hash = hash
    self.start = start
    self.end = end
  }

  private static let ending = ".range"

  var name: String { "\(String(hash, radix: 16))-\(start)-\(end)\(Self.ending)" }

  /// Nil for a name that is none.
  init?(name: String) {
    guard name.hasSuffix(Self.ending) else { return nil }
    let parts = name.dropLast(Self.ending.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let hash = UInt64(parts[0], radix: 16), let start = Int64(parts[1]),
      let end = Int64(parts[2]), start >= 0, end > start
    else { return nil }
    self.init(hash: hash, start: start, end: end)
  }

  /// What tells a file, and which of those that were at its path.
  static func place(_ path: ObjectPath, _ version: ObjectVersion?) -> [UInt8] {
    Array("\(path.scheme)://\(path.authority)\(path.path)\0\(version?.token ?? "")".utf8)
  }

  static func hash(_ place: [UInt8]) -> UInt64 { XXHash64.hash(Buffer(place).bytes) }

  /// The local file that keeps `bytes`.
  func file(_ bytes: Buffer, _ place: [UInt8]) -> Buffer {
    var body = MutableBuffer(capacity: bytes.count + place.count + 8)
    body.append(value: UInt32(0))
    body.append(value: UInt32(clamping: place.count).littleEndian)
    body.append(Buffer(place).bytes)
    body.append(bytes.bytes)
    let checksum = CRC32C.checksum(body.bytes.extracting(4..<body.count)).littleEndian
    var sum = MutableBuffer()
    sum.append(value: checksum)
    body.replace(at: 0, with: sum.bytes)
    return body.freeze()
  }

  /// The bytes that `file` keeps of `place`; nil if it is torn, or of another place.
  func bytes(of file: Buffer, _ place: [UInt8]) -> Buffer? {
    let start = 8 + place.count
    guard file.count == start + Int(end - self.start),
      file.bytes.loadLE(at: 0, as: UInt32.self)
        == CRC32C.checksum(file.bytes.extracting(4..<file.count)),
      file.bytes.loadLE(at: 4, as: UInt32.self) == UInt32(clamping: place.count),
      file.slice(8..<start) == Buffer(place)
    else { return nil }
    return file.slice(start..<file.count)
  }
}
