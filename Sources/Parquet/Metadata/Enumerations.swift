// SPDX-License-Identifier: Apache-2.0

/// How the values of a leaf are stored. Source: parquet.thrift, `Type`.
package enum PhysicalType: Int32, Hashable, Sendable {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  /// Only old timestamps: nanoseconds of the day in 8 bytes, then the Julian day in 4.
  case int96 = 3
  case float = 4
  case double = 5
  case byteArray = 6
  case fixedLenByteArray = 7

  /// Bytes a value, for types whose every value takes as many; `typeLength` is the schema's.
  func width(typeLength: Int) -> Int? {
    switch self {
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .fixedLenByteArray: typeLength
    case .boolean, .byteArray: nil
    }
  }
}

/// How often a field occurs. Source: parquet.thrift, `FieldRepetitionType`.
package enum Repetition: Int32, Hashable, Sendable {
  case required = 0
  case optional = 1
  case repeated = 2
}

/// The older annotations of a node. Unknown ones are kept as they are.
/// Source: parquet.thrift, `ConvertedType`.
package struct ConvertedType: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let utf8 = Self(rawValue: 0)
  package static let map = Self(rawValue: 1)
  package static let mapKeyValue = Self(rawValue: 2)
  package static let list = Self(rawValue: 3)
  package static let enumeration = Self(rawValue: 4)
  package static let decimal = Self(rawValue: 5)
  package static let date = Self(rawValue: 6)
  package static let timeMillis = Self(rawValue: 7)
  package static let timeMicros = Self(rawValue: 8)
  package static let timestampMillis = Self(rawValue: 9)
  package static let timestampMicros = Self(rawValue: 10)
  package static let uint8 = Self(rawValue: 11)
  package static let uint16 = Self(rawValue: 12)
  package static let uint32 = Self(rawValue: 13)
  package static let uint64 = Self(rawValue: 14)
  package static let int8 = Self(rawValue: 15)
  package static let int16 = Self(rawValue: 16)
  package static let int32 = Self(rawValue: 17)
  package static let int64 = Self(rawValue: 18)
  package static let json = Self(rawValue: 19)
  package static let bson = Self(rawValue: 20)
  package static let interval = Self(rawValue: 21)
}

/// How the values or levels of a page are encoded. Unknown ones are kept as they are, and matter
/// only once a page has them. Source: parquet.thrift, `Encoding`.
public struct Encoding: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let plain = Self(rawValue: 0)
  /// The old name of a page of dictionary indices, and of its dictionary.
  public static let plainDictionary = Self(rawValue: 2)
  public static let rle = Self(rawValue: 3)
  public static let bitPacked = Self(rawValue: 4)
  public static let deltaBinaryPacked = Self(rawValue: 5)
  public static let deltaLengthByteArray = Self(rawValue: 6)
  public static let deltaByteArray = Self(rawValue: 7)
  public static let rleDictionary = Self(rawValue: 8)
  public static let byteStreamSplit = Self(rawValue: 9)
}

extension Encoding: CustomStringConvertible {
  public var description: String {
    let names = [
      "PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED",
      "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
    ]
    return names.indices.contains(Int(rawValue)) ? names[Int(rawValue)] : "\(rawValue)"
  }
}

/// How the pages of a column chunk are compressed. Source: parquet.thrift, `CompressionCodec`.
public struct CompressionCodec: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let uncompressed = Self(rawValue: 0)
  public static let snappy = Self(rawValue: 1)
  public static let gzip = Self(rawValue: 2)
  public static let lzo = Self(rawValue: 3)
  public static let brotli = Self(rawValue: 4)
  /// LZ4 in Hadoop's framing, or in others: superseded by ``lz4Raw``.
  public static let lz4 = Self(rawValue: 5)
  public static let zstd = Self(rawValue: 6)
  public static let lz4Raw = Self(rawValue: 7)
}

extension CompressionCodec: CustomStringConvertible {
  public var description: String {
    let names = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"]
    return names.indices.contains(Int(rawValue)) ? names[Int(rawValue)] : "\(rawValue)"
  }
}

/// What a page holds. Source: parquet.thrift, `PageType`.
public struct PageType: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let dataPage = Self(rawValue: 0)
  public static let indexPage = Self(rawValue: 1)
  public static let dictionaryPage = Self(rawValue: 2)
  public static let dataPageV2 = Self(rawValue: 3)
}

/// Whether the bounds in a column index are sorted. Source: parquet.thrift, `BoundaryOrder`.
package enum BoundaryOrder: Int32, Hashable, Sendable {
  case unordered = 0
  case ascending = 1
  case descending = 2
}
