// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// When a commit is due: the limits of a policy, and the size that data files are to have.
struct FlushCadence: Sendable {
  private let policy: FlushPolicy
  private let targetByteCount: Int
  /// How many bytes of rows in memory make a byte of file; a guess until the first commit.
  private var ratio = 4.0

  init(_ policy: FlushPolicy, _ metadata: TableMetadata) {
    self.policy = policy
    let target = try? metadata.properties.value(of: .targetFileByteCount)
    targetByteCount = Int(clamping: target ?? 512 << 20)
  }

  /// How many bytes of rows a commit is due at.
  var byteLimit: Int {
    if let limit = policy.byteLimit { return limit }
    return Int(min(Double(targetByteCount) * ratio, Double(Int32.max) * 1024))
  }

  func isDue(rowCount: Int64, byteCount: Int, age: Duration) -> Bool {
    if let limit = policy.rowLimit, rowCount >= Int64(limit) { return true }
    if byteCount >= byteLimit { return true }
    return policy.ageLimit.map { age >= $0 } ?? false
  }

  /// Takes notice of what rows came to.
  mutating func learn(rowByteCount: Int, fileByteCount: Int64) {
    guard rowByteCount > 1 << 16, fileByteCount > 0 else { return }
    let seen = Double(rowByteCount) / Double(fileByteCount)
    ratio = max(0.5, min(100, ratio * 0.7 + seen * 0.3))
  }
}
