// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Which places the metadata of a table may make us touch.
///
/// Metadata comes from outside and names files by absolute location: a hostile table could have
/// another's read, or deleted. So every open and every delete asks; by default a table keeps to
/// its own prefix, compared by components, and to the scheme and authority of it.
public struct LocationPolicy: Hashable, Sendable {
  /// Nil for everywhere.
  private let prefixes: [ObjectPath]?

  private init(prefixes: [ObjectPath]?) { self.prefixes = prefixes }

  /// Allows what lies in one of `prefixes`.
  public init(within prefixes: [ObjectPath]) { self.prefixes = prefixes }

  /// Allows everything.
  public static let unrestricted = LocationPolicy(prefixes: nil)

  /// This, and what lies in `prefix`.
  public func adding(_ prefix: ObjectPath) -> LocationPolicy {
    LocationPolicy(prefixes: prefixes.map { $0 + [prefix] })
  }

  public func allows(_ path: ObjectPath) -> Bool {
    prefixes?.contains { $0.contains(path) } ?? true
  }

  /// - Throws: ``StorageError/refused(path:reason:)`` if `path` is not allowed.
  public func check(_ path: ObjectPath) throws(StorageError) {
    guard !allows(path), let prefixes else { return }
    let list = prefixes.map(\.text).joined(separator: ", ")
    throw .refused(
      path: path, reason: "it lies outside of " + (list.isEmpty ? "every place allowed" : list))
  }
}

/// A store that touches no more than a ``LocationPolicy`` allows.
public struct PolicedStore: ObjectStore {
  private let base: any ObjectStore
  public let policy: LocationPolicy

  public init(_ base: any ObjectStore, policy: LocationPolicy) {
    self.base = base
    self.policy = policy
  }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try policy.check(path)
    return try await base.get(path, range: range, of: version)
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    try policy.check(path)
    return try await base.getWithVersion(path, range: range)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try policy.check(path)
    return try await base.put(bytes, to: path, if: condition)
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try policy.check(path)
    return try await base.writer(to: path, if: condition)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try policy.check(path)
    return try await base.head(path)
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    try policy.check(path)
    try await base.delete(path)
  }

  public func delete(_ paths: [ObjectPath]) async -> [StorageError?] {
    // None goes where one is refused: whoever made the list is wrong about the table.
    for path in paths {
      do throws(StorageError) { try policy.check(path) } catch {
        return [StorageError?](repeating: error, count: paths.count)
      }
    }
    return await base.delete(paths)
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    do throws(StorageError) {
      try policy.check(prefix)
    } catch {
      return FailedListing(error: error)
    }
    return base.list(prefix)
  }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    try policy.check(prefix)
    return try await base.removeAbandonedWrites(under: prefix, before: moment)
  }
}

/// A listing that cannot be had.
struct FailedListing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let error: StorageError

  func makeAsyncIterator() -> Iterator { Iterator(error: error) }

  struct Iterator: AsyncIteratorProtocol {
    let error: StorageError

    mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(StorageError) -> ObjectInfo? { throw error }

    mutating func next() async throws(StorageError) -> ObjectInfo? { throw error }
  }
}
