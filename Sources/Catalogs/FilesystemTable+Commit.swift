// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Iceberg
internal import Storage

extension FilesystemTable {
  /// Makes the table's first version: 1, or where another table of this name was dropped, the one
  /// its note tells.
  ///
  /// - Throws: ``CatalogError/tableExists(_:)``.
  public func create(_ metadata: TableMetadata) async throws(CatalogError) -> Table {
    let bytes = MetadataFiles.encode(metadata, compressed: false)
    for _ in 1...3 {
      let first = try await firstVersion()
      let path = try await reaching("naming the first version of \(name)") {
        () async throws(StorageError) in try layout.path("v\(first).metadata.json")
      }
      switch try await claim(path, bytes) {
      case .won: break
      case .lost: throw .tableExists(name)
      case .unknown(let cause): throw .outcomeUnknown(what: "the creation of \(name)", cause: cause)
      }
      // Another table may have come and gone since the note was read.
      if try await counts(first) {
        // Neither file decides anything, so that they are missing is no failure.
        _ = try? await store.put(
          LowestVersion(first).bytes, to: layout.lowestVersion(), if: .absent)
        if let hint = try? await store.put(number(first), to: layout.hint(), if: .none) {
          hintMemory.remember(first, hint)
        }
        return table(metadata, at: path)
      }
      try? await store.delete(path)
    }
    throw .storage(
      .conditionFailed(path: layout.metadataFolder), while: "creating \(name) while others drop it")
  }

  /// The number of a new table's first version.
  private func firstVersion() async throws(CatalogError) -> Int {
    let newest = try await reaching("looking for \(name)") {
      () async throws(StorageError) in try await newestVersion()
    }
    if newest != nil { throw .tableExists(name) }
    return try await reaching("looking for what was dropped at \(layout.location)") {
      () async throws(StorageError) in
      guard let note = try await lowestVersion() else { return 1 }
      // A drop that was broken off before its last step ends here.
      if note.isDropping { try await endDrop(note) }
      return note.number
    }
  }

  /// False if version `first`, which was created, is one that does not count.
  private func counts(_ first: Int) async throws(CatalogError) -> Bool {
    do throws(StorageError) {
      guard let note = try await lowestVersion() else { return true }
      return first >= note.number && !note.isDropping
    } catch {
      throw .outcomeUnknown(what: "the creation of \(name)", cause: error)
    }
  }

  public func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    let base = commit.base
    guard let version = FilesystemLayout.version(of: base.metadataLocation.name),
      base.metadataLocation.parent == layout.metadataFolder
    else {
      throw .unsupported(
        what: "a commit on \(base.metadataLocation)", instead: "open the table by its folder")
    }
    if let violation = base.metadata.check(commit.requirements).first {
      return .conflict("\(violation)")
    }
    var next: TableMetadata
    do throws(IcebergError) {
      next = try base.metadata.applying(
        commit.updates, at: environment.now().milliseconds,
        previousLocation: base.metadataLocation.text)
    } catch {
      throw .rejected(error)
    }
    if next == base.metadata { return .committed(base) }
    next.sumSnapshots()
    return try await swap(
      to: next, version: version + 1, compressed: base.metadata.wantsCompressedFiles)
  }

  private func swap(
    to next: TableMetadata, version: Int, compressed: Bool
  ) async throws(CatalogError) -> CommitOutcome {
    let name = FilesystemLayout.name(of: version, compressed: compressed)
    let path = try await reaching("naming version \(version) of \(self.name)") {
      () async throws(StorageError) in try layout.path(name)
    }
    let bytes = MetadataFiles.encode(next, compressed: compressed)
    switch try await claim(path, bytes) {
    case .lost: return .conflict("version \(version) was committed by someone else")
    case .unknown(let cause): return .unknown(cause)
    case .won: break
    }
    // The version is there: whoever is cancelled now still learns what became of it.
    let standing = await uncancelled { () async -> Standing in
      if await movedHint(to: version) { return .hinted }
      return await self.standing(of: version)
    }
    switch standing {
    case .hinted: return .committed(table(next, at: path))
    case .counts: break
    case .unknown(let cause): return .unknown(cause)
    case .deleted, .dropping:
      // It is ours alone: what someone went on with from it does not count either.
      try? await store.delete(path)
      guard standing == .dropping else {
        return .conflict("version \(version) had been committed by someone else and deleted since")
      }
      throw .unsupported(
        what: "a commit to \(self.name), which is being dropped", instead: "let the drop finish")
    }
    await moveHint(to: version)
    return .committed(table(next, at: path))
  }

  private enum Claim {
    case won
    case lost
    case unknown(StorageError)
  }

  /// Creates `path` where there is nothing, and finds out who made what is there if there is.
  ///
  /// After a lost answer the same bytes are sent once more, under the same condition: of the two
  /// requests at most one can succeed, so what is at the path then decides.
  private func claim(_ path: ObjectPath, _ bytes: Buffer) async throws(CatalogError) -> Claim {
    var doubt: StorageError?
    for _ in 1...3 {
      do throws(StorageError) {
        _ = try await store.put(bytes, to: path, if: .unclaimed)
        return .won
      } catch {
        switch error {
        case .conditionFailed:
          return await owner(of: path, bytes, doubt: doubt)
        case .outcomeUnknown: doubt = error
        default:
          // An error that is certain; but an attempt before it may have been applied.
          if let doubt { return .unknown(doubt) }
          throw .storage(error, while: "committing to \(name)")
        }
      }
    }
    guard let doubt else { return .lost }
    return .unknown(doubt)
  }

  /// Whether what is at `path` is what we sent. Every commit's bytes are its own: they hold ids
  /// that no one else draws.
  private func owner(of path: ObjectPath, _ bytes: Buffer, doubt: StorageError?) async -> Claim {
    do throws(StorageError) {
      let found = try await store.get(path, range: 0..<Int64(bytes.count) + 1)
      return found == bytes ? .won : .lost
    } catch {
      guard let doubt else { return .lost }
      return .unknown(doubt)
    }
  }

  /// What a version is that was just created.
  private enum Standing: Equatable {
    case counts
    /// It counts, and the hint says so.
    case hinted
    /// Its number had been used before, and what had it was deleted: by someone who cleans up, or
    /// with the table.
    case deleted
    case dropping
    case unknown(StorageError)
  }

  private func standing(of version: Int) async -> Standing {
    do throws(StorageError) {
      if let note = try await lowestVersion() {
        if note.isDropping { return .dropping }
        // The version it was planned on must count too.
        return version <= note.number ? .deleted : .counts
      }
      // Without the note only a listing shows versions beyond a gap.
      var isBaseThere = false
      for try await object in store.list(layout.metadataFolder) {
        guard object.path.parent == layout.metadataFolder,
          let other = FilesystemLayout.version(of: object.path.name)
        else { continue }
        isBaseThere = isBaseThere || other == version - 1
        if other > version {
          return try await isContiguous(from: version, to: other) ? .counts : .deleted
        }
      }
      return isBaseThere ? .counts : .deleted
    } catch {
      return .unknown(error)
    }
  }

  /// The note; nil if there is none, or no sense in it.
  func lowestVersion() async throws(StorageError) -> LowestVersion? {
    do throws(StorageError) {
      return LowestVersion(try await store.get(layout.lowestVersion(), range: 0..<64))
    } catch {
      if error.isNotFound || error.isNotAnObject { return nil }
      throw error
    }
  }

  /// True if there is a version at every number between: then others just went on from ours.
  private func isContiguous(from version: Int, to other: Int) async throws(StorageError) -> Bool {
    var numbers: Set<Int> = []
    for try await object in store.list(layout.metadataFolder) {
      if let number = FilesystemLayout.version(of: object.path.name) { numbers.insert(number) }
    }
    return (version...other).allSatisfy(numbers.contains)
  }

  /// True if the hint was of an older version after `version` was created, and is of it now.
  ///
  /// Then the version counts: who deletes versions, or drops the table, first moves or deletes the
  /// hint.
  private func movedHint(to version: Int) async -> Bool {
    guard let hint = hintMemory.take(), hint.number < version else { return false }
    guard
      let moved = try? await store.put(
        number(version), to: layout.hint(), if: .matches(hint.version))
    else { return false }
    hintMemory.remember(version, moved)
    return true
  }

  /// Notes `version` as the newest, unless a newer one is noted. Its failure fails no commit.
  private func moveHint(to version: Int) async {
    do throws(StorageError) {
      let hint = try layout.hint()
      let found: VersionedBytes
      do throws(StorageError) {
        found = try await store.getWithVersion(hint, range: 0..<64)
      } catch {
        guard error.isNotFound else { throw error }
        let made = try await store.put(number(version), to: hint, if: .absent)
        return hintMemory.remember(version, made)
      }
      if let noted = FilesystemLayout.number(in: found.bytes), noted >= version {
        return hintMemory.remember(noted, found.version)
      }
      let moved = try await store.put(number(version), to: hint, if: .matches(found.version))
      hintMemory.remember(version, moved)
    } catch {
      // Whoever looks finds the version without it.
    }
  }

  private func number(_ value: Int) -> Buffer { Buffer(utf8: String(value)) }
}
