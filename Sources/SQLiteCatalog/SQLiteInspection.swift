// SPDX-License-Identifier: Apache-2.0
package import Catalogs

/// What can be told of a catalog's file by looking at all of it.
package struct SQLiteInspection: Sendable {
  /// What SQLite finds wrong with the file; empty if all is well.
  package let problems: [String]
  /// `wal`, or what the program that made the file chose.
  package let journalMode: String
  /// 1, or 0 for a file that knows no views; nil if it has no tables of a catalog yet.
  package let schemaVersion: Int?
  /// How many tables and views of this catalog have names or places that Lake can't use.
  package let unusableRowCount: Int
  package let rowCount: Int
}

extension SQLiteCatalog {
  /// Looks at the file; nil if there is none.
  ///
  /// Cost: the whole file is read.
  package func inspect() async throws(CatalogError) -> SQLiteInspection? {
    try await access.read("inspecting the catalog", missing: nil as SQLiteInspection?) {
      [self] connection throws(SQLFailure) -> SQLiteInspection? in
      let rows = try rows(connection)
      let problems = try connection.rows("PRAGMA integrity_check(20)").compactMap { $0[0] }
      let mode = try connection.rows("PRAGMA journal_mode").first?[0] ?? "none"
      let version: Int? =
        switch rows.version {
        case .none: nil
        case .v0: 0
        case .v1: 1
        }
      let entries = try rows.all()
      return SQLiteInspection(
        problems: problems.filter { $0 != "ok" }, journalMode: mode, schemaVersion: version,
        unusableRowCount: entries.count { !isUsable($0) }, rowCount: entries.count)
    }
  }

  private func isUsable(_ row: [String?]) -> Bool {
    guard let namespace = row[0], let name = row[1], let location = row[2],
      let identifier = try? TableIdentifier(
        namespace: namespace.split(separator: ".", omittingEmptySubsequences: false)
          .map(String.init), name: name)
    else { return false }
    return (try? path(location, of: identifier)) != nil
  }
}
