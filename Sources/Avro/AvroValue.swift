// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// An Avro value as a tree, for schemas that are not known beforehand.
public indirect enum AvroValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  case bytes([UInt8])
  case string(String)
  case fixed([UInt8])
  case enumeration(String)
  case array([AvroValue])
  case map([Entry])
  /// A value of the branch `index` of a union.
  case union(index: Int, AvroValue)
  case record([Entry])

  /// A pair of a map, or a field of a record.
  public struct Entry: Hashable, Sendable {
    public var name: String
    public var value: AvroValue

    public init(_ name: String, _ value: AvroValue) {
      self.name = name
      self.value = value
    }
  }

  /// The value with all unions taken off it (not off what is in it).
  public var plain: AvroValue {
    guard case .union(_, let value) = self else { return self }
    return value.plain
  }

  /// The value of a record's field or a map's key, with its union taken off.
  public subscript(_ name: String) -> AvroValue? {
    switch self {
    case .record(let entries), .map(let entries):
      entries.first { $0.name == name }?.value.plain
    case .union(_, let value): value[name]
    default: nil
    }
  }

  var name: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .fixed: "fixed"
    case .enumeration: "enum"
    case .array: "array"
    case .map: "map"
    case .union: "union"
    case .record: "record"
    }
  }
}

// MARK: - Decoding

extension AvroDecoder {
  /// The next value, written with `schema`.
  ///
  /// Cost: a tree as deep as the schema, and at most as many elements as there are bytes, but for
  /// those that take none (see ``init(_:emptyElementLimit:)``).
  public mutating func readValue(_ schema: AvroSchema) throws(AvroError) -> AvroValue {
    switch schema.kind {
    case .null:
      try noteEmptyValue()
      return .null
    case .boolean: return .boolean(try readBoolean())
    case .int: return .int(try readInt())
    case .long: return .long(try readLong())
    case .float: return .float(try readFloat())
    case .double: return .double(try readDouble())
    case .bytes: return .bytes(try readBytes().array())
    case .string: return .string(try readString())
    case .fixed(let type): return .fixed(try readFixed(type.byteCount).array())
    case .enumeration(let type):
      return .enumeration(type.symbols[try readSymbol(of: type.symbols.count)])
    case .union(let branches):
      let index = try readBranch(of: branches.count)
      return .union(index: index, try readValue(branches[index]))
    case .record(let type):
      try noteEmptyValue()
      var entries: [AvroValue.Entry] = []
      entries.reserveCapacity(type.fields.count)
      for field in type.fields {
        entries.append(AvroValue.Entry(field.name, try readValue(field.schema)))
      }
      return .record(entries)
    case .array(let items):
      var elements: [AvroValue] = []
      let least = items.minimumByteCount
      while case let block = try readBlock(elementByteCount: least), block.count > 0 {
        for _ in 0..<block.count { elements.append(try readValue(items)) }
        try check(end: block.end)
      }
      return .array(elements)
    case .map(let values):
      var entries: [AvroValue.Entry] = []
      let least = values.minimumByteCount &+ 1
      while case let block = try readBlock(elementByteCount: least), block.count > 0 {
        for _ in 0..<block.count {
          let key = try readString()
          entries.append(AvroValue.Entry(key, try readValue(values)))
        }
        try check(end: block.end)
      }
      return .map(entries)
    }
  }

  /// Counts a value that itself takes no bytes, and throws if there are far more than bytes: an array
  /// of a billion nulls takes five.
  mutating func noteEmptyValue() throws(AvroError) {
    emptyValueCount &+= 1
    guard emptyValueCount > emptyElementLimit &+ 16 &* offset else { return }
    throw .limitExceeded(
      what: "number of values without bytes", value: Int64(emptyValueCount),
      limit: Int64(emptyElementLimit))
  }
}

// MARK: - Encoding

extension AvroEncoder {
  /// Writes `value` as `schema` says.
  ///
  /// A value that is no ``AvroValue/union(index:_:)`` is taken for the first branch of a union that
  /// it fits; fields of a record are taken by name, in any order, and their defaults if they lack.
  ///
  /// - Throws: ``AvroError/mismatch(expected:found:)`` if it does not fit; what was written of it is
  ///   taken back.
  public mutating func write(_ value: AvroValue, as schema: AvroSchema) throws(AvroError) {
    let start = count
    do {
      try encode(value, as: schema)
    } catch {
      truncate(to: start)
      throw error
    }
  }

  private mutating func encode(_ value: AvroValue, as schema: AvroSchema) throws(AvroError) {
    switch (schema.kind, value) {
    case (.null, .null): break
    case (.boolean, .boolean(let value)): write(value)
    case (.int, .int(let value)): writeInt(value)
    case (.long, .long(let value)): writeLong(value)
    case (.long, .int(let value)): writeInt(value)
    case (.float, .float(let value)): write(value)
    case (.double, .double(let value)): write(value)
    case (.double, .float(let value)): write(Double(value))
    case (.bytes, .bytes(let value)): writeBytes(value)
    case (.string, .string(let value)): writeString(value)
    case (.fixed(let type), .fixed(let value)) where value.count == type.byteCount:
      writeRaw(value.span.rawBytes)
    case (.enumeration(let type), .enumeration(let symbol)):
      guard let index = type.symbols.firstIndex(of: symbol) else {
        throw .mismatch(expected: "a symbol of \(type.name)", found: symbol)
      }
      writeSymbol(index)
    case (.array(let items), .array(let elements)):
      writeBlockCount(elements.count)
      for element in elements { try encode(element, as: items) }
      endBlocks()
    case (.map(let values), .map(let entries)):
      writeBlockCount(entries.count)
      for entry in entries {
        writeString(entry.name)
        try encode(entry.value, as: values)
      }
      endBlocks()
    case (.union(let branches), .union(let index, let value)):
      guard branches.indices.contains(index) else {
        throw .mismatch(expected: "one of \(branches.count) branches", found: "\(index)")
      }
      writeBranch(index)
      try encode(value, as: branches[index])
    case (.union(let branches), _): try encode(value, asOneOf: branches)
    case (.record(let type), .record(let entries)): try encode(entries, as: type)
    default: throw .mismatch(expected: schema.typeName.rawValue, found: value.name)
    }
  }

  private mutating func encode(
    _ value: AvroValue, asOneOf branches: [AvroSchema]
  ) throws(AvroError) {
    for (index, branch) in branches.enumerated() {
      let start = count
      writeBranch(index)
      do {
        return try encode(value, as: branch)
      } catch {
        truncate(to: start)
      }
    }
    let names = branches.map(\.typeName.rawValue).joined(separator: ", ")
    throw .mismatch(expected: "one of \(names)", found: value.name)
  }

  private mutating func encode(
    _ entries: [AvroValue.Entry], as type: AvroRecord
  ) throws(AvroError) {
    for field in type.fields {
      if let value = entries.first(where: { $0.name == field.name })?.value {
        try encode(value, as: field.schema)
      } else if let json = field.defaultValue {
        try encode(try AvroValue(json, as: field.schema, path: field.name), as: field.schema)
      } else {
        throw .mismatch(expected: "field \(field.name)", found: "none")
      }
    }
    if let other = entries.first(where: { e in !type.fields.contains { $0.name == e.name } }) {
      throw .mismatch(expected: "fields of \(type.name)", found: other.name)
    }
  }
}
