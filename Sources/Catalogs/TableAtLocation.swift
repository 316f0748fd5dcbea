// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
public import Storage

/// Opens tables by where they lie, without a catalog.
public enum TableAtLocation {
  /// The table in the folder `location`, or the state of one that the metadata file `location`
  /// holds; the latter can only be read.
  ///
  /// The table's files are read within its folder, and within the location its metadata names if
  /// that is on the same store: whoever opens a folder trusts what is in it to that extent.
  /// - Throws: ``CatalogError/tableNotFound(_:)``.
  public static func open(
    _ location: ObjectPath, store: any ObjectStore, environment: Environment = .system,
    allowing allowedLocations: [ObjectPath] = []
  ) async throws(CatalogError) -> Table {
    if location.name.hasSuffix(".metadata.json") || location.name.hasSuffix(".metadata.json.gz") {
      return try await openFile(location, store, environment, allowedLocations)
    }
    let plain = try FilesystemTable(
      name: location.text, location: location, store: store, environment: environment)
    let found = try await plain.load()
    let policed = PolicedStore(
      store, policy: try policy(location, found.metadata, allowedLocations))
    let home = try FilesystemTable(
      name: location.text, location: location, store: policed, environment: environment)
    return home.table(found.metadata, at: found.metadataLocation)
  }

  private static func openFile(
    _ file: ObjectPath, _ store: any ObjectStore, _ environment: Environment,
    _ allowedLocations: [ObjectPath]
  ) async throws(CatalogError) -> Table {
    let metadata: TableMetadata
    do throws(CatalogError) {
      metadata = try await MetadataFiles.read(file, in: store)
    } catch {
      if case .storage(let cause, _) = error, cause.isNotFound {
        throw .tableNotFound(file.text)
      }
      throw error
    }
    let folder = file.parent?.parent ?? file
    return Table(
      name: file.text, metadata: metadata, metadataLocation: file,
      store: PolicedStore(store, policy: try policy(folder, metadata, allowedLocations)),
      environment: environment,
      home: FixedState(file: file), manifestCache: ManifestCache())
  }

  private static func policy(
    _ folder: ObjectPath, _ metadata: TableMetadata, _ allowedLocations: [ObjectPath]
  ) throws(CatalogError) -> LocationPolicy {
    let policy = LocationPolicy(within: [folder] + allowedLocations)
    guard let named = try? ObjectPath(metadata.location), named.hasSameRoot(as: folder),
      !named.isRoot
    else { return policy }
    return policy.adding(named)
  }
}

/// The home of a table that was opened by a metadata file: it stays as it is.
struct FixedState: TableHome {
  let file: ObjectPath

  func load() async throws(CatalogError) -> Table {
    throw .unsupported(
      what: "the newest state of a table opened by \(file)", instead: "open its folder")
  }

  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    throw .unsupported(
      what: "a commit to a table opened by \(file)", instead: "open its folder or use a catalog")
  }
}
