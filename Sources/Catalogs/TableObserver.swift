// SPDX-License-Identifier: Apache-2.0
public import Storage

/// Is told of what is done with tables: for metrics, logs and lineage.
///
/// What an observer is told of follows from what it conforms to: scans from `ScanObserver`, commits
/// from `CommitObserver`. It is called by the task that did the work, after it and before the caller
/// goes on, so that it should be quick; nothing it does changes the outcome.
///
///     let table = try await catalog.observed(by: metrics).loadTable(name)
public protocol TableObserver: Sendable {}

extension Table {
  /// This state of the table, and those that follow from it, with `observer` being told of what is
  /// done with them.
  public func observed(by observer: (any TableObserver)?) -> Table {
    var table = self
    table.observer = observer
    return table
  }
}

/// A catalog whose tables are observed.
public struct ObservedCatalog: Catalog {
  private let base: any Catalog
  private let observer: any TableObserver

  init(_ base: any Catalog, observer: any TableObserver) {
    self.base = base
    self.observer = observer
  }

  public func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> Table {
    try await base.loadTable(identifier).observed(by: observer)
  }

  public func createTable(
    _ identifier: TableIdentifier, _ definition: TableDefinition
  ) async throws(CatalogError) -> Table {
    try await base.createTable(identifier, definition).observed(by: observer)
  }

  public func dropTable(
    _ identifier: TableIdentifier, _ mode: DropMode
  ) async throws(CatalogError) {
    try await base.dropTable(identifier, mode)
  }

  public func renameTable(
    _ identifier: TableIdentifier, to newName: TableIdentifier
  ) async throws(CatalogError) {
    try await base.renameTable(identifier, to: newName)
  }

  public func registerTable(
    _ identifier: TableIdentifier, metadataLocation: ObjectPath
  ) async throws(CatalogError) -> Table {
    try await base.registerTable(identifier, metadataLocation: metadataLocation)
      .observed(by: observer)
  }

  public func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    try await base.listTables(in: namespace)
  }

  public func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]] {
    try await base.listNamespaces(in: parent)
  }

  public func createNamespace(
    _ namespace: [String], properties: [String: String]
  ) async throws(CatalogError) {
    try await base.createNamespace(namespace, properties: properties)
  }

  public func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    try await base.dropNamespace(namespace)
  }

  public func namespaceProperties(
    of namespace: [String]
  ) async throws(CatalogError) -> [String: String] {
    try await base.namespaceProperties(of: namespace)
  }

  public func updateNamespaceProperties(
    of namespace: [String], setting changes: [String: String], removing removed: [String]
  ) async throws(CatalogError) {
    try await base.updateNamespaceProperties(of: namespace, setting: changes, removing: removed)
  }
}

extension Catalog {
  /// This catalog, with `observer` being told of what is done with its tables.
  public func observed(by observer: any TableObserver) -> ObservedCatalog {
    ObservedCatalog(self, observer: observer)
  }
}
