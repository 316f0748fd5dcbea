// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSON

/// A slow and obvious JSON parser over an array of bytes: the twin the real one is held against.
///
/// It shares no code and no method with it: text is taken apart scalar by scalar, numbers are matched
/// by splitting at their signs, doubles come from the C library.
struct NaiveJSON {
  struct Invalid: Error {}
  var scalars: [UnicodeScalar]
  var at = 0

  static func parse(_ bytes: [UInt8]) throws -> JSONValue {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Invalid() }
    var parser = NaiveJSON(scalars: Array(text.unicodeScalars))
    let value = try parser.value(depth: 0)
    parser.space()
    guard parser.at == parser.scalars.count else { throw Invalid() }
    return value
  }

  var next: UnicodeScalar? { at < scalars.count ? scalars[at] : nil }

  mutating func take() throws -> UnicodeScalar {
    guard let scalar = next else { throw Invalid() }
    at += 1
    return scalar
  }

  mutating func space() { while let c = next, [" ", "\n", "\r", "\t"].contains(c) { at += 1 } }

  mutating func value(depth: Int) throws -> JSONValue {
    guard depth <= 512 else { throw Invalid() }
    space()
    switch try take() {
    case "{": return try object(depth: depth + 1)
    case "[": return try array(depth: depth + 1)
    case "\"": return .string(try string())
    case "t": return try word("rue", .boolean(true))
    case "f": return try word("alse", .boolean(false))
    case "n": return try word("ull", .null)
    default:
      at -= 1
      return try number()
    }
  }

  mutating func word(_ rest: String, _ value: JSONValue) throws -> JSONValue {
    for scalar in rest.unicodeScalars { guard try take() == scalar else { throw Invalid() } }
    return value
  }

  mutating func object(depth: Int) throws -> JSONValue {
    guard depth <= 512 else { throw Invalid() }
    var members: [JSONMember] = []
    space()
    if next == "}" {
      at += 1
      return .object([])
    }
    while true {
      space()
      guard try take() == "\"" else { throw Invalid() }
      let key = try string()
      guard !members.contains(where: { Array($0.key.utf8) == Array(key.utf8) }) else {
        throw Invalid()
      }
      space()
      guard try take() == ":" else { throw Invalid() }
      members.append(JSONMember(key, try value(depth: depth)))
      space()
      switch try take() {
      case ",": continue
      case "}": return .object(members)
      default: throw Invalid()
      }
    }
  }

  mutating func array(depth: Int) throws -> JSONValue {
    guard depth <= 512 else { throw Invalid() }
    var elements: [JSONValue] = []
    space()
    if next == "]" {
      at += 1
      return .array([])
    }
    while true {
      elements.append(try value(depth: depth))
      space()
      switch try take() {
      case ",": continue
      case "]": return .array(elements)
      default: throw Invalid()
      }
    }
  }

  mutating func string() throws -> String {
    var units: [UInt16] = []
    while true {
      let scalar = try take()
      if scalar == "\"" { break }
      guard scalar.value >= 0x20 else { throw Invalid() }
      if scalar != "\\" {
        units += Array(String(Character(scalar)).utf16)
        continue
      }
      let letters: [UnicodeScalar: UInt16] = [
        "\"": 0x22, "\\": 0x5c, "/": 0x2f, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
      ]
      let escape = try take()
      if escape == "u" {
        var hex = ""
        for _ in 0..<4 { hex.unicodeScalars.append(try take()) }
        guard !hex.hasPrefix("+"), !hex.hasPrefix("-"), let unit = UInt16(hex, radix: 16) else {
          throw Invalid()
        }
        // A surrogate half by itself must not pair with one that stands in the text unescaped;
        // UTF-8 has none, so whatever pairs is a pair of escapes.
        units.append(unit)
      } else if let unit = letters[escape] {
        units.append(unit)
      } else {
        throw Invalid()
      }
    }
    guard let text = String(validating: units, as: UTF16.self) else { throw Invalid() }
    return text
  }

  mutating func number() throws -> JSONValue {
    var text = ""
    while let c = next, "0123456789+-.eE".unicodeScalars.contains(c) {
      text.unicodeScalars.append(c)
      at += 1
    }
    var digits = Substring(text)
    if digits.hasPrefix("-") { digits.removeFirst() }
    let parts = digits.split(separator: "e", omittingEmptySubsequences: false)
      .flatMap { $0.split(separator: "E", omittingEmptySubsequences: false) }
    guard (1...2).contains(parts.count), let mantissa = parts.first else { throw Invalid() }
    let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(halves.count), halves.allSatisfy(Self.isDigits) else { throw Invalid() }
    guard halves[0] == "0" || !halves[0].hasPrefix("0") else { throw Invalid() }
    if parts.count == 2 {
      var exponent = parts[1]
      if exponent.hasPrefix("-") || exponent.hasPrefix("+") { exponent.removeFirst() }
      guard Self.isDigits(exponent) else { throw Invalid() }
    }
    if let integer = Int64(text), text != "-0" { return .integer(integer) }
    return Self.exactDouble(text) ?? .decimal(text)
  }

  static func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.allSatisfy { ("0"..."9").contains($0) }
  }

  /// A double if printing it with 17 digits or fewer says the same decimal as `text`.
  static func exactDouble(_ text: String) -> JSONValue? {
    let value = unsafe strtod(text, nil)
    guard value.isFinite else { return nil }
    return plain(text) == plain(value.description) ? .double(value) : nil
  }

  /// The sign, the digits between zeros, and where the point is: by pushing digits about.
  static func plain(_ text: String) -> [String] {
    let sign = text.hasPrefix("-") ? "-" : "+"
    let parts = text.lowercased().drop { $0 == "-" }.split(separator: "e")
    let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = halves.count == 2 ? String(halves[1]) : ""
    var digits = halves[0] + fraction
    var exponent = (parts.count == 2 ? Int(parts[1]) ?? 99_999_999 : 0) - fraction.count
    while digits.hasPrefix("0") { digits.removeFirst() }
    while digits.hasSuffix("0") {
      digits.removeLast()
      exponent += 1
    }
    return digits.isEmpty ? [sign, "0"] : [sign, String(digits), "\(exponent)"]
  }
}
