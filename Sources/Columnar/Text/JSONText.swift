// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Spells texts as JSON strings and CSV fields.
enum JSONText {
  /// Appends `text` (UTF-8) in quotes, with the escapes JSON asks for and no others.
  ///
  /// Source: RFC 8259, section 7.
  static func append(_ text: RawSpan, to output: inout MutableBuffer) {
    output.append(value: UInt8(ascii: "\""))
    var start = 0
    for i in 0..<text.byteCount {
      let byte = text.loadLE(at: i, as: UInt8.self)
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
        continue
      }
      output.append(text.extracting(start..<i))
      appendEscape(byte, to: &output)
      start = i + 1
    }
    output.append(text.extracting(start..<text.byteCount))
    output.append(value: UInt8(ascii: "\""))
  }

  private static func appendEscape(_ byte: UInt8, to output: inout MutableBuffer) {
    output.append(value: UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(value: byte)
    case 8: output.append(value: UInt8(ascii: "b"))
    case 9: output.append(value: UInt8(ascii: "t"))
    case 10: output.append(value: UInt8(ascii: "n"))
    case 12: output.append(value: UInt8(ascii: "f"))
    case 13: output.append(value: UInt8(ascii: "r"))
    default:
      for character in "u00".utf8 { output.append(value: character) }
      for character in [byte].hexadecimal.utf8 { output.append(value: character) }
    }
  }

  /// Appends `text` as a CSV field: in quotes where it is empty, or has a quote, separator, line
  /// end, or a space at its ends.
  ///
  /// Source: RFC 4180, section 2.
  static func appendCSV(_ text: RawSpan, to output: inout MutableBuffer) {
    var needsQuotes = text.byteCount == 0
    var hasQuote = false
    for i in 0..<text.byteCount {
      switch text.loadLE(at: i, as: UInt8.self) {
      case UInt8(ascii: "\""):
        needsQuotes = true
        hasQuote = true
      case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), 10, 13: needsQuotes = true
      case UInt8(ascii: " "): if i == 0 || i == text.byteCount - 1 { needsQuotes = true }
      default: break
      }
    }
    guard needsQuotes else { return output.append(text) }
    let quote = UInt8(ascii: "\"")
    output.append(value: quote)
    if hasQuote {
      for i in 0..<text.byteCount {
        let byte = text.loadLE(at: i, as: UInt8.self)
        if byte == quote { output.append(value: quote) }
        output.append(value: byte)
      }
    } else {
      output.append(text)
    }
    output.append(value: quote)
  }
}
