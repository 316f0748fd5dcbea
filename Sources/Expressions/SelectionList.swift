// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// What is to be computed of each row: `carrier, dep_delay / 60 AS hours`.
public struct SelectionList: Hashable, Sendable {
  public let items: [Item]

  public enum Item: Hashable, Sendable {
    /// `*`: every column of the table.
    case all
    /// A column of the result, called `name` or, if that is nil, as the column it is, or its text.
    case expression(Expression, name: String?)
  }

  public init(_ items: [Item]) { self.items = items }
}

/// A column that gets a new value: `price = price * 2`.
public struct Assignment: Hashable, Sendable {
  /// The column's name, of one in a structure with dots.
  public let column: String
  public let value: Expression

  public init(_ column: String, to value: Expression) {
    self.column = column
    self.value = value
  }
}

extension ExpressionParser {
  /// - Throws: as ``parse(_:)``.
  public static func parse(selectList text: String) throws(ExpressionError) -> SelectionList {
    var parser = try ExpressionParser(text, what: "selection")
    var items: [SelectionList.Item] = []
    repeat { items.append(try parser.item()) } while parser.lexer.take(sign: ",")
    guard parser.lexer.isAtEnd else { throw parser.unexpected("',', AS or the end") }
    return SelectionList(items)
  }

  private mutating func item() throws(ExpressionError) -> SelectionList.Item {
    if lexer.take(sign: "*") { return .all }
    let expression = try wholeExpression()
    guard lexer.take(keyword: "as") else { return .expression(expression, name: nil) }
    do throws(IcebergError) { return .expression(expression, name: try lexer.takeName()) } catch {
      throw ExpressionError(error, text: lexer.what)
    }
  }

  /// Reads `column = expression`.
  ///
  /// - Throws: as ``parse(_:)``.
  public static func parse(assignment text: String) throws(ExpressionError) -> Assignment {
    var parser = try ExpressionParser(text, what: "assignment")
    let column = try parser.path()
    try parser.expect(sign: "=")
    let value = try parser.wholeExpression()
    try parser.expectEnd()
    return Assignment(column, to: value)
  }
}

extension SelectionList: CustomStringConvertible {
  public var description: String {
    items.map { item in
      switch item {
      case .all: "*"
      case .expression(let expression, let name):
        "\(expression)\(name.map { " AS \($0.asIdentifier)" } ?? "")"
      }
    }.joined(separator: ", ")
  }
}

extension Assignment: CustomStringConvertible {
  public var description: String { "\(column.asColumnPath) = \(value)" }
}
