// SPDX-License-Identifier: Apache-2.0

/// Does `work` to its end, also where the task is cancelled.
///
/// For what tells how a commit ended, once it cannot be taken back: whoever is interrupted then
/// still learns it. Keep it short.
package func uncancelled<T: Sendable>(_ work: @escaping @Sendable () async -> T) async -> T {
  await Task { await work() }.value
}
