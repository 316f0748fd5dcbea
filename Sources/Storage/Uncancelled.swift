// SPDX-License-Identifier: Apache-2.0

/// Does `work` to its end, also where the task is cancelled.
///
/// For what is owed to others by then: how a commit ended that cannot be taken back, the place of who
/// reads on. Keep it short.
package func uncancelled<T: Sendable>(_ work: @escaping @Sendable () async -> T) async -> T {
  await Task { await work() }.value
}
