// SPDX-License-Identifier: Apache-2.0

/// Names of types and fields, which Avro restricts to letters, digits and `_`.
///
/// Source: Avro 1.12 specification, "Names"; Iceberg's writers put other names in this form, and the
/// original in a field's `iceberg-field-name`.
public enum AvroName {
  /// True if every reader takes `name`: `[A-Za-z_][A-Za-z0-9_]*`.
  public static func isValid(_ name: String) -> Bool {
    guard let first = name.utf16.first, isLetter(first) else { return false }
    return name.utf16.allSatisfy { isLetter($0) || isDigit($0) }
  }

  /// `name` with what Avro does not allow written as `_x` and its hexadecimal code (of UTF-16), and a
  /// digit in front behind `_`, as Iceberg's other writers do. Different names may become the same.
  public static func sanitized(_ name: String) -> String {
    var result: [UInt16] = []
    for unit in name.utf16 {
      if isLetter(unit) || (isDigit(unit) && !result.isEmpty) {
        result.append(unit)
      } else if isDigit(unit) {
        result += [UInt16(UInt8(ascii: "_")), unit]
      } else {
        result += Array("_x\(String(unit, radix: 16, uppercase: true))".utf16)
      }
    }
    return result.isEmpty ? "_" : String(decoding: result, as: UTF16.self)
  }

  private static func isLetter(_ unit: UInt16) -> Bool {
    switch UInt8(exactly: unit) ?? 0 {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func isDigit(_ unit: UInt16) -> Bool { unit >= 48 && unit <= 57 }
}
