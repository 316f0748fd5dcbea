// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Columnar

/// How far an input was taken: where reading can go on.
public struct InputPlace: Hashable, Sendable {
  /// How many bytes of the text, inflated if it was compressed; 0 for what is no text.
  public var byteCount: Int64 = 0
  /// How many lines of the text; counted from where reading began if that was told in bytes.
  public var lineCount: Int64 = 0
  /// How many rows, those kept apart counted.
  public var rowCount: Int64 = 0

  public init() {}
}

/// Where reading begins.
public enum InputStart: Hashable, Sendable {
  case beginning
  /// Behind so many bytes of the (inflated) text, which end with a line.
  ///
  /// Cost: a seek, where the source can; else what comes before is read.
  case bytes(Int64)
  /// Behind so many lines of the text. Cost: what comes before is read.
  case lines(Int64)
  /// Behind so many rows. Cost: what comes before is read.
  case rows(Int64)
}

/// A row that is not as its columns want it, kept apart.
public struct RejectedRow: Sendable {
  public let error: InputError
  /// The row as it is written, without the end of its line.
  public let text: Buffer
  /// How many rows of the batch come before it.
  public internal(set) var precedingRowCount: Int

  /// The row, as one before row `row` of another batch.
  public func moved(to row: Int) -> RejectedRow {
    var moved = self
    moved.precedingRowCount = row
    return moved
  }
}

/// Rows with their places in the input.
public struct InputRows: Sendable {
  public let batch: RecordBatch
  /// What was kept apart among them.
  public let rejected: [RejectedRow]
  /// Behind all of this.
  public let end: InputPlace
  /// Where the batch's rows are in the text; nil for what is no text.
  let lines: RowLines?
  /// The place behind nothing of this, for inputs that are no text.
  let start: InputPlace

  /// Where each row of a batch ends, counted from the start of a block of text.
  struct RowLines: Sendable {
    var blockStart: InputPlace
    var byteEnds: [UInt32] = []
    var lineEnds: [UInt32] = []
    /// How many rows were kept apart before each row's end.
    var rejectedBefore: [UInt32] = []
  }

  /// How many rows of the input these are.
  public var rowCount: Int { batch.rowCount + rejected.count }

  /// The place behind the first `count` rows of the batch; behind all, that of what was kept apart
  /// behind the last one too.
  public func place(after count: Int) -> InputPlace {
    precondition(count >= 0 && count <= batch.rowCount, "rows that are not there")
    if count == batch.rowCount { return end }
    return count == 0 ? start : place(afterRow: count - 1)
  }

  /// The place right behind row `row` of the batch.
  public func place(afterRow row: Int) -> InputPlace {
    precondition(row >= 0 && row < batch.rowCount, "a row that is not there")
    var place = start
    place.rowCount += Int64(row + 1)
    guard let lines else { return place }
    place.rowCount += Int64(lines.rejectedBefore[row])
    place.byteCount = lines.blockStart.byteCount + Int64(lines.byteEnds[row])
    place.lineCount = lines.blockStart.lineCount + Int64(lines.lineEnds[row])
    return place
  }

  /// The rows `range` of the batch, with what was kept apart among them; what was so between two
  /// rows goes with the second.
  public func slice(_ range: Range<Int>) -> InputRows {
    if range == 0..<batch.rowCount { return self }
    let isLast = range.upperBound == batch.rowCount
    let kept = rejected.filter { row in
      range.contains(row.precedingRowCount)
        || (isLast && row.precedingRowCount == range.upperBound)
    }
    var part: RowLines?
    if let lines {
      let before = range.lowerBound > 0 ? lines.rejectedBefore[range.lowerBound - 1] : 0
      part = RowLines(
        blockStart: lines.blockStart, byteEnds: Array(lines.byteEnds[range]),
        lineEnds: Array(lines.lineEnds[range]),
        rejectedBefore: lines.rejectedBefore[range].map { $0 - before })
    }
    return InputRows(
      batch: batch.slice(range),
      rejected: kept.map { row in
        var row = row
        row.precedingRowCount -= range.lowerBound
        return row
      }, end: place(after: range.upperBound), lines: part, start: place(after: range.lowerBound))
  }
}

/// What came of asking an input that is no text for rows.
enum BatchStep {
  case rows(RecordBatch)
  /// The source has nothing for now.
  case pause
  case end
}

/// What came of asking an input for rows.
public enum InputStep: Sendable {
  case rows(InputRows)
  /// The source has nothing for now.
  case pause
  case end
}
