// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// What can be wrong with JSON text, or with a value in it.
///
/// Offsets are in bytes from the start of the text; ``JSONLocation`` turns one into a line and a
/// column where a person is to be told.
@nonexhaustive
public enum JSONError: Error, Hashable, Sendable {
  /// The text is not JSON.
  case malformed(offset: Int, JSONDefect)
  /// The value at `offset` is well-formed, and of another kind than the reader asked for.
  case mismatch(offset: Int, expected: JSONKind, found: JSONKind)
  /// The number at `offset` does not fit what it is read as.
  case outOfRange(offset: Int, expected: String, found: String)
  /// An object has the key at `offset` twice: parsers differ in which one they take.
  case duplicateKey(offset: Int, key: String)
  /// Objects and arrays nest deeper than allowed.
  case tooDeep(offset: Int, limit: Int)
  /// A number to be written is infinite or not a number: JSON has no form for it.
  case notFinite

  /// Where in the text, if the error is about text.
  public var offset: Int? {
    switch self {
    case .malformed(let offset, _), .mismatch(let offset, _, _), .outOfRange(let offset, _, _),
      .duplicateKey(let offset, _), .tooDeep(let offset, _):
      offset
    case .notFinite: nil
    }
  }
}

/// How text fails to be JSON.
public enum JSONDefect: Hashable, Sendable {
  case endsEarly
  case unexpected(found: UInt8, expected: String)
  case controlCharacter(UInt8)
  case invalidEscape
  case loneSurrogate
  case notUTF8
  case leadingZero
  case byteOrderMark
  case trailingBytes
}

/// The six kinds of JSON values.
public enum JSONKind: String, Hashable, Sendable {
  case object, array, string, number, boolean, null
}

/// A place in a text, both counted from 1; the column counts bytes.
public struct JSONLocation: Hashable, Sendable {
  public let line: Int
  public let column: Int

  /// The place of the byte at `offset` of `text`. Cost: reads all bytes before it.
  public init(offset: Int, in text: RawSpan) {
    var line = 1
    var lineStart = 0
    let end = min(max(offset, 0), text.byteCount)
    for i in 0..<end where text[i] == UInt8(ascii: "\n") {
      line += 1
      lineStart = i + 1
    }
    self.line = line
    self.column = end - lineStart + 1
  }
}

extension JSONError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed(let offset, let defect):
      "not JSON at byte \(offset): \(defect)"
    case .mismatch(let offset, let expected, let found):
      "at byte \(offset): expected \(expected.rawValue), found \(found.rawValue)"
    case .outOfRange(let offset, let expected, let found):
      "number at byte \(offset): expected \(expected), found \(found)"
    case .duplicateKey(let offset, let key):
      "key '\(key)' at byte \(offset) is there twice"
    case .tooDeep(let offset, let limit):
      "nests deeper than \(limit) levels at byte \(offset)"
    case .notFinite:
      "an infinite number or NaN has no JSON form"
    }
  }
}

extension JSONDefect: CustomStringConvertible {
  public var description: String {
    switch self {
    case .endsEarly: "ends early"
    case .unexpected(let found, let expected):
      "expected \(expected), found \(JSONDefect.name(of: found))"
    case .controlCharacter(let byte): "control character \(JSONDefect.name(of: byte)) in a string"
    case .invalidEscape: "invalid escape in a string"
    case .loneSurrogate: "half of a surrogate pair in a string"
    case .notUTF8: "text is not UTF-8"
    case .leadingZero: "number with a leading zero"
    case .byteOrderMark: "starts with a byte order mark"
    case .trailingBytes: "more text after the value"
    }
  }

  private static func name(of byte: UInt8) -> String {
    (0x21...0x7e).contains(byte)
      ? "'\(Character(UnicodeScalar(byte)))'" : "0x" + [byte].hexadecimal
  }
}
