// SPDX-License-Identifier: Apache-2.0
internal import CSQLite

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// One connection to an SQLite file, of which nothing is believed but what it stores: no trigger and
/// no view of it runs, its schema calls no function that could do harm, and nothing longer than a
/// megabyte is read.
///
/// All of SQLite's interface that Lake uses is called here. Statements are constants of the program,
/// with values bound to them.
@safe
final class Connection: Sendable {
  /// The library's object. ``Database`` calls it under its lock, one call at a time.
  nonisolated(unsafe) private let handle: OpaquePointer

  /// How long SQLite itself waits for a lock, on the thread that asks; whoever is told that the file
  /// is busy waits without one.
  private static let busyMilliseconds: Int32 = 200

  /// - Parameter vfs: what SQLite reaches files through; nil for its own.
  init(path: String, vfs: String?) throws(SQLFailure) {
    var handle: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
    let code = unsafe sqlite3_open_v2(path, &handle, flags, vfs)
    guard code == SQLITE_OK, let handle = unsafe handle else {
      let message = unsafe handle.map { unsafe String(cString: sqlite3_errmsg($0)) }
      let extended = unsafe handle.map { unsafe sqlite3_extended_errcode($0) }
      unsafe sqlite3_close_v2(handle)
      throw SQLFailure(code: extended ?? code, message: message ?? "no memory", doing: "opening")
    }
    unsafe self.handle = handle
    unsafe sqlite3_extended_result_codes(handle, 1)
    unsafe sqlite3_busy_timeout(handle, Self.busyMilliseconds)
    unsafe sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1 << 20)
    for (name, isOn) in [
      (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
      (SQLITE_DBCONFIG_ENABLE_VIEW, 0), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
    ] {
      _ = unsafe lake_sqlite_configure(handle, Int32(name), Int32(isOn))
    }
    _ = try rows("PRAGMA trusted_schema = OFF")
    _ = try rows("PRAGMA foreign_keys = ON")
    _ = try rows("PRAGMA synchronous = FULL")
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// True if no transaction is open.
  var isIdle: Bool { unsafe sqlite3_get_autocommit(handle) != 0 }

  /// True if the file that is open no longer lies where it was opened.
  var hasMoved: Bool {
    var answer: Int32 = 0
    let code = unsafe withUnsafeMutablePointer(to: &answer) { answer in
      unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, answer)
    }
    return code == SQLITE_OK && answer != 0
  }

  /// Runs a statement; returns how many rows it changed.
  @discardableResult
  func change(_ sql: StaticString, _ values: [String?] = []) throws(SQLFailure) -> Int {
    _ = try rows(sql, values)
    return Int(unsafe sqlite3_changes(handle))
  }

  /// The rows a statement gives. What is null or no UTF-8 is nil.
  func rows(_ sql: StaticString, _ values: [String?] = []) throws(SQLFailure) -> [[String?]] {
    let statement = unsafe try prepare(sql)
    defer { unsafe sqlite3_finalize(statement) }
    try unsafe bind(values, to: statement, sql)
    let columnCount = unsafe sqlite3_column_count(statement)
    var rows: [[String?]] = []
    while true {
      let code = unsafe sqlite3_step(statement)
      if code == SQLITE_DONE { return rows }
      guard code == SQLITE_ROW else { throw failure(sql) }
      var row: [String?] = []
      for column in 0..<columnCount { row.append(unsafe Self.text(of: column, in: statement)) }
      rows.append(row)
    }
  }

  private func prepare(_ sql: StaticString) throws(SQLFailure) -> OpaquePointer {
    var statement: OpaquePointer?
    let code = sql.withUTF8Buffer { text in
      unsafe text.withMemoryRebound(to: CChar.self) { text in
        unsafe sqlite3_prepare_v2(
          handle, text.baseAddress, Int32(clamping: text.count), &statement, nil)
      }
    }
    guard code == SQLITE_OK, let statement = unsafe statement else { throw failure(sql) }
    return unsafe statement
  }

  private func bind(
    _ values: [String?], to statement: OpaquePointer, _ sql: StaticString
  ) throws(SQLFailure) {
    for (index, value) in values.enumerated() {
      guard var text = value else { continue }  // what is not bound is null
      let code = text.withUTF8 { text in
        unsafe text.withMemoryRebound(to: CChar.self) { text in
          // An empty text may have no address, which would make it null.
          unsafe lake_sqlite_bind_text(
            statement, Int32(index + 1), text.baseAddress ?? Self.empty,
            Int32(clamping: text.count))
        }
      }
      guard code == SQLITE_OK else { throw failure(sql) }
    }
  }

  private static var empty: UnsafePointer<CChar> {
    let text: StaticString = ""
    return unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  private static func text(of column: Int32, in statement: OpaquePointer) -> String? {
    guard let start = unsafe sqlite3_column_text(statement, column) else { return nil }
    let count = Int(unsafe sqlite3_column_bytes(statement, column))
    return unsafe String(
      validating: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  private func failure(_ sql: StaticString) -> SQLFailure {
    let code = unsafe sqlite3_extended_errcode(handle)
    let message = unsafe String(cString: sqlite3_errmsg(handle))
    let words = "\(sql)".split(separator: " ").prefix(2).joined(separator: " ")
    return SQLFailure(code: code, message: message, doing: words)
  }
}

/// What SQLite says went wrong.
struct SQLFailure: Error {
  /// Its extended result code.
  let code: Int32
  let message: String
  /// Of the statement, the first words.
  let doing: String
  /// True if it was at the end of a transaction, which may have been committed all the same.
  var mayHaveHappened = false

  private var primaryCode: Int32 { code & 0xff }

  /// True if others hold a lock; nothing happened then.
  var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }
  /// True if a row of the same key is there.
  var isDuplicate: Bool { primaryCode == SQLITE_CONSTRAINT }
  var isFull: Bool { primaryCode == SQLITE_FULL }
  var isDenied: Bool {
    [SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH, SQLITE_CANTOPEN].contains(primaryCode)
  }

  var asUnknown: SQLFailure {
    var copy = self
    copy.mayHaveHappened = true
    return copy
  }
}
