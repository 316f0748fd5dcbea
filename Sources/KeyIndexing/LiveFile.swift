// SPDX-License-Identifier: Apache-2.0
public import Iceberg
public import Scanning
internal import Synchronization

/// A data file of a state of a table, and what is dead in it.
///
/// Copying one costs a reference, as each commit makes a list of all that are live.
public struct LiveFile: Sendable {
  private let content: Content

  private final class Content: Sendable {
    let task: ScanTask
    let byPosition: DeadRows?
    let byValue: DeadRows?

    init(_ task: ScanTask, byPosition: DeadRows?, byValue: DeadRows?) {
      self.task = task
      self.byPosition = byPosition
      self.byValue = byValue
    }
  }

  /// - Parameter before: the same file in another state, whose knowledge is taken over where it
  ///   holds.
  init(_ task: ScanTask, before: LiveFile?) {
    func dead(_ deletes: [DeleteFile], _ before: DeadRows?) -> DeadRows? {
      if deletes.isEmpty { return nil }
      let cause = Set(deletes.map { DeadRows.Cause($0) })
      if let before, before.cause == cause { return before }
      return DeadRows(cause)
    }
    content = Content(
      task,
      byPosition: dead(task.deletes.filter { $0.kind != .equality }, before?.byPosition),
      byValue: dead(task.deletes.filter { $0.kind == .equality }, before?.byValue))
  }

  /// The file, how old it is, and the delete files that are about it.
  public var task: ScanTask { content.task }
  /// What is deleted by position; nil where nothing is.
  var byPosition: DeadRows? { content.byPosition }
  /// What is deleted by value, as positions; nil where nothing is.
  var byValue: DeadRows? { content.byValue }
  public var file: DataFile { task.file }
  public var sequenceNumber: SequenceNumber { task.sequenceNumber }

  /// About how many rows are live: what deletes by value take away is not counted.
  package var liveRowCount: Int64 {
    let dead = ownDeletes.reduce(Int64(0)) { $0 &+ max(0, $1.file.recordCount) }
    return max(0, file.recordCount - max(0, dead))
  }

  /// The delete files that are about this data file alone: what a new one stands for.
  public var ownDeletes: [DeleteFile] {
    task.deletes.filter { delete in
      delete.kind == .vector
        || delete.kind == .positions && delete.file.onlyReferencedPath == file.path
    }
  }

  /// `_row_id` of the row at `position`, of which the file itself has `stored`.
  func rowID(stored: Int64?, at position: Int64) -> Int64? {
    guard let first = file.firstRowID else { return nil }
    if let stored { return stored }
    let (id, overflow) = first.addingReportingOverflow(position)
    return overflow ? nil : id
  }
}

/// Rows of a data file that some delete files delete, once those were read.
final class DeadRows: Sendable {
  /// A delete file, which never changes.
  struct Cause: Hashable, Sendable {
    let identity: DataFile.Identity
    let sequenceNumber: SequenceNumber

    init(_ delete: DeleteFile) {
      identity = delete.file.identity
      sequenceNumber = delete.sequenceNumber
    }
  }

  let cause: Set<Cause>
  private let state = Mutex<DeletionVector?>(nil)

  init(_ cause: Set<Cause>) { self.cause = cause }

  /// Nil before they were read.
  var rows: DeletionVector? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}
