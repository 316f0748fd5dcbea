// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Scanning

/// What must hold of the changes between two states, held against scans of both.
struct ChangelogLaws {
  let table: Table

  /// The rows of the state `a` as the state `b` shows its own.
  func rows(
    at a: SnapshotID?, as b: SnapshotID, _ question: (TableScan) -> TableScan = { $0 }
  ) async throws -> [String] {
    guard let a else { return [] }
    let tasks = try await table.scan().at(.id(a)).plan().tasks
    return try await question(table.scan().at(.id(b)).of(tasks)).canonicalRows()
  }

  /// How the changes of `scan` differ from what makes the rows `before` those `after`; nil if they
  /// do not.
  static func difference(
    _ scan: ChangelogScan, _ before: [String], _ after: [String]
  ) async throws -> String? {
    // Texts that look alike are not the same row.
    var state: [PathKey: Int] = [:]
    for row in before { state[PathKey(row), default: 0] += 1 }
    var came: [Int64: Set<PathKey>] = [:]
    var went: [Int64: Set<PathKey>] = [:]
    var ordinal: Int64 = -1
    for try await batch in scan.preImages(.included).batches() {
      guard batch.rowCount > 0 else { return "an empty batch" }
      let number = batch.columns[1].integer(0)
      guard number >= ordinal else { return "commits out of order" }
      ordinal = number
      let id = batch.columns[2].integer(0)
      for part in try Self.parts(batch) where part.type == .delete || part.type == .updateBefore {
        for row in part.rows.map({ PathKey($0) }) {
          guard let count = state[row], count > 0 else { return "\(part.type) of \(row.path)" }
          state[row] = count == 1 ? nil : count - 1
        }
        went[id, default: []].formUnion(part.rows.map { PathKey($0) })
      }
      for part in try Self.parts(batch) where part.type == .insert || part.type == .updateAfter {
        for row in part.rows { state[PathKey(row), default: 0] += 1 }
        came[id, default: []].formUnion(part.rows.map { PathKey($0) })
      }
      if let problem = Self.updates(batch) { return problem }
    }
    for (id, rows) in came {
      // 0 and -0 are two values, which the text does not tell apart.
      let same = rows.intersection(went[id] ?? []).first { !$0.path.contains(":0.0") }
      if let same { return "\(same.path) did not change" }
    }
    let found = state.flatMap { Array(repeating: $0.key.path, count: $0.value) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return found.map { PathKey($0) } == after.map { PathKey($0) }
      ? nil : CanonicalRows.difference(found, after)
  }

  /// How the changes of `scan` differ if up to `limit` bytes may be in memory; nil if they do not.
  static func differenceOfPasses(_ scan: ChangelogScan, limit: Int) async throws -> String? {
    let scan = scan.preImages(.included)
    let (whole, parts) = (try await steps(scan), try await steps(scan.memoryLimit(limit)))
    guard whole.keys.sorted() == parts.keys.sorted() else { return "other commits" }
    for (ordinal, lines) in whole {
      let found = (parts[ordinal] ?? []).map(\.0)
      guard found == found.sorted() else { return "\(found) out of order" }
      let told = [lines, parts[ordinal] ?? []].map { $0.map { "\($0.0) \($0.1)" }.sorted() }
      if told[0] != told[1] {
        return "in passes \(Set(told[1]).subtracting(told[0])), not "
          + "\(Set(told[0]).subtracting(told[1])), of \(told[0].count) and \(told[1].count)"
      }
    }
    return nil
  }

  /// The changes of each commit: 0 for deletes, 1 for updates, 2 for inserts; and the row, of updates
  /// both.
  private static func steps(_ scan: ChangelogScan) async throws -> [Int64: [(Int, String)]] {
    var steps: [Int64: [(Int, String)]] = [:]
    for try await batch in scan.batches() {
      if let problem = updates(batch) { return [-1: [(0, problem)]] }
      let rows = batch.selecting(Array(3..<batch.columns.count))
      var before = ""
      for row in 0..<batch.rowCount {
        let line = try CanonicalRows.lines(of: [rows.slice(row..<row + 1)]).joined()
        let type = batch.columns[0].string(row)
        if type == ChangeType.updateBefore.rawValue {
          before = line
          continue
        }
        let change =
          switch type {
          case ChangeType.delete.rawValue: (0, line)
          case ChangeType.updateAfter.rawValue: (1, "\(before) to \(line)")
          default: (2, line)
          }
        steps[batch.columns[1].integer(row), default: []].append(change)
      }
    }
    return steps
  }

  /// The rows of `batch` by what became of them, as text.
  static func parts(_ batch: RecordBatch) throws -> [(type: ChangeType, rows: [String])] {
    var parts: [(ChangeType, [String])] = []
    for type in ChangeType.allCases {
      var rows: [Int32] = []
      for row in 0..<batch.rowCount where batch.columns[0].string(row) == type.rawValue {
        rows.append(Int32(row))
      }
      guard !rows.isEmpty else { continue }
      let some = try batch.selecting(Array(3..<batch.columns.count)).gather(rows)
      parts.append((type, try CanonicalRows.lines(of: [some])))
    }
    return parts
  }

  /// Each row before an update is followed by what became of it, which has the same number.
  static func updates(_ batch: RecordBatch) -> String? {
    let types = batch.columns[0]
    let numbers = batch.column("k")
    for row in 0..<batch.rowCount {
      let isBefore = types.string(row) == ChangeType.updateBefore.rawValue
      let isAfter = row + 1 < batch.rowCount && types.string(row + 1) == "update_after"
      if isBefore != isAfter { return "an update of one row" }
      if isBefore, let numbers, numbers.integer(row) != numbers.integer(row + 1) {
        return "an update of another row"
      }
    }
    return nil
  }
}
