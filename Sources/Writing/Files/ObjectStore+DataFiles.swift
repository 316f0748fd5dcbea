// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
package import Iceberg
package import Storage

extension ObjectStore {
  /// Deletes `files`, which nothing names; what can't be deleted is left for a later sweep.
  package func discard(_ files: [DataFile]) async {
    // Several deletion vectors may be of one file.
    var paths: Set<String> = []
    for file in files where paths.insert(file.path).inserted {
      if let path = try? ObjectPath(file.path) { try? await delete(path) }
    }
  }

  /// Deletes `files`, which nothing names.
  func discard(_ files: [ObjectPath]) async {
    for file in files { try? await delete(file) }
  }
}

extension Table {
  /// How long files are safe from whoever sweeps up what nothing names, so that they need not be
  /// looked for: no sweep takes files that are twice as old.
  private static let safeAge: Int64 = 3_600_000

  /// Checks that files are still there that this process wrote a while ago, as before a commit that
  /// names them: a writer that slept may find that they were swept up as orphans.
  ///
  /// Cost: nothing for files that are younger than an hour; a request for each of the others.
  /// - Throws: ``CommitError/conflict(_:)``.
  func checkPresence(of files: [DataFile]) async throws(CommitError) {
    let now = environment.now().milliseconds
    var old: [ObjectPath] = []
    for file in files {
      guard let time = file.writeTime.milliseconds else { continue }
      // A clock that was set back tells nothing.
      let (age, overflow) = now.subtractingReportingOverflow(time)
      guard overflow || age < 0 || age >= Self.safeAge else { continue }
      if let path = try? ObjectPath(file.path) { old.append(path) }
    }
    guard !old.isEmpty else { return }
    let store = store
    _ = try await mapConcurrently(old, limit: 16) { path async throws(CommitError) in
      do throws(StorageError) { _ = try await store.head(path) } catch {
        if error.isNotFound { throw CommitError.conflict(.writtenFileIsGone(path.text)) }
        throw CommitError.storage(error, while: "looking for \(path)")
      }
    }
  }
}
