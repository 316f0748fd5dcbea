// SPDX-License-Identifier: Apache-2.0

/// Where a rewrite of data files moved their rows: from position to position.
///
/// What was deleted from the old files while they were rewritten is carried over with it, and so is
/// what an index knows of the rows. Rows that the rewrite left out, deleted ones, went nowhere.
///
/// Cost: 32 bytes for each run of rows that stay together; a lookup is O(log runs).
public struct PositionMap: Hashable, Sendable {
  /// Rows that follow each other in a source file and in a target file.
  struct Run: Hashable, Sendable {
    var source: Int64
    var target: Int64
    var count: Int64
    /// Index of the target file.
    var file: Int32
  }

  /// The files that rows were moved to.
  public let targets: [String]
  private let runs: [String: [Run]]

  fileprivate init(targets: [String], runs: [String: [Run]]) {
    self.targets = targets
    self.runs = runs
  }

  /// The files that rows were moved from, ascending.
  public var sources: [String] { runs.keys.sorted() }

  /// The rows of `source` that were moved.
  public func rows(of source: String) -> DeletionVector {
    var rows = DeletionVector()
    for run in runs[source] ?? [] { rows.insert(run.source..<run.source + run.count) }
    return rows
  }

  /// Where the row at `position` of `source` is now; nil if it went nowhere.
  public func target(of position: Int64, in source: String) -> (file: String, position: Int64)? {
    guard let runs = runs[source] else { return nil }
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].source <= position { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let run = runs[low - 1]
    let offset = position - run.source
    guard offset < run.count else { return nil }
    return (targets[Int(run.file)], run.target + offset)
  }

  /// The rows that `vector` deletes from `source`, in the files they are in now, by path.
  ///
  /// Cost: O(runs of the source + ranges of the vector).
  public func moved(_ vector: DeletionVector, of source: String) -> [String: DeletionVector] {
    guard let runs = runs[source], let last = runs.last else { return [:] }
    var result: [Int32: DeletionVector] = [:]
    var next = 0
    for range in vector.deletedRanges(in: 0..<last.source + last.count) {
      // Runs ascend as ranges do; one of either may meet several of the other.
      while runs[next].source + runs[next].count <= range.lowerBound { next += 1 }
      for run in runs[next...] {
        let part = range.clamped(to: run.source..<run.source + run.count)
        if run.source >= range.upperBound { break }
        let start = part.lowerBound - run.source + run.target
        result[run.file, default: DeletionVector()].insert(start..<start + Int64(part.count))
      }
    }
    var named: [String: DeletionVector] = [:]
    for (file, vector) in result { named[targets[Int(file)]] = vector }
    return named
  }
}

/// Records where rows go, as they are written.
public struct PositionMapBuilder: Sendable {
  private var targets: [String] = []
  private var targetIndexes: [String: Int32] = [:]
  private var runs: [String: [PositionMap.Run]] = [:]

  public init() {}

  /// `count` rows from position `source` of `sourceFile` on are now from position `target` of
  /// `targetFile` on.
  ///
  /// Requires: positions and count are not negative, and end within 64 bits. Cost: amortized O(1)
  /// for rows that come in the order they have in their source, as those of a compaction do.
  public mutating func append(
    from source: Int64, of sourceFile: String, to target: Int64, of targetFile: String,
    count: Int64 = 1
  ) {
    precondition(
      source >= 0 && target >= 0 && count >= 0 && source <= .max - count && target <= .max - count,
      "rows at no positions")
    guard count > 0 else { return }
    let file = index(of: targetFile)
    var list = runs.removeValue(forKey: sourceFile) ?? []
    if let last = list.last, last.file == file, last.source + last.count == source,
      last.target + last.count == target
    {
      list[list.count - 1].count += count
    } else {
      list.append(PositionMap.Run(source: source, target: target, count: count, file: file))
    }
    runs[sourceFile] = list
  }

  private mutating func index(of file: String) -> Int32 {
    if let index = targetIndexes[file] { return index }
    let index = Int32(targets.count)
    targets.append(file)
    targetIndexes[file] = index
    return index
  }

  /// - Throws: ``IcebergError/duplicate(_:in:)`` if a row went to two places.
  public consuming func finish() throws(IcebergError) -> PositionMap {
    var sorted: [String: [PositionMap.Run]] = [:]
    for (file, list) in runs {
      let list = list.sorted { $0.source < $1.source }
      for (run, next) in zip(list, list.dropFirst()) where run.source + run.count > next.source {
        throw .duplicate("row \(next.source) of '\(file)'", in: "a rewrite")
      }
      sorted[file] = list
    }
    return PositionMap(targets: targets, runs: sorted)
  }
}
