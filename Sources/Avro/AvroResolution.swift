// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON

/// How fields of a reader's record are found in a writer's.
public enum AvroFieldMatching: Hashable, Sendable {
  /// By name or alias, as Avro has it.
  case names
  /// By Iceberg's `field-id` alone.
  case fieldIDs
}

/// Reads values written with one schema as another says, made once for the pair.
///
/// int, long, float and double become any later of these; string and bytes each other; a record's
/// fields are put in the reader's order, with defaults for those the writer did not have; a symbol
/// that the reader does not know becomes its default.
///
/// Source: Avro 1.12 specification, "Schema Resolution".
public struct AvroResolution: Sendable {
  indirect enum Way: Sendable {
    /// As it is, in the reader's type.
    case same(AvroSchema)
    case promoted(from: AvroTypeName, to: AvroTypeName)
    case symbols(AvroEnumeration, to: [String?])
    case array(Way, AvroSchema)
    case map(Way, AvroSchema)
    /// The writer's branches, each resolved; nil for one the reader has no place for.
    case branches([Way?])
    /// The reader's branch that the value goes to.
    case into(branch: Int, Way)
    case record([Step], count: Int, [AvroValue.Entry])
  }

  enum Step: Sendable {
    case skip(AvroSkipper)
    case read(Way, slot: Int)
  }

  let way: Way

  /// - Throws: ``AvroError/unresolvable(path:expected:found:)`` if no value could be read.
  public init(
    writer: AvroSchema, reader: AvroSchema, matching: AvroFieldMatching = .names
  ) throws(AvroError) {
    way = try Self.resolve(writer, reader, matching, path: "")
  }

  private static func resolve(
    _ writer: AvroSchema, _ reader: AvroSchema, _ matching: AvroFieldMatching, path: String
  ) throws(AvroError) -> Way {
    switch (writer.kind, reader.kind) {
    case (.union(let branches), _):
      let ways = branches.map { branch in try? resolve(branch, reader, matching, path: path) }
      guard ways.contains(where: { $0 != nil }) else { throw mismatch(writer, reader, path) }
      return .branches(ways)
    case (_, .union(let branches)):
      // A branch of the same type goes before one that needs a promotion.
      let order =
        branches.indices.filter { branches[$0].typeName == writer.typeName }
        + branches.indices.filter { branches[$0].typeName != writer.typeName }
      for index in order {
        if let way = try? resolve(writer, branches[index], matching, path: path) {
          return .into(branch: index, way)
        }
      }
      throw mismatch(writer, reader, path)
    case (.array(let from), .array(let to)):
      return .array(try resolve(from, to, matching, path: path + ".element"), from)
    case (.map(let from), .map(let to)):
      return .map(try resolve(from, to, matching, path: path + ".value"), from)
    case (.record(let from), .record(let to)):
      return try resolve(from, to, matching, path: path)
    case (.enumeration(let from), .enumeration(let to)):
      let known = Set(to.symbols)
      return .symbols(
        from, to: from.symbols.map { known.contains($0) ? $0 : to.defaultSymbol })
    case (.fixed(let from), .fixed(let to)) where from.byteCount == to.byteCount:
      return .same(writer)
    case (.int, .long), (.int, .float), (.int, .double), (.long, .float), (.long, .double),
      (.float, .double), (.string, .bytes), (.bytes, .string):
      return .promoted(from: writer.typeName, to: reader.typeName)
    case (.null, .null), (.boolean, .boolean), (.int, .int), (.long, .long), (.float, .float),
      (.double, .double), (.bytes, .bytes), (.string, .string):
      return .same(writer)
    default: throw mismatch(writer, reader, path)
    }
  }

  private static func mismatch(
    _ writer: AvroSchema, _ reader: AvroSchema, _ path: String
  ) -> AvroError {
    .unresolvable(
      path: path, expected: reader.typeName.rawValue, found: writer.typeName.rawValue)
  }

  private static func resolve(
    _ writer: AvroRecord, _ reader: AvroRecord, _ matching: AvroFieldMatching, path: String
  ) throws(AvroError) -> Way {
    var entries = reader.fields.map { AvroValue.Entry($0.name, .null) }
    var isSet = reader.fields.map { _ in false }
    var steps: [Step] = []
    for field in writer.fields {
      let slot = reader.fields.indices.first { slot in
        !isSet[slot] && reader.fields[slot].matches(field, matching)
      }
      guard let slot else {
        steps.append(.skip(AvroSkipper(field.schema)))
        continue
      }
      let path = path.isEmpty ? field.name : path + "." + field.name
      let way = try resolve(field.schema, reader.fields[slot].schema, matching, path: path)
      steps.append(.read(way, slot: slot))
      isSet[slot] = true
    }
    for (slot, field) in reader.fields.enumerated() where !isSet[slot] {
      let path = path.isEmpty ? field.name : path + "." + field.name
      guard let json = field.defaultValue else {
        throw .unresolvable(path: path, expected: "a field or a default", found: "none")
      }
      entries[slot].value = try AvroValue(json, as: field.schema, path: path)
    }
    return .record(steps, count: reader.fields.count, entries)
  }
}

extension AvroField {
  fileprivate func matches(_ writer: AvroField, _ matching: AvroFieldMatching) -> Bool {
    switch matching {
    case .names: name == writer.name || aliases.contains(writer.name)
    case .fieldIDs: fieldID != nil && fieldID == writer.fieldID
    }
  }
}

// MARK: - Reading

extension AvroDecoder {
  /// The next value, as the reader's schema of `resolution` has it.
  public mutating func readValue(_ resolution: AvroResolution) throws(AvroError) -> AvroValue {
    try read(resolution.way)
  }

  private mutating func read(_ way: AvroResolution.Way) throws(AvroError) -> AvroValue {
    switch way {
    case .same(let schema): return try readValue(schema)
    case .promoted(let from, let to): return try readPromoted(from, to)
    case .symbols(let type, let symbols):
      let index = try readSymbol(of: symbols.count)
      guard let symbol = symbols[index] else {
        throw .unresolvable(
          path: type.name, expected: "a known symbol", found: type.symbols[index])
      }
      return .enumeration(symbol)
    case .array(let element, let schema):
      var elements: [AvroValue] = []
      let least = schema.minimumByteCount
      while case let block = try readBlock(elementByteCount: least), block.count > 0 {
        for _ in 0..<block.count { elements.append(try read(element)) }
        try check(end: block.end)
      }
      return .array(elements)
    case .map(let value, let schema):
      var entries: [AvroValue.Entry] = []
      let least = schema.minimumByteCount &+ 1
      while case let block = try readBlock(elementByteCount: least), block.count > 0 {
        for _ in 0..<block.count {
          let key = try readString()
          entries.append(AvroValue.Entry(key, try read(value)))
        }
        try check(end: block.end)
      }
      return .map(entries)
    case .branches(let ways):
      let index = try readBranch(of: ways.count)
      guard let way = ways[index] else {
        throw .unresolvable(path: "", expected: "another branch", found: "branch \(index)")
      }
      return try read(way)
    case .into(let branch, let way): return .union(index: branch, try read(way))
    case .record(let steps, _, var entries):
      try noteEmptyValue()
      for step in steps {
        switch step {
        case .skip(let skipper): try skip(skipper)
        case .read(let way, let slot): entries[slot].value = try read(way)
        }
      }
      return .record(entries)
    }
  }

  private mutating func readPromoted(
    _ from: AvroTypeName, _ to: AvroTypeName
  ) throws(AvroError) -> AvroValue {
    switch (from, to) {
    case (.int, .long): return .long(Int64(try readInt()))
    case (.int, .float): return .float(Float(try readInt()))
    case (.int, .double): return .double(Double(try readInt()))
    case (.long, .float): return .float(Float(try readLong()))
    case (.long, .double): return .double(Double(try readLong()))
    case (.float, .double): return .double(Double(try readFloat()))
    case (.string, _): return .bytes(try readBytes().array())
    default: return .string(try readString())
    }
  }
}

// MARK: - Defaults

extension AvroValue {
  /// What a field's default in JSON stands for.
  ///
  /// The default of a union is a value of any of its branches: Avro 1.12 asks for the first that fits.
  ///
  /// - Throws: ``AvroError/unresolvable(path:expected:found:)`` if it does not fit the schema.
  init(_ json: JSONValue, as schema: AvroSchema, path: String) throws(AvroError) {
    func misfit() -> AvroError {
      .unresolvable(
        path: path, expected: "a default of type \(schema.typeName.rawValue)",
        found: json.kind.rawValue)
    }
    switch (schema.kind, json) {
    case (.null, .null): self = .null
    case (.boolean, .boolean(let value)): self = .boolean(value)
    case (.int, .integer(let value)):
      guard let narrow = Int32(exactly: value) else { throw misfit() }
      self = .int(narrow)
    case (.long, .integer(let value)): self = .long(value)
    case (.float, _):
      guard let value = json.doubleValue else { throw misfit() }
      self = .float(Float(value))
    case (.double, _):
      guard let value = json.doubleValue else { throw misfit() }
      self = .double(value)
    case (.bytes, .string(let text)):
      guard let bytes = Self.bytes(text) else { throw misfit() }
      self = .bytes(bytes)
    case (.fixed(let type), .string(let text)):
      guard let bytes = Self.bytes(text), bytes.count == type.byteCount else { throw misfit() }
      self = .fixed(bytes)
    case (.string, .string(let text)): self = .string(text)
    case (.enumeration(let type), .string(let symbol)):
      guard type.symbols.contains(symbol) else { throw misfit() }
      self = .enumeration(symbol)
    case (.array(let items), .array(let elements)):
      var values: [AvroValue] = []
      for element in elements {
        values.append(try AvroValue(element, as: items, path: path + ".element"))
      }
      self = .array(values)
    case (.map(let type), .object(let members)):
      var entries: [Entry] = []
      for member in members {
        entries.append(
          Entry(member.key, try AvroValue(member.value, as: type, path: path + ".value")))
      }
      self = .map(entries)
    case (.union(let branches), _):
      for (index, branch) in branches.enumerated() {
        if let value = try? AvroValue(json, as: branch, path: path) {
          self = .union(index: index, value)
          return
        }
      }
      throw misfit()
    case (.record(let type), .object(let members)):
      var entries: [Entry] = []
      for field in type.fields {
        guard let json = members.value(field.name) ?? field.defaultValue else { throw misfit() }
        entries.append(
          Entry(field.name, try AvroValue(json, as: field.schema, path: path + "." + field.name)))
      }
      self = .record(entries)
    default: throw misfit()
    }
  }

  /// JSON has bytes as text whose scalars up to 255 are one each.
  private static func bytes(_ text: String) -> [UInt8]? {
    let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
    return bytes.count == text.unicodeScalars.count ? bytes : nil
  }
}
