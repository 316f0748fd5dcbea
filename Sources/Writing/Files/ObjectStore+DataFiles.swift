// SPDX-License-Identifier: Apache-2.0
package import Iceberg
package import Storage

extension ObjectStore {
  /// Deletes `files`, which nothing names; what can't be deleted is left for a later sweep.
  package func discard(_ files: [DataFile]) async {
    // Many deletion vectors are of one file.
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
