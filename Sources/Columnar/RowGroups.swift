// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Rows put together by equal keys, as a writer splits a batch by partition.
///
/// Keys are equal as ``Column/rowsEqual(_:)`` has it. Groups are numbered in the order of their
/// first rows.
/// Cost: one comparison of each row with the one before it; beyond that, hashing and verifying of
/// one row per run of equal keys. So rows that come clustered cost little.
public struct RowGroups: Sendable {
  public let rowCount: Int
  /// The first row of each group, ascending.
  public let representatives: [Int32]
  /// The first row of each run of rows with equal keys.
  private let runStarts: [Int32]
  /// The group of each run.
  private let runGroups: [Int32]

  /// How many groups.
  public var count: Int { representatives.count }

  /// Groups the rows of `keys`, one or more columns of equal length.
  public init(keys: [Column]) {
    guard let first = keys.first else { preconditionFailure("no key to group by") }
    precondition(keys.allSatisfy { $0.count == first.count }, "keys of different lengths")
    rowCount = first.count
    let keys = keys.map { $0.forGrouping() }
    let runStarts = RowGroups.starts(of: keys, rowCount: rowCount)
    let heads = keys.map { runStarts.count == first.count ? $0 : $0.picking(runStarts) }
    self.runStarts = runStarts
    runGroups = RowGroups.numbers(of: heads, count: runStarts.count)
    var representatives: [Int32] = []
    for (start, group) in zip(runStarts, runGroups) where Int(group) == representatives.count {
      representatives.append(start)
    }
    self.representatives = representatives
  }

  /// The group of each row.
  public var numbers: [Int32] {
    var numbers: [Int32] = []
    numbers.reserveCapacity(rowCount)
    for (run, group) in runGroups.enumerated() {
      numbers.append(contentsOf: repeatElement(group, count: runRange(run).count))
    }
    return numbers
  }

  /// The rows of each group, ascending.
  public var selections: [RowSelection] {
    rangesByGroup.map { RowSelection(ranges: $0, rowCount: rowCount) }
  }

  /// The runs of each group, ascending.
  var rangesByGroup: [[Range<Int>]] {
    var counts = [Int](repeating: 0, count: count)
    for group in runGroups { counts[Int(group)] += 1 }
    var ranges = counts.map { count in
      var ranges: [Range<Int>] = []
      ranges.reserveCapacity(count)
      return ranges
    }
    for (run, group) in runGroups.enumerated() { ranges[Int(group)].append(runRange(run)) }
    return ranges
  }

  private func runRange(_ run: Int) -> Range<Int> {
    let end = run + 1 < runStarts.count ? Int(runStarts[run + 1]) : rowCount
    return Int(runStarts[run])..<end
  }

  /// Rows whose keys differ from those of the row before.
  private static func starts(of keys: [Column], rowCount: Int) -> [Int32] {
    if rowCount == 0 { return [] }
    let same = keys.reduce(Bitmap(repeating: true, count: rowCount - 1)) {
      $0.and($1.slice(1..<rowCount).rowsEqual($1.slice(0..<rowCount - 1)))
    }
    var first = BitmapBuilder(capacity: rowCount)
    first.append(true)
    first.append(same.inverted())
    return first.finish().positionsOfOnes()
  }

  /// The group of each row of `keys`: by hash, which is verified.
  private static func numbers(of keys: [Column], count: Int) -> [Int32] {
    if count == 0 { return [] }
    let hashes = Column.hashes(of: keys, seed: 0)
    let firsts = firstWithHash(hashes)
    if isEqual(keys, to: firsts.values(as: Int32.self)) {
      return numbered(firsts.values(as: Int32.self))
    }
    return numbersOfColliding(keys, count: count, hashes)
  }

  /// For each row, the first with the same hash.
  private static func firstWithHash(_ hashes: Buffer) -> Buffer {
    let hashes = hashes.values(as: UInt64.self)
    var table = SlotTable(capacity: min(hashes.count, 1024))
    var target = MutableBuffer(byteCount: hashes.count * 4)
    var firsts = target.mutableValues(as: Int32.self)
    for row in hashes.indices {
      let first = table.firstEntry(orInserting: row, hash: hashes[row])
      firsts[row] = Int32(truncatingIfNeeded: first)
    }
    return target.freeze()
  }

  /// True if each row equals the one that `firsts` has for it; some thousand rows at a time, so
  /// that what is gathered stays small.
  private static func isEqual(_ keys: [Column], to firsts: Span<Int32>) -> Bool {
    var next = 0
    while next < firsts.count {
      let range = next..<min(next + 8192, firsts.count)
      let part = firsts.extracting(range)
      var rows: [Int32] = []
      rows.reserveCapacity(range.count)
      var isOwn = true
      for i in part.indices {
        rows.append(part[i])
        isOwn = isOwn && Int(part[i]) == range.lowerBound + i
      }
      if !isOwn {
        for key in keys {
          let same = key.slice(range).rowsEqual(key.referring(to: rows))
          if same.countOfOnes < range.count { return false }
        }
      }
      next = range.upperBound
    }
    return true
  }

  /// The group of each row, where some rows differ whose hashes are equal: those that are not
  /// equal to the first with their hash are grouped among themselves, until none is left.
  package static func numbersOfColliding(_ keys: [Column], count: Int, _ hashes: Buffer) -> [Int32]
  {
    let hashes = hashes.values(as: UInt64.self)
    var firstEqual = (0..<count).map { Int32(truncatingIfNeeded: $0) }
    var rest = firstEqual
    while !rest.isEmpty {
      var table: [UInt64: Int32] = [:]
      var firsts = rest
      for (i, row) in rest.enumerated() {
        firsts[i] = table[hashes[Int(row)]] ?? row
        table[hashes[Int(row)]] = firsts[i]
      }
      var unequal: [Int32] = []
      for (i, row) in rest.enumerated() {
        let isEqual = keys.allSatisfy {
          $0.slice(Int(row)..<Int(row) + 1).rowsEqual(
            $0.slice(Int(firsts[i])..<Int(firsts[i]) + 1))[0]
        }
        if isEqual { firstEqual[Int(row)] = firsts[i] } else { unequal.append(row) }
      }
      rest = unequal
    }
    return numbered(firstEqual.span)
  }

  /// First rows, each the smallest of its group, numbered in their order.
  private static func numbered(_ firsts: Span<Int32>) -> [Int32] {
    var numbers: [Int32] = []
    numbers.reserveCapacity(firsts.count)
    var next: Int32 = 0
    for row in firsts.indices {
      let first = Int(firsts[row])
      numbers.append(first == row ? next : numbers[first])
      if first == row { next += 1 }
    }
    return numbers
  }
}

extension Column {
  /// A column in whose place equal keys are easier to find: codes for a dictionary.
  fileprivate func forGrouping() -> Column {
    guard case .dictionary(let codes, let dictionary) = values, dictionary.count > 0 else {
      return self
    }
    if dictionary.count > count { return comparable() }
    let numbers = Buffer(RowGroups(keys: [dictionary]).numbers)
    let canonical = Gather.fixed(numbers, width: 4, rows: codes.values(as: Int32.self))
    return Column(type: .int32, count: count, validity: validity, values: .fixed(canonical))
  }

  /// The values at `rows`, none of them twice.
  fileprivate func picking(_ rows: [Int32]) -> Column {
    do throws(ColumnarError) { return try gather(rows) } catch {
      preconditionFailure("some rows of a column take more than all of it: \(error)")
    }
  }

  /// The values at `rows`, to be compared: strings are referred to rather than copied.
  fileprivate func referring(to rows: [Int32]) -> Column {
    guard case .variable = values else { return picking(rows) }
    let entries = Column(type: type, count: count, validity: nil, values: values)
    return Column(
      type: type, count: rows.count, validity: validity?.gather(rows.span),
      values: .dictionary(codes: Buffer(rows), entries))
  }
}

extension RecordBatch {
  /// The rows of each group of equal `keys`, which are columns of as many rows (of this batch or
  /// computed from it); and the first row of each, from which its keys can be read.
  ///
  /// Rows keep their order. Cost: nothing is copied if all keys are equal.
  public func split(by keys: [Column]) -> [(representative: Int, batch: RecordBatch)] {
    precondition(keys.allSatisfy { $0.count == rowCount }, "keys of other rows")
    let groups = RowGroups(keys: keys)
    if groups.count == 1 { return [(0, self)] }
    return zip(groups.representatives, groups.rangesByGroup).map { row, ranges in
      if ranges.count == 1 { return (Int(row), slice(ranges[0])) }
      let count = ranges.reduce(0) { $0 + $1.count }
      return (Int(row), picked(RowPick(ranges, count: count), rowCount: count))
    }
  }
}

extension Buffer {
  /// A copy of `integers`.
  init(_ integers: [Int32]) {
    var target = MutableBuffer(byteCount: integers.count * 4)
    var values = target.mutableValues(as: Int32.self)
    for i in values.indices { values[i] = integers[i] }
    self = target.freeze()
  }
}
