// SPDX-License-Identifier: Apache-2.0
import CSQLite
import Foundation
import Lake
import LakeTestSupport
import SQLiteCatalog

/// A folder with a catalog's file and a warehouse in it, gone when the test is.
final class CatalogFile: Sendable {
  let folder: URL
  let file: ObjectPath
  let warehouse: ObjectPath

  init() throws {
    // In memory where that can be had: what is synced is no matter of these tests, and takes long.
    let memory = URL(filePath: "/dev/shm")
    let isWritable = FileManager.default.isWritableFile(atPath: memory.path)
    folder = (isWritable ? memory : FileManager.default.temporaryDirectory)
      .appending(path: "lake-sqlite-\(UUID().uuidString)").resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    file = try ObjectPath(folder.appending(path: "catalog.db").path)
    warehouse = try ObjectPath(folder.appending(path: "warehouse").path)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The catalog, with a connection of its own as another process has it.
  func catalog(
    _ store: any ObjectStore = LocalStore(durability: .unsynced), name: String = "dev",
    environment: Environment = .system, allowing allowed: [ObjectPath] = [], vfs: String? = nil
  ) -> SQLiteCatalog {
    SQLiteCatalog(
      name: name, file: file, warehouse: warehouse, store: store, environment: environment,
      allowing: allowed, vfs: vfs)
  }

  /// What another program does to the file.
  func execute(_ sql: String) throws { try SQLiteFile.execute(sql, in: file.path) }

  /// What another program reads of it.
  func rows(_ sql: String) throws -> [[String?]] { try SQLiteFile.rows(sql, in: file.path) }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }
}

/// SQLite as any other program uses it.
enum SQLiteFile {
  struct Failure: Error { let text: String }

  static func execute(_ sql: String, in path: String) throws { _ = try rows(sql, in: path) }

  /// The rows of all statements of `sql`.
  static func rows(_ sql: String, in path: String) throws -> [[String?]] {
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK else {
      throw Failure(text: "can't open \(path)")
    }
    defer { sqlite3_close(handle) }
    sqlite3_busy_timeout(handle, 10_000)
    final class Found { var rows: [[String?]] = [] }
    let found = Found()
    var message: UnsafeMutablePointer<CChar>?
    let code = sqlite3_exec(
      handle, sql,
      { context, count, values, _ in
        guard let context, let values else { return 0 }
        let found = Unmanaged<Found>.fromOpaque(context).takeUnretainedValue()
        found.rows.append((0..<Int(count)).map { values[$0].map { String(cString: $0) } })
        return 0
      }, Unmanaged.passUnretained(found).toOpaque(), &message)
    guard code == SQLITE_OK else {
      defer { sqlite3_free(message) }
      throw Failure(text: message.map { String(cString: $0) } ?? "code \(code)")
    }
    return found.rows
  }
}

extension Catalog {
  func create(_ name: String, _ schema: String = "k int, v string") async throws -> Table {
    try await createTable(
      TableIdentifier(name), TableDefinition(schema: Schema(schema)))
  }

  func load(_ name: String) async throws -> Table { try await loadTable(TableIdentifier(name)) }

  /// The texts of all rows of a table, sorted.
  func texts(_ name: String) async throws -> [String] {
    try await load(name).scan().readAll()
      .flatMap { batch in (0..<batch.rowCount).map { batch.columns[1].string($0) } }.sorted()
  }
}

extension Table {
  @discardableResult
  func append(_ text: String) async throws -> Table {
    let batch = Rows.batch([[.int(0), .string(text)]], metadata.currentSchema)
    return try await append([batch])?.table ?? self
  }
}
