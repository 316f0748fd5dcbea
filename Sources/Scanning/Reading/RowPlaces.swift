// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// Where the rows of a batch are in their file: some of those from a position on.
struct RowPlaces: Sendable {
  /// The position of the first row that ``rows`` selects from.
  let first: Int64
  let rows: RowSelection

  init(first: Int64, rows: RowSelection) {
    self.first = first
    self.rows = rows
  }

  /// How many rows the batch has.
  var count: Int { rows.count }

  /// All that they are selected from.
  var range: Range<Int64> { first..<first + Int64(rows.rowCount) }
}
