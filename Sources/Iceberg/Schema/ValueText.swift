// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Value {
  /// This value as text, as JSON and people have it: dates and times in ISO 8601, decimals with
  /// their scale, UUIDs with dashes, bytes in hexadecimal. Points in time end in `+00:00`.
  ///
  /// The value must be one of `type`; one that is not is shown as what it holds.
  public func text(as type: PrimitiveType) -> String {
    switch (self, type) {
    case (.int(let days), .date): CivilTime.dateText(Int64(days))
    case (.long(let value), .time) where value >= 0: CivilTime.timeText(microseconds: value)
    case (.long(let value), .timestamp): CivilTime.timestampText(microseconds: value)
    case (.long(let value), .timestamptz): CivilTime.timestampText(microseconds: value) + "+00:00"
    case (.long(let value), .timestampNs): CivilTime.timestampText(nanoseconds: value)
    case (.long(let value), .timestamptzNs): CivilTime.timestampText(nanoseconds: value) + "+00:00"
    case (.decimal(let unscaled), .decimal(_, let scale)):
      DecimalNumber(unscaled: unscaled, scale: scale).description
    case (.bytes(let bytes), .uuid) where bytes.count == 16: UUIDText.text(bytes)
    case (.bytes(let bytes), _): bytes.hexadecimal
    case (.boolean(let value), _): "\(value)"
    case (.int(let value), _): "\(value)"
    case (.long(let value), _): "\(value)"
    case (.float(let value), _): "\(value)"
    case (.double(let value), _): "\(value)"
    case (.decimal(let value), _): "\(value)"
    case (.string(let value), _): value
    case (.structure, _), (.list, _), (.map, _): "\(self)"
    }
  }
}

/// The text of a UUID's 16 big-endian bytes.
package enum UUIDText {
  static func text(_ bytes: [UInt8]) -> String {
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += [byte].hexadecimal
    }
    return text
  }

  /// The bytes of `text` (groups of 8, 4, 4, 4 and 12 digits); nil if it is no UUID.
  package static func bytes(_ text: String) -> [UInt8]? {
    let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
    return Hexadecimal.bytes(groups.flatMap { Array($0) })
  }
}

/// Bytes written as two digits each.
package enum Hexadecimal {
  package static func bytes(_ digits: [UInt8]) -> [UInt8]? {
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
