// SPDX-License-Identifier: Apache-2.0
public import Bytes

extension ObjectStore {
  /// Reads `range` (bytes; clamped to the object's end) of the object at `path`.
  public func get(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> Buffer {
    try await get(path, range: range, of: nil)
  }

  /// Reads the whole object at `path`, which the reader takes up to `limit` bytes of.
  ///
  /// Cost: one request.
  ///
  /// - Throws: ``StorageError/tooLarge(path:byteCount:limit:)`` if it is larger.
  public func get(_ path: ObjectPath, limit: Int64) async throws(StorageError) -> Buffer {
    let bytes = try await get(path, range: 0..<min(max(0, limit), .max - 1) + 1, of: nil)
    guard bytes.count <= limit else {
      let info = try await head(path)
      throw .tooLarge(path: path, byteCount: max(info.byteCount, Int64(bytes.count)), limit: limit)
    }
    return bytes
  }

  /// Writes `bytes` as the object at `path`, where there must be none.
  ///
  /// - Throws: ``StorageError/conditionFailed(path:)`` if there is one.
  @discardableResult
  public func create(
    _ path: ObjectPath, _ bytes: Buffer
  ) async throws(StorageError) -> ObjectVersion {
    try await put(bytes, to: path, if: .absent)
  }

  /// What is known of the object at `path`; nil if there is none.
  public func headIfPresent(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo? {
    do throws(StorageError) {
      return try await head(path)
    } catch .notFound {
      return nil
    }
  }

  /// All that ``list(_:)`` gives, at once.
  public func listAll(_ prefix: ObjectPath) async throws(StorageError) -> [ObjectInfo] {
    var found: [ObjectInfo] = []
    for try await info in list(prefix) { found.append(info) }
    return found
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    for _ in 1...8 {
      let info = try await head(path)
      do throws(StorageError) {
        let bytes = try await get(path, range: range, of: info.version)
        return VersionedBytes(bytes: bytes, version: info.version)
      } catch {
        guard case .conditionFailed = error else { throw error }
      }
    }
    throw .unavailable(path: path, reason: "it changes all the time", retryAfter: nil)
  }

  public func delete(_ paths: [ObjectPath]) async -> [StorageError?] {
    await mapConcurrently(paths, limit: 16) { path async throws(Never) -> StorageError? in
      do throws(StorageError) {
        try await self.delete(path)
        return nil
      } catch {
        return error
      }
    }
  }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int { 0 }
}
