// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg
public import Storage

/// A table that is kept in a store alone, with no service to ask: its current metadata is the
/// version with the highest number.
///
/// The protocol, in full in SPEC.md:
/// - A commit on version N creates version N + 1 where there is none. Who creates it has won.
/// - The hint tells where to begin looking, never what is true. It is written after the commit, is
///   never moved backwards by us, and may be missing, old, ahead or garbage.
/// - Versions may be deleted from the lowest up, after the new lowest one was noted and the hint was
///   moved to one that stays. A writer that slept so long that the slot it creates was deleted
///   meanwhile learns it from that note (or from a listing, where there is none), takes back what it
///   created, and its commit is a conflict.
/// - A table that is dropped leaves the note behind, so that the same goes for its writers, and for
///   a table that is made in its place.
///
/// Only Lake may write beside Lake here: other engines' filesystem catalogs rename over what is
/// there. They may read.
///
/// Cost: a load is two requests, a third for the hint's successor, and one for each version after
/// that; a commit is a write, the check of the note, and the hint's read and write.
public struct FilesystemTable: TableHome {
  let name: String
  let layout: FilesystemLayout
  let store: any ObjectStore
  let environment: Environment
  private let manifestCache: ManifestCache

  /// - Parameters:
  ///   - location: the table's folder.
  ///   - manifestCache: where manifests that were read are kept; nil: in one of its own.
  public init(
    name: String, location: ObjectPath, store: any ObjectStore, environment: Environment,
    manifestCache: ManifestCache? = nil
  ) throws(CatalogError) {
    self.name = name
    self.store = store
    self.environment = environment
    self.manifestCache = manifestCache ?? ManifestCache()
    do throws(StorageError) {
      layout = try FilesystemLayout(location)
    } catch {
      throw .storage(error, while: "opening \(name)")
    }
  }

  public func load() async throws(CatalogError) -> Table {
    let newest = try await reaching("looking for the newest version of \(name)") {
      () async throws(StorageError) in try await newestVersion()
    }
    guard let newest else { throw .tableNotFound(name) }
    return try await open(newest.path)
  }

  func open(_ path: ObjectPath) async throws(CatalogError) -> Table {
    let metadata = try await MetadataFiles.read(path, in: store)
    return table(metadata, at: path)
  }

  func table(_ metadata: TableMetadata, at path: ObjectPath) -> Table {
    Table(
      name: name, metadata: metadata, metadataLocation: path, store: store,
      environment: environment, home: self, manifestCache: manifestCache)
  }

  // MARK: finding the newest version

  struct Version: Sendable {
    let number: Int
    let path: ObjectPath
  }

  /// The version with the highest number; nil if there is none.
  func newestVersion() async throws(StorageError) -> Version? {
    if let hinted = try await hintedVersion() { return try await newest(from: hinted) }
    guard let listed = try await highestListedVersion() else { return nil }
    return try await newest(from: listed)
  }

  /// The version the hint names, if there is such a one.
  private func hintedVersion() async throws(StorageError) -> Version? {
    let hint: Buffer
    do throws(StorageError) {
      hint = try await store.get(layout.hint(), range: 0..<64)
    } catch {
      // A directory or pipe of that name is as good as no hint.
      if error.isNotFound || error.isNotAnObject { return nil }
      throw error
    }
    guard let number = FilesystemLayout.number(in: hint), number > 0 else { return nil }
    return try await find(number)
  }

  private func find(_ number: Int) async throws(StorageError) -> Version? {
    for name in FilesystemLayout.names(of: number) {
      let path = try layout.path(name)
      do throws(StorageError) {
        if try await store.headIfPresent(path) != nil { return Version(number: number, path: path) }
      } catch {
        guard error.isNotAnObject else { throw error }
      }
    }
    return nil
  }

  private func newest(from version: Version) async throws(StorageError) -> Version {
    var newest = version
    while let next = try await find(newest.number + 1) { newest = next }
    return newest
  }

  private func highestListedVersion() async throws(StorageError) -> Version? {
    var highest: Version?
    for try await object in store.list(layout.metadataFolder) {
      guard object.path.parent == layout.metadataFolder,
        let number = FilesystemLayout.version(of: object.path.name), number > highest?.number ?? 0
      else { continue }
      highest = Version(number: number, path: object.path)
    }
    // What a writer of a dropped table made and had no time to take back is no table.
    if let found = highest, let note = try await lowestVersion(), !note.isDropping,
      found.number < note.number
    {
      return nil
    }
    return highest
  }

  // MARK: helpers

  /// Runs `body`, saying of its errors what was being done.
  func reaching<T: Sendable>(
    _ activity: String, _ body: () async throws(StorageError) -> T
  ) async throws(CatalogError) -> T {
    do throws(StorageError) {
      return try await body()
    } catch {
      throw .storage(error, while: activity)
    }
  }
}

extension StorageError {
  /// True if something else than an object lies at the place.
  var isNotAnObject: Bool {
    if case .notAnObject = self { true } else { false }
  }
}
