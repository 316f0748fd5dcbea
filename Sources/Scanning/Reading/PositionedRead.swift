// SPDX-License-Identifier: Apache-2.0
package import Catalogs
package import Columnar
internal import Expressions
internal import Iceberg
internal import Storage

/// Rows of a data file that are wanted, by their positions.
package struct RowPositions: Sendable {
  private enum Rows: Sendable {
    /// Ascending, each once.
    case list([Int64])
    case range(Range<Int64>)
  }

  private let rows: Rows

  /// - Parameter positions: ascending, each once.
  package init(ascending positions: [Int64]) { rows = .list(positions) }

  /// All rows of a range.
  package init(_ range: Range<Int64>) { rows = .range(range) }

  var count: Int {
    switch rows {
    case .list(let all): all.count
    case .range(let range): range.count
    }
  }

  /// Those within `range`, counted from its start.
  func selection(in range: Range<Int64>, rowCount: Int) -> RowSelection {
    var builder = RowSelectionBuilder(rowCount: rowCount)
    switch rows {
    case .range(let wanted):
      let some = wanted.clamped(to: range)
      if !some.isEmpty {
        builder.append(
          Int(some.lowerBound - range.lowerBound)..<Int(some.upperBound - range.lowerBound))
      }
    case .list(let all):
      var index = Self.firstIndex(in: all, notBelow: range.lowerBound)
      while index < all.count, all[index] < range.upperBound {
        let row = Int(all[index] - range.lowerBound)
        builder.append(row..<row + 1)
        index += 1
      }
    }
    return builder.finish()
  }

  func overlaps(_ range: Range<Int64>) -> Bool {
    switch rows {
    case .range(let wanted): return wanted.overlaps(range)
    case .list(let all):
      let index = Self.firstIndex(in: all, notBelow: range.lowerBound)
      return index < all.count && all[index] < range.upperBound
    }
  }

  /// All positions below `count` that are not wanted.
  func others(below count: Int64) -> DeletionVector {
    let count = min(max(0, count), DeletionVector.highestPosition + 1)
    var others = DeletionVector()
    var next: Int64 = 0
    switch rows {
    case .range(let wanted):
      let some = wanted.clamped(to: 0..<count)
      others.insert(0..<some.lowerBound)
      next = some.upperBound
    case .list(let all):
      for position in all where position < count {
        others.insert(next..<position)
        next = position + 1
      }
    }
    others.insert(next..<max(next, count))
    return others
  }

  private static func firstIndex(in all: [Int64], notBelow position: Int64) -> Int {
    var (low, high) = (0, all.count)
    while low < high {
      let middle = (low + high) / 2
      if all[middle] < position { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension TableScan {
  /// The rows of the scan's files, in order.
  fileprivate func readPositions() async throws(ScanError) -> [RecordBatch] {
    guard let tasks, let openFiles, tasks.count == 1, let positions = tasks[0].positions,
      positions.count <= Self.fewRows
    else { return try await collect() }
    return try await readOne(tasks, openFiles)
  }

  /// Up to so many rows of a file are read in less time than it takes to share the work.
  private static let fewRows = 8

  /// The rows of one file, where they are few: in the caller's task, as it takes longer to have
  /// others do it, and with nothing to be told of it.
  private func readOne(
    _ tasks: [ScanTask], _ openFiles: OpenFiles
  ) async throws(ScanError) -> [RecordBatch] {
    let (_, schema) = try table.metadata.state(selection)
    var source = UnitSource(tasks, try request(schema), parallelism: 1)
    var batches: [RecordBatch] = []
    while let units = try await source.next() {
      for unit in units { batches += try await unit.read(openFiles.workspaces).batches }
    }
    return batches
  }
}

extension Table {
  /// The rows of data files at some positions of each, dead ones too, file by file in the order
  /// given, and within a file by position.
  ///
  /// Cost: of each file its footer, where its pages are, and the pages that hold those rows, of the
  /// columns asked for; footers and places that `openFiles` has are not read again.
  /// - Parameters:
  ///   - tasks: files of the state `selection`.
  ///   - columns: as for ``TableScan/select(_:)-([String])``; nil: all.
  /// - Throws: ``ScanError/wrongSize(file:what:expected:found:)`` if a file has no such row.
  package func rows(
    at positions: [(task: ScanTask, positions: RowPositions)], columns: [String]?,
    of selection: SnapshotSelection, _ openFiles: OpenFiles? = nil
  ) async throws(ScanError) -> RecordBatch {
    var scan = scan().at(selection)
    if let columns { scan = scan.select(columns) }
    scan = scan.of(
      positions.map { task, positions in
        var task = ScanTask(file: task.file, sequenceNumber: task.sequenceNumber)
        task.positions = positions
        return task
      })
    scan.openFiles = openFiles
    let batches = try await scan.readPositions()
    let found = batches.reduce(0) { $0 + $1.rowCount }
    let expected = positions.reduce(0) { $0 + $1.positions.count }
    guard found == expected else {
      throw .wrongSize(
        file: positions.count == 1 ? positions[0].task.file.path : "\(positions.count) data files",
        what: "rows at positions", expected: Int64(expected), found: Int64(found))
    }
    guard !batches.isEmpty else {
      let fields = try scan.outputFields().map(\.columnField)
      return RecordBatch(
        fields: fields, columns: fields.map { .nulls($0.type, count: 0) }, rowCount: 0)
    }
    do throws(ColumnarError) { return try RecordBatch.concat(batches) } catch {
      throw .unsupported(what: "2 GiB of values of a column at once", file: name)
    }
  }
}
