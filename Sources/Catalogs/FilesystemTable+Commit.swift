// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Iceberg
internal import Storage

extension FilesystemTable {
  /// Makes the table's first version.
  ///
  /// - Throws: ``CatalogError/tableExists(_:)``.
  public func create(_ metadata: TableMetadata) async throws(CatalogError) -> Table {
    let newest = try await reaching("looking for \(name)") {
      () async throws(StorageError) in try await newestVersion()
    }
    if newest != nil { throw .tableExists(name) }
    let bytes = MetadataFiles.encode(metadata, compressed: false)
    let path = try await reaching("naming the first version of \(name)") {
      () async throws(StorageError) in try layout.path("v1.metadata.json")
    }
    switch try await claim(path, bytes) {
    case .won: break
    case .lost: throw .tableExists(name)
    case .unknown(let cause): throw .outcomeUnknown(what: "the creation of \(name)", cause: cause)
    }
    // Neither file decides anything, so that they are missing is no failure.
    _ = try? await store.put(number(1), to: layout.lowestVersion(), if: .absent)
    _ = try? await store.put(number(1), to: layout.hint(), if: .none)
    return table(metadata, at: path)
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
    let next: TableMetadata
    do throws(IcebergError) {
      next = try base.metadata.applying(
        commit.updates, at: environment.now().milliseconds,
        previousLocation: base.metadataLocation.text)
    } catch {
      throw .rejected(error)
    }
    if next == base.metadata { return .committed(base) }
    return try await swap(
      to: next, version: version + 1, compressed: base.metadata.wantsCompressedFiles)
  }

  private func swap(
    to next: TableMetadata, version: Int, compressed: Bool
  ) async throws(CatalogError) -> CommitOutcome {
    let name = compressed ? "v\(version).gz.metadata.json" : "v\(version).metadata.json"
    let path = try await reaching("naming version \(version) of \(self.name)") {
      () async throws(StorageError) in try layout.path(name)
    }
    let bytes = MetadataFiles.encode(next, compressed: compressed)
    switch try await claim(path, bytes) {
    case .lost: return .conflict("version \(version) was committed by someone else")
    case .unknown(let cause): return .unknown(cause)
    case .won: break
    }
    if let outcome = await resurrected(version, bytes: bytes) { return outcome }
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
        _ = try await store.put(bytes, to: path, if: .absent)
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

  /// What the commit of `version` came to, if it made a version that had been deleted; nil if the
  /// version stands.
  private func resurrected(_ version: Int, bytes: Buffer) async -> CommitOutcome? {
    let lost = CommitOutcome.conflict(
      "version \(version) had been committed by someone else and deleted since")
    do throws(StorageError) {
      let note = try await store.get(layout.lowestVersion(), range: 0..<64)
      if let lowest = FilesystemLayout.number(in: note) { return version < lowest ? lost : nil }
    } catch {
      if !error.isNotFound, !error.isNotAnObject { return .unknown(error) }
    }
    // Without the note only a listing shows versions beyond a gap.
    do throws(StorageError) {
      for try await object in store.list(layout.metadataFolder) {
        guard object.path.parent == layout.metadataFolder,
          let other = FilesystemLayout.version(of: object.path.name), other > version
        else { continue }
        return try await isContiguous(from: version, to: other) ? nil : lost
      }
      return nil
    } catch {
      return .unknown(error)
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

  /// Notes `version` as the newest, unless a newer one is noted. Its failure fails no commit.
  private func moveHint(to version: Int) async {
    do throws(StorageError) {
      let hint = try layout.hint()
      guard let info = try await store.headIfPresent(hint) else {
        _ = try await store.put(number(version), to: hint, if: .absent)
        return
      }
      let found = try await store.get(hint, range: 0..<64)
      if let noted = FilesystemLayout.number(in: found), noted >= version { return }
      _ = try await store.put(number(version), to: hint, if: .matches(info.version))
    } catch {
      // Whoever looks finds the version without it.
    }
  }

  private func number(_ value: Int) -> Buffer { Buffer(utf8: String(value)) }
}
