// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension ObjectStore {
  /// Finds out whether conditional writes do what they promise here.
  ///
  /// There are stores and emulators that take the condition and ignore it; two writers then both
  /// own every version, and what one committed is lost without a word. Whoever commits by
  /// conditional writes asks once, before the first.
  ///
  /// Cost: three requests and one object under `prefix`, deleted again.
  /// - Throws: ``StorageError/unsupported(what:path:instead:)`` if a condition was ignored.
  public func checkConditionalWrites(
    under prefix: ObjectPath, environment: Environment
  ) async throws(StorageError) {
    let path = try prefix.appending(".lake-probe-" + environment.uuid())
    let bytes = Buffer(utf8: "asks whether conditional writes are kept; may be deleted")
    _ = try await put(bytes, to: path, if: .absent)
    let answer: StorageError?
    do throws(StorageError) {
      _ = try await put(bytes, to: path, if: .absent)
      answer = .unsupported(
        what: "conditional writes", path: prefix,
        instead: "two writers would overwrite each other's commits; use a catalog")
    } catch .conditionFailed {
      answer = nil
    } catch {
      answer = error
    }
    try await delete(path)
    if let answer { throw answer }
  }
}
