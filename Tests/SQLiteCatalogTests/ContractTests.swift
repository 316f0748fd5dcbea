// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Every law of the contract against the SQLite catalog, in files as different programs make them.
@Suite("Catalog contract of SQLite")
struct ContractTests {
  enum Kind: CaseIterable {
    case own, ownInMemory
    /// As versions of Java make it that know no views.
    case version0
    /// As PyIceberg makes it: version 1, with a rollback journal.
    case rollbackJournal
  }

  static let keySQL = "PRIMARY KEY (catalog_name, table_namespace, table_name)"
  static let version0 = """
    CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL,
      table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
      metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), \(keySQL));
    CREATE TABLE iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL,
      namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
      property_value VARCHAR(1000) NOT NULL, PRIMARY KEY (catalog_name, namespace, property_key));
    """

  @Test(arguments: Kind.allCases, CatalogContract.laws)
  func `an SQLite catalog keeps every law`(kind: Kind, law: CatalogContract.Law) async throws {
    let place = try CatalogFile()
    let store: any ObjectStore =
      kind == .ownInMemory ? MemoryStore() : LocalStore(durability: .unsynced)
    switch kind {
    case .own, .ownInMemory: break
    case .version0: try place.execute(Self.version0)
    case .rollbackJournal:
      try place.execute(
        Self.version0 + "ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)")
    }
    let catalogs = (0..<2).map { _ in place.catalog(store) }
    try await law.check(
      CatalogSubject(catalogs[0], beside: catalogs[1], store: store, .all))
    #expect(try place.rows("PRAGMA integrity_check") == [["ok"]])
    let mode = try place.rows("PRAGMA journal_mode")
    #expect(mode == [[kind == .own || kind == .ownInMemory ? "wal" : "delete"]])
  }
}
