// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Synchronization

/// A store that counts what it is asked.
public final class MeteredStore: ObjectStore {
  /// Requests by kind, also those that failed, and the bytes that went over.
  public struct Counts: Hashable, Sendable {
    public var gets = 0
    public var puts = 0
    /// Writers opened.
    public var writers = 0
    public var heads = 0
    public var deletes = 0
    /// Listings begun.
    public var lists = 0
    /// Objects that listings gave.
    public var listedObjects = 0
    /// Requests that threw, a writer's parts and listings included.
    public var failures = 0
    public var bytesRead: Int64 = 0
    /// Bytes handed over, whether or not the write came about.
    public var bytesWritten: Int64 = 0

    public init() {}

    /// All requests there were.
    public var requests: Int { gets + puts + writers + heads + deletes + lists }

    /// What was counted since `earlier`.
    public func since(_ earlier: Counts) -> Counts {
      var change = self
      change.gets -= earlier.gets
      change.puts -= earlier.puts
      change.writers -= earlier.writers
      change.heads -= earlier.heads
      change.deletes -= earlier.deletes
      change.lists -= earlier.lists
      change.listedObjects -= earlier.listedObjects
      change.failures -= earlier.failures
      change.bytesRead -= earlier.bytesRead
      change.bytesWritten -= earlier.bytesWritten
      return change
    }
  }

  private let base: any ObjectStore
  private let state = Mutex(Counts())

  public init(_ base: any ObjectStore) { self.base = base }

  /// What was counted until now.
  public var counts: Counts { state.withLock { $0 } }

  fileprivate func count(_ change: (inout Counts) -> Void) { state.withLock { change(&$0) } }

  fileprivate func counting<T>(
    _ request: () async throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    do throws(StorageError) {
      return try await request()
    } catch {
      count { $0.failures += 1 }
      throw error
    }
  }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    count { $0.gets += 1 }
    let bytes = try await counting { () throws(StorageError) in
      try await base.get(path, range: range, of: version)
    }
    count { $0.bytesRead += Int64(bytes.count) }
    return bytes
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    count { $0.gets += 1 }
    let found = try await counting { () throws(StorageError) in
      try await base.getWithVersion(path, range: range)
    }
    count { $0.bytesRead += Int64(found.bytes.count) }
    return found
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    count {
      $0.puts += 1
      $0.bytesWritten += Int64(bytes.count)
    }
    return try await counting { () throws(StorageError) in
      try await base.put(bytes, to: path, if: condition)
    }
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    count { $0.writers += 1 }
    let writer = try await counting { () throws(StorageError) in
      try await base.writer(to: path, if: condition)
    }
    return MeteredWriter(base: writer, store: self)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    count { $0.heads += 1 }
    return try await counting { () throws(StorageError) in try await base.head(path) }
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    count { $0.deletes += 1 }
    try await counting { () throws(StorageError) in try await base.delete(path) }
  }

  /// Counts each path, whatever it takes to delete it.
  public func delete(_ paths: [ObjectPath]) async -> [StorageError?] {
    let answers = await base.delete(paths)
    count {
      $0.deletes += paths.count
      $0.failures += answers.count { $0 != nil }
    }
    return answers
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    func metered(
      _ listing: some AsyncSequence<ObjectInfo, StorageError> & Sendable
    ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
      MeteredListing(base: listing, store: self)
    }
    return metered(base.list(prefix))
  }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    try await base.removeAbandonedWrites(under: prefix, before: moment)
  }
}

private struct MeteredWriter: ObjectWriter {
  let base: any ObjectWriter
  let store: MeteredStore

  func append(_ bytes: Buffer) async throws(StorageError) {
    store.count { $0.bytesWritten += Int64(bytes.count) }
    try await store.counting { () throws(StorageError) in try await base.append(bytes) }
  }

  func finish() async throws(StorageError) -> ObjectInfo {
    try await store.counting { () throws(StorageError) in try await base.finish() }
  }

  func abort() async { await base.abort() }
}

private struct MeteredListing<Base: AsyncSequence<ObjectInfo, StorageError> & Sendable>:
  AsyncSequence, Sendable
{
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let base: Base
  let store: MeteredStore

  func makeAsyncIterator() -> Iterator {
    store.count { $0.lists += 1 }
    return Iterator(base: base.makeAsyncIterator(), store: store)
  }

  struct Iterator: AsyncIteratorProtocol {
    var base: Base.AsyncIterator
    let store: MeteredStore

    mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(StorageError) -> ObjectInfo? {
      do throws(StorageError) {
        let info = try await base.next(isolation: actor)
        if info != nil { store.count { $0.listedObjects += 1 } }
        return info
      } catch {
        store.count { $0.failures += 1 }
        throw error
      }
    }

    mutating func next() async throws(StorageError) -> ObjectInfo? {
      try await next(isolation: #isolation)
    }
  }
}
