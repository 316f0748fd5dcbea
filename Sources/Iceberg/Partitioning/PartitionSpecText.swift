// SPDX-License-Identifier: Apache-2.0

extension PartitionSpec {
  /// The spec that `text` describes over the columns of `schema`: `day(ts), bucket(16, id), name`.
  ///
  ///     spec := field { ',' field }
  ///     field := (column | transform '(' [width ','] column ')') ['as' name]
  ///
  /// Names and ids are given as the reference implementation gives them: `ts_day`, `id_bucket`,
  /// `name_trunc`, `a_year`, the column's own for an identity; ids from 1000 on. A text without a
  /// field, or `()`, is the unpartitioned spec.
  ///
  /// - Throws: ``IcebergError/syntax(_:offset:expected:found:)``,
  ///   ``IcebergError/unknownField(_:in:)``, or ``IcebergError/invalid(_:reason:)`` if a transform
  ///   does not apply to its column.
  public init(
    _ text: String, schema: Schema, id: PartitionSpecID = PartitionSpecID(0)
  ) throws(IcebergError) {
    var fields: [PartitionField] = []
    for term in try TransformTerm.parse(text, what: "partition spec") {
      let source = try schema.source(of: term)
      let name = term.name ?? term.transform.partitionName(for: schema.name(of: source.id) ?? "")
      let fieldID = FieldID(PartitionSpec.firstFieldID.rawValue + Int32(fields.count))
      fields.append(
        PartitionField(
          sourceIDs: [source.id], fieldID: fieldID, name: name, transform: term.transform))
    }
    self = try PartitionSpec(id: id, fields: fields)
    try check(for: schema)
  }

  /// The id that the first partition field of a table gets.
  public static let firstFieldID = FieldID(1000)
}

extension SortOrder {
  /// The order that `text` describes over the columns of `schema`: `id, day(ts) desc nulls last`.
  ///
  ///     order := key { ',' key }
  ///     key   := (column | transform '(' [width ','] column ')') ['asc' | 'desc']
  ///              ['nulls first' | 'nulls last']
  ///
  /// Nulls come first when ascending and last when descending, unless told. A text without a key is
  /// the unsorted order.
  public init(_ text: String, schema: Schema, id: SortOrderID = SortOrderID(1)) throws(IcebergError)
  {
    var fields: [SortField] = []
    for term in try TransformTerm.parse(text, what: "sort order") {
      let source = try schema.source(of: term)
      try term.transform.check(appliesTo: source, named: schema.name(of: source.id) ?? source.name)
      let direction = term.direction ?? .ascending
      let nulls = term.nullOrder ?? (direction == .ascending ? .nullsFirst : .nullsLast)
      fields.append(
        SortField(
          sourceIDs: [source.id], transform: term.transform, direction: direction,
          nullOrder: nulls))
    }
    self = fields.isEmpty ? .unsorted : SortOrder(id: id, fields: fields)
  }
}

extension Schema {
  /// The column that `term` is about.
  fileprivate func source(of term: TransformTerm) throws(IcebergError) -> Field {
    guard let field = resolve(term.column) else {
      throw .unknownField("'\(term.column)'", in: "the schema")
    }
    return field
  }
}

/// One item of a partition spec or sort order, as it was written.
struct TransformTerm {
  var transform: Transform
  var column: String
  var name: String?
  var direction: SortDirection?
  var nullOrder: NullOrder?

  static func parse(_ text: String, what: String) throws(IcebergError) -> [TransformTerm] {
    var lexer = try TextLexer(text, what: what)
    if lexer.isAtEnd { return [] }
    if lexer.take(sign: "(") {
      try lexer.expect(sign: ")")
      try lexer.expectEnd()
      return []
    }
    var terms: [TransformTerm] = []
    repeat { terms.append(try term(&lexer)) } while lexer.take(sign: ",")
    try lexer.expectEnd()
    return terms
  }

  private static func term(_ lexer: inout TextLexer) throws(IcebergError) -> TransformTerm {
    var term = try transformed(&lexer)
    if lexer.what == "partition spec" {
      if lexer.take(keyword: "as") { term.name = try lexer.takeName("a partition name") }
      return term
    }
    if lexer.take(keyword: "desc") {
      term.direction = .descending
    } else if lexer.take(keyword: "asc") {
      term.direction = .ascending
    }
    if lexer.take(keywords: "nulls", "first") {
      term.nullOrder = .nullsFirst
    } else if lexer.take(keywords: "nulls", "last") {
      term.nullOrder = .nullsLast
    }
    return term
  }

  /// A column, or a transform of one.
  private static func transformed(_ lexer: inout TextLexer) throws(IcebergError) -> TransformTerm {
    let start = lexer.peek
    guard case .word(let word) = start.kind,
      lexer.second.kind == .sign("(") || lexer.second.kind == .sign("[")
    else { return TransformTerm(transform: .identity, column: try lexer.takePath()) }
    _ = lexer.take()
    var width: Int?
    if lexer.take(sign: "[") {
      width = try self.width(&lexer)
      try lexer.expect(sign: "]")
    }
    try lexer.expect(sign: "(")
    if case .number = lexer.peek.kind, width == nil {
      width = try self.width(&lexer)
      try lexer.expect(sign: ",")
    }
    let column = try lexer.takePath()
    if width == nil, lexer.take(sign: ",") { width = try self.width(&lexer) }
    try lexer.expect(sign: ")")
    guard let transform = Transform(named: word.lowercased(), width: width) else {
      throw lexer.unexpected("a transform, with a width if it takes one", at: start)
    }
    return TransformTerm(transform: transform, column: column)
  }

  private static func width(_ lexer: inout TextLexer) throws(IcebergError) -> Int {
    try lexer.takeInteger("a width from 1", in: 1...Int(Int32.max))
  }
}
