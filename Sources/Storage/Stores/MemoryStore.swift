// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Synchronization

/// Objects in memory, under paths of any scheme: for tests, examples and scratch tables.
///
/// Cost: a write keeps its buffer, without a copy; a listing sorts what it finds.
public final class MemoryStore: ObjectStore {
  private struct Object {
    let bytes: Buffer
    let info: ObjectInfo
  }

  private struct State {
    var objects: [ObjectPath: Object] = [:]
    var writeCount: UInt64 = 0
  }

  private let environment: Environment
  private let state = Mutex(State())

  /// An empty store, whose objects are as old as the clock of `environment` says.
  public init(environment: Environment = .system) { self.environment = environment }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try path.checkCancellation()
    let object = try object(at: path)
    if let version, version != object.info.version { throw .conditionFailed(path: path) }
    let wanted = range.clamped(to: 0..<object.info.byteCount)
    return object.bytes.slice(Int(wanted.lowerBound)..<Int(wanted.upperBound))
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    try path.checkCancellation()
    let object = try object(at: path)
    let wanted = range.clamped(to: 0..<object.info.byteCount)
    return VersionedBytes(
      bytes: object.bytes.slice(Int(wanted.lowerBound)..<Int(wanted.upperBound)),
      version: object.info.version)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try path.checkCancellation()
    return try publish(bytes, at: path, if: condition).version
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try path.checkCancellation()
    try checkKey(path)
    if condition.isOnAbsence, isPresent(path) { throw .conditionFailed(path: path) }
    return MemoryWriter(self, path, condition)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try path.checkCancellation()
    return try object(at: path).info
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    state.withLock { _ = $0.objects.removeValue(forKey: path) }
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    MemoryListing(store: self, prefix: prefix)
  }

  /// How many objects there are, and bytes in them.
  public var totals: (objectCount: Int, byteCount: Int64) {
    state.withLock { state in
      (state.objects.count, state.objects.values.reduce(0) { $0 + $1.info.byteCount })
    }
  }

  private func isPresent(_ path: ObjectPath) -> Bool {
    state.withLock { $0.objects[path] != nil }
  }

  private func object(at path: ObjectPath) throws(StorageError) -> Object {
    guard let object = state.withLock({ $0.objects[path] }) else { throw .notFound(path: path) }
    return object
  }

  private func checkKey(_ path: ObjectPath) throws(StorageError) {
    if path.isRoot { throw .notAnObject(path: path, found: "the root") }
  }

  fileprivate func publish(
    _ bytes: Buffer, at path: ObjectPath, if condition: PutCondition
  ) throws(StorageError) -> ObjectInfo {
    try checkKey(path)
    let now = environment.now()
    return try state.withLock { state throws(StorageError) in
      let there = state.objects[path]?.info.version
      switch condition {
      case .none: break
      case .absent, .unclaimed: if there != nil { throw .conditionFailed(path: path) }
      case .matches(let version): if there != version { throw .conditionFailed(path: path) }
      }
      state.writeCount += 1
      let info = ObjectInfo(
        path: path, byteCount: Int64(bytes.count), modified: now,
        version: ObjectVersion(token: String(state.writeCount)))
      state.objects[path] = Object(bytes: bytes, info: info)
      return info
    }
  }

  fileprivate func infos(under prefix: ObjectPath) -> [ObjectInfo] {
    var found: [ObjectInfo] = []
    state.withLock { state in
      for (path, object) in state.objects {
        guard let way = prefix.relativePath(of: path), !way.isEmpty else { continue }
        found.append(Self.respelled(object.info, way, under: prefix))
      }
    }
    return found.sorted { $0.path < $1.path }
  }

  /// `info` with its path spelled as `prefix` is.
  private static func respelled(
    _ info: ObjectInfo, _ way: String, under prefix: ObjectPath
  ) -> ObjectInfo {
    // A key with an empty component, as S3 allows, cannot be appended; it keeps its own spelling.
    guard let path = try? prefix.appending(relativePath: way) else { return info }
    return ObjectInfo(
      path: path, byteCount: info.byteCount, modified: info.modified, version: info.version)
  }
}

private struct MemoryListing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let store: MemoryStore
  let prefix: ObjectPath

  func makeAsyncIterator() -> Iterator { Iterator(listing: self) }

  struct Iterator: AsyncIteratorProtocol {
    let listing: MemoryListing
    var found: ArraySlice<ObjectInfo>?

    mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(StorageError) -> ObjectInfo? {
      try listing.prefix.checkCancellation()
      if found == nil { found = listing.store.infos(under: listing.prefix)[...] }
      return found?.popFirst()
    }

    mutating func next() async throws(StorageError) -> ObjectInfo? {
      try await next(isolation: #isolation)
    }
  }
}

/// Collects an object's bytes.
private final class MemoryWriter: ObjectWriter {
  private struct State: ~Copyable {
    var bytes = MutableBuffer()
    var isEnded = false
  }

  private let store: MemoryStore
  private let path: ObjectPath
  private let condition: PutCondition
  private let state = Mutex(State())

  init(_ store: MemoryStore, _ path: ObjectPath, _ condition: PutCondition) {
    self.store = store
    self.path = path
    self.condition = condition
  }

  func append(_ bytes: Buffer) async throws(StorageError) {
    state.withLock { state in
      precondition(!state.isEnded, "a writer is used after its end")
      state.bytes.append(bytes.bytes)
    }
  }

  func finish() async throws(StorageError) -> ObjectInfo {
    try store.publish(take(), at: path, if: condition)
  }

  func abort() async { _ = take(isAbort: true) }

  private func take(isAbort: Bool = false) -> Buffer {
    state.withLock { state in
      precondition(isAbort || !state.isEnded, "a writer is finished twice")
      state.isEnded = true
      var bytes = MutableBuffer()
      swap(&bytes, &state.bytes)
      return bytes.freeze()
    }
  }
}
