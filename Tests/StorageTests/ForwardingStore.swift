// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage
import Synchronization

/// A store that does what another does, but for what a test overrides.
protocol ForwardingStore: ObjectStore {
  var base: any ObjectStore { get }
}

extension ForwardingStore {
  func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try await base.get(path, range: range, of: version)
  }

  func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try await base.put(bytes, to: path, if: condition)
  }

  func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try await base.writer(to: path, if: condition)
  }

  func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try await base.head(path)
  }

  func delete(_ path: ObjectPath) async throws(StorageError) { try await base.delete(path) }

  func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable { base.list(prefix) }
}

/// Something that is so from a moment on.
final class Flag: Sendable {
  private let state = Mutex(false)

  /// Raises it; true if it was up before.
  func raise() -> Bool {
    state.withLock { isUp in
      defer { isUp = true }
      return isUp
    }
  }
}
