// SPDX-License-Identifier: Apache-2.0
public import Columnar
internal import Iceberg

/// Why an expression can't be read, bound or computed.
///
/// `row` counts from 0 in the batch that was given.
@nonexhaustive
public enum ExpressionError: Error, Hashable, Sendable {
  /// Text that does not follow the grammar.
  case syntax(_ text: String, offset: Int, expected: String, found: String)
  /// Expressions lie within each other deeper than ``Expression/depthLimit``.
  case tooDeep(limit: Int)
  /// No column has the name, or several do when case is not looked at.
  case unknownColumn(String)
  /// A column that has no single value in a row: it lies in a list or map.
  case repeatedColumn(String)
  case unknownFunction(String)
  /// A function is given other arguments than it takes.
  case wrongArguments(function: String, expected: String, found: String)
  /// An expression is of a type that has no place where it stands.
  case wrongType(_ expression: String, expected: String, found: String)
  /// Expressions that are to be of one type have no type in common.
  case noCommonType(_ expression: String, String, String)
  /// A literal is no value of the type it is compared with, cast or assigned to.
  case notAValue(_ text: String, of: String)
  /// Values of one type become values of the other by `CAST` only, or not at all.
  case notAssignable(column: String, from: String, to: String)
  /// Two columns of one result have the same name, or a column is assigned twice.
  case duplicateColumn(String)

  /// A result is beyond what its type holds.
  case overflow(_ expression: String, row: Int, type: String)
  case divisionByZero(_ expression: String, row: Int)
  /// A value has no counterpart in the type it is cast to.
  case notConvertible(_ expression: String, row: Int, value: String, to: String)
  /// A value would change if it became one of the column's type: cast or round it.
  case inexact(_ expression: String, row: Int, value: String, column: String, type: String)
  /// A column that must have a value is assigned none.
  case nullNotAllowed(_ expression: String, row: Int, column: String)
  /// A function has no result for a value, as a square root has none of -1.
  case outsideDomain(_ expression: String, row: Int, value: String)
  /// A column can't be made: its strings are too long for one batch.
  case columnar(ColumnarError, in: String)
}

extension ExpressionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .syntax(let text, let offset, let expected, let found):
      "\(text), at character \(offset + 1): expected \(expected), found \(found)"
    case .tooDeep(let limit): "expression is nested deeper than \(limit) levels"
    case .unknownColumn(let name): "no column '\(name)' in the schema"
    case .repeatedColumn(let name): "column '\(name)' lies in a list or map: a row has many of it"
    case .unknownFunction(let name): "there is no function '\(name)'"
    case .wrongArguments(let function, let expected, let found):
      "function \(function) takes \(expected), not \(found)"
    case .wrongType(let expression, let expected, let found):
      "\(expression): expected \(expected), found \(found)"
    case .noCommonType(let expression, let left, let right):
      "\(expression): \(left) and \(right) have no type in common"
    case .notAValue(let text, let type): "\(text) is no value of type \(type)"
    case .notAssignable(let column, let from, let to):
      "column '\(column)' is of type \(to): values of type \(from) are not assigned to it"
    case .duplicateColumn(let name): "column '\(name)' is there twice"
    case .overflow(let expression, let row, let type):
      "\(expression) in row \(row): the result is beyond \(type)"
    case .divisionByZero(let expression, let row): "\(expression) in row \(row): division by zero"
    case .notConvertible(let expression, let row, let value, let type):
      "\(expression) in row \(row): \(value) is no value of type \(type)"
    case .inexact(let expression, let row, let value, let column, let type):
      "\(expression) in row \(row): \(value) would be changed by column '\(column)' of type \(type)"
    case .nullNotAllowed(let expression, let row, let column):
      "\(expression) in row \(row): null, which column '\(column)' does not take"
    case .outsideDomain(let expression, let row, let value):
      "\(expression) in row \(row): no result for \(value)"
    case .columnar(let error, let expression): "\(expression): \(error)"
    }
  }
}

extension ExpressionError {
  /// Of text: what the lexer or the reader of types found.
  init(_ error: IcebergError, text: String) {
    switch error {
    case .syntax(let what, let offset, let expected, let found):
      self = .syntax(what, offset: offset, expected: expected, found: found)
    default:
      self = .syntax(text, offset: 0, expected: "a type of this engine", found: "\(error)")
    }
  }
}
