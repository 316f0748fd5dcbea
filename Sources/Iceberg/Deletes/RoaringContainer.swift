// SPDX-License-Identifier: Apache-2.0

/// A set of 16-bit numbers that is not empty: one block of a Roaring bitmap.
///
/// Three forms, of which the one with the fewest bytes is written: ascending numbers, a bit for each
/// number, or ascending runs that do not touch.
enum RoaringContainer: Sendable {
  /// Ascending; at most 4096.
  case array([UInt16])
  /// 1024 words, and how many bits in them are set.
  case bits([UInt64], count: Int)
  case runs([Run])

  /// The numbers from `first` to `last`, both of them too.
  struct Run: Hashable, Sendable {
    var first: UInt16
    var last: UInt16
    var count: Int { Int(last) - Int(first) + 1 }
  }

  static let highestArrayCount = 4096
  static let wordCount = 1024

  var count: Int {
    switch self {
    case .array(let values): values.count
    case .bits(_, let count): count
    case .runs(let runs): runs.reduce(0) { $0 + $1.count }
    }
  }

  func contains(_ value: UInt16) -> Bool {
    switch self {
    case .array(let values):
      let index = values.lowerBound(of: value)
      return index < values.count && values[index] == value
    case .bits(let words, _): return words[Int(value >> 6)] >> UInt64(value & 63) & 1 == 1
    case .runs(let runs):
      let index = runs.firstIndex(endingAtOrAfter: value)
      return index < runs.count && runs[index].first <= value
    }
  }

  /// Calls `body` with each maximal run of numbers within `range`, ascending.
  func forEachRun(in range: ClosedRange<UInt16>, _ body: (Run) -> Void) {
    switch self {
    case .array(let values): values.forEachRun(in: range, body)
    case .bits(let words, _): words.forEachRun(in: range, body)
    case .runs(let runs):
      var index = runs.firstIndex(endingAtOrAfter: range.lowerBound)
      while index < runs.count, runs[index].first <= range.upperBound {
        body(
          Run(
            first: max(runs[index].first, range.lowerBound),
            last: min(runs[index].last, range.upperBound)))
        index += 1
      }
    }
  }

  var allRuns: [Run] {
    var runs: [Run] = []
    forEachRun(in: 0...UInt16.max) { runs.append($0) }
    return runs
  }

  /// How many numbers lie in `range`.
  func count(in range: ClosedRange<UInt16>) -> Int {
    if range == 0...UInt16.max { return count }
    if case .array(let values) = self {
      let start = values.lowerBound(of: range.lowerBound)
      let end =
        range.upperBound == .max ? values.count : values.lowerBound(of: range.upperBound + 1)
      return end - start
    }
    if case .bits(let words, _) = self { return words.countOfOnes(in: range) }
    var total = 0
    forEachRun(in: range) { total += $0.count }
    return total
  }

  // MARK: Changing

  /// Adds `value`; false if it was there.
  mutating func insert(_ value: UInt16) -> Bool {
    switch self {
    case .array(var values):
      let index = values.lowerBound(of: value)
      if index < values.count, values[index] == value { return false }
      if values.count == Self.highestArrayCount {
        self = .bits(words, count: values.count)
        return insert(value)
      }
      self = .array([])
      values.insert(value, at: index)
      self = .array(values)
      return true
    case .bits(var words, let count):
      let mask = UInt64(1) << UInt64(value & 63)
      if words[Int(value >> 6)] & mask != 0 { return false }
      self = .array([])
      words[Int(value >> 6)] |= mask
      self = .bits(words, count: count + 1)
      return true
    case .runs:
      if contains(value) { return false }
      self = expanded
      return insert(value)
    }
  }

  /// The same set as an array or as bits.
  private var expanded: RoaringContainer {
    let count = self.count
    if count > Self.highestArrayCount { return .bits(words, count: count) }
    var values: [UInt16] = []
    values.reserveCapacity(count)
    forEachRun(in: 0...UInt16.max) { values.append(contentsOf: $0.first...$0.last) }
    return .array(values)
  }

  /// A bit for each number.
  private var words: [UInt64] {
    if case .bits(let words, _) = self { return words }
    var words = [UInt64](repeating: 0, count: Self.wordCount)
    if case .array(let values) = self {
      for value in values { words[Int(value >> 6)] |= 1 << UInt64(value & 63) }
    } else {
      forEachRun(in: 0...UInt16.max) { words.set($0) }
    }
    return words
  }

  /// Calls `body` with each number that `other`, which may be empty, does not have, ascending.
  func forEach(notIn other: RoaringContainer, _ body: (UInt16) -> Void) {
    if case .array(let values) = self, case .array(let others) = other {
      var next = 0
      for value in values {
        while next < others.count, others[next] < value { next &+= 1 }
        if next == others.count || others[next] != value { body(value) }
      }
      return
    }
    let (own, others) = (words, other.words)
    for index in own.indices {
      var word = own[index] & ~others[index]
      while word != 0 {
        body(UInt16(truncatingIfNeeded: index << 6 | word.trailingZeroBitCount))
        word &= word &- 1
      }
    }
  }

  /// All numbers of both.
  func union(_ other: RoaringContainer) -> RoaringContainer {
    if case .array(let a) = self, case .array(let b) = other,
      a.count + b.count <= Self.highestArrayCount
    {
      return .array(a.merged(with: b))
    }
    var words = self.words
    switch other {
    case .bits(let more, _): for i in words.indices { words[i] |= more[i] }
    case .array(let values):
      for value in values { words[Int(value >> 6)] |= 1 << UInt64(value & 63) }
    case .runs(let runs): for run in runs { words.set(run) }
    }
    return RoaringContainer(words)
  }

  /// Of bits, ``wordCount`` words, of which one at least is set.
  init(_ words: [UInt64]) {
    var count = 0
    for word in words { count += word.nonzeroBitCount }
    self = .bits(words, count: count)
    if count <= Self.highestArrayCount { self = expanded }
  }

  private var runCount: Int {
    switch self {
    case .array(let values):
      var count = values.isEmpty ? 0 : 1
      for i in 1..<max(1, values.count) where values[i] != values[i &- 1] &+ 1 { count &+= 1 }
      return count
    case .bits(let words, _):
      // A run starts at each set bit with none before it.
      var count = 0
      var before: UInt64 = 0
      for word in words {
        count &+= (word & ~(word << 1 | before)).nonzeroBitCount
        before = word >> 63
      }
      return count
    case .runs(let runs): return runs.count
    }
  }

  /// Sets a bit of `words` for each number of `range` that is here: bit `offset` for the lowest of
  /// the range.
  func mark(
    _ range: ClosedRange<UInt16>, at offset: Int, in words: inout MutableSpan<UInt64>
  ) {
    let shift = offset - Int(range.lowerBound)
    switch self {
    case .array(let values):
      var index = values.lowerBound(of: range.lowerBound)
      while index < values.count, values[index] <= range.upperBound {
        let bit = Int(values[index]) &+ shift
        words[bit >> 6] |= 1 << UInt64(bit & 63)
        index &+= 1
      }
    case .bits(let own, _): own.mark(range, shiftedBy: shift, in: &words)
    case .runs(let runs):
      var index = runs.firstIndex(endingAtOrAfter: range.lowerBound)
      while index < runs.count, runs[index].first <= range.upperBound {
        let first = Int(max(runs[index].first, range.lowerBound)) + shift
        let last = Int(min(runs[index].last, range.upperBound)) + shift
        words.set(first...last)
        index += 1
      }
    }
  }

  /// The same set in the form that takes the fewest bytes.
  var smallest: RoaringContainer {
    let count = self.count
    let plain = count > Self.highestArrayCount ? 8 * Self.wordCount : 2 * count
    if 2 + 4 * runCount < plain { return .runs(allRuns) }
    if case .runs = self { return expanded }
    return self
  }
}

extension RoaringContainer: Equatable {
  /// Equal as sets, whatever their forms.
  static func == (a: RoaringContainer, b: RoaringContainer) -> Bool {
    switch (a, b) {
    case (.array(let a), .array(let b)): a == b
    case (.bits(let a, _), .bits(let b, _)): a == b
    default: a.count == b.count && a.allRuns == b.allRuns
    }
  }
}

extension [UInt16] {
  /// The index of the first of these, which ascend, that is `value` or higher.
  func lowerBound(of value: UInt16) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) / 2
      if self[middle] < value { low = middle &+ 1 } else { high = middle }
    }
    return low
  }

  fileprivate func forEachRun(
    in range: ClosedRange<UInt16>, _ body: (RoaringContainer.Run) -> Void
  ) {
    var index = lowerBound(of: range.lowerBound)
    while index < count, self[index] <= range.upperBound {
      let first = self[index]
      var last = first
      index += 1
      while index < count, self[index] == last &+ 1, self[index] <= range.upperBound {
        last = self[index]
        index += 1
      }
      body(RoaringContainer.Run(first: first, last: last))
    }
  }

  /// The numbers of both, which ascend.
  fileprivate func merged(with other: [UInt16]) -> [UInt16] {
    var result: [UInt16] = []
    result.reserveCapacity(count + other.count)
    var i = 0
    var j = 0
    while i < count, j < other.count {
      if self[i] < other[j] {
        result.append(self[i])
        i += 1
      } else {
        if self[i] == other[j] { i += 1 }
        result.append(other[j])
        j += 1
      }
    }
    result.append(contentsOf: self[i...])
    result.append(contentsOf: other[j...])
    return result
  }
}

extension [RoaringContainer.Run] {
  /// The index of the first of these, which ascend, that does not end before `value`.
  fileprivate func firstIndex(endingAtOrAfter value: UInt16) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) / 2
      if self[middle].last < value { low = middle &+ 1 } else { high = middle }
    }
    return low
  }
}

extension [UInt64] {
  /// Sets the bits of `run`.
  fileprivate mutating func set(_ run: RoaringContainer.Run) {
    let (firstWord, lastWord) = (Int(run.first >> 6), Int(run.last >> 6))
    let low = UInt64.max << UInt64(run.first & 63)
    let high = UInt64.max >> UInt64(63 - run.last & 63)
    if firstWord == lastWord {
      self[firstWord] |= low & high
      return
    }
    self[firstWord] |= low
    for i in firstWord + 1..<lastWord { self[i] = .max }
    self[lastWord] |= high
  }

  /// How many bits within `range` are set.
  fileprivate func countOfOnes(in range: ClosedRange<UInt16>) -> Int {
    let (first, last) = (Int(range.lowerBound >> 6), Int(range.upperBound >> 6))
    var total = 0
    for i in first...last {
      var word = self[i]
      if i == first { word &= UInt64.max << UInt64(range.lowerBound & 63) }
      if i == last { word &= UInt64.max >> UInt64(63 - range.upperBound & 63) }
      total &+= word.nonzeroBitCount
    }
    return total
  }

  /// The runs of set bits; these are the words of a container.
  fileprivate func forEachRun(
    in range: ClosedRange<UInt16>, _ body: (RoaringContainer.Run) -> Void
  ) {
    var position = Int(range.lowerBound)
    let end = Int(range.upperBound) + 1
    while true {
      let first = next(from: position, before: end, inverted: 0)
      guard first < end else { return }
      position = next(from: first, before: end, inverted: .max)
      body(
        RoaringContainer.Run(
          first: UInt16(truncatingIfNeeded: first), last: UInt16(truncatingIfNeeded: position - 1))
      )
    }
  }

  /// The first place from `start` on whose bit, flipped if `inverted`, is set; `end` if none is.
  private func next(from start: Int, before end: Int, inverted: UInt64) -> Int {
    guard start < end else { return end }
    var index = start >> 6
    var word = (self[index] ^ inverted) & UInt64.max << UInt64(start & 63)
    while word == 0 {
      index += 1
      guard index << 6 < end else { return end }
      word = self[index] ^ inverted
    }
    return Swift.min(end, index << 6 + word.trailingZeroBitCount)
  }

  /// Sets bit `n + shift` of `target` for each bit `n` within `range` that is set here.
  fileprivate func mark(
    _ range: ClosedRange<UInt16>, shiftedBy shift: Int, in target: inout MutableSpan<UInt64>
  ) {
    let (first, last) = (Int(range.lowerBound >> 6), Int(range.upperBound >> 6))
    for i in first...last {
      var word = self[i]
      if i == first { word &= UInt64.max << UInt64(range.lowerBound & 63) }
      if i == last { word &= UInt64.max >> UInt64(63 - range.upperBound & 63) }
      guard word != 0 else { continue }
      let start = i << 6 + shift
      guard start >= 0 else {
        target[0] |= word >> UInt64(-start)
        continue
      }
      let bits = UInt64(start & 63)
      target[start >> 6] |= word << bits
      let rest = bits == 0 ? 0 : word >> (64 - bits)
      if rest != 0 { target[start >> 6 + 1] |= rest }
    }
  }
}

extension MutableSpan<UInt64> {
  /// Sets the bits of `range`.
  fileprivate mutating func set(_ range: ClosedRange<Int>) {
    let (firstWord, lastWord) = (range.lowerBound >> 6, range.upperBound >> 6)
    let low = UInt64.max << UInt64(range.lowerBound & 63)
    let high = UInt64.max >> UInt64(63 - range.upperBound & 63)
    if firstWord == lastWord {
      self[firstWord] |= low & high
      return
    }
    self[firstWord] |= low
    for i in firstWord + 1..<lastWord { self[i] = .max }
    self[lastWord] |= high
  }
}
