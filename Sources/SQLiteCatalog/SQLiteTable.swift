// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import Storage

/// A table whose newest metadata a row of the catalog's file names.
struct SQLiteTable: TableHome {
  let catalog: SQLiteCatalog
  let identifier: TableIdentifier

  func load() async throws(CatalogError) -> Table { try await catalog.loadTable(identifier) }

  func neighbour(of table: Table) async throws(CatalogError) -> String? {
    let (namespace, name) = try catalog.key(of: identifier)
    let folder = try catalog.path(table.metadata.location, of: identifier)
    let catalog = self.catalog
    let others = try await catalog.access.read("looking for neighbours of \(identifier)") {
      connection throws(SQLFailure) in
      try catalog.rows(connection).locations(but: namespace, name)
    }
    return others.first { SQLiteCatalog.shares(folder, with: $0) }
  }

  /// Writes the next metadata file, and moves the pointer to it if it is at the base.
  ///
  /// The requirements are checked against the base, of which the transaction makes sure that it is
  /// the current state: a metadata file never changes, and its name is never used again.
  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    let base = commit.base
    if let violation = base.metadata.check(commit.requirements).first {
      return .conflict("\(violation)")
    }
    var next: TableMetadata
    do throws(IcebergError) {
      next = try base.metadata.applying(
        commit.updates, at: catalog.environment.now().milliseconds,
        previousLocation: base.metadataLocation.text)
    } catch {
      throw .rejected(error)
    }
    if next == base.metadata { return .committed(base) }
    next.sumSnapshots()
    let number = MetadataFileName.number(of: base.metadataLocation.name) + 1
    let staged = try await catalog.stage(next, as: identifier, number: number)
    do throws(CatalogError) {
      let outcome = try await swap(from: base, to: staged)
      if case .conflict = outcome { await catalog.discard(staged) }
      return outcome
    } catch {
      if case .outcomeUnknown(_, let cause) = error { return .unknown(cause) }
      await catalog.discard(staged)
      throw error
    }
  }

  private enum Pointer: Sendable {
    case isOurs
    case isElsewhere(CatalogRows.Entry?, wasInDoubt: Bool)
  }

  private func swap(from base: Table, to next: Table) async throws(CatalogError) -> CommitOutcome {
    let (namespace, name) = try catalog.key(of: identifier)
    let (old, new) = (base.metadataLocation.text, next.metadataLocation.text)
    let catalog = self.catalog
    let pointer = try await catalog.access.write("committing to \(identifier)") {
      connection, isRepeated throws(SQLFailure) -> Pointer in
      let rows = try catalog.rows(connection)
      let entry = try rows.entry(namespace, name)
      if isRepeated, entry?.location == new { return .isOurs }
      guard let entry, entry.isTable, entry.location == old,
        try rows.swap(namespace, name, from: old, to: new)
      else { return .isElsewhere(entry, wasInDoubt: isRepeated) }
      return .isOurs
    }
    switch pointer {
    case .isOurs: return .committed(next)
    case .isElsewhere(let entry, wasInDoubt: false):
      guard let entry, entry.isTable else {
        return .conflict("the catalog has no table \(identifier) any more")
      }
      return .conflict("\(entry.location ?? "another state") was committed by someone else")
    case .isElsewhere(let entry, wasInDoubt: true):
      return try await settle(entry, base: base, ours: next)
    }
  }

  /// Decides a commit whose end was not known by what the table went on from, once it is certain
  /// that the attempt can't take effect any more: the history of the new state says what came after
  /// the base.
  private func settle(
    _ entry: CatalogRows.Entry?, base: Table, ours: Table
  ) async throws(CatalogError) -> CommitOutcome {
    let doubt = StorageError.outcomeUnknown(
      .conditionFailed(path: ours.metadataLocation), path: catalog.access.file)
    guard let entry, entry.isTable else { return .unknown(doubt) }
    let now: Table
    do throws(CatalogError) {
      now = try await catalog.open(entry, as: identifier)
    } catch {
      return .unknown(doubt)
    }
    switch MetadataHistory(of: now).successor(of: base.metadataLocation) {
    case ours.metadataLocation?: return .committed(ours)
    case let other?: return .conflict("\(other) was committed by someone else")
    case nil:
      let known = MetadataHistory(of: now).contains(ours.metadataLocation)
      return known ? .committed(ours) : .unknown(doubt)
    }
  }
}

/// The metadata files of a table, oldest first, as far as the newest of them tells.
private struct MetadataHistory {
  private let files: [ObjectPath]

  init(of table: Table) {
    var files: [ObjectPath] = []
    for entry in table.metadata.metadataLog {
      if let path = try? ObjectPath(entry.location) { files.append(path) }
    }
    self.files = files + [table.metadataLocation]
  }

  func contains(_ file: ObjectPath) -> Bool { files.contains(file) }

  /// What came after `file`; nil if that can't be told.
  func successor(of file: ObjectPath) -> ObjectPath? {
    guard let index = files.lastIndex(of: file), index + 1 < files.count else { return nil }
    return files[index + 1]
  }
}

/// The names of metadata files: `<number, five digits or more>-<uuid>.metadata.json`.
enum MetadataFileName {
  /// The number in a name; 0 if there is none that counts.
  static func number(of name: String) -> Int {
    // A table that was in a filesystem catalog before has `v<number>.`
    let digits = name.drop { $0 == "v" }.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), number < Int.max else { return 0 }
    return number
  }

  static func text(_ number: Int, _ uuid: String, isCompressed: Bool) -> String {
    let digits = String(number)
    let zeros = String(repeating: "0", count: max(0, 5 - digits.utf8.count))
    return "\(zeros)\(digits)-\(uuid)\(isCompressed ? ".gz" : "").metadata.json"
  }
}

extension SQLiteCatalog {
  /// Writes `metadata` as a file of its own, whole and durable, that nothing names yet.
  func stage(
    _ metadata: TableMetadata, as identifier: TableIdentifier, number: Int
  ) async throws(CatalogError) -> Table {
    let folder = try path(metadata.location, of: identifier)
    let store = PolicedStore(
      self.store, policy: LocationPolicy(within: [folder] + allowedLocations))
    let isCompressed = metadata.wantsCompressedFiles
    let name = MetadataFileName.text(number, environment.uuid(), isCompressed: isCompressed)
    let activity = "writing the metadata of \(identifier)"
    let path: ObjectPath
    do throws(StorageError) {
      if let told = metadata.properties["write.metadata.path"] {
        path = try ObjectPath(told).appending(name)
      } else {
        path = try folder.appending("metadata").appending(name)
      }
    } catch {
      throw .storage(error, while: activity)
    }
    try check(path, of: identifier)
    let bytes = MetadataFiles.encode(metadata, compressed: isCompressed)
    for attempt in 1...3 {
      do throws(StorageError) {
        // No one else draws the name: what is there after a lost answer is ours.
        _ = try await store.put(bytes, to: path, if: attempt == 1 ? .absent : .none)
        break
      } catch {
        // Nothing names the file yet, so that its fate is none of the table's.
        if error.isOutcomeUnknown, attempt < 3 { continue }
        throw .storage(error.certain, while: activity)
      }
    }
    return try table(metadata, at: path, as: identifier)
  }

  /// Deletes the metadata file of a state that is known not to be one of the table's.
  func discard(_ staged: Table) async { try? await staged.store.delete(staged.metadataLocation) }
}

extension StorageError {
  /// What hid the outcome, where it does not matter.
  fileprivate var certain: StorageError {
    if case .outcomeUnknown(let cause, _) = self { cause } else { self }
  }
}
