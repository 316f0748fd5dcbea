// SPDX-License-Identifier: Apache-2.0

/// The two tables of a catalog, within a transaction.
///
///     iceberg_tables                   catalog_name, table_namespace, table_name (the key),
///                                      metadata_location, previous_metadata_location, iceberg_type
///     iceberg_namespace_properties     catalog_name, namespace, property_key (the key),
///                                      property_value
///
/// `iceberg_type` is `TABLE`, `VIEW` or null, which is a table as well; files of version 0 have no
/// such column, and keep it so. Levels of a namespace are joined by dots. One file may have several
/// catalogs.
///
/// Source: Iceberg Java, `JdbcUtil`; PyIceberg, `SqlCatalog`.
struct CatalogRows {
  let connection: Connection
  let catalog: String
  let version: Version
  /// False where another program made the first of the two tables and not yet the second.
  private let hasProperties: Bool

  enum Version: Sendable {
    /// The file has no tables of a catalog yet.
    case none
    case v0
    case v1
  }

  /// - Throws: if the file is none that a catalog is kept in, or has more in it than data.
  init(_ connection: Connection, catalog: String) throws(SQLFailure) {
    self.connection = connection
    self.catalog = catalog
    (version, hasProperties) = try Self.shape(of: connection)
  }

  /// As the other initializer, and the tables are made where there are none.
  init(making connection: Connection, catalog: String) throws(SQLFailure) {
    let shape = try Self.shape(of: connection)
    if shape.version == .none || !shape.hasProperties { try Self.make(connection) }
    try self.init(connection, catalog: catalog)
  }

  private static func make(_ connection: Connection) throws(SQLFailure) {
    try connection.change(
      """
      CREATE TABLE IF NOT EXISTS iceberg_tables (
        catalog_name VARCHAR(255) NOT NULL,
        table_namespace VARCHAR(255) NOT NULL,
        table_name VARCHAR(255) NOT NULL,
        metadata_location VARCHAR(1000),
        previous_metadata_location VARCHAR(1000),
        iceberg_type VARCHAR(5),
        PRIMARY KEY (catalog_name, table_namespace, table_name))
      """)
    try connection.change(
      """
      CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
        catalog_name VARCHAR(255) NOT NULL,
        namespace VARCHAR(255) NOT NULL,
        property_key VARCHAR(255) NOT NULL,
        property_value VARCHAR(1000) NOT NULL,
        PRIMARY KEY (catalog_name, namespace, property_key))
      """)
  }

  /// What a file may have in it is data: a trigger or a view is a program that would run with our
  /// rights, and a table that is none of SQLite's own is one too.
  private static func shape(
    of connection: Connection
  ) throws(SQLFailure) -> (version: Version, hasProperties: Bool) {
    var found: Set<String> = []
    let names = ["iceberg_tables", "iceberg_namespace_properties"]
    for row in try connection.rows("SELECT type, name, sql FROM sqlite_master") {
      let name = row[1] ?? ""
      switch row[0] {
      case "trigger", "view": throw foreign("the \(row[0] ?? "") '\(name.prefix(100))'")
      case "table" where names.contains(name.lowercased()):
        let sql = (row[2] ?? "").lowercased()
        if sql.hasPrefix("create virtual") { throw foreign("the virtual table '\(name)'") }
        found.insert(name.lowercased())
      default: break
      }
    }
    let hasProperties = found.contains(names[1])
    guard found.contains(names[0]) else { return (.none, hasProperties) }
    var columns: Set<String> = []
    for row in try connection.rows("PRAGMA table_info(iceberg_tables)") {
      columns.insert((row[1] ?? "").lowercased())
    }
    return (columns.contains("iceberg_type") ? .v1 : .v0, hasProperties)
  }

  private static func foreign(_ what: String) -> SQLFailure {
    SQLFailure(
      code: 0, message: "it has \(what) in it, which no catalog has: what runs in it is not known",
      doing: "reading")
  }

  // MARK: tables

  /// The row of a table or view.
  struct Entry: Sendable, Equatable {
    let namespace: String
    let name: String
    let location: String?
    let previousLocation: String?
    let type: String?

    var isTable: Bool { type == nil || type == "TABLE" }
  }

  /// The row of this name, be it a table's or a view's.
  func entry(_ namespace: String, _ name: String) throws(SQLFailure) -> Entry? {
    let rows =
      switch version {
      case .none: [[String?]]()
      case .v0:
        try connection.rows(
          """
          SELECT metadata_location, previous_metadata_location, NULL FROM iceberg_tables
          WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3
          """, [catalog, namespace, name])
      case .v1:
        try connection.rows(
          """
          SELECT metadata_location, previous_metadata_location, iceberg_type FROM iceberg_tables
          WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3
          """, [catalog, namespace, name])
      }
    return rows.first.map {
      Entry(
        namespace: namespace, name: name, location: $0[0], previousLocation: $0[1], type: $0[2])
    }
  }

  func tableNames(in namespace: String) throws(SQLFailure) -> [String] {
    let rows =
      switch version {
      case .none: [[String?]]()
      case .v0:
        try connection.rows(
          "SELECT table_name FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2",
          [catalog, namespace])
      case .v1:
        try connection.rows(
          """
          SELECT table_name FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2
          AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)
          """, [catalog, namespace])
      }
    return rows.compactMap { $0[0] }
  }

  /// Namespace, name and pointer of all tables and views of this catalog.
  func all() throws(SQLFailure) -> [[String?]] {
    guard version != .none else { return [] }
    return try connection.rows(
      """
      SELECT table_namespace, table_name, metadata_location FROM iceberg_tables
      WHERE catalog_name = ?1
      """, [catalog])
  }

  /// Every metadata file that a row of any catalog names, but for that of this name.
  func locations(but namespace: String, _ name: String) throws(SQLFailure) -> [String] {
    try connection.rows(
      """
      SELECT metadata_location FROM iceberg_tables
      WHERE NOT (catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3)
      """, [catalog, namespace, name]
    ).compactMap { $0[0] }
  }

  /// - Throws: what ``SQLFailure/isDuplicate`` if there is a row of this name.
  func insert(_ namespace: String, _ name: String, at location: String) throws(SQLFailure) {
    switch version {
    case .none, .v0:
      try connection.change(
        """
        INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location,
          previous_metadata_location) VALUES (?1, ?2, ?3, ?4, NULL)
        """, [catalog, namespace, name, location])
    case .v1:
      try connection.change(
        """
        INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location,
          previous_metadata_location, iceberg_type) VALUES (?1, ?2, ?3, ?4, NULL, 'TABLE')
        """, [catalog, namespace, name, location])
    }
  }

  /// Moves the pointer of a table from `old` to `new`; false if it is elsewhere.
  func swap(
    _ namespace: String, _ name: String, from old: String, to new: String
  ) throws(SQLFailure) -> Bool {
    try connection.change(
      """
      UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = ?4
      WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3
        AND metadata_location = ?4
      """, [catalog, namespace, name, old, new]) == 1
  }

  /// Takes the row of a table away.
  func delete(_ namespace: String, _ name: String) throws(SQLFailure) -> Bool {
    try connection.change(
      """
      DELETE FROM iceberg_tables
      WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3
      """, [catalog, namespace, name]) == 1
  }

  /// - Throws: what ``SQLFailure/isDuplicate`` if there is a row of the new name.
  func rename(
    _ namespace: String, _ name: String, to newNamespace: String, _ newName: String
  ) throws(SQLFailure) -> Bool {
    try connection.change(
      """
      UPDATE iceberg_tables SET table_namespace = ?4, table_name = ?5
      WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3
      """, [catalog, namespace, name, newNamespace, newName]) == 1
  }

  // MARK: namespaces

  /// All namespaces that anything is noted of or in; some are there twice.
  func namespaces() throws(SQLFailure) -> [String] {
    var rows: [[String?]] = []
    if version != .none {
      rows += try connection.rows(
        "SELECT DISTINCT table_namespace FROM iceberg_tables WHERE catalog_name = ?1", [catalog])
    }
    if hasProperties {
      rows += try connection.rows(
        "SELECT DISTINCT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1",
        [catalog])
    }
    return rows.compactMap { $0[0] }
  }

  /// True if a table or view is right in `namespace`.
  func hasEntries(in namespace: String) throws(SQLFailure) -> Bool {
    guard version != .none else { return false }
    return try !connection.rows(
      "SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 LIMIT 1",
      [catalog, namespace]
    ).isEmpty
  }

  func properties(of namespace: String) throws(SQLFailure) -> [String: String] {
    guard hasProperties else { return [:] }
    var properties: [String: String] = [:]
    for row in try connection.rows(
      """
      SELECT property_key, property_value FROM iceberg_namespace_properties
      WHERE catalog_name = ?1 AND namespace = ?2
      """, [catalog, namespace])
    {
      if let key = row[0], let value = row[1] { properties[key] = value }
    }
    return properties
  }

  func setProperty(
    _ key: String, _ value: String, of namespace: String
  ) throws(SQLFailure) {
    try removeProperty(key, of: namespace)
    try connection.change(
      """
      INSERT INTO iceberg_namespace_properties
        (catalog_name, namespace, property_key, property_value) VALUES (?1, ?2, ?3, ?4)
      """, [catalog, namespace, key, value])
  }

  func removeProperty(_ key: String, of namespace: String) throws(SQLFailure) {
    try connection.change(
      """
      DELETE FROM iceberg_namespace_properties
      WHERE catalog_name = ?1 AND namespace = ?2 AND property_key = ?3
      """, [catalog, namespace, key])
  }

  func removeProperties(of namespace: String) throws(SQLFailure) {
    try connection.change(
      "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = ?2",
      [catalog, namespace])
  }
}
