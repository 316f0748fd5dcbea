// SPDX-License-Identifier: Apache-2.0
public import Arrow
public import Avro
public import Codecs
public import Parquet
public import Storage

/// What can be wrong with rows that a user hands in. Lines count from 1, columns are named.
@nonexhaustive
public enum InputError: Error, Sendable {
  /// A row has another number of fields than there are columns.
  case fieldCount(file: String, line: Int, expected: Int, found: Int)
  /// A text can't be read as a value of its column's type.
  case unparsable(file: String, line: Int, column: String, expected: String, found: String)
  /// The text itself is broken at a place: a quote that does not end, bytes that are no JSON.
  case malformed(file: String, line: Int, column: String?, reason: String)
  /// A row has no value for a column that must have one.
  case missingValue(file: String, line: Int, column: String)
  /// The input has a column that the rows wanted do not have, or lacks one they need.
  case unknownColumn(file: String, column: String, known: [String])
  case missingColumn(file: String, column: String)
  /// A column is of a type that does not become the one wanted.
  case columnType(file: String, column: String, expected: String, found: String)
  /// Nothing tells what format the input has, or it is one that is not read.
  case unknownFormat(file: String, known: [String])
  /// There is nothing to infer columns from.
  case noRows(file: String)
  case parquet(ParquetError, file: String)
  /// The batch that begins at `row`, or what comes before it, is not as Arrow has it.
  case arrow(ArrowError, file: String, row: Int)
  /// The record of `row`, or the block it is in, is not as Avro has it.
  case avro(AvroError, file: String, row: Int)
  case compression(CodecError, file: String)
  case storage(StorageError)
  case tooLongLine(file: String, line: Int, limit: Int)
  /// The input ends before the place that reading was to begin at: it is another one, or was cut.
  case endsBeforeStart(file: String, start: Int64, end: Int64)
  /// No line ends where reading was to begin: the input is another one than was read up to there.
  case startsWithinLine(file: String, start: Int64)
  /// A file that is being read has become shorter than what was read of it.
  case truncated(file: String, read: Int64, left: Int64)
  /// Another file has taken the name of the one that is being read.
  case replaced(file: String)
  /// Reading was stopped from outside.
  case interrupted(file: String)
  /// A row is refused by where it was to go.
  case refused(file: String, line: Int, reason: String)
}

extension InputError {
  /// What a caller can do about it.
  public var remedy: Remedy {
    if case .storage(let error) = self { return error.remedy }
    return .changeInput
  }
}

extension InputError {
  /// The error with `count` added to the number of its line: for readers that began further on.
  package func movedDown(by count: Int) -> InputError {
    switch self {
    case .fieldCount(let file, let line, let expected, let found):
      .fieldCount(file: file, line: line + count, expected: expected, found: found)
    case .unparsable(let file, let line, let column, let expected, let found):
      .unparsable(
        file: file, line: line + count, column: column, expected: expected, found: found)
    case .malformed(let file, let line, let column, let reason):
      .malformed(file: file, line: line + count, column: column, reason: reason)
    case .missingValue(let file, let line, let column):
      .missingValue(file: file, line: line + count, column: column)
    case .tooLongLine(let file, let line, let limit):
      .tooLongLine(file: file, line: line + count, limit: limit)
    case .refused(let file, let line, let reason):
      .refused(file: file, line: line + count, reason: reason)
    default: self
    }
  }
}

extension InputError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fieldCount(let file, let line, let expected, let found):
      "\(file), line \(line): expected \(expected) fields, found \(found)"
    case .unparsable(let file, let line, let column, let expected, let found):
      "\(file), line \(line), column '\(column)': expected \(expected), found '\(found)'"
    case .malformed(let file, let line, let column?, let reason):
      "\(file), line \(line), column '\(column)': \(reason)"
    case .malformed(let file, let line, nil, let reason): "\(file), line \(line): \(reason)"
    case .missingValue(let file, let line, let column):
      "\(file), line \(line), column '\(column)': expected a value, found none"
    case .unknownColumn(let file, let column, let known):
      "\(file): column '\(column)' is not one of the table's: \(known.joined(separator: ", "))"
    case .missingColumn(let file, let column):
      "\(file): column '\(column)' is missing, and the table requires it"
    case .columnType(let file, let column, let expected, let found):
      "\(file), column '\(column)': expected \(expected), found \(found)"
    case .unknownFormat(let file, let known):
      "\(file): the format is not known by the ending; expected one of \(known.joined(separator: ", "))"
    case .noRows(let file): "\(file): no rows to infer columns from"
    case .parquet(let error, let file): "\(file): \(error)"
    case .arrow(let error, let file, let row): "\(file), row \(row): \(error)"
    case .avro(let error, let file, let row): "\(file), row \(row): \(error)"
    case .compression(let error, let file): "\(file): \(error)"
    case .storage(let error): "\(error)"
    case .tooLongLine(let file, let line, let limit):
      "\(file), line \(line): longer than \(limit) bytes"
    case .endsBeforeStart(let file, let start, let end):
      "\(file): ends at \(end), before \(start), where reading was to go on: "
        + "it is not what was read before"
    case .startsWithinLine(let file, let start):
      "\(file): no line ends at \(start), where reading was to go on: "
        + "it is not what was read before"
    case .truncated(let file, let read, let left):
      "\(file): was cut to \(left) bytes while it was read, of which \(read) were taken"
    case .interrupted(let file): "\(file): reading was interrupted"
    case .refused(let file, let line, let reason): "\(file), line \(line): \(reason)"
    case .replaced(let file): "\(file): another file took its place while it was read"
    }
  }
}
