// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@testable import Writing

/// Every kind of change, worked out on one state and committed after every other: conflicts are
/// exactly those that a model of files says, and what commits is as if made one after the other.
@Suite("Pairs of changes")
struct ConflictMatrixTests {
  /// The changes: all but a few are about the rows 12 to 14, of the second of three files.
  enum Change: String, CaseIterable, Sendable {
    case append, appendElsewhere, deleteOnRead, deleteOnWrite, deleteFile, updateOnRead
    case updateOnWrite, overwrite, replaceEverything, rewriteFile, rewriteManifests, addColumn

    /// Takes rows out of the second file, or the file itself.
    var touches: Bool {
      switch self {
      case .deleteOnRead, .deleteOnWrite, .deleteFile, .updateOnRead, .updateOnWrite, .overwrite,
        .rewriteFile:
        true
      default: false
      }
    }

    /// Looks for the rows 12 to 14, wherever they are.
    var reads: Bool { touches && self != .rewriteFile }

    /// Only notes positions, or takes a file out without having read it.
    var onlyDeletes: Bool { self == .deleteOnRead || self == .deleteFile }

    /// The second file is gone.
    var removesFile: Bool {
      switch self {
      case .deleteOnWrite, .deleteFile, .updateOnWrite, .replaceEverything, .rewriteFile: true
      default: false
      }
    }

    /// Rows of the second file are deleted by position.
    var deletesRows: Bool {
      self == .deleteOnRead || self == .updateOnRead || self == .overwrite
    }

    /// A new file may have rows 12 to 14 that were not there, or not like that.
    var addsMatchingRows: Bool {
      switch self {
      case .append, .updateOnRead, .updateOnWrite, .overwrite, .replaceEverything: true
      // Written again without them, but with others on both sides.
      case .deleteOnWrite: true
      default: false
      }
    }
  }

  /// What the model of files says of `change`, worked out before `other` was committed.
  private static func conflicts(
    _ change: Change, after other: Change, _ isolation: IsolationLevel, _ version: FormatVersion
  ) -> Bool {
    if change.touches, other.removesFile { return true }
    if change.touches, other.deletesRows {
      // A row can be deleted twice, but a file has one vector.
      if !change.onlyDeletes || version == .v3 { return true }
      // Rows that are deleted may have been changed first: the first to change them wins.
      if isolation == .snapshot, other.addsMatchingRows { return true }
    }
    return change.reads && isolation == .serializable && other.addsMatchingRows
  }

  // MARK: the matrix

  @Test(arguments: [FormatVersion.v2, .v3], [IsolationLevel.serializable, .snapshot])
  func `B10, rules 107 and 109: conflicts are those that a model of files says`(
    version: FormatVersion, isolation: IsolationLevel
  ) async throws {
    for branch in ["main", "side"] {
      for first in Change.allCases {
        for second in Change.allCases where first != .addColumn || second != .addColumn {
          let world = try await World(version, isolation, branch: branch)
          let planned = try await world.plan(second)
          _ = try await world.commit(world.plan(first))
          let expected = Self.conflicts(second, after: first, isolation, version)
          let note = Comment("\(second) worked out before \(first), \(isolation), on \(branch)")
          do throws(CommitError) {
            _ = try await world.commit(planned)
            #expect(!expected, note)
            try await world.checkSerial(first, second, isolation, note)
          } catch {
            guard case .conflict = error else { throw error }
            #expect(expected, "\(note): \(error)")
          }
          #expect(try await world.invariants.violations() == [], note)
        }
      }
    }
  }

  /// A table of three files of ten rows each.
  private struct World {
    let table: Table
    let branch: String
    let invariants: TableInvariants
    static let wanted = Predicate.and([
      .greaterOrEqual("k", 12), .less("k", 15),
    ])

    init(
      _ version: FormatVersion, _ isolation: IsolationLevel, branch: String
    ) async throws {
      let environment = Environment.deterministic(seed: 5)
      let store = MemoryStore(environment: environment)
      let catalog = FilesystemCatalog(
        warehouse: try ObjectPath("memory://w/house"), store: store, environment: environment)
      var table = try await catalog.createTable(
        "db.t", "k long, v int",
        properties: [
          "write.delete.isolation-level": isolation.rawValue,
          "write.update.isolation-level": isolation.rawValue,
        ], formatVersion: version)
      for start in [0, 10, 20] {
        let rows = (start..<start + 10).map { [Value.long(Int64($0)), .int(0)] as [Value?] }
        table = try #require(
          try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
        ).table
      }
      if branch != "main" {
        table = try await table.commit(ReferenceChange.createBranch(branch)).table
      }
      self.table = table
      self.branch = branch
      invariants = TableInvariants(try ObjectPath("memory://w/house/db/t"), in: store)
    }

    /// `change`, worked out on the table as it was at first.
    func plan(_ change: Change) async throws(CommitError) -> any TableChange {
      switch change {
      case .append: return try AppendFiles(try await files([13], 7), branch: branch)
      case .appendElsewhere: return try AppendFiles(try await files([100], 7), branch: branch)
      case .deleteOnRead: return try await remove(Self.wanted, .mergeOnRead)
      case .deleteOnWrite: return try await remove(Self.wanted, .copyOnWrite)
      case .deleteFile:
        return try await remove(
          .and([.greaterOrEqual("k", 10), .less("k", 20)]), .mergeOnRead)
      case .updateOnRead: return try await update(.mergeOnRead)
      case .updateOnWrite: return try await update(.copyOnWrite)
      case .overwrite:
        let added = try await files([12], 9)
        let request = try RowChangeRequest(
          .delete, of: table, Self.wanted, .mergeOnRead, branch)
        let planned = try await RowRemoval(request).plan(adding: added)
        return planned?.delta ?? RowDelta.nothing
      case .replaceEverything: return ReplacePartitions(try await files([13], 8), branch: branch)
      case .rewriteFile: return try await rewrite()
      case .rewriteManifests: return ManifestRewrite(branch: branch)
      case .addColumn:
        return SchemaChange { evolution throws(IcebergError) in try evolution.add("x", type: .int) }
      }
    }

    func commit(_ change: any TableChange) async throws(CommitError) -> CommitReceipt {
      let now: Table
      do throws(CatalogError) { now = try await table.refreshed() } catch { throw .catalog(error) }
      return try await Self.open(change, now)
    }

    private static func open(
      _ change: some TableChange, _ table: Table
    ) async throws(CommitError) -> CommitReceipt { try await table.commit(change) }

    private func files(_ numbers: [Int64], _ value: Int32) async throws(CommitError) -> [DataFile] {
      let writer = try PartitionedWriter(
        table.metadata, store: table.store, environment: table.environment)
      try await writer.write(
        Rows.batch(
          numbers.map { [.long($0), .int(value)] }, table.metadata.currentSchema))
      return try await writer.finish()
    }

    private func remove(
      _ filter: Predicate, _ mode: RowChangeMode
    ) async throws(CommitError) -> any TableChange {
      let request = try RowChangeRequest(.delete, of: table, filter, mode, branch)
      return try await RowRemoval(request).plan(adding: [])?.delta ?? RowDelta.nothing
    }

    private func update(_ mode: RowChangeMode) async throws(CommitError) -> any TableChange {
      let request = try RowChangeRequest(.update, of: table, Self.wanted, mode, branch)
      let planned = try await RowUpdate(request).plan {
        (rows) throws(CommitError) in
        var columns = rows.columns
        let builder = ColumnBuilder(.int32)
        for _ in 0..<rows.rowCount { builder.append(Value.int(5)) }
        columns[1] = builder.finish()
        return RecordBatch(fields: rows.fields, columns: columns, rowCount: rows.rowCount)
      }
      return planned?.delta ?? RowDelta.nothing
    }

    /// The second file, written again as it is.
    private func rewrite() async throws(CommitError) -> any TableChange {
      let second = Predicate.and([.greaterOrEqual("k", 10), .less("k", 20)])
      let matched = try await MatchedRows(of: second, in: table, branch: branch)
      let files = try await RowRewriting(table: table, branch: branch).write(matched.tasks) {
        (rows) throws(CommitError) in [rows.rows]
      }
      guard let snapshot = matched.snapshot else { return RowDelta.nothing }
      return RewriteFiles(
        replacing: matched.tasks.map(\.entry), by: files, readAt: snapshot, branch: branch)
    }

    // MARK: what must come out

    /// The rows are those of the changes made one after the other: in the order of their commits,
    /// or, where the second was to see only what it saw, as it saw them.
    func checkSerial(
      _ first: Change, _ second: Change, _ isolation: IsolationLevel, _ note: Comment
    ) async throws(CommitError) {
      var orders: [[Change]] = [[first, second], [second, first]]
      if isolation == .serializable { orders.sort { _, _ in false } }
      var found: [String] = []
      do {
        let scan = try await table.refreshed().scan().at(.reference(branch)).select("k", "v")
        found = try await scan.canonicalRows()
      } catch {
        Issue.record("\(note): \(error)")
      }
      let expected = orders.map { Self.lines($0) }
      #expect(expected.contains(found), "\(note): \(found)")
    }

    private static func lines(_ changes: [Change]) -> [String] {
      var rows = (0..<30).map { (k: Int64($0), v: Int32(0)) }
      func isWanted(_ k: Int64) -> Bool { (12..<15).contains(k) }
      for change in changes {
        switch change {
        case .append: rows.append((13, 7))
        case .appendElsewhere: rows.append((100, 7))
        case .deleteOnRead, .deleteOnWrite: rows.removeAll { isWanted($0.k) }
        case .deleteFile: rows.removeAll { (10..<20).contains($0.k) }
        case .updateOnRead, .updateOnWrite:
          rows = rows.map { isWanted($0.k) ? ($0.k, 5) : $0 }
        case .overwrite:
          rows.removeAll { isWanted($0.k) }
          rows.append((12, 9))
        case .replaceEverything: rows = [(13, 8)]
        case .rewriteFile, .rewriteManifests, .addColumn: break
        }
      }
      return rows.map { "{\"k\":\($0.k),\"v\":\($0.v)}" }.sorted {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
    }
  }
}

extension RowDelta {
  /// What a change is that has nothing to do.
  fileprivate static var nothing: RowDelta {
    RowDelta(adding: [], removing: [], basis: ReadSet(snapshot: nil, files: []))
  }
}
