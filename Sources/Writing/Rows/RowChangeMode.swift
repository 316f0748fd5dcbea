// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg

/// How rows are taken out of a table.
public enum RowChangeMode: String, Hashable, Sendable, CaseIterable {
  /// Their positions are noted in delete files; data files stay as they are.
  case mergeOnRead = "merge-on-read"
  /// The data files they are in are written again without them.
  case copyOnWrite = "copy-on-write"
}

/// The kinds of change that have properties of their own.
enum RowChangeKind {
  case delete
  case update

  /// What the table's properties say, or merge-on-read where they say nothing: it writes what
  /// changes, and readers pay little for vectors. Tables of v1 can't have deletes.
  func mode(_ metadata: TableMetadata) throws(CommitError) -> RowChangeMode {
    guard metadata.formatVersion > .v1 else { return .copyOnWrite }
    let name = self == .delete ? "write.delete.mode" : "write.update.mode"
    guard metadata.properties[name] != nil else { return .mergeOnRead }
    do throws(IcebergError) {
      let text = try metadata.properties.value(of: self == .delete ? .deleteMode : .updateMode)
      return RowChangeMode(rawValue: text) ?? .mergeOnRead
    } catch {
      throw .rejected(error)
    }
  }

  func isolation(_ metadata: TableMetadata) throws(CommitError) -> IsolationLevel {
    do throws(IcebergError) {
      let text = try metadata.properties.value(
        of: self == .delete ? .deleteIsolation : .updateIsolation)
      return IsolationLevel(rawValue: text) ?? .serializable
    } catch {
      throw .rejected(error)
    }
  }
}

extension TableMetadata {
  /// - Throws: ``CommitError/unsupported(_:)`` if tables of this version can't have it.
  func check(_ mode: RowChangeMode) throws(CommitError) {
    if mode == .mergeOnRead, formatVersion == .v1 {
      throw .unsupported("deletes in a table of format version 1, which has copy-on-write only,")
    }
  }
}
