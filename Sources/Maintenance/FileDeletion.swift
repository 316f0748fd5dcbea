// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// Deletes files that nothing names.
struct FileDeletion {
  let store: any ObjectStore
  private(set) var deletedCount = 0
  private(set) var problems: [String] = []

  init(_ store: any ObjectStore) { self.store = store }

  /// Deletes the objects at `paths`, each whatever became of the others.
  ///
  /// - Returns: false if some could not be deleted.
  mutating func delete(_ paths: some Sequence<ObjectPath>) async throws(MaintenanceError) -> Bool {
    let before = problems.count
    for some in paths.sorted().chunks(of: 1000) {
      if Task.isCancelled { throw .cancelled }
      for (path, problem) in zip(some, await store.delete(Array(some))) {
        if let problem {
          problems.append("deleting \(path): \(problem)")
        } else {
          deletedCount += 1
        }
      }
    }
    return problems.count == before
  }
}
