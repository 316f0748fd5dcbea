// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Storage

/// Transactions as the catalog makes them: on threads that may wait, again while others hold a lock,
/// and again if no one could tell how one ended.
struct DatabaseAccess: Sendable {
  let database: Database
  let environment: Environment

  var file: ObjectPath { database.file }

  /// How long locks of others are waited for.
  private static let patience: Duration = .seconds(60)
  /// How often a transaction is made again after one whose end is not known.
  private static let settlementLimit = 4

  /// Runs `body` on one state of the file.
  ///
  /// - Parameter missing: what is returned where there is no file; without it that is an error.
  func read<T: Sendable>(
    _ activity: String, missing: T? = nil,
    _ body: @escaping @Sendable (Connection) throws(SQLFailure) -> T
  ) async throws(CatalogError) -> T {
    let database = self.database
    do throws(SQLFailure) {
      return try await patiently { () async throws(SQLFailure) in
        try await BlockingThreads.shared.run { () throws(SQLFailure) in try database.read(body) }
      }
    } catch {
      if error.isMissing, let missing { return missing }
      throw .storage(error.storageError(file), while: activity)
    }
  }

  /// Runs `body` alone, and commits what it did.
  ///
  /// - Parameter body: is told whether it was run before, to an end that is not known: then it has to
  ///   see whether what it does is done already.
  /// - Parameter absent: what is returned where there is no file; without it that is an error, or the
  ///   file is made.
  /// - Throws: ``CatalogError/outcomeUnknown(what:cause:)`` if that is so in the end.
  func write<T: Sendable>(
    _ activity: String, missing: Database.Missing = .fails, absent: T? = nil,
    _ body: @escaping @Sendable (Connection, _ isRepeated: Bool) throws(SQLFailure) -> T
  ) async throws(CatalogError) -> T {
    let database = self.database
    var doubt: SQLFailure?
    for _ in 0...Self.settlementLimit {
      let isRepeated = doubt != nil
      do throws(SQLFailure) {
        return try await patiently { () async throws(SQLFailure) in
          try await BlockingThreads.shared.run { () throws(SQLFailure) in
            try database.write(missing: missing) { (connection) throws(SQLFailure) in
              try body(connection, isRepeated)
            }
          }
        }
      } catch {
        guard error.mayHaveHappened else {
          // An error that is certain; but an attempt before it may have been committed.
          if let doubt { throw unknown(activity, doubt) }
          if error.isMissing, let absent { return absent }
          throw .storage(error.storageError(file), while: activity)
        }
        doubt = error
      }
    }
    throw unknown(activity, doubt)
  }

  private func unknown(_ activity: String, _ doubt: SQLFailure?) -> CatalogError {
    let cause = doubt?.storageError(file) ?? .cancelled(path: file)
    return .outcomeUnknown(what: activity, cause: .outcomeUnknown(cause, path: file))
  }

  /// Makes the request again while the file is busy, for some time.
  private func patiently<T: Sendable>(
    _ request: () async throws(SQLFailure) -> T
  ) async throws(SQLFailure) -> T {
    let start = environment.uptime()
    var longest: UInt64 = 2000
    while true {
      do throws(SQLFailure) {
        return try await request()
      } catch {
        guard error.isBusy, environment.uptime() - start < Self.patience else { throw error }
        let pause = Duration.microseconds(Int64(environment.random(below: longest) + 200))
        longest = min(longest * 2, 100_000)
        do throws(CancellationError) {
          try await environment.sleep(for: pause)
        } catch {
          throw SQLFailure(code: SQLFailure.cancelledCode, message: "cancelled", doing: "waiting")
        }
      }
    }
  }
}

extension SQLFailure {
  /// No code of SQLite's: the task was cancelled while it waited.
  static let cancelledCode: Int32 = -2

  func storageError(_ file: ObjectPath) -> StorageError {
    let words = "\(message) (SQLite, \(doing))"
    if isMissing { return .notFound(path: file) }
    if code == Self.cancelledCode { return .cancelled(path: file) }
    if isBusy {
      return .unavailable(
        path: file, reason: "another process holds its lock (\(message))", retryAfter: nil)
    }
    if isFull { return .full(path: file, reason: words) }
    if isDenied { return .permissionDenied(path: file, reason: words) }
    return .io(operation: doing, path: file, reason: message, code: code, isTransient: false)
  }
}
