// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// The wire types of Thrift's compact protocol.
package enum ThriftType: UInt8, Sendable {
  case stop = 0
  case booleanTrue = 1
  case booleanFalse = 2
  case int8 = 3
  case int16 = 4
  case int32 = 5
  case int64 = 6
  case double = 7
  case binary = 8
  case list = 9
  case set = 10
  case map = 11
  case structure = 12
  case uuid = 13

  /// The least bytes a value of the type takes as an element of a list.
  var leastByteCount: Int {
    switch self {
    case .double: 8
    case .uuid: 16
    default: 1
    }
  }
}

/// The header of a field in a Thrift structure.
package struct ThriftField {
  package let id: Int16
  package let type: ThriftType
}

/// Decodes Thrift's compact protocol, which Parquet's footer, page headers and indexes are in.
///
///     structure := field*, then a byte 0
///     field     := byte (id delta << 4 | type), [zig-zag id if the delta is 0], value
///     list      := byte (count << 4 | type) with 15 for "a varint count follows", elements
///
/// Laws: a declared count is held against the bytes that are left before anything is made of it;
/// structures nest at most ``maxDepth`` deep; unknown fields are skipped, whatever their type.
/// Source: Thrift, "Compact protocol encoding".
package struct ThriftReader: ~Escapable {
  private var input: ByteReader
  private var lastFieldID: Int16 = 0
  private var depth = 0

  package static let maxDepth = 32

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan) { input = ByteReader(bytes) }

  /// How many bytes were read.
  package var offset: Int { input.offset }

  /// Enters a structure; what it returns is to be given to ``endStructure(_:)``.
  package mutating func beginStructure() throws(ByteError) -> Int16 {
    guard depth < Self.maxDepth else {
      throw .limitExceeded(
        what: "Thrift nesting", value: Int64(depth) + 1, limit: Int64(Self.maxDepth))
    }
    depth += 1
    defer { lastFieldID = 0 }
    return lastFieldID
  }

  package mutating func endStructure(_ outer: Int16) {
    depth -= 1
    lastFieldID = outer
  }

  /// The next field of the structure; nil at its end.
  package mutating func nextField() throws(ByteError) -> ThriftField? {
    let start = input.offset
    let byte = try input.readUInt8()
    if byte == 0 { return nil }
    let type = try Self.type(byte & 15, at: start)
    if type == .stop { throw unknownType(byte & 15, at: start) }
    let delta = Int16(byte >> 4)
    if delta == 0 {
      let id = try input.readZigZag()
      guard let id = Int16(exactly: id) else {
        throw .outOfRange(offset: start, what: "field id", value: id)
      }
      lastFieldID = id
    } else {
      let (id, overflow) = lastFieldID.addingReportingOverflow(delta)
      if overflow { throw .outOfRange(offset: start, what: "field id", value: Int64(delta)) }
      lastFieldID = id
    }
    return ThriftField(id: lastFieldID, type: type)
  }

  private static func type(_ raw: UInt8, at offset: Int) throws(ByteError) -> ThriftType {
    guard let type = ThriftType(rawValue: raw) else {
      throw .outOfRange(offset: offset, what: "Thrift type", value: Int64(raw))
    }
    return type
  }

  private func unknownType(_ raw: UInt8, at offset: Int) -> ByteError {
    .outOfRange(offset: offset, what: "Thrift type", value: Int64(raw))
  }

  private func mismatch(_ field: ThriftField, _ expected: String) -> ByteError {
    .unexpected(
      offset: input.offset, expected: "field \(field.id) as \(expected)", found: "\(field.type)")
  }

  // MARK: Values of fields

  package func readBool(_ field: ThriftField) throws(ByteError) -> Bool {
    switch field.type {
    case .booleanTrue: return true
    case .booleanFalse: return false
    default: throw mismatch(field, "a boolean")
    }
  }

  /// An integer of any width, as some writers are not exact about it.
  package mutating func readInt64(_ field: ThriftField) throws(ByteError) -> Int64 {
    switch field.type {
    case .int8: return Int64(Int8(bitPattern: try input.readUInt8()))
    case .int16, .int32, .int64: return try input.readZigZag()
    default: throw mismatch(field, "an integer")
    }
  }

  package mutating func readInt32(_ field: ThriftField) throws(ByteError) -> Int32 {
    let start = input.offset
    let value = try readInt64(field)
    guard let narrow = Int32(exactly: value) else {
      throw .outOfRange(offset: start, what: "field \(field.id)", value: value)
    }
    return narrow
  }

  package mutating func readDouble(_ field: ThriftField) throws(ByteError) -> Double {
    guard field.type == .double else { throw mismatch(field, "a double") }
    return Double(bitPattern: try input.readUInt64LE())
  }

  package mutating func readBinary(_ field: ThriftField) throws(ByteError) -> [UInt8] {
    guard field.type == .binary else { throw mismatch(field, "binary") }
    return try readBinaryBody()
  }

  package mutating func readString(_ field: ThriftField) throws(ByteError) -> String {
    guard field.type == .binary else { throw mismatch(field, "a string") }
    return try readStringBody()
  }

  private mutating func readLength() throws(ByteError) -> Int {
    let start = input.offset
    let length = try input.readULEB128()
    guard length <= UInt64(input.remaining) else {
      throw .truncated(
        offset: start, needed: Int(clamping: length), available: input.remaining)
    }
    return Int(length)
  }

  private mutating func readBinaryBody() throws(ByteError) -> [UInt8] {
    let length = try readLength()
    return try input.readBytes(length).array()
  }

  private mutating func readStringBody() throws(ByteError) -> String {
    let length = try readLength()
    return try input.readUTF8(length)
  }

  // MARK: Lists

  /// Enters a list whose elements must be of `type`, and answers how many there are.
  package mutating func beginList(
    _ field: ThriftField, of type: ThriftType
  ) throws(ByteError) -> Int {
    guard field.type == .list || field.type == .set else { throw mismatch(field, "a list") }
    let start = input.offset
    let (found, count) = try readListHeader()
    let isBoolean = type == .booleanTrue && found == .booleanFalse
    guard count == 0 || found == type || isBoolean else {
      throw .unexpected(offset: start, expected: "a list of \(type)", found: "\(found)")
    }
    return count
  }

  private mutating func readListHeader() throws(ByteError) -> (ThriftType, Int) {
    let start = input.offset
    let byte = try input.readUInt8()
    let type = try Self.type(byte & 15, at: start)
    let count = byte >> 4 == 15 ? try input.readULEB128(maxBytes: 5) : UInt64(byte >> 4)
    if count > 0, type == .stop { throw unknownType(0, at: start) }
    guard count <= UInt64(input.remaining / type.leastByteCount) else {
      throw .truncated(
        offset: start, needed: Int(clamping: count), available: input.remaining)
    }
    return (type, Int(count))
  }

  package mutating func readInt64List(_ field: ThriftField) throws(ByteError) -> [Int64] {
    let count = try beginList(field, of: .int64)
    var values: [Int64] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try input.readZigZag()) }
    return values
  }

  package mutating func readInt32List(_ field: ThriftField) throws(ByteError) -> [Int32] {
    let count = try beginList(field, of: .int32)
    var values: [Int32] = []
    values.reserveCapacity(count)
    for _ in 0..<count {
      let start = input.offset
      let value = try input.readZigZag()
      guard let narrow = Int32(exactly: value) else {
        throw .outOfRange(offset: start, what: "element of field \(field.id)", value: value)
      }
      values.append(narrow)
    }
    return values
  }

  package mutating func readBoolList(_ field: ThriftField) throws(ByteError) -> [Bool] {
    let count = try beginList(field, of: .booleanTrue)
    var values: [Bool] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try input.readUInt8() == 1) }
    return values
  }

  package mutating func readStringList(_ field: ThriftField) throws(ByteError) -> [String] {
    let count = try beginList(field, of: .binary)
    var values: [String] = []
    for _ in 0..<count { values.append(try readStringBody()) }
    return values
  }

  package mutating func readBinaryList(_ field: ThriftField) throws(ByteError) -> [[UInt8]] {
    let count = try beginList(field, of: .binary)
    var values: [[UInt8]] = []
    for _ in 0..<count { values.append(try readBinaryBody()) }
    return values
  }

  // MARK: Structures

  /// Throws unless `field` is a structure, which is read next.
  package func expectStructure(_ field: ThriftField) throws(ByteError) {
    guard field.type == .structure else { throw mismatch(field, "a structure") }
  }

  /// `value`, or the error that says the structure just read lacks it.
  package func require<T>(_ value: T?, _ name: String) throws(ByteError) -> T {
    guard let value else {
      throw .unexpected(offset: input.offset, expected: "field '\(name)'", found: "none")
    }
    return value
  }

  // MARK: Skipping

  /// Skips the value of a field that is not known.
  package mutating func skip(_ field: ThriftField) throws(ByteError) {
    switch field.type {
    case .booleanTrue, .booleanFalse: break
    default: try skipValue(field.type)
    }
  }

  private mutating func skipValue(_ type: ThriftType) throws(ByteError) {
    switch type {
    case .stop: throw unknownType(0, at: input.offset)
    case .booleanTrue, .booleanFalse, .int8: try input.skip(1)
    case .int16, .int32, .int64: _ = try input.readULEB128()
    case .double: try input.skip(8)
    case .uuid: try input.skip(16)
    case .binary:
      let length = try readLength()
      try input.skip(length)
    case .list, .set: try skipList()
    case .map: try skipMap()
    case .structure: try skipStructure()
    }
  }

  private mutating func skipStructure() throws(ByteError) {
    let outer = try beginStructure()
    while let field = try nextField() { try skip(field) }
    endStructure(outer)
  }

  private mutating func skipList() throws(ByteError) {
    let outer = try beginStructure()  // counts the nesting, as lists can hold lists
    let (type, count) = try readListHeader()
    for _ in 0..<count { try skipValue(type) }
    endStructure(outer)
  }

  private mutating func skipMap() throws(ByteError) {
    let outer = try beginStructure()
    let start = input.offset
    let count = try input.readULEB128(maxBytes: 5)
    if count > 0 {
      let types = try input.readUInt8()
      let key = try Self.type(types >> 4, at: start)
      let value = try Self.type(types & 15, at: start)
      guard count <= UInt64(input.remaining / 2) else {
        throw .truncated(
          offset: start, needed: Int(clamping: count), available: input.remaining)
      }
      for _ in 0..<count {
        try skipValue(key)
        try skipValue(value)
      }
    }
    endStructure(outer)
  }
}
