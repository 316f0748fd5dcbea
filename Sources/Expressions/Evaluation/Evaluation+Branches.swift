// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Iceberg

extension Evaluation {
  /// `CASE` and `coalesce`: each value is computed of the rows that take it, and no others.
  func branches(_ node: BoundNode) throws(ExpressionError) -> Column {
    var merge = Merge(type: node.fieldType.columnType, rowCount: rowCount)
    switch node.kind {
    case .cases(let branches, let otherwise):
      for branch in branches {
        guard let open = merge.open else { break }
        let part =
          rowCount == open.countOfOnes
          ? self
          : filtered(
            by: open,
            for: [
              branch.condition, branch.value,
            ])
        let chosen = try part.truth(branch.condition).trues
        let values = try part.filtered(by: chosen, for: [branch.value]).column(branch.value)
        merge.add(values, at: chosen)
      }
      if let otherwise, let open = merge.open {
        merge.addRest(try filtered(by: open, for: [otherwise]).column(otherwise))
      }
    case .coalesced(let parts):
      for part in parts {
        guard let open = merge.open else { break }
        let values = try filtered(by: open, for: [part]).column(part)
        let known = values.nulls.inverted()
        merge.add(values.filter(by: known), at: known)
      }
    default: preconditionFailure("\(node.source) has no branches")
    }
    do throws(ColumnarError) { return try merge.finish() } catch {
      throw .columnar(error, in: "\(node.source)")
    }
  }
}

/// Puts the rows of several columns back to where they were taken from.
private struct Merge {
  let type: ColumnType
  /// For each row its place among the values that were added; -1 if there is none yet.
  private var places: [Int32]
  /// The rows without a value yet, ascending.
  private var openRows: [Int32]
  private var pieces: [Column] = []
  private var count = 0

  init(type: ColumnType, rowCount: Int) {
    self.type = type
    places = Array(repeating: -1, count: rowCount)
    openRows = Array(0..<Int32(truncatingIfNeeded: rowCount))
  }

  /// 1 for the rows without a value yet; nil if there are none.
  var open: Bitmap? {
    if openRows.isEmpty { return nil }
    var builder = BitmapBuilder(capacity: places.count)
    var next = 0
    for row in openRows {
      builder.append(repeating: false, count: Int(row) - next)
      builder.append(true)
      next = Int(row) + 1
    }
    builder.append(repeating: false, count: places.count - next)
    return builder.finish()
  }

  /// Gives `values` to those of the open rows whose bit in `chosen` is 1.
  mutating func add(_ values: Column, at chosen: Bitmap) {
    precondition(chosen.count == openRows.count, "a bit for each open row")
    if values.count == 0 { return }
    var left: [Int32] = []
    var place = Int32(truncatingIfNeeded: count)
    for (index, row) in openRows.enumerated() {
      if chosen[index] {
        places[Int(row)] = place
        place &+= 1
      } else {
        left.append(row)
      }
    }
    openRows = left
    pieces.append(values)
    count += values.count
  }

  /// Gives `values` to all open rows.
  mutating func addRest(_ values: Column) {
    add(values, at: Bitmap(repeating: true, count: openRows.count))
  }

  consuming func finish() throws(ColumnarError) -> Column {
    if !openRows.isEmpty {
      let nulls = Column.nulls(type, count: openRows.count)
      for (index, row) in openRows.enumerated() {
        places[Int(row)] = Int32(truncatingIfNeeded: count + index)
      }
      pieces.append(nulls)
    }
    guard let first = pieces.first else { return .nulls(type, count: 0) }
    // One piece of all rows has them in order.
    if pieces.count == 1 { return first }
    return try Column.concat(pieces.map { $0.retyped(as: type) }).gather(places)
  }
}
