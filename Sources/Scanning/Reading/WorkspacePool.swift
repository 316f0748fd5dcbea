// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Parquet
internal import Synchronization

/// Working memory for decoding that nobody uses at the moment: what one task was done with the next
/// takes, since fresh memory costs several times what using it does.
final class WorkspacePool: Sendable {
  private let idle = Mutex<[WorkspaceSlot]>([])

  /// Reads `unit` with a workspace of the pool.
  func read(_ unit: ScanUnit) throws(ScanError) -> [RecordBatch] {
    let slot = idle.withLock { $0.popLast() } ?? WorkspaceSlot()
    defer { idle.withLock { $0.append(slot) } }
    return try slot.read(unit)
  }
}

/// A workspace, used by one task at a time.
private final class WorkspaceSlot: Sendable {
  private let workspace = Mutex(DecodeWorkspace())

  func read(_ unit: ScanUnit) throws(ScanError) -> [RecordBatch] {
    try workspace.withLock { (workspace) throws(ScanError) in try unit.read(workspace) }
  }
}
