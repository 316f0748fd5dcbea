// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension JSONReader {
  /// Passes the string whose opening quote is next, checking its escapes and its UTF-8.
  @_lifetime(copy self)
  mutating func scanString() throws(JSONError) -> JSONText {
    let start = offset &+ 1
    var i = start
    var isEscaped = false
    var isASCII = true
    while true {
      i = bytes.firstSpecial(from: i)
      guard i < bytes.byteCount else {
        throw .malformed(offset: bytes.byteCount, .endsEarly)
      }
      let byte = bytes[i]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        isEscaped = true
        i = try bytes.endOfEscape(at: i)
      } else if byte >= 0x80 {
        isASCII = false
        repeat { i &+= 1 } while i < bytes.byteCount && bytes[i] >= 0x80
      } else {
        throw .malformed(offset: i, .controlCharacter(byte))
      }
    }
    let text = bytes.extracting(start..<i)
    if !isASCII { try checkUTF8(text, at: start) }
    offset = i &+ 1
    return JSONText(rawBytes: text, isEscaped: isEscaped)
  }

  private func checkUTF8(_ text: RawSpan, at start: Int) throws(JSONError) {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: Span<UInt8>(_bytes: text))
    } catch {
      throw .malformed(offset: start + error.byteOffsets.lowerBound, .notUTF8)
    }
  }
}

extension RawSpan {
  /// The first byte from `start` on that ends or interrupts a plain string: a quote, a backslash,
  /// a control character or one that is not ASCII; the count if there is none.
  ///
  /// Eight bytes at a time: `word - 1` borrows into the high bit of a byte that is zero, which after
  /// an exclusive or means equal; the lowest byte found this way is always a true one.
  @inline(__always)
  func firstSpecial(from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var i = start
    while i &+ 8 <= byteCount {
      let word = loadLE(at: i, as: UInt64.self)
      let quote = word ^ (ones &* 0x22)
      let slash = word ^ (ones &* 0x5c)
      let isQuote = (quote &- ones) & ~quote
      let isSlash = (slash &- ones) & ~slash
      let isControl = (word &- ones &* 0x20) & ~word
      let found = (isQuote | isSlash | isControl | word) & (ones &* 0x80)
      if found != 0 { return i &+ found.trailingZeroBitCount >> 3 }
      i &+= 8
    }
    while i < byteCount {
      let byte = self[i]
      if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { return i }
      i &+= 1
    }
    return i
  }

  /// Where the escape whose backslash lies at `start` ends; a pair of surrogates is one escape.
  func endOfEscape(at start: Int) throws(JSONError) -> Int {
    guard start &+ 1 < byteCount else { throw .malformed(offset: byteCount, .endsEarly) }
    guard self[start &+ 1] == UInt8(ascii: "u") else {
      guard simpleEscape(self[start &+ 1]) != nil else {
        throw .malformed(offset: start, .invalidEscape)
      }
      return start &+ 2
    }
    let unit = try codeUnit(at: start)
    guard unit & 0xf800 == 0xd800 else { return start &+ 6 }
    let second = start &+ 6
    guard unit < 0xdc00, second &+ 1 < byteCount, self[second] == UInt8(ascii: "\\"),
      self[second &+ 1] == UInt8(ascii: "u"), try codeUnit(at: second) & 0xfc00 == 0xdc00
    else { throw .malformed(offset: start, .loneSurrogate) }
    return second &+ 6
  }

  /// The UTF-16 code unit of the `\uXXXX` at `start`.
  func codeUnit(at start: Int) throws(JSONError) -> UInt16 {
    guard start &+ 6 <= byteCount else { throw .malformed(offset: byteCount, .endsEarly) }
    var unit: UInt16 = 0
    for i in start &+ 2..<start &+ 6 {
      guard let digit = hexDigit(self[i]) else { throw .malformed(offset: start, .invalidEscape) }
      unit = unit << 4 | digit
    }
    return unit
  }

  private func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte &- 48)
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte &- 87)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte &- 55)
    default: nil
    }
  }
}

/// The byte that a backslash and `letter` stand for.
func simpleEscape(_ letter: UInt8) -> UInt8? {
  switch letter {
  case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
  case UInt8(ascii: "n"): 0x0a
  case UInt8(ascii: "t"): 0x09
  case UInt8(ascii: "r"): 0x0d
  case UInt8(ascii: "b"): 0x08
  case UInt8(ascii: "f"): 0x0c
  default: nil
  }
}
