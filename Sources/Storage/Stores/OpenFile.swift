// SPDX-License-Identifier: Apache-2.0
internal import Bytes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// An open file or directory of the operating system, closed when the last reference is gone.
///
/// The methods are the system calls, each failure turned into a ``StorageError`` about ``path``.
final class OpenFile: Sendable {
  let descriptor: Int32
  /// Whose errors these are.
  let path: ObjectPath

  private init(_ descriptor: Int32, _ path: ObjectPath) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// How to open a directory, and whether a link may stand for it.
  enum Links {
    case followed
    case refused
    var flag: Int32 { self == .refused ? O_NOFOLLOW : 0 }
  }

  private static func opened(
    _ path: ObjectPath, _ operation: String, _ call: () -> Int32
  ) throws(StorageError) -> OpenFile {
    while true {
      let descriptor = call()
      if descriptor >= 0 { return OpenFile(descriptor, path) }
      if errno != EINTR { throw StorageError(errno: errno, operation, path) }
    }
  }

  /// The directory `name`, a path of the operating system.
  static func directory(
    _ name: String, links: Links, for path: ObjectPath
  ) throws(StorageError) -> OpenFile {
    try opened(path, "opening the directory") {
      unsafe open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | links.flag)
    }
  }

  /// The plain file `name` for reading; pipes and devices do not block, links are not followed.
  static func reading(_ name: String, for path: ObjectPath) throws(StorageError) -> OpenFile {
    try opened(path, "opening") {
      unsafe open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }
  }

  /// The directory `name` in this one.
  func directory(_ name: String, links: Links) throws(StorageError) -> OpenFile {
    try Self.opened(path, "opening the directory") {
      unsafe openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | links.flag)
    }
  }

  /// The plain file `name` in this directory, for reading.
  func reading(_ name: String) throws(StorageError) -> OpenFile {
    try Self.opened(path, "opening") {
      unsafe openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }
  }

  /// A new file `name` in this directory; nil if the name is taken.
  func creating(_ name: String) throws(StorageError) -> OpenFile? {
    do throws(StorageError) {
      return try Self.opened(path, "creating") {
        unsafe openat(
          descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
      }
    } catch .io(_, _, _, EEXIST, _) {
      return nil
    }
  }

  /// Makes the directory `name` in this one, if there is none.
  func makeDirectory(_ name: String) throws(StorageError) {
    guard unsafe mkdirat(descriptor, name, 0o777) != 0, errno != EEXIST else { return }
    throw StorageError(errno: errno, "making a directory", path)
  }

  func status() throws(StorageError) -> FileStatus {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw StorageError(errno: errno, "looking", path)
    }
    return FileStatus(status)
  }

  /// What is called `name` in this directory, links not followed; nil if nothing is.
  func status(of name: String) throws(StorageError) -> FileStatus? {
    var status = stat()
    if unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
      return FileStatus(status)
    }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw StorageError(errno: errno, "looking", path)
  }

  /// The bytes in `range`, all of which the file has.
  func read(_ range: Range<Int64>) throws(StorageError) -> Buffer {
    guard !range.isEmpty else { return .empty }
    var target = MutableBuffer(byteCount: Int(range.count))
    var bytes = target.mutableBytes
    var filled = 0
    while filled < range.count {
      let count = unsafe bytes.withUnsafeMutableBytes { target in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[filled...])
        return unsafe pread(
          descriptor, rest.baseAddress, rest.count, off_t(range.lowerBound) + filled)
      }
      if count > 0 {
        filled += count
      } else if count == 0 {
        throw StorageError.io(
          operation: "reading", path: path, reason: "the file became shorter", code: 0,
          isTransient: false)
      } else if errno != EINTR {
        throw StorageError(errno: errno, "reading", path)
      }
    }
    return target.freeze()
  }

  /// Writes `bytes` at the file's position.
  func writeAll(_ bytes: RawSpan) throws(StorageError) {
    var written = 0
    while written < bytes.byteCount {
      let rest = bytes.extracting(written..<bytes.byteCount)
      let count = unsafe rest.withUnsafeBytes { source in
        unsafe write(descriptor, source.baseAddress, source.count)
      }
      if count > 0 {
        written += count
      } else if count == 0 {
        throw StorageError.full(path: path, reason: "nothing more is taken")
      } else if errno != EINTR {
        throw StorageError(errno: errno, "writing", path)
      }
    }
  }

  /// Returns when the file or directory is on the disk. After a failure nobody knows what is, and
  /// a second call would say that all is well: there must be none.
  func synchronise() throws(StorageError) {
    if fsync(descriptor) != 0 { throw StorageError(errno: errno, "synchronising", path) }
  }

  /// Waits until no one else holds this directory; false if it cannot be held.
  ///
  /// Let go of when the file is closed.
  func hold() -> Bool {
    while flock(descriptor, LOCK_EX) != 0 {
      if errno != EINTR { return false }
    }
    return true
  }

  /// Removes what is called `name` in this directory; that nothing was is no error.
  func remove(_ name: String) throws(StorageError) {
    guard unsafe unlinkat(descriptor, name, 0) != 0, errno != ENOENT else { return }
    throw StorageError(errno: errno, "deleting", path)
  }

  /// Gives the file `old` of this directory the second name `new`; the error's number, or 0.
  func link(_ old: String, as new: String) -> Int32 {
    unsafe linkat(descriptor, old, descriptor, new, 0) == 0 ? 0 : errno
  }

  /// Gives the file `old` of this directory the name `new`; the error's number, or 0.
  func rename(_ old: String, to new: String) -> Int32 {
    unsafe renameat(descriptor, old, descriptor, new) == 0 ? 0 : errno
  }
}

/// What the operating system knows of a file.
struct FileStatus {
  enum Kind: Equatable {
    case plain
    case directory
    case link
    case other(String)
  }

  let kind: Kind
  let byteCount: Int64
  let modified: Timestamp
  let version: ObjectVersion
  let device: UInt64
  let inode: UInt64
  let linkCount: UInt64

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .plain
      case S_IFDIR: .directory
      case S_IFLNK: .link
      case S_IFIFO: .other("a pipe")
      case S_IFSOCK: .other("a socket")
      default: .other("a device")
      }
    byteCount = Int64(status.st_size)
    let seconds = Int64(status.st_mtim.tv_sec)
    let nanoseconds = Int64(status.st_mtim.tv_nsec)
    modified = Timestamp(milliseconds: 0).adding(.seconds(seconds) + .nanoseconds(nanoseconds))
    version = ObjectVersion(
      token: "\(seconds).\(nanoseconds)-\(status.st_size)-\(status.st_ino)")
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    linkCount = UInt64(status.st_nlink)
  }

  func isSameFile(as other: FileStatus) -> Bool {
    device == other.device && inode == other.inode
  }

  /// Throws unless this is a plain file.
  func checkPlain(_ path: ObjectPath) throws(StorageError) {
    switch kind {
    case .plain: return
    case .directory: throw .notAnObject(path: path, found: "a directory")
    case .link: throw .notAnObject(path: path, found: "a symbolic link")
    case .other(let found): throw .notAnObject(path: path, found: found)
    }
  }

  func info(_ path: ObjectPath) -> ObjectInfo {
    ObjectInfo(path: path, byteCount: byteCount, modified: modified, version: version)
  }
}

extension StorageError {
  /// What error `errno` of the operating system means for `path`.
  init(errno code: Int32, _ operation: String, _ path: ObjectPath) {
    let reason = unsafe String(cString: strerror(code))
    switch code {
    case ENOENT, ENOTDIR: self = .notFound(path: path)
    case EACCES, EPERM, EROFS:
      self = .permissionDenied(path: path, reason: "\(operation): \(reason)")
    case ENOSPC, EDQUOT, EFBIG: self = .full(path: path, reason: "\(operation): \(reason)")
    case ELOOP: self = .notAnObject(path: path, found: "a symbolic link")
    case EISDIR: self = .notAnObject(path: path, found: "a directory")
    case ENXIO: self = .notAnObject(path: path, found: "a socket or device")
    case ENAMETOOLONG, EILSEQ: self = .invalidPath(path.text, reason: reason)
    default:
      let isTransient = [EINTR, EAGAIN, EMFILE, ENFILE, ENOMEM, ETIMEDOUT, ESTALE].contains(code)
      self = .io(
        operation: operation, path: path, reason: reason, code: code, isTransient: isTransient)
    }
  }
}
