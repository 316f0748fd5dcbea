// SPDX-License-Identifier: Apache-2.0
import Lake

/// A store that tells of each call before it makes it, so that a test can let something happen in
/// between. Calls are named as ``FaultyStore`` names them; a writer's parts are not told.
public struct InterposedStore: ObjectStore {
  private let base: any ObjectStore
  private let before: @Sendable (StoreCall) async -> Void

  public init(
    _ base: any ObjectStore, before: @escaping @Sendable (StoreCall) async -> Void
  ) {
    self.base = base
    self.before = before
  }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    await before(StoreCall(operation: .get, path: path))
    return try await base.get(path, range: range, of: version)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    await before(StoreCall(operation: .put, path: path))
    return try await base.put(bytes, to: path, if: condition)
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    await before(StoreCall(operation: .writer, path: path))
    return try await base.writer(to: path, if: condition)
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    await before(StoreCall(operation: .get, path: path))
    return try await base.getWithVersion(path, range: range)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    await before(StoreCall(operation: .head, path: path))
    return try await base.head(path)
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    await before(StoreCall(operation: .delete, path: path))
    try await base.delete(path)
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    base.list(prefix)
  }
}
