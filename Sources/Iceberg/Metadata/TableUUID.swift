// SPDX-License-Identifier: Apache-2.0

/// The id of a table, for its whole life; two tables under one name over time differ in it.
///
/// Kept as it is spelled; two spellings of one UUID that differ in case are equal.
public struct TableUUID: RawRepresentable, Sendable {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public init(_ rawValue: String) { self.rawValue = rawValue }

  /// The UUID of 16 random bytes: version 4, variant 1, lower case.
  public init(randomBytes: [16 of UInt8]) {
    var text: [UInt8] = []
    for i in randomBytes.indices {
      var byte = randomBytes[i]
      if i == 6 { byte = byte & 0x0f | 0x40 }
      if i == 8 { byte = byte & 0x3f | 0x80 }
      if i == 4 || i == 6 || i == 8 || i == 10 { text.append(UInt8(ascii: "-")) }
      for digit in [byte >> 4, byte & 15] { text.append(digit + (digit < 10 ? 48 : 87)) }
    }
    rawValue = String(decoding: text, as: UTF8.self)
  }

  /// True if it is spelled as RFC 4122 has it: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
  public var isWellFormed: Bool {
    let text = Array(rawValue.utf8)
    guard text.count == 36 else { return false }
    for (i, byte) in text.enumerated() {
      if i == 8 || i == 13 || i == 18 || i == 23 {
        guard byte == UInt8(ascii: "-") else { return false }
      } else {
        guard UnicodeScalar(byte).properties.isASCIIHexDigit else { return false }
      }
    }
    return true
  }
}

extension TableUUID: Hashable {
  public static func == (a: TableUUID, b: TableUUID) -> Bool {
    a.rawValue == b.rawValue || a.rawValue.lowercased() == b.rawValue.lowercased()
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue.lowercased()) }
}
