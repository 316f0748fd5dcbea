// SPDX-License-Identifier: Apache-2.0

/// A moment in time: whole microseconds since 1970-01-01T00:00:00 UTC, leap seconds not counted.
public struct Timestamp: Hashable, Sendable {
  public let microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// The start of the millisecond; one that does not fit becomes the first or last moment there is.
  public init(milliseconds: Int64) {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
    microseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
  }

  public static let epoch = Timestamp(microseconds: 0)

  /// Whole milliseconds since the epoch, rounded down.
  public var milliseconds: Int64 { microseconds.dividedRoundingDown(by: 1000).quotient }

  /// The moment `duration` later (earlier, if negative), rounded down to a microsecond.
  ///
  /// One that does not fit becomes the first or last moment there is.
  public func adding(_ duration: Duration) -> Timestamp {
    let (sum, overflow) = microseconds.addingReportingOverflow(duration.microseconds)
    guard overflow else { return Timestamp(microseconds: sum) }
    return Timestamp(microseconds: microseconds < 0 ? .min : .max)
  }

  /// How much later this moment is than `earlier`; negative if it is not later.
  public func since(_ earlier: Timestamp) -> Duration {
    .microseconds(microseconds) - .microseconds(earlier.microseconds)
  }
}

extension Timestamp: Comparable {
  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
}

extension Timestamp: CustomStringConvertible {
  public var description: String { formatted(.microseconds) }
}

extension Duration {
  /// Whole microseconds, rounded down; the nearest there is if they do not fit.
  package var microseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let rest = attoseconds.dividedRoundingDown(by: 1_000_000_000_000).quotient
    let (sum, overflowToo) = scaled.addingReportingOverflow(rest)
    return overflow || overflowToo ? (seconds < 0 ? .min : .max) : sum
  }
}

extension Int64 {
  /// Division whose remainder is never negative; `divisor` is positive.
  func dividedRoundingDown(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
