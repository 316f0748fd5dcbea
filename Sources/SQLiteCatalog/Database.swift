// SPDX-License-Identifier: Apache-2.0
internal import Storage
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The file of a catalog, and the one connection to it that this process has here.
///
/// Calls wait for the disk and for others' locks: they are made on threads that may.
final class Database: Sendable {
  let file: ObjectPath
  private let vfs: String?
  private let held = Mutex<Connection?>(nil)

  /// - Parameter vfs: what SQLite reaches files through; nil for its own.
  init(_ file: ObjectPath, vfs: String?) {
    self.file = file
    self.vfs = vfs
  }

  /// Whether a file that is not there is made.
  enum Missing: Sendable {
    case fails
    case isMade
  }

  /// Runs `body` on one state of the file.
  func read<T: Sendable>(
    _ body: (Connection) throws(SQLFailure) -> T
  ) throws(SQLFailure) -> T {
    try held.withLock { (held) throws(SQLFailure) -> T in
      let connection = try connect(&held, missing: .fails)
      do throws(SQLFailure) {
        try connection.change("BEGIN")
        let value = try body(connection)
        try connection.change("COMMIT")
        return value
      } catch {
        end(&held)
        throw error
      }
    }
  }

  /// Runs `body` alone, and commits what it did; what it throws undoes it.
  ///
  /// - Throws: what has ``SQLFailure/mayHaveHappened`` set if no one can tell whether it was
  ///   committed. Of all other failures nothing remains.
  func write<T: Sendable>(
    missing: Missing, _ body: (Connection) throws(SQLFailure) -> T
  ) throws(SQLFailure) -> T {
    try held.withLock { (held) throws(SQLFailure) -> T in
      let connection = try connect(&held, missing: missing)
      let value: T
      do throws(SQLFailure) {
        try connection.change("BEGIN IMMEDIATE")
        value = try body(connection)
      } catch {
        end(&held)
        throw error
      }
      try commit(connection, &held)
      return value
    }
  }

  /// Runs `body` outside of a transaction.
  func plain<T: Sendable>(
    _ body: (Connection) throws(SQLFailure) -> T
  ) throws(SQLFailure) -> T {
    try held.withLock { (held) throws(SQLFailure) -> T in
      try body(try connect(&held, missing: .fails))
    }
  }

  /// SQLite says of a commit that failed for want of a lock that it can be undone; of one that the
  /// disk failed, pages may be where the next reader finds them.
  private func commit(_ connection: Connection, _ held: inout Connection?) throws(SQLFailure) {
    do throws(SQLFailure) {
      try connection.change("COMMIT")
    } catch {
      let wasOpen = !connection.isIdle
      end(&held)
      guard error.isBusy, wasOpen, connection.isIdle else {
        held = nil
        throw error.asUnknown
      }
      throw error
    }
  }

  /// Undoes what is open; a connection that can't be brought to rest is closed.
  private func end(_ held: inout Connection?) {
    guard let connection = held, !connection.isIdle else { return }
    _ = try? connection.change("ROLLBACK")
    if !connection.isIdle { held = nil }
  }

  private func connect(
    _ held: inout Connection?, missing: Missing
  ) throws(SQLFailure) -> Connection {
    if let connection = held, !connection.hasMoved { return connection }
    held = nil
    let (path, isNew) = try Self.resolve(file.path, missing)
    let connection = try Connection(path: path, vfs: vfs)
    if isNew {
      // One that others made keeps its mode, which is as safe. That another process is about the
      // same is no failure.
      _ = try? connection.rows("PRAGMA journal_mode = WAL")
    }
    held = connection
    return connection
  }

  /// The path of the file without symbolic links on the way to it, and whether it was made now.
  private static func resolve(
    _ path: String, _ missing: Missing
  ) throws(SQLFailure) -> (path: String, isNew: Bool) {
    func failure(_ message: String, _ code: Int32 = SQLFailure.cannotOpen) -> SQLFailure {
      SQLFailure(code: code, message: message, doing: "opening")
    }
    guard let cut = path.lastIndex(of: "/"), path.last != "/" else {
      throw failure("it is no path of a file")
    }
    let folder = cut == path.startIndex ? "/" : String(path[..<cut])
    guard let found = unsafe realpath(folder, nil) else {
      throw failure("the folder \(folder): \(systemText(errno))", SQLFailure.missing)
    }
    let resolved = unsafe String(cString: found) + path[cut...]
    unsafe free(found)
    var status = stat()
    if unsafe lstat(resolved, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw failure("what lies there is no plain file")
      }
      return (resolved, false)
    }
    guard errno == ENOENT else { throw failure(systemText(errno)) }
    guard missing == .isMade else { throw failure("there is no such file", SQLFailure.missing) }
    return (resolved, try make(resolved, in: folder))
  }

  /// Makes an empty file that only its owner may read, unless another process does meanwhile.
  private static func make(_ path: String, in folder: String) throws(SQLFailure) -> Bool {
    let flags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC
    let descriptor = unsafe open(path, flags, 0o600)
    guard descriptor >= 0 else {
      if errno == EEXIST { return true }
      throw SQLFailure(code: SQLFailure.cannotOpen, message: systemText(errno), doing: "making")
    }
    close(descriptor)
    // The name has to survive a power failure as what is put in the file does.
    let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
    return true
  }
}

extension SQLFailure {
  /// SQLITE_CANTOPEN.
  static let cannotOpen: Int32 = 14
  /// No code of SQLite's: there is no file, and none was to be made.
  static let missing: Int32 = -1

  var isMissing: Bool { code == Self.missing }
}

private func systemText(_ code: Int32) -> String {
  guard let text = unsafe strerror(code) else { return "error \(code)" }
  return unsafe String(cString: text)
}
