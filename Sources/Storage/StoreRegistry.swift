// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// The stores of several schemes as one: each path goes to the store of its scheme.
public struct StoreRegistry: ObjectStore {
  private let stores: [String: any ObjectStore]

  /// - Parameter stores: by scheme, in lower case (`file`, `s3`; see ``ObjectPath/scheme``).
  public init(_ stores: [String: any ObjectStore]) { self.stores = stores }

  /// This, with `store` for `scheme`.
  public func adding(_ store: any ObjectStore, for scheme: String) -> StoreRegistry {
    var stores = self.stores
    stores[scheme] = store
    return StoreRegistry(stores)
  }

  /// The schemes there is a store for, sorted.
  public var schemes: [String] { stores.keys.sorted() }

  /// - Throws: ``StorageError/unsupported(what:path:instead:)`` for a scheme without a store.
  public func store(for path: ObjectPath) throws(StorageError) -> any ObjectStore {
    guard let store = stores[path.scheme] else {
      throw .unsupported(
        what: "scheme '\(path.scheme)'", path: path,
        instead: "use one of " + schemes.joined(separator: ", "))
    }
    return store
  }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try await store(for: path).get(path, range: range, of: version)
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    try await store(for: path).getWithVersion(path, range: range)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try await store(for: path).put(bytes, to: path, if: condition)
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try await store(for: path).writer(to: path, if: condition)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try await store(for: path).head(path)
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    try await store(for: path).delete(path)
  }

  public func delete(_ paths: [ObjectPath]) async -> [StorageError?] {
    var answers = [StorageError?](repeating: nil, count: paths.count)
    for (scheme, indices) in Dictionary(grouping: paths.indices, by: { paths[$0].scheme })
      .sorted(by: { $0.key < $1.key })
    {
      let some = indices.map { paths[$0] }
      var found = [StorageError?](repeating: nil, count: some.count)
      if let store = stores[scheme] {
        found = await store.delete(some)
      } else {
        for (index, path) in some.enumerated() {
          do throws(StorageError) { _ = try store(for: path) } catch { found[index] = error }
        }
      }
      for (index, answer) in zip(indices, found) { answers[index] = answer }
    }
    return answers
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    do throws(StorageError) {
      return try store(for: prefix).list(prefix)
    } catch {
      return FailedListing(error: error)
    }
  }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    try await store(for: prefix).removeAbandonedWrites(under: prefix, before: moment)
  }
}
