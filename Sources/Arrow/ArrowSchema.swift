// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The schema of a stream or file: its fields, and what is encoded with dictionaries.
///
/// Source: Arrow, format/Schema.fbs.
struct ArrowSchema: Sendable {
  let fields: [ArrowField]
  /// The columns that the fields become.
  let columns: [ColumnField]
  /// Fields of the entries of each dictionary.
  let dictionaries: [Int64: ArrowField]

  /// - Throws: ``ArrowError/unsupported(field:type:)`` for a type no column has.
  init(_ fields: [ArrowField]) throws(ArrowError) {
    var columns: [ColumnField] = []
    for field in fields { columns.append(try field.column(field.name)) }
    var dictionaries: [Int64: ArrowField] = [:]
    for field in fields { try Self.collect(field, into: &dictionaries) }
    self.fields = fields
    self.columns = columns
    self.dictionaries = dictionaries
  }

  private static func collect(
    _ field: ArrowField, into dictionaries: inout [Int64: ArrowField]
  ) throws(ArrowError) {
    if let dictionary = field.dictionary {
      let entries = field.entries
      if let other = dictionaries.updateValue(entries, forKey: dictionary.id) {
        guard other.type == entries.type, other.children == entries.children else {
          throw .malformed(
            field: field.name, expected: "one type a dictionary",
            found: "two in dictionary \(dictionary.id)")
        }
      }
    }
    for child in field.children { try collect(child, into: &dictionaries) }
  }
}

// MARK: - Reading

extension ArrowSchema {
  /// The schema that `table` of a message or footer is.
  init(_ table: FlatTable, limits: DecodeLimits) throws(ArrowError) {
    do throws(ByteError) {
      guard try table.integer(0, default: Int16(0)) == 0 else {
        throw .unexpected(offset: 0, expected: "little-endian values", found: "big-endian")
      }
    } catch {
      throw .metadata(error)
    }
    var reader = FieldReader(byteCount: table.bytes.count, limits: limits)
    try self.init(try reader.fields(table, slot: 1, path: "", depth: 0))
  }
}

/// Reads the fields of a schema, no more of them than its bytes can hold.
private struct FieldReader {
  /// How many more bytes of tables and texts may be visited: shared ones count each time.
  private var left: Int
  private let limit: Int
  private let depthLimit: Int

  init(byteCount: Int, limits: DecodeLimits) {
    limit = byteCount * 8 + 4096
    left = limit
    depthLimit = limits.depth
  }

  private mutating func visit(_ byteCount: Int) throws(ArrowError) {
    left -= byteCount
    if left < 0 {
      throw .limitExceeded(
        what: "schema", value: Int64(limit - left), limit: Int64(limit))
    }
  }

  mutating func fields(
    _ table: FlatTable, slot: Int, path: String, depth: Int
  ) throws(ArrowError) -> [ArrowField] {
    guard depth <= depthLimit else {
      throw .limitExceeded(
        what: "depth of the schema", value: Int64(depth), limit: Int64(depthLimit))
    }
    let tables: [FlatTable]
    do throws(ByteError) { tables = try table.tables(slot) } catch { throw .metadata(error) }
    try visit(tables.count * 8)
    var fields: [ArrowField] = []
    for table in tables { fields.append(try field(table, path: path, depth: depth)) }
    return fields
  }

  private mutating func field(
    _ table: FlatTable, path: String, depth: Int
  ) throws(ArrowError) -> ArrowField {
    var field: ArrowField
    let kind: UInt8
    do throws(ByteError) {
      field = ArrowField(
        name: try table.string(0) ?? "", isNullable: try table.boolean(1), type: .null)
      kind = try table.integer(2, default: 0)
    } catch {
      throw .metadata(error)
    }
    let path = path.isEmpty ? field.name : path + "." + field.name
    try visit(path.utf8.count)
    field.metadata = try metadata(table)
    field.type = try type(kind, table, path)
    field.dictionary = try dictionary(table, path)
    field.children = try fields(table, slot: 5, path: path, depth: depth + 1)
    return field
  }

  private mutating func metadata(_ table: FlatTable) throws(ArrowError) -> [String: String] {
    let pairs: [FlatTable]
    do throws(ByteError) { pairs = try table.tables(6) } catch { throw .metadata(error) }
    var metadata: [String: String] = [:]
    for pair in pairs {
      let key: String
      let value: String
      do throws(ByteError) {
        key = try pair.string(0) ?? ""
        value = try pair.string(1) ?? ""
      } catch {
        throw .metadata(error)
      }
      try visit(key.utf8.count + value.utf8.count + 8)
      metadata[key] = value
    }
    return metadata
  }

  private func dictionary(
    _ table: FlatTable, _ path: String
  ) throws(ArrowError) -> ArrowDictionary? {
    do throws(ByteError) {
      guard let encoding = try table.table(4) else { return nil }
      let id = try encoding.integer(0, default: Int64(0))
      guard let index = try encoding.table(1) else {
        return ArrowDictionary(id: id, bitWidth: 32, isSigned: true)
      }
      let bitWidth = Int(try index.integer(0, default: Int32(0)))
      if [8, 16, 32, 64].contains(bitWidth) {
        return ArrowDictionary(id: id, bitWidth: bitWidth, isSigned: try index.boolean(1))
      }
    } catch {
      throw .metadata(error)
    }
    throw .malformed(field: path, expected: "integer codes", found: "others")
  }

  private func type(
    _ kind: UInt8, _ field: FlatTable, _ path: String
  ) throws(ArrowError) -> ArrowType {
    if let name = Self.unsupported[kind] { throw .unsupported(field: path, type: name) }
    let type: ArrowType?
    do throws(ByteError) {
      type = try Self.type(kind, try field.table(3))
    } catch {
      throw .metadata(error)
    }
    guard let type else {
      throw .malformed(field: path, expected: "a known type", found: "type \(kind)")
    }
    return type
  }

  private static let unsupported: [UInt8: String] = [11: "interval", 14: "union", 18: "duration"]

  /// The type of the union's member `kind`; nil if there is none, or its details are wrong.
  private static func type(_ kind: UInt8, _ details: FlatTable?) throws(ByteError) -> ArrowType? {
    func integer<T: FixedWidthInteger & BitwiseCopyable>(
      _ slot: Int, _ absent: T
    ) throws(ByteError) -> Int {
      Int(truncatingIfNeeded: try details?.integer(slot, default: absent) ?? absent)
    }
    switch kind {
    case 1: return .null
    case 2:
      let bitWidth = try integer(0, Int32(0))
      let isSigned = try details?.boolean(1) ?? false
      return
        [8, 16, 32, 64].contains(bitWidth)
        ? .integer(bitWidth: bitWidth, isSigned: isSigned) : nil
    case 3:
      let precision = try integer(0, Int16(0))
      return (0...2).contains(precision) ? .floatingPoint(bitWidth: 16 << precision) : nil
    case 4: return .binary
    case 5: return .utf8
    case 6: return .boolean
    case 7:
      let bitWidth = try integer(2, Int32(128))
      return
        [32, 64, 128, 256].contains(bitWidth)
        ? .decimal(
          precision: try integer(0, Int32(0)), scale: try integer(1, Int32(0)),
          bitWidth: bitWidth) : nil
    case 8: return try integer(0, Int16(1)) == 0 ? .dateDays : .dateMilliseconds
    case 9:
      let bitWidth = try integer(1, Int32(32))
      let unit = ArrowTimeUnit(rawValue: try integer(0, Int16(1)))
      return
        [32, 64].contains(bitWidth) ? unit.map { .time($0, bitWidth: bitWidth) } : nil
    case 10:
      let zone = try details?.string(1) ?? ""
      return ArrowTimeUnit(rawValue: try integer(0, Int16(0))).map {
        .timestamp($0, zone: zone)
      }
    case 12: return .list
    case 13: return .structure
    case 15:
      let byteCount = try integer(0, Int32(0))
      return byteCount >= 0 ? .fixedSizeBinary(byteCount: byteCount) : nil
    case 16:
      let count = try integer(0, Int32(0))
      return count >= 0 ? .fixedSizeList(count: count) : nil
    case 17: return .map
    case 19: return .largeBinary
    case 20: return .largeUtf8
    case 21: return .largeList
    case 22: return .runEndEncoded
    case 23: return .binaryView
    case 24: return .utf8View
    case 25: return .listView
    case 26: return .largeListView
    default: return nil
    }
  }
}
