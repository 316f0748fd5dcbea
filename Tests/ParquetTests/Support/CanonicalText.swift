// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar

/// A column's values as text, the same whoever reads the file: see `Fixtures/parquet/describe.py`,
/// which writes it of what pyarrow reads.
enum CanonicalText {
  static func text(_ column: Column, _ row: Int) -> String {
    if column.isNull(row) { return "null" }
    switch column.type {
    case .null: return "null"
    case .boolean: return column.boolean(row) ? "true" : "false"
    case .int32, .int64, .date, .time, .timestamp: return String(column.integer(row))
    case .decimal: return String(column.unscaled(row))
    case .float:
      let value = Float(column.floatingPoint(row))
      return value.isNaN ? "nan" : hexadecimal(UInt64(value.bitPattern), digits: 8)
    case .double:
      let value = column.floatingPoint(row)
      return value.isNaN ? "nan" : hexadecimal(value.bitPattern, digits: 16)
    case .string, .binary, .fixed, .uuid: return column.bytes(row).array().hexadecimal
    case .structure:
      return "(" + column.children.map { text($0, row) }.joined(separator: ",") + ")"
    case .list, .map:
      let elements = column.children[0]
      let range = column.elementRange(row)
      return "[" + range.map { text(elements, $0) }.joined(separator: ",") + "]"
    }
  }

  private static func hexadecimal(_ bits: UInt64, digits: Int) -> String {
    let text = String(bits, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }

  /// The checksum of the values' texts, going on from `crc`.
  static func checksum(_ column: Column, continuing crc: UInt32) -> UInt32 {
    var crc = crc
    for row in 0..<column.count {
      let line = Buffer(utf8: text(column, row) + "\n")
      crc = CRC32.checksum(line.bytes, continuing: crc)
    }
    return crc
  }
}
