// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What the values of a node mean. Source: parquet.thrift, `LogicalType`; LogicalTypes.md.
package enum LogicalType: Hashable, Sendable {
  case string
  case map
  case list
  case enumeration
  case decimal(scale: Int32, precision: Int32)
  case date
  case time(isAdjustedToUTC: Bool, TimeUnit)
  case timestamp(isAdjustedToUTC: Bool, TimeUnit)
  case integer(bitWidth: Int8, isSigned: Bool)
  /// Always null.
  case unknown
  case json
  case bson
  case uuid
  case float16
  case variant(version: Int8?)
  case geometry(crs: String?)
  case geography(crs: String?, algorithm: Int32?)
  /// A case of the union that came after this code: the physical type is what is left.
  case unrecognized

  package enum TimeUnit: Int16, Hashable, Sendable {
    case millis = 1
    case micros = 2
    case nanos = 3
  }
}

extension LogicalType {
  package init(from reader: inout ThriftReader) throws(ByteError) {
    var found: LogicalType = .unrecognized
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      try reader.expectStructure(field)
      found = try Self.decodeCase(field, from: &reader)
    }
    reader.endStructure(outer)
    self = found
  }

  private static func decodeCase(
    _ field: ThriftField, from reader: inout ThriftReader
  ) throws(ByteError) -> LogicalType {
    switch field.id {
    case 5: return try decodeDecimal(from: &reader)
    case 7:
      let (isAdjusted, unit) = try decodeTime(from: &reader)
      return unit.map { .time(isAdjustedToUTC: isAdjusted, $0) } ?? .unrecognized
    case 8:
      let (isAdjusted, unit) = try decodeTime(from: &reader)
      return unit.map { .timestamp(isAdjustedToUTC: isAdjusted, $0) } ?? .unrecognized
    case 10: return try decodeInteger(from: &reader)
    case 16: return try decodeVariant(from: &reader)
    case 17, 18: return try decodeGeospatial(field.id, from: &reader)
    default:
      try reader.skip(field)
      return parameterless[field.id] ?? .unrecognized
    }
  }

  /// The cases that are empty structures, by their ids.
  private static let parameterless: [Int16: LogicalType] = [
    1: .string, 2: .map, 3: .list, 4: .enumeration, 6: .date, 11: .unknown, 12: .json, 13: .bson,
    14: .uuid, 15: .float16,
  ]

  private static func decodeDecimal(
    from reader: inout ThriftReader
  ) throws(ByteError) -> LogicalType {
    var scale: Int32?
    var precision: Int32?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: scale = try reader.readInt32(field)
      case 2: precision = try reader.readInt32(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    return .decimal(
      scale: try reader.require(scale, "scale"),
      precision: try reader.require(precision, "precision"))
  }

  private static func decodeTime(
    from reader: inout ThriftReader
  ) throws(ByteError) -> (isAdjustedToUTC: Bool, TimeUnit?) {
    var isAdjusted: Bool?
    var unit: TimeUnit?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: isAdjusted = try reader.readBool(field)
      case 2:
        try reader.expectStructure(field)
        let union = try reader.beginStructure()
        while let choice = try reader.nextField() {
          unit = TimeUnit(rawValue: choice.id)
          try reader.skip(choice)
        }
        reader.endStructure(union)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    return (try reader.require(isAdjusted, "isAdjustedToUTC"), unit)
  }

  private static func decodeInteger(
    from reader: inout ThriftReader
  ) throws(ByteError) -> LogicalType {
    var bitWidth: Int32?
    var isSigned: Bool?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: bitWidth = try reader.readInt32(field)
      case 2: isSigned = try reader.readBool(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    let width = try reader.require(bitWidth, "bitWidth")
    let signed = try reader.require(isSigned, "isSigned")
    guard [8, 16, 32, 64].contains(width) else { return .unrecognized }
    return .integer(bitWidth: Int8(width), isSigned: signed)
  }

  private static func decodeVariant(
    from reader: inout ThriftReader
  ) throws(ByteError) -> LogicalType {
    var version: Int8?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: version = Int8(truncatingIfNeeded: try reader.readInt32(field))
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    return .variant(version: version)
  }

  private static func decodeGeospatial(
    _ id: Int16, from reader: inout ThriftReader
  ) throws(ByteError) -> LogicalType {
    var crs: String?
    var algorithm: Int32?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: crs = try reader.readString(field)
      case 2: algorithm = try reader.readInt32(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    return id == 17 ? .geometry(crs: crs) : .geography(crs: crs, algorithm: algorithm)
  }

  /// Encodes the union; nothing for ``unrecognized``.
  package func encode(_ id: Int16, into writer: inout ThriftWriter) {
    if self == .unrecognized { return }
    writer.beginStructure(id)
    switch self {
    case .string: writer.writeEmptyStructure(1)
    case .map: writer.writeEmptyStructure(2)
    case .list: writer.writeEmptyStructure(3)
    case .enumeration: writer.writeEmptyStructure(4)
    case .decimal(let scale, let precision):
      writer.beginStructure(5)
      writer.write(1, scale)
      writer.write(2, precision)
      writer.endStructure()
    case .date: writer.writeEmptyStructure(6)
    case .time(let isAdjusted, let unit):
      Self.encodeTime(7, isAdjusted, unit, into: &writer)
    case .timestamp(let isAdjusted, let unit):
      Self.encodeTime(8, isAdjusted, unit, into: &writer)
    case .integer(let bitWidth, let isSigned):
      writer.beginStructure(10)
      writer.write(1, bitWidth)
      writer.write(2, isSigned)
      writer.endStructure()
    case .unknown: writer.writeEmptyStructure(11)
    case .json: writer.writeEmptyStructure(12)
    case .bson: writer.writeEmptyStructure(13)
    case .uuid: writer.writeEmptyStructure(14)
    case .float16: writer.writeEmptyStructure(15)
    case .variant(let version):
      writer.beginStructure(16)
      writer.write(1, version)
      writer.endStructure()
    case .geometry(let crs):
      writer.beginStructure(17)
      writer.write(1, crs)
      writer.endStructure()
    case .geography(let crs, let algorithm):
      writer.beginStructure(18)
      writer.write(1, crs)
      writer.write(2, algorithm)
      writer.endStructure()
    case .unrecognized: break
    }
    writer.endStructure()
  }

  private static func encodeTime(
    _ id: Int16, _ isAdjusted: Bool, _ unit: TimeUnit, into writer: inout ThriftWriter
  ) {
    writer.beginStructure(id)
    writer.write(1, isAdjusted)
    writer.beginStructure(2)
    writer.writeEmptyStructure(unit.rawValue)
    writer.endStructure()
    writer.endStructure()
  }
}
