// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Which requests to make for many ranges of one object, and where each range is in the answers.
///
/// Law: the slices of the answers are what a request for each range by itself would have given.
///
/// Cost: O(n log n) for n ranges; no bytes are copied.
public struct RangeCoalescing: Sendable {
  /// What to ask for: in ascending order, not empty, not overlapping.
  public let requests: [Range<Int64>]
  /// For each range given: the request it is in and where; nil if it is empty.
  private let places: [Place?]

  private struct Place {
    let request: Int
    let offset: Int64
    let byteCount: Int64
  }

  /// Joins ranges that overlap, touch, or leave at most `gapLimit` bytes between them unread, as
  /// long as what is asked for at once is at most `byteCountLimit`. No range is split.
  public init(_ ranges: [Range<Int64>], gapLimit: Int64, byteCountLimit: Int64) {
    var requests: [Range<Int64>] = []
    var places = [Place?](repeating: nil, count: ranges.count)
    let ordered = ranges.indices
      .map { (index: $0, range: ranges[$0].clamped(to: 0..<Int64.max)) }
      .filter { !$0.range.isEmpty }
      .sorted { ($0.range.lowerBound, $0.index) < ($1.range.lowerBound, $1.index) }
    for (index, range) in ordered {
      if let last = requests.last,
        Self.joins(range, last, gapLimit: gapLimit, byteCountLimit: byteCountLimit)
      {
        requests[requests.count - 1] =
          last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        requests.append(range)
      }
      let start = requests[requests.count - 1].lowerBound
      places[index] = Place(
        request: requests.count - 1, offset: range.lowerBound - start,
        byteCount: range.upperBound - range.lowerBound)
    }
    self.requests = requests
    self.places = places
  }

  private static func joins(
    _ range: Range<Int64>, _ last: Range<Int64>, gapLimit: Int64, byteCountLimit: Int64
  ) -> Bool {
    // Overlapping ones are joined whatever the size: asking twice for the same bytes helps no one.
    if range.lowerBound < last.upperBound { return true }
    let joined = max(last.upperBound, range.upperBound) - last.lowerBound
    return range.lowerBound - last.upperBound <= gapLimit && joined <= byteCountLimit
  }

  /// The bytes of each range given, from the answers to ``requests``, in their order.
  ///
  /// An answer may be shorter than its request, where the object ends; its slices are then, too.
  ///
  /// Requires: one answer a request.
  public func slices(of answers: [Buffer]) -> [Buffer] {
    precondition(answers.count == requests.count, "one answer a request")
    return places.map { place in
      guard let place else { return .empty }
      let answer = answers[place.request]
      let start = Int(min(place.offset, Int64(answer.count)))
      let end = start + Int(min(place.byteCount, Int64(answer.count - start)))
      return answer.slice(start..<end)
    }
  }
}

extension ObjectStore {
  /// Reads several `ranges` of the object at `path`, near ones in one request, and at most
  /// `concurrency` requests at a time.
  ///
  /// - Returns: for each range, what ``get(_:range:of:)`` would.
  public func get(
    _ path: ObjectPath, ranges: [Range<Int64>], of version: ObjectVersion? = nil,
    gapLimit: Int64 = 128 << 10, byteCountLimit: Int64 = 16 << 20, concurrency: Int = 8
  ) async throws(StorageError) -> [Buffer] {
    let plan = RangeCoalescing(ranges, gapLimit: gapLimit, byteCountLimit: byteCountLimit)
    let answers = try await mapConcurrently(plan.requests, limit: concurrency) {
      range throws(StorageError) in
      try await self.get(path, range: range, of: version)
    }
    return plan.slices(of: answers)
  }
}
