// SPDX-License-Identifier: Apache-2.0

/// A set of indices that mostly follow each other, as text `0-11,13`.
public struct IndexRanges: Hashable, Sendable {
  /// Ascending; none touches the next.
  private var ranges: [ClosedRange<Int>] = []

  public init() {}

  /// Nil if `text` is no such set.
  public init?(_ text: String) {
    for part in text.split(separator: ",") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= 2, let first = ends.first.flatMap({ Int($0) }),
        let last = ends.last.flatMap({ Int($0) }), first >= 0, first <= last,
        last != .max, first > (ranges.last?.upperBound ?? -1)
      else { return nil }
      insert(first...last)
    }
  }

  public var text: String {
    ranges.map { range in
      range.count == 1
        ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }.joined(separator: ",")
  }

  public var isEmpty: Bool { ranges.isEmpty }
  public var count: Int {
    ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) + 1 }
  }
  /// The greatest.
  public var last: Int? { ranges.last?.upperBound }

  public func contains(_ index: Int) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < index { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(index)
  }

  /// Requires: `index` is neither negative nor the greatest integer.
  public mutating func insert(_ index: Int) { insert(index...index) }

  public mutating func formUnion(_ other: IndexRanges) {
    for range in other.ranges { insert(range) }
  }

  private mutating func insert(_ range: ClosedRange<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound < .max, "no index")
    var merged = range
    var kept: [ClosedRange<Int>] = []
    for old in ranges {
      if old.upperBound + 1 < merged.lowerBound || merged.upperBound + 1 < old.lowerBound {
        kept.append(old)
      } else {
        merged =
          min(old.lowerBound, merged.lowerBound)...max(old.upperBound, merged.upperBound)
      }
    }
    kept.append(merged)
    ranges = kept.sorted { $0.lowerBound < $1.lowerBound }
  }
}
