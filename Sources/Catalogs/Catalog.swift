// SPDX-License-Identifier: Apache-2.0
public import Iceberg
public import Storage

/// Maps names to tables.
///
/// Laws every catalog keeps, each tested by `CatalogContract`:
/// 1. A namespace is there if it was made, or if a table or another namespace is in it; one that was
///    made stays until it is dropped.
/// 2. Of concurrent creations of one table, exactly one succeeds.
/// 3. What is done is seen by every later call, and what throws another error than
///    ``CatalogError/outcomeUnknown(what:cause:)`` has changed nothing.
public protocol Catalog: Sendable {
  /// The table called `identifier`, as it is now.
  ///
  /// - Throws: ``CatalogError/tableNotFound(_:)``.
  func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> Table

  /// Makes an empty table.
  ///
  /// - Throws: ``CatalogError/tableExists(_:)``.
  func createTable(
    _ identifier: TableIdentifier, _ definition: TableDefinition
  ) async throws(CatalogError) -> Table

  /// Takes the table out of the catalog, and with ``DropMode/purge`` deletes its files.
  ///
  /// A purge deletes what lies in the table's own folder, and is refused where another table does.
  ///
  /// - Throws: ``CatalogError/tableNotFound(_:)``.
  func dropTable(_ identifier: TableIdentifier, _ mode: DropMode) async throws(CatalogError)

  /// Gives the table another name; its files stay where they are.
  ///
  /// - Throws: ``CatalogError/tableNotFound(_:)``; ``CatalogError/tableExists(_:)``;
  ///   ``CatalogError/unsupported(what:instead:)`` where the place of a table is its name.
  func renameTable(
    _ identifier: TableIdentifier, to newName: TableIdentifier
  ) async throws(CatalogError)

  /// Takes a table in whose newest state the file at `metadataLocation` holds.
  ///
  /// Only one catalog may have a table: two that commit to it know nothing of each other, and each
  /// deletes what it does not know.
  ///
  /// - Throws: ``CatalogError/tableExists(_:)``; ``CatalogError/tableNotFound(_:)`` if there is no
  ///   such file; ``CatalogError/unsupported(what:instead:)``.
  func registerTable(
    _ identifier: TableIdentifier, metadataLocation: ObjectPath
  ) async throws(CatalogError) -> Table

  /// The tables right in `namespace`, by name.
  ///
  /// - Throws: ``CatalogError/namespaceNotFound(_:)``.
  func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier]

  /// The namespaces right in `parent` (an empty one is the root), by name.
  ///
  /// - Throws: ``CatalogError/namespaceNotFound(_:)``.
  func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]]

  /// Makes an empty namespace.
  ///
  /// - Throws: ``CatalogError/namespaceExists(_:)``.
  func createNamespace(
    _ namespace: [String], properties: [String: String]
  ) async throws(CatalogError)

  /// Takes an empty namespace away.
  ///
  /// - Throws: ``CatalogError/namespaceNotFound(_:)``; ``CatalogError/namespaceNotEmpty(_:)`` if a
  ///   table or another namespace is in it.
  func dropNamespace(_ namespace: [String]) async throws(CatalogError)

  /// What is noted of a namespace.
  ///
  /// - Throws: ``CatalogError/namespaceNotFound(_:)``.
  func namespaceProperties(
    of namespace: [String]
  ) async throws(CatalogError) -> [String: String]

  /// Takes the properties called `removed` away, where they are there, and then sets those in
  /// `changes`: all of it, or nothing.
  ///
  /// - Throws: ``CatalogError/namespaceNotFound(_:)``.
  func updateNamespaceProperties(
    of namespace: [String], setting changes: [String: String], removing removed: [String]
  ) async throws(CatalogError)
}

/// What a table is made with.
public struct TableDefinition: Sendable {
  public var schema: Schema
  public var partitionSpec: PartitionSpec
  public var sortOrder: SortOrder
  public var properties: [String: String]
  public var formatVersion: FormatVersion
  /// The folder for the table's files; nil: where the catalog puts it.
  public var location: ObjectPath?

  public init(
    schema: Schema, partitionSpec: PartitionSpec = .unpartitioned,
    sortOrder: SortOrder = .unsorted, properties: [String: String] = [:],
    formatVersion: FormatVersion = .v2, location: ObjectPath? = nil
  ) {
    self.schema = schema
    self.partitionSpec = partitionSpec
    self.sortOrder = sortOrder
    self.properties = properties
    self.formatVersion = formatVersion
    self.location = location
  }

  /// The metadata of the empty table that this defines, in the folder `location`.
  package func metadata(
    at location: ObjectPath, _ environment: Environment
  ) throws(CatalogError) -> TableMetadata {
    do throws(IcebergError) {
      return try TableMetadata.create(
        schema: schema, partitionSpec: partitionSpec, sortOrder: sortOrder,
        location: location.text, properties: TableProperties(properties),
        formatVersion: formatVersion, uuid: TableUUID(environment.uuid()),
        at: environment.now().milliseconds)
    } catch {
      throw .rejected(error)
    }
  }
}

public enum DropMode: Hashable, Sendable {
  /// The table's files stay, among them its last metadata, from which it can be registered again.
  case keepFiles
  /// The table's files go.
  case purge
}

/// What is asked of a table's home: these updates, if these requirements hold.
public struct TableCommit: Sendable {
  /// The state the updates were planned on.
  public let base: Table
  public let requirements: [TableRequirement]
  public let updates: [TableUpdate]

  public init(base: Table, requirements: [TableRequirement], updates: [TableUpdate]) {
    self.base = base
    self.requirements = requirements
    self.updates = updates
  }
}

/// How a commit ended. There are three ways, and the third is no kind of failure: nothing may be
/// cleaned up after it, since the commit may have happened.
public enum CommitOutcome: Sendable {
  /// The table is as asked, and was made so by this commit.
  case committed(Table)
  /// Someone else was first; this commit has not happened and never will.
  case conflict(String)
  /// No one can tell yet.
  case unknown(StorageError)
}

/// Keeps one table's current metadata, and swaps it.
///
/// Laws: of concurrent commits on one base, at most one ends `committed`; what `load` returns holds
/// every commit that ended `committed` before.
public protocol TableHome: Sendable {
  func load() async throws(CatalogError) -> Table

  /// - Throws: where it is certain that nothing was changed and that trying again would not help.
  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome

  /// The metadata file of another table whose folder is that of `table`, or in it or around it, as
  /// far as the home knows of others: what belongs to neither can't be told by where it lies.
  func neighbour(of table: Table) async throws(CatalogError) -> String?
}

extension TableHome {
  public func neighbour(of table: Table) async throws(CatalogError) -> String? { nil }
}
