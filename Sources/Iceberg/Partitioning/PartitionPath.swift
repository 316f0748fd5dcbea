// SPDX-License-Identifier: Apache-2.0

extension PartitionSpec {
  /// The folders that files of the partition `values` are usually put in: `ts_day=2024-02-29/a=x`.
  ///
  /// Cosmetic: no reader may take values from it. `values` has one for each field, in order; types
  /// are those of `schema`'s columns. Empty for an unpartitioned spec.
  public func path(for values: [Value?], schema: Schema) -> String {
    var parts: [String] = []
    for (field, value) in zip(fields, values) {
      let source = field.sourceIDs.first.flatMap { schema.field($0)?.type.primitive } ?? .unknown
      let text = field.transform.humanText(of: value, source: source)
      parts.append("\(field.name.formURLEncoded)=\(text.formURLEncoded)")
    }
    return parts.joined(separator: "/")
  }
}

extension Transform {
  /// A value this transform made of a column of type `source`, as people read it: `2017-11`,
  /// `2017-11-16-22`; `null` for null.
  public func humanText(of value: Value?, source: PrimitiveType) -> String {
    guard let value else { return "null" }
    guard case .int(let ordinal) = value else {
      return value.humanText(as: resultType(of: source))
    }
    switch self {
    case .year: return CivilTime.yearText(1970 + Int64(ordinal))
    case .month:
      let months = Int64(ordinal)
      let year = CivilTime.floorDivide(months, 12)
      return CivilTime.yearText(1970 + year) + "-" + CivilTime.padded(months - year * 12 + 1, 2)
    case .day: return CivilTime.dateText(Int64(ordinal))
    case .hour:
      let day = CivilTime.floorDivide(Int64(ordinal), 24)
      return CivilTime.dateText(day) + "-" + CivilTime.padded(Int64(ordinal) - day * 24, 2)
    default: return value.humanText(as: resultType(of: source))
    }
  }
}

extension Value {
  /// As ``text(as:)``, but bytes are in base 64 and times leave out what is zero at their end.
  fileprivate func humanText(as type: PrimitiveType) -> String {
    switch (self, type) {
    case (.bytes(let bytes), .uuid) where bytes.count == 16: UUIDText.text(bytes)
    case (.bytes(let bytes), _): bytes.base64
    case (.long, .time): text(as: type).withoutZeroTail
    case (.long, .timestamp), (.long, .timestampNs): text(as: type).withoutZeroTail
    case (.long(let value), .timestamptz):
      CivilTime.timestampText(microseconds: value).withoutZeroTail + "Z"
    case (.long(let value), .timestamptzNs):
      CivilTime.timestampText(nanoseconds: value).withoutZeroTail + "Z"
    default: text(as: type)
    }
  }
}

extension String {
  /// A time without seconds if they are zero, and with 3, 6 or 9 digits after them, if any.
  fileprivate var withoutZeroTail: String {
    var text = self
    guard text.contains(".") else {
      return text.hasSuffix(":00") ? String(text.dropLast(3)) : text
    }
    while text.hasSuffix("000") { text.removeLast(3) }
    return text
  }

  /// The UTF-8 in the form that HTML forms have: a space is `+`, and anything but letters, digits
  /// and `.-*_` is `%` and two digits.
  package var formURLEncoded: String {
    let digits = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    for byte in utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "*"), UInt8(ascii: "_"):
        result.append(byte)
      case 0x20: result.append(UInt8(ascii: "+"))
      default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

extension [UInt8] {
  /// These bytes in base 64, filled up with `=`.
  fileprivate var base64: String {
    let alphabet = Array<UInt8>(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: count, by: 3) {
      let group = self[start..<Swift.min(start + 3, count)]
      var bits: UInt32 = 0
      for offset in 0..<3 {
        bits = bits << 8 | (offset < group.count ? UInt32(group[start + offset]) : 0)
      }
      for offset in 0..<4 {
        let isFilled = offset <= group.count
        text.append(
          isFilled ? alphabet[Int(bits >> UInt32(18 - 6 * offset)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
