// SPDX-License-Identifier: Apache-2.0
internal import Storage

extension S3Store {
  /// Throws unless the bucket of `path` keeps the conditions of writes; each is asked once, before
  /// the first write that a commit hangs on. What only has a name that no one else draws is written
  /// without: buckets of catalogs may not let us write what is asked with.
  ///
  /// Cost: nothing for AWS and for a bucket that was asked; else three requests beside `path`.
  func makeSureOfConditions(for path: ObjectPath) async throws(StorageError) {
    guard !client.keepsConditions(path.bucket), let folder = path.parent else { return }
    do throws(StorageError) {
      try await checkConditionalWrites(under: folder, environment: client.environment)
    } catch .outcomeUnknown(let cause, _) {
      // Of the question's own object: of what is to be written, nothing was sent.
      throw cause
    }
    client.noteConditions(keptBy: path.bucket)
  }
}
