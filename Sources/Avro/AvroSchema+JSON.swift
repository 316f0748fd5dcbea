// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import JSON

extension AvroSchema {
  /// The most bytes of JSON a schema may have.
  public static let jsonByteLimit = 1 << 20
  /// How deep types may nest.
  public static let depthLimit = 64
  /// How many types a schema may stand for.
  public static let typeLimit = 100_000
  /// The most bytes of a `fixed`.
  public static let fixedByteLimit = 1 << 24

  /// The schema that `json` describes.
  ///
  /// Names of types and fields need only be there and differ: files of other writers have some that
  /// the specification does not allow. Defaults are checked when they are needed.
  ///
  /// - Throws: ``AvroError/invalidSchema(path:_:)``, or ``AvroError/limitExceeded(what:value:limit:)``
  ///   for more than a megabyte of text.
  public init(parsing json: RawSpan) throws(AvroError) {
    guard json.byteCount <= Self.jsonByteLimit else {
      throw .limitExceeded(
        what: "schema size", value: Int64(json.byteCount), limit: Int64(Self.jsonByteLimit))
    }
    let tree: JSONValue
    do {
      tree = try JSONValue(parsing: json)
    } catch {
      throw .invalidSchema(path: "", .notJSON(error))
    }
    try self.init(json: tree)
  }

  /// The schema that `json` describes.
  public init(parsing json: String) throws(AvroError) {
    let bytes = Buffer(utf8: json)
    try self.init(parsing: bytes.bytes)
  }

  /// The schema that `json` describes.
  public init(json: JSONValue) throws(AvroError) {
    var parser = SchemaParser()
    self = try parser.parse(json, namespace: "").schema
  }

  /// The schema in JSON: a named type in full where it is first used, then by its name.
  public var json: JSONValue {
    var defined: Set<String> = []
    return json(namespace: "", defined: &defined)
  }

  /// The schema as JSON text.
  public var jsonText: String {
    // A number that is not finite can only have been put there by hand: leave it out then.
    guard let text = try? json.text() else { return "\"\(typeName.rawValue)\"" }
    return String(decoding: text.array(), as: UTF8.self)
  }
}

// MARK: - Parsing

/// A schema while it is parsed, with what all of it comes to where names stand for types.
private struct MeasuredSchema {
  var schema: AvroSchema
  var typeCount = 1
  var depth = 1
}

private struct SchemaParser {
  private var named: [String: MeasuredSchema] = [:]
  /// Named types whose definition is being read.
  private var open: Set<String> = []
  private var path: [String] = []

  private func invalid(_ defect: AvroSchemaDefect) -> AvroError {
    .invalidSchema(path: path.joined(separator: "."), defect)
  }

  mutating func parse(_ json: JSONValue, namespace: String) throws(AvroError) -> MeasuredSchema {
    guard path.count < AvroSchema.depthLimit else {
      throw invalid(.tooDeep(limit: AvroSchema.depthLimit))
    }
    let result: MeasuredSchema
    switch json {
    case .string(let name): result = try parseName(name, namespace: namespace)
    case .array(let branches): result = try parseUnion(branches, namespace: namespace)
    case .object(let members): result = try parseObject(members, namespace: namespace)
    default: throw invalid(.badAttribute("type"))
    }
    guard result.depth + path.count <= AvroSchema.depthLimit else {
      throw invalid(.tooDeep(limit: AvroSchema.depthLimit))
    }
    guard result.typeCount <= AvroSchema.typeLimit else {
      throw invalid(.tooLarge(limit: AvroSchema.typeLimit))
    }
    return result
  }

  /// Parses a part, with its name in the path of errors.
  private mutating func parse(
    _ json: JSONValue, namespace: String, at part: String
  ) throws(AvroError) -> MeasuredSchema {
    path.append(part)
    let result = try parse(json, namespace: namespace)
    path.removeLast()
    return result
  }

  private func parseName(_ name: String, namespace: String) throws(AvroError) -> MeasuredSchema {
    if let kind = primitive(name) { return MeasuredSchema(schema: AvroSchema(kind)) }
    let full = qualified(name, namespace: namespace)
    if open.contains(full) { throw invalid(.recursive(full)) }
    // A name that its writer forgot to qualify, in a namespace that does not have it.
    guard let type = named[full] ?? named[name] else { throw invalid(.unknownType(name)) }
    return type
  }

  private mutating func parseUnion(
    _ branches: [JSONValue], namespace: String
  ) throws(AvroError) -> MeasuredSchema {
    var types: [AvroSchema] = []
    var names: Set<String> = []
    var result = MeasuredSchema(schema: .null)
    for (index, branch) in branches.enumerated() {
      let part = try parse(branch, namespace: namespace, at: "\(index)")
      if case .union = part.schema.kind { throw invalid(.badAttribute("type")) }
      let name = part.schema.definedName ?? part.schema.typeName.rawValue
      guard names.insert(name).inserted else { throw invalid(.duplicate(name)) }
      types.append(part.schema)
      result.include(part)
    }
    guard !types.isEmpty else { throw invalid(.badAttribute("type")) }
    result.schema = AvroSchema(.union(types))
    return result
  }

  private mutating func parseObject(
    _ members: [JSONMember], namespace: String
  ) throws(AvroError) -> MeasuredSchema {
    guard let type = members.value("type") else { throw invalid(.badAttribute("type")) }
    guard case .string(let name) = type else {
      // {"type": {…}}: the inner type, with the outer attributes added.
      var inner = try parse(type, namespace: namespace, at: "type")
      inner.schema.attributes += members.excluding(["type"])
      return inner
    }
    switch name {
    case "array", "map":
      let key = name == "array" ? "items" : "values"
      guard let item = members.value(key) else { throw invalid(.badAttribute(key)) }
      let part = try parse(item, namespace: namespace, at: key)
      let kind: AvroSchema.Kind = name == "array" ? .array(part.schema) : .map(part.schema)
      var result = MeasuredSchema(
        schema: AvroSchema(kind, attributes: members.excluding(["type", key])))
      result.include(part)
      return result
    case "record", "fixed", "enum":
      return try parseNamed(name, members, namespace: namespace)
    default:
      var result = try parseName(name, namespace: namespace)
      result.schema.attributes += members.excluding(["type"])
      return result
    }
  }

  private mutating func parseNamed(
    _ type: String, _ members: [JSONMember], namespace: String
  ) throws(AvroError) -> MeasuredSchema {
    guard let name = members.string("name"), !name.isEmpty else {
      throw invalid(.badAttribute("name"))
    }
    let full = qualified(name, namespace: members.string("namespace") ?? namespace)
    guard named[full] == nil, !open.contains(full) else { throw invalid(.duplicate(full)) }
    let result: MeasuredSchema
    switch type {
    case "fixed": result = MeasuredSchema(schema: try parseFixed(full, members))
    case "enum": result = MeasuredSchema(schema: try parseEnumeration(full, members))
    default:
      open.insert(full)
      result = try parseRecord(full, members)
      open.remove(full)
    }
    named[full] = result
    return result
  }

  private func parseFixed(
    _ name: String, _ members: [JSONMember]
  ) throws(AvroError) -> AvroSchema {
    guard let size = members.value("size")?.integer, size >= 0,
      size <= Int64(AvroSchema.fixedByteLimit)
    else { throw invalid(.badAttribute("size")) }
    var fixed = AvroFixed(name: name, byteCount: Int(size))
    fixed.aliases = try strings("aliases", members) ?? []
    return AvroSchema(
      .fixed(fixed),
      attributes: members.excluding(["type", "name", "namespace", "size", "aliases"]))
  }

  private func parseEnumeration(
    _ name: String, _ members: [JSONMember]
  ) throws(AvroError) -> AvroSchema {
    guard let symbols = try strings("symbols", members) else {
      throw invalid(.badAttribute("symbols"))
    }
    var seen: Set<String> = []
    for symbol in symbols where !seen.insert(symbol).inserted { throw invalid(.duplicate(symbol)) }
    let defaultSymbol = members.string("default")
    if let defaultSymbol, !seen.contains(defaultSymbol) { throw invalid(.badAttribute("default")) }
    var type = AvroEnumeration(name: name, symbols: symbols, defaultSymbol: defaultSymbol)
    type.aliases = try strings("aliases", members) ?? []
    return AvroSchema(
      .enumeration(type),
      attributes: members.excluding(["type", "name", "namespace", "symbols", "default", "aliases"]))
  }

  private mutating func parseRecord(
    _ name: String, _ members: [JSONMember]
  ) throws(AvroError) -> MeasuredSchema {
    guard let list = members.value("fields")?.elements else {
      throw invalid(.badAttribute("fields"))
    }
    let namespace = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? ""
    var record = AvroRecord(name: name, fields: [])
    record.aliases = try strings("aliases", members) ?? []
    var result = MeasuredSchema(schema: .null)
    var seen: Set<String> = []
    for json in list {
      guard let members = json.members, let name = members.string("name"), !name.isEmpty,
        let type = members.value("type")
      else { throw invalid(.badAttribute("fields")) }
      guard seen.insert(name).inserted else { throw invalid(.duplicate(name)) }
      let part = try parse(type, namespace: namespace, at: name)
      var field = AvroField(name, part.schema, default: members.value("default"))
      field.aliases = try strings("aliases", members) ?? []
      field.attributes = members.excluding(["name", "type", "default", "aliases"])
      record.fields.append(field)
      result.include(part)
    }
    result.schema = AvroSchema(
      .record(record),
      attributes: members.excluding(["type", "name", "namespace", "fields", "aliases"]))
    return result
  }

  private func strings(_ key: String, _ members: [JSONMember]) throws(AvroError) -> [String]? {
    guard let value = members.value(key) else { return nil }
    let strings = value.elements?.compactMap(\.string)
    guard let strings, strings.count == value.elements?.count else {
      throw invalid(.badAttribute(key))
    }
    return strings
  }

  private func qualified(_ name: String, namespace: String) -> String {
    name.contains(".") || namespace.isEmpty ? name : namespace + "." + name
  }

  private func primitive(_ name: String) -> AvroSchema.Kind? {
    switch name {
    case "null": .null
    case "boolean": .boolean
    case "int": .int
    case "long": .long
    case "float": .float
    case "double": .double
    case "bytes": .bytes
    case "string": .string
    default: nil
    }
  }
}

extension MeasuredSchema {
  /// Counts in a type that this one contains.
  mutating func include(_ part: MeasuredSchema) {
    typeCount = min(typeCount + part.typeCount, AvroSchema.typeLimit + 1)
    depth = max(depth, part.depth + 1)
  }
}

extension [JSONMember] {
  func excluding(_ keys: Set<String>) -> [JSONMember] { filter { !keys.contains($0.key) } }
}

// MARK: - Writing

extension AvroSchema {
  /// The full name of a type that has one.
  var definedName: String? {
    switch kind {
    case .fixed(let type): type.name
    case .enumeration(let type): type.name
    case .record(let type): type.name
    default: nil
    }
  }

  private func json(namespace: String, defined: inout Set<String>) -> JSONValue {
    switch kind {
    case .null, .boolean, .int, .long, .float, .double, .bytes, .string:
      if attributes.isEmpty { return .string(typeName.rawValue) }
      return .object([JSONMember("type", .string(typeName.rawValue))] + attributes)
    case .union(let branches):
      return .array(branches.map { $0.json(namespace: namespace, defined: &defined) })
    case .array(let items):
      let json = items.json(namespace: namespace, defined: &defined)
      return .object(
        [JSONMember("type", .string("array")), JSONMember("items", json)] + attributes)
    case .map(let values):
      let json = values.json(namespace: namespace, defined: &defined)
      return .object([JSONMember("type", .string("map")), JSONMember("values", json)] + attributes)
    case .fixed(let type):
      let size = JSONMember("size", .integer(Int64(type.byteCount)))
      return named(type.name, type.aliases, [size], namespace, &defined)
    case .enumeration(let type):
      var members = [JSONMember("symbols", .array(type.symbols.map(JSONValue.string)))]
      if let symbol = type.defaultSymbol { members.append(JSONMember("default", .string(symbol))) }
      return named(type.name, type.aliases, members, namespace, &defined)
    case .record(let type):
      if defined.contains(type.name) { return .string(type.name) }
      let inner = type.name.lastIndex(of: ".").map { String(type.name[..<$0]) } ?? ""
      let fields = type.fields.map { $0.json(namespace: inner, defined: &defined) }
      return named(
        type.name, type.aliases, [JSONMember("fields", .array(fields))], namespace, &defined)
    }
  }

  /// A named type: its definition the first time, its name from then on.
  private func named(
    _ name: String, _ aliases: [String], _ members: [JSONMember], _ namespace: String,
    _ defined: inout Set<String>
  ) -> JSONValue {
    guard defined.insert(name).inserted else { return .string(name) }
    var all = [
      JSONMember("type", .string(typeName.rawValue)), JSONMember("name", .string(name)),
    ]
    if !name.contains("."), !namespace.isEmpty {
      all.append(JSONMember("namespace", .string("")))
    }
    if !aliases.isEmpty {
      all.append(JSONMember("aliases", .array(aliases.map(JSONValue.string))))
    }
    return .object(all + members + attributes)
  }

  fileprivate func fieldJSON(namespace: String, defined: inout Set<String>) -> JSONValue {
    json(namespace: namespace, defined: &defined)
  }
}

extension AvroField {
  fileprivate func json(namespace: String, defined: inout Set<String>) -> JSONValue {
    var members = [
      JSONMember("name", .string(name)),
      JSONMember("type", schema.fieldJSON(namespace: namespace, defined: &defined)),
    ]
    if !aliases.isEmpty {
      members.append(JSONMember("aliases", .array(aliases.map(JSONValue.string))))
    }
    if let defaultValue { members.append(JSONMember("default", defaultValue)) }
    return .object(members + attributes)
  }
}
