// SPDX-License-Identifier: Apache-2.0
internal import Columnar

/// How the values of a leaf are laid out before encoding, and how they compare.
enum LeafKind: Hashable {
  case boolean
  /// Signed, 32 bits.
  case int32
  /// Signed, 64 bits.
  case int64
  case float
  case double
  /// Compared as unsigned bytes.
  case byteArray(isText: Bool)
  case fixed(byteCount: Int)
  /// A big-endian decimal.
  case wideDecimal(byteCount: Int)

  init(_ leaf: ParquetLeaf) {
    switch leaf.type {
    case .boolean: self = .boolean
    case .int32: self = .int32
    case .int64, .int96: self = .int64
    case .float: self = .float
    case .double: self = .double
    case .byteArray: self = .byteArray(isText: leaf.columnType == .string)
    case .fixedLenByteArray:
      if case .decimal = leaf.columnType {
        self = .wideDecimal(byteCount: leaf.typeLength)
      } else {
        self = .fixed(byteCount: leaf.typeLength)
      }
    }
  }

  var isFloating: Bool { self == .float || self == .double }
  var isByteArray: Bool { if case .byteArray = self { true } else { false } }
}
