// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Storage
internal import Synchronization
internal import Writing

/// Takes files out of the heads of a table's branches that are no longer there, so that the rest can be
/// read again; and says which rows went with them.
///
/// A file counts as lost only if the store says that there is none. Older snapshots go on to name it
/// until they expire.
public struct TableRepair: Sendable {
  private let table: Table

  public init(_ table: Table) { self.table = table }

  /// A file that was lost.
  public struct LostFile: Hashable, Sendable {
    public let branch: String
    public let path: String
    public let isDeletes: Bool
    /// Of a data file, rows that went, those that were deleted before counted in; of a delete file, as
    /// many rows are back at most, where it deletes by position.
    public let rowCount: Int64
    /// v3: the `_row_id` of the file's first row; the others follow, but for those that were moved here.
    public let firstRowID: Int64?
    public let partition: PartitionValues
    /// Of a data file: which rows went that were not deleted before. Nil of a delete file.
    public let rows: LostRows?
    /// Of a delete file that is about one data file: that one, whose rows are back.
    public let deletesOf: String?

    init(_ file: DataFile, branch: String, rows: LostRows?) {
      self.branch = branch
      self.rows = rows
      path = file.path
      isDeletes = file.content != .data
      rowCount = file.recordCount
      firstRowID = file.firstRowID
      partition = file.partition
      deletesOf = isDeletes ? file.onlyReferencedPath : nil
    }
  }

  /// - Returns: what was lost. Nothing was committed if that is nothing.
  public func run() async throws(MaintenanceError) -> [LostFile] {
    var lost: [LostFile] = []
    let branches = table.metadata.references.filter { $0.value.kind == .branch }.keys.sorted()
    for branch in branches {
      let found = Found()
      do throws(CommitError) {
        _ = try await table.commit(Change(branch: branch, found: found))
      } catch {
        throw .commit(error)
      }
      lost += found.files
    }
    return lost
  }

  /// What an attempt found.
  private final class Found: Sendable {
    private let state = Mutex<[LostFile]>([])
    var files: [LostFile] { state.withLock { $0 } }
    func note(_ files: [LostFile]) { state.withLock { $0 = files } }
  }

  private struct Change: TableChange {
    let branch: String
    let found: Found

    func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
      found.note([])
      let missing = try await missing(in: base)
      guard !missing.isEmpty else { return ChangePlan(requirements: [], updates: []) }
      let rows = await LostRows.find(in: missing, of: base, branch: branch)
      found.note(missing.map { LostFile($0, branch: branch, rows: rows[$0.path]) })
      var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
      return try await producer.produce(FileChange(removed: missing))
    }

    /// The files of the branch's head that are not there.
    private func missing(in base: Table) async throws(CommitError) -> [DataFile] {
      guard let head = try base.head(of: branch) else { return [] }
      var files: [DataFile] = []
      do throws(CatalogError) {
        let manifests = ManifestFiles(base)
        for manifest in try await manifests.list(of: head).manifests
        where manifest.mayHaveLiveFiles {
          // With what is told of columns, which says which rows a lost file had.
          files += try await manifests.entries(of: manifest, .all).filter(\.isLive).map(\.file)
        }
      } catch {
        throw .catalog(error)
      }
      let store = base.store
      let there = try await mapConcurrently(files, limit: 16) {
        file throws(CommitError) -> Bool in
        do throws(StorageError) {
          return try await store.headIfPresent(ObjectPath(file.path)) != nil
        } catch {
          throw .storage(error, while: "looking for \(file.path)")
        }
      }
      return zip(files, there).filter { !$0.1 }.map(\.0)
    }
  }
}

extension Table {
  /// Takes files that are lost out of the heads of this table's branches; see ``TableRepair``.
  public func repair() async throws(MaintenanceError) -> [TableRepair.LostFile] {
    try await TableRepair(self).run()
  }
}
