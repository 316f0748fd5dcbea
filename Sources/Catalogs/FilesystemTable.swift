// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg
public import Storage
internal import Synchronization

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
/// - Who cleans up moves the hint first. So a writer that after its create can move the hint from an
///   older version to its own, with nobody having touched it in between, knows without the note that
///   its slot was not used before: that is all a commit costs where no one else writes.
/// - A table that is dropped leaves the note behind, so that the same goes for its writers, and for
///   a table that is made in its place.
///
/// Only Lake may write beside Lake here: other engines' filesystem catalogs rename over what is
/// there. They may read.
///
/// Cost: a load is three requests (the hint, the version it names, a look for the next one), two
/// more where another engine wrote that version, and one for each version after it; a commit is two
/// writes, of the version and of the hint, unless others write beside us.
public struct FilesystemTable: TableHome {
  let name: String
  let layout: FilesystemLayout
  let store: any ObjectStore
  let environment: Environment
  let hintMemory = HintMemory()
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
    let hinted = try await reaching("looking for the newest version of \(name)") {
      () async throws(StorageError) in try await hintedNumber()
    }
    if let hinted, let state = try await openHinted(hinted) { return try await newest(from: state) }
    let newest = try await reaching("looking for the newest version of \(name)") {
      () async throws(StorageError) in try await newestVersion()
    }
    guard let newest else { throw .tableNotFound(name) }
    return table(try await MetadataFiles.read(newest.path, in: store), at: newest.path)
  }

  /// A version's metadata, and who wrote it.
  private struct VersionState {
    let version: Version
    let document: MetadataFiles.Document
  }

  /// The version `number`, which the hint names; nil if it is not there.
  private func openHinted(_ number: Int) async throws(CatalogError) -> VersionState? {
    for name in FilesystemLayout.names(of: number) {
      let path = try await reaching("naming version \(number) of \(self.name)") {
        () async throws(StorageError) in try layout.path(name)
      }
      do throws(CatalogError) {
        let document = try await MetadataFiles.readDocument(path, in: store)
        return VersionState(version: Version(number: number, path: path), document: document)
      } catch {
        guard case .storage(let cause, _) = error, cause.isNotFound || cause.isNotAnObject else {
          throw error
        }
      }
    }
    return nil
  }

  /// The newest version there is from `state` on.
  private func newest(from state: VersionState) async throws(CatalogError) -> Table {
    let next = try await reaching("looking for the newest version of \(name)") {
      () async throws(StorageError) -> Version? in
      // What Lake wrote, it names by the state before; others may change the name with a commit.
      let isCompressed = state.document.metadata.wantsCompressedFiles
      let names =
        state.document.isOwn
        ? [FilesystemLayout.name(of: state.version.number + 1, compressed: isCompressed)]
        : FilesystemLayout.names(of: state.version.number + 1)
      guard let next = try await find(state.version.number + 1, names) else { return nil }
      return try await newest(from: next)
    }
    guard let next else { return table(state.document.metadata, at: state.version.path) }
    return table(try await MetadataFiles.read(next.path, in: store), at: next.path)
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
    if let number = try await hintedNumber(),
      let hinted = try await find(number, FilesystemLayout.names(of: number))
    {
      return try await newest(from: hinted)
    }
    guard let listed = try await highestListedVersion() else { return nil }
    return try await newest(from: listed)
  }

  /// The number in the hint; nil if it makes no sense, or there is no hint.
  private func hintedNumber() async throws(StorageError) -> Int? {
    let hint: VersionedBytes
    do throws(StorageError) {
      hint = try await store.getWithVersion(layout.hint(), range: 0..<64)
    } catch {
      // A directory or pipe of that name is as good as no hint.
      if error.isNotFound || error.isNotAnObject { return nil }
      throw error
    }
    guard let number = FilesystemLayout.number(in: hint.bytes), number > 0, number < .max else {
      return nil
    }
    hintMemory.remember(number, hint.version)
    return number
  }

  private func find(_ number: Int, _ names: [String]) async throws(StorageError) -> Version? {
    for name in names {
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
    while let next = try await find(
      newest.number + 1, FilesystemLayout.names(of: newest.number + 1))
    { newest = next }
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

/// What the hint was when it was last read or written here, so that the next commit can move it
/// without a look.
final class HintMemory: Sendable {
  struct Hint {
    let number: Int
    let version: ObjectVersion
  }

  private let hint = Mutex<Hint?>(nil)

  func remember(_ number: Int, _ version: ObjectVersion) {
    hint.withLock { $0 = Hint(number: number, version: version) }
  }

  /// What is remembered, once: whoever takes it moves the hint.
  func take() -> Hint? {
    hint.withLock { hint in
      defer { hint = nil }
      return hint
    }
  }
}
