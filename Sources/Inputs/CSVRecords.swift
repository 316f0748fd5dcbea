// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A field of a CSV record: where its text lies, without the quotes around it.
struct CSVField {
  var start: Int
  var end: Int
  var isQuoted: Bool
  /// Quotes in it are doubled.
  var hasEscapes: Bool
}

/// Finds records in CSV text.
///
///     record := field (delimiter field)* (CRLF | LF | CR | end)
///     field  := quoted | text without delimiter and line end
///     quoted := '"' (any but '"' | '""')* '"'
///
/// A quote inside an unquoted field is a character like any other.
/// Source: RFC 4180, section 2; the line ends LF and CR are everyone's.
struct CSVRecords {
  let delimiter: UInt8

  enum Outcome {
    /// The record takes `byteCount` bytes and `lineCount` lines.
    case record(byteCount: Int, lineCount: Int)
    /// The text ends within the record.
    case incomplete
    /// After the closing quote of field `field` (from 0) comes something else than a delimiter or
    /// line end, at byte `offset`; or no closing quote comes for the one there. `line` counts from 0
    /// at the start of the record.
    case broken(field: Int, line: Int, offset: Int, reason: String)
  }

  /// Parses the record at the start of `text` into `fields`.
  func parse(_ text: RawSpan, isAtEnd: Bool, into fields: inout [CSVField]) -> Outcome {
    fields.removeAll(keepingCapacity: true)
    let count = text.byteCount
    var at = 0
    var lines = 0
    while true {
      if at < count, text.loadLE(at: at, as: UInt8.self) == UInt8(ascii: "\"") {
        let (end, escapes, newlines) = quoted(text, from: at + 1)
        guard end < count else {
          return isAtEnd
            ? .broken(
              field: fields.count, line: lines, offset: at, reason: "the quoted field does not end")
            : .incomplete
        }
        lines += newlines
        fields.append(CSVField(start: at + 1, end: end, isQuoted: true, hasEscapes: escapes))
        at = end + 1
        if at < count {
          let next = text.loadLE(at: at, as: UInt8.self)
          guard next == delimiter || next == 10 || next == 13 else {
            return .broken(
              field: fields.count - 1, line: lines, offset: at,
              reason: "there is text after the closing quote")
          }
        }
      } else {
        let start = at
        at = endOfField(text, from: at)
        fields.append(CSVField(start: start, end: at, isQuoted: false, hasEscapes: false))
      }
      guard at < count else {
        return isAtEnd ? .record(byteCount: at, lineCount: lines + 1) : .incomplete
      }
      let byte = text.loadLE(at: at, as: UInt8.self)
      at &+= 1
      if byte == delimiter { continue }
      if byte == 13 {
        // CR at the end of what was read may be half of a CRLF.
        if at == count, !isAtEnd { return .incomplete }
        if at < count, text.loadLE(at: at, as: UInt8.self) == 10 { at &+= 1 }
      }
      return .record(byteCount: at, lineCount: lines + 1)
    }
  }

  /// Where the next delimiter or line end is, or the end of the text.
  private func endOfField(_ text: RawSpan, from start: Int) -> Int {
    let count = text.byteCount
    let ones: UInt64 = 0x0101_0101_0101_0101
    let delimiters = ones &* UInt64(delimiter)
    var at = start
    // Eight bytes at a time: the lowest bit set is at the first byte that is one of the three.
    while at &+ 8 <= count {
      let word = text.loadLE(at: at, as: UInt64.self)
      let a = word ^ delimiters
      let b = word ^ 0x0a0a_0a0a_0a0a_0a0a
      let c = word ^ 0x0d0d_0d0d_0d0d_0d0d
      let zeros = ((a &- ones) & ~a) | ((b &- ones) & ~b) | ((c &- ones) & ~c)
      let found = zeros & 0x8080_8080_8080_8080
      if found != 0 { return at &+ found.trailingZeroBitCount / 8 }
      at &+= 8
    }
    while at < count {
      let byte = text.loadLE(at: at, as: UInt8.self)
      if byte == delimiter || byte == 10 || byte == 13 { break }
      at &+= 1
    }
    return at
  }

  /// The end of quoted text that begins at `from`: where its closing quote is, or past the text.
  private func quoted(
    _ text: RawSpan, from: Int
  ) -> (end: Int, escapes: Bool, newlines: Int) {
    let quote = UInt8(ascii: "\"")
    var at = from
    var escapes = false
    var newlines = 0
    while at < text.byteCount {
      let byte = text.loadLE(at: at, as: UInt8.self)
      if byte == quote {
        let next = at &+ 1
        guard next < text.byteCount else { return (at, escapes, newlines) }
        guard text.loadLE(at: next, as: UInt8.self) == quote else { return (at, escapes, newlines) }
        escapes = true
        at &+= 1
      } else if byte == 10 {
        newlines += 1
      }
      at &+= 1
    }
    return (text.byteCount, escapes, newlines)
  }

  /// The text of a quoted field whose quotes are doubled.
  static func unescaped(_ text: RawSpan) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while at < text.byteCount {
      let byte = text.loadLE(at: at, as: UInt8.self)
      result.append(byte)
      at += byte == UInt8(ascii: "\"") ? 2 : 1
    }
    return result
  }
}
