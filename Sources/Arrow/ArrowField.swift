// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// A type as Arrow has it, without its children.
enum ArrowType: Hashable, Sendable {
  case null, boolean
  case integer(bitWidth: Int, isSigned: Bool)
  case floatingPoint(bitWidth: Int)
  case decimal(precision: Int, scale: Int, bitWidth: Int)
  case dateDays, dateMilliseconds
  case time(ArrowTimeUnit, bitWidth: Int)
  case timestamp(ArrowTimeUnit, zone: String)
  case utf8, largeUtf8, utf8View
  case binary, largeBinary, binaryView
  case fixedSizeBinary(byteCount: Int)
  case list, largeList, listView, largeListView
  case fixedSizeList(count: Int)
  case structure, map
  case runEndEncoded
}

enum ArrowTimeUnit: Int, Hashable, Sendable {
  case seconds, milliseconds, microseconds, nanoseconds
}

/// How a field's values are codes into a dictionary.
struct ArrowDictionary: Hashable, Sendable {
  let id: Int64
  let bitWidth: Int
  let isSigned: Bool
}

/// A field as Arrow has it: what tells how its arrays lie in memory.
struct ArrowField: Hashable, Sendable {
  var name: String
  var isNullable: Bool
  /// Of the values; those of a dictionary, if there is one.
  var type: ArrowType
  var children: [ArrowField] = []
  var dictionary: ArrowDictionary?
  var metadata: [String: String] = [:]

  static let fieldIDKey = "PARQUET:field_id"
  static let extensionKey = "ARROW:extension:name"
  static let uuidExtension = "arrow.uuid"
}

extension ArrowType {
  /// How many buffers an array has; those of views' data are not counted.
  var bufferCount: Int {
    switch self {
    case .null, .runEndEncoded: 0
    case .structure, .fixedSizeList: 1
    case .utf8, .largeUtf8, .binary, .largeBinary, .listView, .largeListView: 3
    default: 2
    }
  }

  var isView: Bool { self == .utf8View || self == .binaryView }
}

extension ArrowField {
  /// What the C interface and messages say of `field`.
  init(_ field: ColumnField) {
    self.init(name: field.name, isNullable: field.isNullable, type: .null)
    if let id = field.fieldID { metadata[Self.fieldIDKey] = String(id) }
    switch field.type {
    case .null: type = .null
    case .boolean: type = .boolean
    case .int32: type = .integer(bitWidth: 32, isSigned: true)
    case .int64: type = .integer(bitWidth: 64, isSigned: true)
    case .float: type = .floatingPoint(bitWidth: 32)
    case .double: type = .floatingPoint(bitWidth: 64)
    case .decimal(let precision, let scale):
      type = .decimal(precision: precision, scale: scale, bitWidth: 128)
    case .date: type = .dateDays
    case .time: type = .time(.microseconds, bitWidth: 64)
    case .timestamp(let unit, let zoned):
      type = .timestamp(
        unit == .microseconds ? .microseconds : .nanoseconds, zone: zoned ? "UTC" : "")
    case .string: type = .utf8
    case .binary: type = .binary
    case .fixed(let byteCount): type = .fixedSizeBinary(byteCount: byteCount)
    case .uuid:
      type = .fixedSizeBinary(byteCount: 16)
      metadata[Self.extensionKey] = Self.uuidExtension
      metadata["ARROW:extension:metadata"] = ""
    case .structure(let fields):
      type = .structure
      children = fields.map { ArrowField($0) }
    case .list(let element):
      type = .list
      children = [ArrowField(element)]
    case .map(let key, let value):
      type = .map
      let pair = ColumnType.structure([key, value])
      children = [ArrowField(ColumnField("entries", pair, isNullable: false))]
      children[0].children[0].isNullable = false
    }
  }

  /// The column that the field's arrays become.
  ///
  /// - Throws: ``ArrowError/unsupported(field:type:)`` for a type no column has,
  ///   ``ArrowError/malformed(field:expected:found:)`` for one with children it must not have.
  func column(_ path: String) throws(ArrowError) -> ColumnField {
    let id = metadata[Self.fieldIDKey].flatMap { Int32($0) }
    return ColumnField(
      name, try columnType(path), isNullable: isNullable, fieldID: id.flatMap { $0 < 0 ? nil : $0 })
  }

  func columnType(_ path: String) throws(ArrowError) -> ColumnType {
    try checkChildren(path)
    switch type {
    case .null: return .null
    case .boolean: return .boolean
    case .integer(let bitWidth, let isSigned): return Self.integer(bitWidth, isSigned)
    case .floatingPoint(let bitWidth): return bitWidth == 64 ? .double : .float
    case .decimal(let precision, let scale, _):
      guard (1...38).contains(precision), (0...precision).contains(scale) else {
        throw .unsupported(field: path, type: "decimal(\(precision), \(scale))")
      }
      return .decimal(precision: precision, scale: scale)
    case .dateDays, .dateMilliseconds: return .date
    case .time: return .time
    case .timestamp(let unit, let zone):
      return .timestamp(unit == .nanoseconds ? .nanoseconds : .microseconds, zoned: !zone.isEmpty)
    case .utf8, .largeUtf8, .utf8View: return .string
    case .binary, .largeBinary, .binaryView: return .binary
    case .fixedSizeBinary(let byteCount):
      let isUUID = byteCount == 16 && metadata[Self.extensionKey] == Self.uuidExtension
      return isUUID ? .uuid : .fixed(byteCount: byteCount)
    case .structure:
      var fields: [ColumnField] = []
      for child in children { fields.append(try child.column(path + "." + child.name)) }
      return .structure(fields)
    case .list, .largeList, .listView, .largeListView, .fixedSizeList:
      return .list(try children[0].column(path + "." + children[0].name))
    case .map:
      let pair = children[0].children
      var key = try pair[0].column(path + "." + pair[0].name)
      key.isNullable = false
      return .map(key: key, value: try pair[1].column(path + "." + pair[1].name))
    case .runEndEncoded: return try children[1].columnType(path)
    }
  }

  /// The path of a child of this field, which is at `path`.
  func path(_ path: String, to child: ArrowField) -> String { path + "." + child.name }

  /// Unsigned integers go to the next wider type, those of 64 bits to decimals.
  private static func integer(_ bitWidth: Int, _ isSigned: Bool) -> ColumnType {
    switch (bitWidth, isSigned) {
    case (64, true), (32, false): .int64
    case (64, false): .decimal(precision: 20, scale: 0)
    default: .int32
    }
  }

  private func checkChildren(_ path: String) throws(ArrowError) {
    let expected: Int
    switch type {
    case .structure: return
    case .list, .largeList, .listView, .largeListView, .fixedSizeList: expected = 1
    case .map:
      expected = 1
      if let pair = children.first, pair.type != .structure || pair.children.count != 2 {
        throw .malformed(field: path, expected: "a map's entries", found: "another type")
      }
    case .runEndEncoded:
      expected = 2
      guard case .integer(let bitWidth, true)? = children.first?.type, bitWidth > 8,
        children[0].dictionary == nil
      else { throw .malformed(field: path, expected: "integer run ends", found: "others") }
    default: expected = 0
    }
    guard children.count == expected else {
      throw .malformed(
        field: path, expected: "\(expected) children", found: "\(children.count)")
    }
  }

  /// The field of a dictionary's entries.
  var entries: ArrowField {
    var field = self
    field.dictionary = nil
    return field
  }
}
