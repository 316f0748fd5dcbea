// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import Iceberg
internal import Storage

extension RESTCatalog {
  /// A table that is not there yet: the server has chosen its place and its keys, and the first
  /// commit to it makes it, with its first rows, or fails if someone else was first.
  public func stageTable(
    _ identifier: TableIdentifier, _ definition: TableDefinition
  ) async throws(CatalogError) -> Table {
    try session.check(.createTable, "making tables")
    try check(definition)
    // Nothing is made by it, so that it may be asked for again.
    var call = creation(identifier, definition, isStaged: true)
    call.isRepeatable = true
    do throws(RESTFailure) {
      let loaded = try LoadedTable(try await session.client.send(call))
      return try table(loaded, RESTTable(identifier, session), call)
    } catch {
      switch error.status {
      case 409: throw .tableExists(identifier.description)
      case 404: throw .namespaceNotFound(identifier.namespace.joined(separator: "."))
      default: throw session.failure(error, call, "staging \(identifier)")
      }
    }
  }

  private func table(
    _ loaded: LoadedTable, _ home: RESTTable, _ call: RESTCall
  ) throws(RESTFailure) -> Table {
    do throws(CatalogError) {
      let staged = try session.table(loaded, home)
      return Table(
        name: staged.name, metadata: staged.metadata, metadataLocation: staged.metadataLocation,
        store: staged.store, environment: session.environment,
        home: StagedHome(home: home, staged: staged), manifestCache: session.manifestCache)
    } catch {
      throw .unreadable("\(error)")
    }
  }
}

/// The home of a table that its first commit makes.
private struct StagedHome: TableHome {
  let home: RESTTable
  let staged: Table

  /// The table if it was made by a commit whose answer was lost; else as it was staged.
  func load() async throws(CatalogError) -> Table {
    do throws(CatalogError) {
      return try await home.load()
    } catch {
      guard case .tableNotFound = error else { throw error }
      return Table(
        name: staged.name, metadata: staged.metadata, metadataLocation: staged.metadataLocation,
        store: staged.store, environment: staged.environment, home: self,
        manifestCache: home.session.manifestCache)
    }
  }

  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    let creation = TableCommit(
      base: commit.base, requirements: [.notThere],
      updates: commit.base.metadata.creation + commit.updates)
    let outcome = try await home.send(SentCommit(creation, to: home.identifier))
    guard case .conflict = outcome else { return outcome }
    throw .tableExists(home.identifier.description)
  }
}

extension TableMetadata {
  /// What makes a table as this one is, of which nothing has been committed.
  fileprivate var creation: [TableUpdate] {
    var updates: [TableUpdate] = []
    if let uuid { updates.append(.assignUUID(uuid)) }
    updates += [
      .upgradeFormatVersion(formatVersion), .addSchema(currentSchema),
      .setCurrentSchema(.lastAdded),
      .addPartitionSpec(defaultPartitionSpec), .setDefaultPartitionSpec(.lastAdded),
      .addSortOrder(defaultSortOrder), .setDefaultSortOrder(.lastAdded), .setLocation(location),
    ]
    if !properties.values.isEmpty { updates.append(.setProperties(properties.values)) }
    return updates
  }
}
