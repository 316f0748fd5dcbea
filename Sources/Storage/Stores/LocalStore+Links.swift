// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension LocalStore {
  /// Where the file at `path` really is, all symbolic links followed: for files a person names,
  /// which may be links although objects may not.
  ///
  /// - Throws: ``StorageError/notFound(path:)``.
  public static func target(of path: ObjectPath) throws(StorageError) -> ObjectPath {
    guard path.scheme == "file", path.authority.isEmpty else {
      throw .refused(path: path, reason: "it is no file of this machine")
    }
    guard let resolved = unsafe realpath(path.path, nil) else {
      throw StorageError(errno: errno, "following links", path)
    }
    defer { unsafe free(resolved) }
    return try ObjectPath(unsafe String(cString: resolved))
  }
}
