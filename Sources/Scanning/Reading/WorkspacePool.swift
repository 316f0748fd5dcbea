// SPDX-License-Identifier: Apache-2.0
internal import Parquet
internal import Synchronization

/// Working memory for decoding that nobody uses at the moment: what one task was done with the next
/// takes, since fresh memory costs several times what using it does.
final class WorkspacePool: Sendable {
  private let idle = Mutex<[WorkspaceSlot]>([])

  /// Runs `body` with a workspace of the pool.
  func use<Output: Sendable>(
    _ body: @Sendable (DecodeWorkspace) throws(ScanError) -> Output
  ) throws(ScanError) -> Output {
    let slot = idle.withLock { $0.popLast() } ?? WorkspaceSlot()
    defer { idle.withLock { $0.append(slot) } }
    return try slot.use(body)
  }
}

/// A workspace, used by one task at a time.
private final class WorkspaceSlot: Sendable {
  private let workspace = Mutex(DecodeWorkspace())

  func use<Output: Sendable>(
    _ body: @Sendable (DecodeWorkspace) throws(ScanError) -> Output
  ) throws(ScanError) -> Output {
    try workspace.withLock { (workspace) throws(ScanError) in try body(workspace) }
  }
}
