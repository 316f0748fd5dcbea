// SPDX-License-Identifier: Apache-2.0

extension PrimitiveType: CustomStringConvertible {
  /// The type as table metadata spells it: `decimal(9,2)`, `fixed[16]`, `geometry(srid:4326)`.
  ///
  /// Source: Iceberg spec, "Appendix C: JSON serialization", "Schemas".
  public var description: String {
    switch self {
    case .unknown: "unknown"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
    case .date: "date"
    case .time: "time"
    case .timestamp: "timestamp"
    case .timestamptz: "timestamptz"
    case .timestampNs: "timestamp_ns"
    case .timestamptzNs: "timestamptz_ns"
    case .string: "string"
    case .uuid: "uuid"
    case .fixed(let byteCount): "fixed[\(byteCount)]"
    case .binary: "binary"
    case .variant: "variant"
    case .geometry(let crs): crs.map { "geometry(\($0))" } ?? "geometry"
    case .geography(let crs, nil): crs.map { "geography(\($0))" } ?? "geography"
    case .geography(let crs, let algorithm?):
      "geography(\(crs ?? PrimitiveType.defaultCRS), \(algorithm))"
    }
  }

  /// The coordinate reference system of a geometry or geography that names none.
  public static let defaultCRS = "OGC:CRS84"

  /// The type that `text` spells, in the canonical form or with other spacing.
  ///
  /// - Throws: ``IcebergError/syntax(_:offset:expected:found:)`` if it is no primitive type.
  public init(_ text: String) throws(IcebergError) {
    var parser = TypeParser(try TextLexer(text, what: "type '\(text)'"))
    self = try parser.primitive(named: parser.lexer.take(), aliases: false)
    try parser.lexer.expectEnd()
  }

  /// The format version a table must have for this type.
  public var minimumVersion: FormatVersion {
    switch self {
    case .unknown, .timestampNs, .timestamptzNs, .variant, .geometry, .geography: .v3
    default: .v1
    }
  }
}

extension FieldType: CustomStringConvertible {
  /// The type on one line, without ids: `map<string, struct<a: int not null, b: list<date>>>`.
  public var description: String {
    switch self {
    case .primitive(let type): type.description
    case .list(let type):
      "list<\(type.element)\(type.isElementRequired ? " not null" : "")>"
    case .map(let type):
      "map<\(type.key), \(type.value)\(type.isValueRequired ? " not null" : "")>"
    case .structure(let type):
      "struct<\(type.fields.map(\.signature).joined(separator: ", "))>"
    }
  }
}

extension Field {
  /// `name: type`, with `not null` if it is required.
  var signature: String { "\(name.asIdentifier): \(type)\(isRequired ? " not null" : "")" }
}

extension String {
  /// This name as the small languages take it: bare where that works, else in double quotes.
  package var asIdentifier: String {
    let bytes = Array(utf8)
    func isLetter(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "_") || byte >= 0x80 || (0x61...0x7a).contains(byte | 0x20)
    }
    let reserved = [
      "and", "or", "not", "in", "is", "like", "between", "null", "true", "false", "escape",
    ]
    let isBare =
      bytes.first.map(isLetter) == true && !reserved.contains(lowercased())
      && bytes.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    return isBare
      ? self
      : "\""
        + split(separator: "\"", omittingEmptySubsequences: false)
        .joined(separator: "\"\"") + "\""
  }
}

/// Reads types, with ids of 0 throughout.
struct TypeParser {
  var lexer: TextLexer
  private var depth = 0

  init(_ lexer: TextLexer) { self.lexer = lexer }

  /// A primitive, `list<…>`, `map<…, …>` or `struct<…>`.
  mutating func type() throws(IcebergError) -> FieldType {
    let token = lexer.take()
    guard case .word(let word) = token.kind else { throw lexer.unexpected("a type", at: token) }
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw .unsupported("a type nested deeper than 64 levels") }
    switch word.lowercased() {
    case "list", "array": return try list()
    case "map": return try map()
    case "struct": return try structure()
    default: return .primitive(try primitive(named: token, aliases: true))
    }
  }

  private mutating func list() throws(IcebergError) -> FieldType {
    try lexer.expect(sign: "<")
    let element = try type()
    let isRequired = try takeRequired()
    try lexer.expect(sign: ">")
    return .list(
      ListType(elementID: FieldID(0), element: element, isElementRequired: isRequired))
  }

  private mutating func map() throws(IcebergError) -> FieldType {
    try lexer.expect(sign: "<")
    let key = try type()
    _ = try takeRequired()
    try lexer.expect(sign: ",")
    let value = try type()
    let isRequired = try takeRequired()
    try lexer.expect(sign: ">")
    return .map(
      MapType(
        keyID: FieldID(0), key: key, valueID: FieldID(0), value: value,
        isValueRequired: isRequired))
  }

  private mutating func structure() throws(IcebergError) -> FieldType {
    try lexer.expect(sign: "<")
    let fields = try self.fields(until: .sign(">"))
    try lexer.expect(sign: ">")
    return .structure(StructType(fields))
  }

  /// Fields with commas between them, up to `end`, which is left.
  mutating func fields(until end: TextToken.Kind) throws(IcebergError) -> [Field] {
    var fields: [Field] = []
    if lexer.peek.kind == end { return fields }
    repeat { fields.append(try field()) } while lexer.take(sign: ",")
    return fields
  }

  /// `name[:] type [not null] [comment 'text']`
  private mutating func field() throws(IcebergError) -> Field {
    let name = try lexer.takeName("a column name")
    _ = lexer.take(sign: ":")
    let type = try self.type()
    let isRequired = try takeRequired()
    var doc: String?
    if lexer.take(keyword: "comment") {
      guard case .string(let text) = lexer.take().kind else {
        throw lexer.unexpected("a comment in quotes")
      }
      doc = text
    }
    return Field(id: FieldID(0), name: name, type: type, isRequired: isRequired, doc: doc)
  }

  /// `not null` or `required`; else `null`, `optional` or nothing.
  private mutating func takeRequired() throws(IcebergError) -> Bool {
    if lexer.take(keyword: "required") { return true }
    if lexer.take(keyword: "optional") || lexer.take(keyword: "null") { return false }
    guard lexer.take(keyword: "not") else { return false }
    guard lexer.take(keyword: "null") else { throw lexer.unexpected("'null'") }
    return true
  }

  /// The primitive that `token` begins; `aliases` lets the usual SQL names in as well.
  mutating func primitive(named token: TextToken, aliases: Bool) throws(IcebergError)
    -> PrimitiveType
  {
    guard case .word(let word) = token.kind else { throw lexer.unexpected("a type", at: token) }
    let name = word.lowercased()
    if let type = PrimitiveType.simple[name] { return type }
    if aliases, let type = PrimitiveType.aliases[name] { return type }
    switch name {
    case "decimal": return try decimal()
    case "numeric" where aliases: return try decimal()
    case "fixed": return try fixed()
    case "geometry": return .geometry(crs: try arguments(atMost: 1).first.flatMap(custom))
    case "geography":
      let arguments = try self.arguments(atMost: 2)
      let crs = arguments.first.flatMap(custom)
      guard arguments.count == 2 else { return .geography(crs: crs, algorithm: nil) }
      return .geography(crs: crs, algorithm: try algorithm(arguments[1], at: token))
    default: throw lexer.unexpected("a type", at: token)
    }
  }

  private mutating func decimal() throws(IcebergError) -> PrimitiveType {
    try lexer.expect(sign: "(")
    let precision = try lexer.takeInteger("a precision from 1 to 38", in: 1...38)
    try lexer.expect(sign: ",")
    let isNegative = lexer.take(sign: "-")
    let scale = try lexer.takeInteger("a scale up to 38", in: 0...38)
    try lexer.expect(sign: ")")
    return .decimal(precision: precision, scale: isNegative ? -scale : scale)
  }

  private mutating func fixed() throws(IcebergError) -> PrimitiveType {
    let isRound = lexer.take(sign: "(")
    if !isRound { try lexer.expect(sign: "[") }
    let byteCount = try lexer.takeInteger("a length from 1", in: 1...Int(Int32.max))
    try lexer.expect(sign: isRound ? ")" : "]")
    return .fixed(byteCount)
  }

  /// `(text, text)`, or nothing.
  private mutating func arguments(atMost limit: Int) throws(IcebergError) -> [String] {
    guard lexer.take(sign: "(") else { return [] }
    var arguments: [String] = []
    repeat {
      guard arguments.count < limit else { throw lexer.unexpected("')'") }
      arguments.append(try lexer.takeRaw(until: [",", ")"]))
    } while lexer.take(sign: ",")
    try lexer.expect(sign: ")")
    return arguments
  }

  private func custom(_ crs: String) -> String? { crs == PrimitiveType.defaultCRS ? nil : crs }

  private func algorithm(_ text: String, at token: TextToken) throws(IcebergError) -> String? {
    let known = ["spherical", "vincenty", "thomas", "andoyer", "karney"]
    guard known.contains(text.lowercased()) else {
      throw .syntax(
        lexer.what, offset: token.range.lowerBound,
        expected: "one of \(known.joined(separator: ", "))", found: "'\(text)'")
    }
    return text.lowercased() == "spherical" ? nil : text.lowercased()
  }
}

extension PrimitiveType {
  fileprivate static let simple: [String: PrimitiveType] = [
    "unknown": .unknown, "boolean": .boolean, "int": .int, "long": .long, "float": .float,
    "double": .double, "date": .date, "time": .time, "timestamp": .timestamp,
    "timestamptz": .timestamptz, "timestamp_ns": .timestampNs, "timestamptz_ns": .timestamptzNs,
    "string": .string, "uuid": .uuid, "binary": .binary, "variant": .variant,
  ]

  fileprivate static let aliases: [String: PrimitiveType] = [
    "bool": .boolean, "integer": .int, "bigint": .long, "text": .string, "varchar": .string,
    "bytes": .binary, "blob": .binary,
  ]
}

extension TextLexer {
  /// A primitive type, in the canonical form or by its usual SQL name.
  ///
  /// - Throws: ``IcebergError/syntax(_:offset:expected:found:)`` if none comes next.
  package mutating func takePrimitiveType() throws(IcebergError) -> PrimitiveType {
    var parser = TypeParser(self)
    let token = parser.lexer.take()
    let type = try parser.primitive(named: token, aliases: true)
    self = parser.lexer
    return type
  }
}
