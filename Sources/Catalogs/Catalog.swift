// SPDX-License-Identifier: Apache-2.0
public import Iceberg
public import Storage

/// Maps names to tables.
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
  func dropTable(_ identifier: TableIdentifier, _ mode: DropMode) async throws(CatalogError)

  /// The tables right in `namespace`, by name.
  func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier]

  /// The namespaces right in `parent` (an empty one is the root), by name.
  func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]]
}

/// What a table is made with.
public struct TableDefinition: Sendable {
  public var schema: Schema
  public var partitionSpec: PartitionSpec
  public var sortOrder: SortOrder
  public var properties: [String: String]
  public var formatVersion: FormatVersion

  public init(
    schema: Schema, partitionSpec: PartitionSpec = .unpartitioned,
    sortOrder: SortOrder = .unsorted, properties: [String: String] = [:],
    formatVersion: FormatVersion = .v2
  ) {
    self.schema = schema
    self.partitionSpec = partitionSpec
    self.sortOrder = sortOrder
    self.properties = properties
    self.formatVersion = formatVersion
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
}
