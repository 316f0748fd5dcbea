// SPDX-License-Identifier: Apache-2.0
package import Columnar

/// What is done to the values of a leaf to have the layout of its column.
package enum LeafConversion: Hashable, Sendable {
  /// Nothing: the bytes are the same.
  case none
  /// 32-bit integers to 64 bits.
  case widenSigned
  case widenUnsigned
  /// 64-bit milliseconds to microseconds.
  case millisToMicros
  /// 32-bit milliseconds to 64-bit microseconds.
  case narrowMillisToMicros
  /// Integers of 32 or 64 bits to decimals of 128.
  case widenToDecimal
  /// Unsigned 64-bit integers to decimals of 128 bits.
  case widenUnsignedToDecimal
  /// Big-endian two's complement, of fixed or varying length, to a decimal of 64 or 128 bits.
  case bigEndianDecimal
  /// INT96 to microseconds.
  case int96ToMicros
  /// Half precision to single.
  case halfToFloat
  /// All values are null, whatever is stored.
  case discard
}

extension SchemaElement {
  /// The annotation that counts: the logical type, or else what the older one stands for.
  package var annotation: LogicalType? {
    if let logicalType, logicalType != .unrecognized { return logicalType }
    guard let convertedType else { return nil }
    switch convertedType {
    case .decimal: return .decimal(scale: scale ?? 0, precision: precision ?? 0)
    default: return Self.annotations[convertedType]
    }
  }

  private static let annotations: [ConvertedType: LogicalType] = [
    .utf8: .string, .map: .map, .mapKeyValue: .map, .list: .list, .enumeration: .enumeration,
    .date: .date, .json: .json, .bson: .bson,
    .timeMillis: .time(isAdjustedToUTC: true, .millis),
    .timeMicros: .time(isAdjustedToUTC: true, .micros),
    .timestampMillis: .timestamp(isAdjustedToUTC: true, .millis),
    .timestampMicros: .timestamp(isAdjustedToUTC: true, .micros),
    .uint8: .integer(bitWidth: 8, isSigned: false),
    .uint16: .integer(bitWidth: 16, isSigned: false),
    .uint32: .integer(bitWidth: 32, isSigned: false),
    .uint64: .integer(bitWidth: 64, isSigned: false), .int8: .integer(bitWidth: 8, isSigned: true),
    .int16: .integer(bitWidth: 16, isSigned: true), .int32: .integer(bitWidth: 32, isSigned: true),
    .int64: .integer(bitWidth: 64, isSigned: true),
  ]

  /// What a leaf is read as. An annotation that does not fit the physical type is ignored, as one
  /// that is not known is: the values are then what they are stored as.
  ///
  /// Unsigned integers go to the next wider type, half floats to floats, milliseconds to
  /// microseconds; times of nanoseconds, for which there is no column type, stay integers. INT96
  /// is read as Spark does: an instant in microseconds.
  /// Source: LogicalTypes.md; Iceberg spec, Appendix A, "Parquet".
  package func readType(typeLength: Int) -> (ColumnType, LeafConversion) {
    guard let type else { return (.null, .discard) }
    if annotation == .unknown { return (.null, .discard) }
    switch type {
    case .boolean: return (.boolean, .none)
    case .int32: return readInt32()
    case .int64: return readInt64()
    case .int96: return (.timestamp(.microseconds, zoned: true), .int96ToMicros)
    case .float: return (.float, .none)
    case .double: return (.double, .none)
    case .byteArray: return readByteArray()
    case .fixedLenByteArray: return readFixed(typeLength)
    }
  }

  private func decimalType() -> ColumnType? {
    guard case .decimal(let scale, let precision) = annotation else { return nil }
    guard (1...38).contains(precision), (0...precision).contains(scale) else { return nil }
    return .decimal(precision: Int(precision), scale: Int(scale))
  }

  private func readInt32() -> (ColumnType, LeafConversion) {
    if let decimal = decimalType() {
      return (decimal, decimal.layout == .fixed(width: 8) ? .widenSigned : .widenToDecimal)
    }
    switch annotation {
    case .date: return (.date, .none)
    case .time(_, .millis): return (.time, .narrowMillisToMicros)
    case .integer(32, isSigned: false): return (.int64, .widenUnsigned)
    default: return (.int32, .none)
    }
  }

  private func readInt64() -> (ColumnType, LeafConversion) {
    if let decimal = decimalType() {
      return (decimal, decimal.layout == .fixed(width: 8) ? .none : .widenToDecimal)
    }
    switch annotation {
    case .time(_, .micros): return (.time, .none)
    case .timestamp(let zoned, .millis):
      return (.timestamp(.microseconds, zoned: zoned), .millisToMicros)
    case .timestamp(let zoned, .micros): return (.timestamp(.microseconds, zoned: zoned), .none)
    case .timestamp(let zoned, .nanos): return (.timestamp(.nanoseconds, zoned: zoned), .none)
    case .integer(64, isSigned: false):
      return (.decimal(precision: 20, scale: 0), .widenUnsignedToDecimal)
    default: return (.int64, .none)
    }
  }

  private func readByteArray() -> (ColumnType, LeafConversion) {
    if let decimal = decimalType() { return (decimal, .bigEndianDecimal) }
    switch annotation {
    case .string, .enumeration, .json: return (.string, .none)
    default: return (.binary, .none)
    }
  }

  private func readFixed(_ length: Int) -> (ColumnType, LeafConversion) {
    if let decimal = decimalType() { return (decimal, .bigEndianDecimal) }
    switch annotation {
    case .uuid where length == 16: return (.uuid, .none)
    case .float16 where length == 2: return (.float, .halfToFloat)
    default: return (.fixed(byteCount: length), .none)
    }
  }
}
