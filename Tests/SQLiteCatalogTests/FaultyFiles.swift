// SPDX-License-Identifier: Apache-2.0
import CSQLite
import Foundation
import Synchronization

/// A way to files for SQLite (a VFS) on which the n-th call fails that may change something or takes
/// a lock.
///
/// Files are those of the system's own VFS, whose methods are put into a table of ours but for the
/// ones that fail; behind that table, and behind the VFS, lies who we are.
final class FaultyFiles: Sendable {
  enum Fault: CaseIterable, Sendable {
    /// Nothing is done, and the error says that the disk failed.
    case before
    /// It is done, and the error says that the disk failed.
    case after
    /// Nothing is done: the disk is full.
    case full
    /// Nothing is done: someone else has the lock.
    case busy
  }

  enum Lasting: CaseIterable, Sendable {
    case once, untilHealed
  }

  private struct State {
    var callCount = 0
    var firedCall: String?
    var isDown = false
    var isHealed = false
  }

  let name = "lake-faulty-\(UUID().uuidString)"
  private let fault: Fault
  private let failingCall: Int
  private let lasting: Lasting
  private let state = Mutex(State())

  /// Registered for the life of the process: SQLite keeps the pointer.
  init(_ fault: Fault, atCall call: Int, lasting: Lasting) {
    self.fault = fault
    self.failingCall = call
    self.lasting = lasting
    Native.register(self)
  }

  var firedCall: String? { state.withLock { $0.firedCall } }

  /// Ends all faults.
  func heal() { state.withLock { $0.isHealed = true } }

  /// Counts a call, and makes it or fails it.
  func call(_ name: String, isLock: Bool = false, _ body: () -> Int32) -> Int32 {
    guard isLock == (fault == .busy) else { return body() }
    let fails = state.withLock { state in
      if state.isHealed { return false }
      state.callCount += 1
      if state.isDown { return true }
      guard state.callCount == failingCall else { return false }
      state.firedCall = name
      state.isDown = lasting == .untilHealed
      return true
    }
    guard fails else { return body() }
    switch fault {
    case .before: return Self.code(of: name)
    case .after:
      let code = body()
      return code == SQLITE_OK ? Self.code(of: name) : code
    case .full: return name == "write" ? SQLITE_FULL : Self.code(of: name)
    case .busy: return SQLITE_BUSY
    }
  }

  private static func code(of name: String) -> Int32 {
    switch name {
    case "write": SQLITE_IOERR | (3 << 8)
    case "sync": SQLITE_IOERR | (4 << 8)
    case "truncate": SQLITE_IOERR | (6 << 8)
    case "delete": SQLITE_IOERR | (10 << 8)
    default: SQLITE_IOERR
    }
  }
}

/// The C side of it.
private enum Native {
  nonisolated(unsafe) static let base = sqlite3_vfs_find(nil)!

  static func register(_ files: FaultyFiles) {
    let vfs = allocate(sqlite3_vfs.self, Unmanaged.passRetained(files).toOpaque(), base)
    vfs.pointee = base.pointee
    vfs.pointee.pNext = nil
    vfs.pointee.zName = UnsafePointer(strdup(files.name))
    vfs.pointee.xOpen = { vfs, path, file, flags, outFlags in
      let code = Native.base.pointee.xOpen(Native.base, path, file, flags, outFlags)
      guard code == SQLITE_OK, let vfs, let file, let methods = file.pointee.pMethods else {
        return code
      }
      file.pointee.pMethods = UnsafePointer(
        Native.methods(
          over: methods, Native.pointer(0, behind: UnsafeRawPointer(vfs), sqlite3_vfs.self)))
      return code
    }
    vfs.pointee.xDelete = { vfs, path, syncs in
      guard let vfs else { return SQLITE_ERROR }
      return Native.files(behind: UnsafeRawPointer(vfs), sqlite3_vfs.self).call("delete") {
        Native.base.pointee.xDelete(Native.base, path, syncs)
      }
    }
    sqlite3_vfs_register(vfs, 0)
  }

  static func methods(
    over own: UnsafePointer<sqlite3_io_methods>, _ owner: UnsafeRawPointer
  ) -> UnsafeMutablePointer<sqlite3_io_methods> {
    let methods = allocate(sqlite3_io_methods.self, owner, own)
    methods.pointee = own.pointee
    methods.pointee.xWrite = { file, bytes, count, offset in
      Native.files(of: file).call("write") { Native.plain(file).xWrite(file, bytes, count, offset) }
    }
    methods.pointee.xSync = { file, flags in
      Native.files(of: file).call("sync") { Native.plain(file).xSync(file, flags) }
    }
    methods.pointee.xTruncate = { file, size in
      Native.files(of: file).call("truncate") { Native.plain(file).xTruncate(file, size) }
    }
    methods.pointee.xLock = { file, level in
      Native.files(of: file).call("lock", isLock: true) { Native.plain(file).xLock(file, level) }
    }
    methods.pointee.xShmLock = { file, offset, count, flags in
      // To let go of a lock never fails.
      guard flags & SQLITE_SHM_LOCK != 0 else {
        return Native.plain(file).xShmLock(file, offset, count, flags)
      }
      return Native.files(of: file).call("shared lock", isLock: true) {
        Native.plain(file).xShmLock(file, offset, count, flags)
      }
    }
    return methods
  }

  /// A `T` with two pointers behind it.
  private static func allocate<T>(
    _ type: T.Type, _ owner: UnsafeRawPointer, _ original: UnsafeRawPointer
  ) -> UnsafeMutablePointer<T> {
    let pointerSize = MemoryLayout<UnsafeRawPointer>.stride
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<T>.stride + 2 * pointerSize, alignment: 16)
    bytes.storeBytes(of: owner, toByteOffset: MemoryLayout<T>.stride, as: UnsafeRawPointer.self)
    bytes.storeBytes(
      of: original, toByteOffset: MemoryLayout<T>.stride + pointerSize, as: UnsafeRawPointer.self)
    return bytes.bindMemory(to: T.self, capacity: 1)
  }

  /// The first or second pointer behind the `T` at `start`.
  static func pointer<T>(
    _ index: Int, behind start: UnsafeRawPointer, _ type: T.Type
  ) -> UnsafeRawPointer {
    let offset = MemoryLayout<T>.stride + index * MemoryLayout<UnsafeRawPointer>.stride
    return start.load(fromByteOffset: offset, as: UnsafeRawPointer.self)
  }

  static func files<T>(behind start: UnsafeRawPointer, _ type: T.Type) -> FaultyFiles {
    Unmanaged<FaultyFiles>.fromOpaque(pointer(0, behind: start, type)).takeUnretainedValue()
  }

  static func files(of file: UnsafeMutablePointer<sqlite3_file>?) -> FaultyFiles {
    files(behind: UnsafeRawPointer(file!.pointee.pMethods!), sqlite3_io_methods.self)
  }

  /// The system's methods of a file: there are several sets of them.
  static func plain(_ file: UnsafeMutablePointer<sqlite3_file>?) -> sqlite3_io_methods {
    pointer(1, behind: UnsafeRawPointer(file!.pointee.pMethods!), sqlite3_io_methods.self)
      .load(as: sqlite3_io_methods.self)
  }
}
