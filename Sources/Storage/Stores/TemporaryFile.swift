// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file that is written beside its name, and given the name when it is whole.
///
/// Until then no listing shows it; if it is let go of before, it is removed. A process that dies
/// leaves it, for `removeAbandonedWrites` to find.
final class TemporaryFile: Sendable {
  private let directory: OpenFile
  private let file: OpenFile
  private let temporaryName: String
  private let name: String
  private let path: ObjectPath
  private let durability: LocalStore.Durability
  private let isOnDisk = Mutex(true)
  private let byteCount = Mutex<Int64>(0)

  private init(
    _ directory: OpenFile, _ file: OpenFile, _ temporaryName: String, _ name: String,
    _ path: ObjectPath, _ durability: LocalStore.Durability
  ) {
    self.directory = directory
    self.file = file
    self.temporaryName = temporaryName
    self.name = name
    self.path = path
    self.durability = durability
  }

  deinit { discard() }

  private static let prefix = ".lake-"
  private static let suffix = ".tmp"

  /// True for the names such files have: `.lake-`, 32 hexadecimal digits, `.tmp`.
  static func isName(_ name: String) -> Bool {
    let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
    return name.utf8.starts(with: prefix.utf8) && name.utf8.suffix(4).elementsEqual(suffix.utf8)
      && digits.count == 32
      && digits.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// A file that may become the object at `path`; the directories it needs are made.
  ///
  /// - Throws: ``StorageError/conditionFailed(path:)`` if `condition` cannot hold any more.
  static func create(
    for path: ObjectPath, if condition: PutCondition, in tree: LocalTree,
    _ environment: Environment
  ) throws(StorageError) -> TemporaryFile {
    let (directory, name) = try tree.parent(of: path, missing: .isMade)
    if condition.isOnAbsence, let there = try directory.status(of: name) {
      try there.checkPlain(path)
      throw .conditionFailed(path: path)
    }
    for _ in 0..<8 {
      let temporaryName = prefix + environment.randomBytes(16).hexadecimal + suffix
      if let file = try directory.creating(temporaryName) {
        return TemporaryFile(directory, file, temporaryName, name, path, tree.durability)
      }
    }
    throw .io(
      operation: "creating", path: path, reason: "eight random names were taken", code: EEXIST,
      isTransient: false)
  }

  func write(_ bytes: Buffer) throws(StorageError) {
    try file.writeAll(bytes.bytes)
    byteCount.withLock { $0 += Int64(bytes.count) }
  }

  /// Gives the file its name, if `condition` holds there, and makes both durable.
  func publish(if condition: PutCondition) throws(StorageError) -> ObjectInfo {
    if durability == .synced { try file.synchronise() }
    let status = try file.status()
    let written = byteCount.withLock(\.self)
    guard status.byteCount == written else {
      throw .io(
        operation: "writing", path: path,
        reason: "of \(written) bytes, the file has \(status.byteCount)", code: 0, isTransient: false
      )
    }
    switch condition {
    case .absent, .unclaimed: try link()
    case .none: try replace(status, expecting: nil)
    case .matches(let version): try replace(status, expecting: version)
    }
    if durability == .synced {
      do throws(StorageError) {
        try directory.synchronise()
      } catch {
        discard()
        throw .outcomeUnknown(error, path: path)
      }
    }
    discard()
    return status.info(path)
  }

  /// Removes the file's temporary name. What was published stays.
  func discard() {
    let isOurs = isOnDisk.withLock { isOnDisk in
      defer { isOnDisk = false }
      return isOnDisk
    }
    guard isOurs else { return }
    try? directory.remove(temporaryName)
  }

  /// Adds the final name: the one call that fails if there is a file and loses no one's bytes.
  private func link() throws(StorageError) {
    let code = directory.link(temporaryName, as: name)
    if code == 0 { return }
    // A network file system may have done it and lost the answer, and then answered the question
    // it repeated itself with EEXIST. The file knows how many names it has.
    do throws(StorageError) {
      if try file.status().linkCount >= 2 { return }
    } catch {
      throw .outcomeUnknown(error, path: path)
    }
    switch code {
    case EEXIST:
      try directory.status(of: name)?.checkPlain(path)
      throw .conditionFailed(path: path)
    case EPERM, EXDEV, EMLINK, EOPNOTSUPP, ENOSYS:
      throw .unsupported(
        what: "hard links (\(unsafe String(cString: strerror(code))))", path: path,
        instead: "atomic commits are not possible on this file system; use a catalog")
    case ENOENT:
      throw .io(
        operation: "naming", path: path, reason: "the temporary file or directory is gone",
        code: code, isTransient: true)
    default:
      throw StorageError(errno: code, "naming", path)
    }
  }

  /// Puts the file in the place of what has the final name.
  private func replace(
    _ status: FileStatus, expecting version: ObjectVersion?
  ) throws(StorageError) {
    // Lake's processes take turns, so that none replaces what another just put there. A file
    // system that cannot do this (NFS) still replaces unconditionally.
    let turn = try directory.directory(".", links: .refused)
    let isOurTurn = turn.hold()
    defer { withExtendedLifetime(turn) {} }
    if let version {
      guard isOurTurn else {
        throw .unsupported(
          what: "locks", path: path,
          instead: "conditional replacement is not possible on this file system; use a catalog")
      }
      guard let there = try directory.status(of: name), there.version == version else {
        throw .conditionFailed(path: path)
      }
    }
    let code = directory.rename(temporaryName, to: name)
    if code == 0 {
      isOnDisk.withLock { $0 = false }
      return
    }
    do throws(StorageError) {
      if let there = try directory.status(of: name), there.isSameFile(as: status) { return }
    } catch {
      throw .outcomeUnknown(error, path: path)
    }
    throw StorageError(errno: code, "renaming", path)
  }
}
