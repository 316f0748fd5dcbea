// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// The attempts at one call: how long there may be more of them, and what is known by those that
/// failed.
struct S3Attempts {
  /// What is put right because the server said so; each only once.
  enum Correction {
    case region, clock, credentials
  }

  private let policy: RetryPolicy
  private let environment: Environment
  /// When the first began, as far as time counts: not while a request waits for its turn.
  private var start: Duration
  private(set) var failureCount = 0
  /// The last failure after which the server may have acted on the call, or may yet. What it may
  /// have done, a later refusal does not undo.
  private(set) var doubt: S3Failure?
  private var corrections: Set<Correction> = []

  init(_ policy: RetryPolicy, _ environment: Environment) {
    self.policy = policy
    self.environment = environment
    start = environment.uptime()
  }

  /// Leaves out `duration`, for which a request waited for its turn.
  mutating func leaveOut(_ duration: Duration) { start += duration }

  /// True the first time.
  mutating func mayCorrect(_ correction: Correction) -> Bool {
    corrections.insert(correction).inserted
  }

  /// Returns true when it is time for another attempt after one that failed; false if there shall be
  /// none.
  mutating func waitForNext(after failure: S3Failure) async -> Bool {
    failureCount += 1
    if failure.effect == .possible { doubt = failure }
    guard failure.isTransient else { return false }
    return await policy.wait(
      after: failureCount, atLeast: failure.retryAfter ?? .zero, since: start, environment)
  }
}
