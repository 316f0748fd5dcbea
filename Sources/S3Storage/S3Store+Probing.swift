// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

extension S3Store {
  /// True of the versions of a table without a catalog (`v7.metadata.json`): who makes one has
  /// committed. All other objects have names that no one else draws, and buckets of catalogs may
  /// not let us write what is asked with.
  private static func isClaimed(_ path: ObjectPath) -> Bool {
    path.name.utf8.first == UInt8(ascii: "v") && path.name.hasSuffix(".metadata.json")
  }

  /// Throws unless the bucket of `path` keeps the conditions of writes; each is asked once, before
  /// the first that a commit hangs on.
  ///
  /// Cost: nothing for AWS and for a bucket that was asked; else three requests beside `path`.
  func checkConditions(for path: ObjectPath) async throws(StorageError) {
    guard Self.isClaimed(path), !client.keepsConditions(path.bucket), let folder = path.parent
    else { return }
    do throws(StorageError) {
      try await checkConditionalWrites(
        under: folder, environment: client.environment)
    } catch .outcomeUnknown(let cause, _) {
      // Of the question's own object: of what is to be written, nothing was sent.
      throw cause
    }
    client.noteConditions(keptBy: path.bucket)
  }
}
