// SPDX-License-Identifier: Apache-2.0
public import Iceberg
public import Storage

/// A table at one moment: its metadata, where its files are, and where it is committed to.
///
/// A value; ``refreshed()`` gives the newest state as another.
public struct Table: Sendable {
  /// The name it was asked for by: of the catalog, or a location.
  public let name: String
  public let metadata: TableMetadata
  /// The metadata file this state was read from.
  public let metadataLocation: ObjectPath
  /// Where the table's files are, held to its ``LocationPolicy``.
  public let store: any ObjectStore
  public let environment: Environment
  package let home: any TableHome
  /// Who is told of what is done with the table.
  public internal(set) var observer: (any TableObserver)?
  /// Who finds out what its readers have to read; nil: they do, from metadata.
  package internal(set) var planner: (any ScanPlanning)?
  /// Where manifests that were read are kept.
  let manifestCache: ManifestCache

  package init(
    name: String, metadata: TableMetadata, metadataLocation: ObjectPath, store: any ObjectStore,
    environment: Environment, home: any TableHome, manifestCache: ManifestCache
  ) {
    self.name = name
    self.metadata = metadata
    self.metadataLocation = metadataLocation
    self.store = store
    self.environment = environment
    self.home = home
    self.manifestCache = manifestCache
  }

  /// The same table in another state, which is not committed.
  package func with(metadata: TableMetadata) -> Table {
    Table(
      name: name, metadata: metadata, metadataLocation: metadataLocation, store: store,
      environment: environment, home: home, manifestCache: manifestCache
    ).observed(by: observer)
  }

  /// The table as it is now.
  ///
  /// - Throws: ``CatalogError/tableNotFound(_:)`` if it was dropped, or if another table lies at
  ///   its place now.
  public func refreshed() async throws(CatalogError) -> Table {
    let now = try await home.load()
    guard now.metadata.uuid == metadata.uuid else {
      throw .tableNotFound("\(name) of before: another one was made in its place")
    }
    return now.observed(by: observer)
  }

  package func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    let outcome = try await home.commit(commit)
    guard case .committed(let table) = outcome else { return outcome }
    return .committed(table.observed(by: observer))
  }

  /// The metadata file of another table that shares this one's folder; nil if none is known.
  package func neighbour() async throws(CatalogError) -> String? {
    try await home.neighbour(of: self)
  }
}
