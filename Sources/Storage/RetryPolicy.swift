// SPDX-License-Identifier: Apache-2.0

/// How often, how fast and how long something that failed is tried again.
public struct RetryPolicy: Hashable, Sendable {
  /// The most attempts, the first one counted.
  public var attemptLimit = 6
  /// The longest pause after the first attempt; it doubles with each.
  public var firstDelay: Duration = .milliseconds(100)
  /// The longest pause there is.
  public var longestDelay: Duration = .seconds(10)
  /// No new attempt is begun this long after the first.
  public var deadline: Duration = .seconds(60)

  public init() {}

  /// The pause after attempt number `attempt` (from 1): between half and all of the longest then
  /// allowed, by chance, so that those who failed together do not come back together.
  public func delay(after attempt: Int, _ environment: Environment) -> Duration {
    let doublings = min(max(attempt - 1, 0), 30)
    let longest = min(firstDelay * (1 << doublings), longestDelay)
    let half = UInt64(clamping: longest.microseconds / 2)
    return .microseconds(Int64(clamping: half + environment.random(below: half + 1)))
  }

  /// Waits before the attempt that follows `attempt` failed ones, for `wished` at least.
  ///
  /// - Parameter start: when the first began, by ``Environment/uptime()``.
  /// - Returns: true when it is time for it; false if there shall be none.
  package func wait(
    after attempt: Int, atLeast wished: Duration, since start: Duration, _ environment: Environment
  ) async -> Bool {
    guard attempt < attemptLimit, !Task.isCancelled else { return false }
    let delay = max(wished, delay(after: attempt, environment))
    guard environment.uptime() - start + delay < deadline else { return false }
    do {
      try await environment.sleep(for: delay)
      return true
    } catch {
      return false
    }
  }
}
