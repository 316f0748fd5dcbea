// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// Deletes files that nothing names.
struct FileDeletion {
  let store: any ObjectStore
  private(set) var deletedCount = 0
  private(set) var problems: [String] = []

  init(_ store: any ObjectStore) { self.store = store }

  private static let concurrency = 16

  /// Deletes the objects at `paths`, each whatever became of the others.
  ///
  /// - Returns: false if some could not be deleted.
  mutating func delete(_ paths: some Sequence<ObjectPath>) async throws(MaintenanceError) -> Bool {
    let before = problems.count
    let store = store
    for some in paths.sorted().chunks(of: 256) {
      if Task.isCancelled { throw .cancelled }
      let results = await mapConcurrently(some, limit: Self.concurrency) {
        path async throws(Never) -> String? in
        do throws(StorageError) {
          try await store.delete(path)
          return nil
        } catch {
          return "deleting \(path): \(error)"
        }
      }
      for result in results {
        if let result { problems.append(result) } else { deletedCount += 1 }
      }
    }
    return problems.count == before
  }
}
