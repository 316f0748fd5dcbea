// SPDX-License-Identifier: Apache-2.0
internal import Bytes

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
    var builders = representatives.map { _ in RowSelectionBuilder(rowCount: rowCount) }
    for (run, group) in runGroups.enumerated() { builders[Int(group)].append(runRange(run)) }
    return builders.map { $0.finish() }
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

  /// The group of each row of `keys`: by hash, and what is not equal for all that, once more.
  private static func numbers(of keys: [Column], count: Int) -> [Int32] {
    var firstEqual = [Int32](repeating: -1, count: count)
    var rest = (0..<count).map { Int32(truncatingIfNeeded: $0) }
    let hashes = count == 0 ? .empty : Column.hashes(of: keys, seed: 0)
    while !rest.isEmpty {
      let found = firstWithHash(rest, hashes)
      let same = equal(keys, rest, found)
      var unequal: [Int32] = []
      for i in rest.indices {
        if same[i] { firstEqual[Int(rest[i])] = found[i] } else { unequal.append(rest[i]) }
      }
      rest = unequal
    }
    return numbered(firstEqual)
  }

  /// For each of `rows`, the first of them with the same hash.
  private static func firstWithHash(_ rows: [Int32], _ hashes: Buffer) -> [Int32] {
    let hashes = hashes.values(as: UInt64.self)
    var table = SlotTable(capacity: 0)
    var found: [Int32] = []
    found.reserveCapacity(rows.count)
    for row in rows {
      let hash = hashes[Int(row)]
      if let first = table.firstEntry(withHash: hash, where: { _ in true }) {
        found.append(Int32(truncatingIfNeeded: first))
      } else {
        table.insert(Int(row), hash: hash)
        found.append(row)
      }
    }
    return found
  }

  /// 1 where row `a[i]` equals row `b[i]` in all keys; some thousand rows at a time, so that what
  /// is gathered stays small.
  private static func equal(_ keys: [Column], _ a: [Int32], _ b: [Int32]) -> Bitmap {
    var same = BitmapBuilder(capacity: a.count)
    var next = 0
    while next < a.count {
      let end = min(next + 8192, a.count)
      let p = Array(a[next..<end])
      let q = Array(b[next..<end])
      same.append(
        keys.reduce(Bitmap(repeating: true, count: p.count)) {
          $0.and($1.referring(to: p).rowsEqual($1.referring(to: q)))
        })
      next = end
    }
    return same.finish()
  }

  /// First rows, each the smallest of its group, numbered in their order.
  private static func numbered(_ firstEqual: [Int32]) -> [Int32] {
    var numbers = firstEqual
    var next: Int32 = 0
    for row in firstEqual.indices {
      let first = Int(firstEqual[row])
      if first == row {
        numbers[row] = next
        next += 1
      } else {
        numbers[row] = numbers[first]
      }
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
    return zip(groups.representatives, groups.selections).map { row, selection in
      if selection.ranges.count == 1 { return (Int(row), slice(selection.ranges[0])) }
      return (Int(row), filter(by: selection))
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
