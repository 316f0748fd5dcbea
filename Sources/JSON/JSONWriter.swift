// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// How JSON text is laid out.
public enum JSONLayout: Hashable, Sendable {
  /// No white space.
  case compact
  /// A line for each member and element, indented by two spaces a level.
  case indented
}

/// Appends JSON text to a growing run of bytes, commas and colons where they are due.
///
///     writer.beginObject()
///     writer.writeKey("snapshot-id")
///     writer.write(id)
///     writer.endObject()
///
/// Only what must be escaped is: quotes, backslashes and control characters, never slashes. Doubles
/// are written with the fewest digits that give them back. That calls come in a sensible order (a key
/// before each value of an object, ends matching beginnings) is the caller's contract.
public struct JSONWriter: ~Copyable {
  private var text: MutableBuffer
  private let layout: JSONLayout
  private var depth = 0
  /// A value was written before, on this level, so a comma is due.
  private var needsComma = false
  private var isAfterKey = false

  public init(_ layout: JSONLayout = .compact, capacity: Int = 256) {
    text = MutableBuffer(capacity: capacity)
    self.layout = layout
  }

  /// How many bytes were written.
  public var count: Int { text.count }

  /// What was written so far.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get { text.bytes }
  }

  /// The text. No copy.
  public consuming func finish() -> Buffer {
    precondition(depth == 0, "JSON text that ends inside an object or array")
    return text.freeze()
  }

  // MARK: Structure

  public mutating func beginObject() { open(UInt8(ascii: "{")) }
  public mutating func endObject() { close(UInt8(ascii: "}")) }
  public mutating func beginArray() { open(UInt8(ascii: "[")) }
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  /// Writes the key of the member whose value comes next.
  public mutating func writeKey(_ key: String) {
    separate()
    writeQuoted(key)
    text.append(value: UInt8(ascii: ":"))
    if layout == .indented { text.append(value: UInt8(ascii: " ")) }
    isAfterKey = true
  }

  /// Ends a line at the top level, so that another value may follow: JSON lines.
  public mutating func endLine() {
    precondition(depth == 0, "a line that ends inside an object or array")
    text.append(value: UInt8(ascii: "\n"))
    needsComma = false
  }

  // MARK: Values

  public mutating func write(_ value: String) {
    separate()
    writeQuoted(value)
  }

  public mutating func write(_ value: Bool) {
    separate()
    append(value ? "true" : "false")
  }

  public mutating func writeNull() {
    separate()
    append("null")
  }

  public mutating func write(_ value: Int32) { write(Int64(value)) }

  public mutating func write(_ value: Int) { write(Int64(value)) }

  public mutating func write(_ value: Int64) {
    separate()
    var digits: [20 of UInt8] = .init(repeating: 0)
    var start = 20
    var rest = value.magnitude
    repeat {
      start &-= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      digits[start] = UInt8(truncatingIfNeeded: digit) &+ 48
      rest = quotient
    } while rest > 0
    if value < 0 {
      start &-= 1
      digits[start] = UInt8(ascii: "-")
    }
    let all = digits.span
    text.append(unsafe all.extracting(start..<20).bytes)
  }

  /// Writes the shortest text that reads back as `value`.
  ///
  /// - Throws: ``JSONError/notFinite`` if it is infinite or not a number.
  public mutating func write(_ value: Double) throws(JSONError) {
    guard value.isFinite else { throw .notFinite }
    write(rawUTF8: value.description)
  }

  /// Writes the shortest text that reads back as `value`, as a float.
  ///
  /// - Throws: ``JSONError/notFinite`` if it is infinite or not a number.
  public mutating func write(_ value: Float) throws(JSONError) {
    guard value.isFinite else { throw .notFinite }
    write(rawUTF8: value.description)
  }

  /// Writes `value`, which is the text of one JSON value, byte for byte.
  public mutating func write(raw value: RawSpan) {
    separate()
    text.append(value)
  }

  /// Writes `value`, which is the text of one JSON value.
  public mutating func write(rawUTF8 value: String) {
    separate()
    append(value)
  }

  /// Writes a string whose UTF-8 is `utf8`.
  public mutating func write(utf8: RawSpan) {
    separate()
    writeQuoted(utf8)
  }

  // MARK: Private parts

  private mutating func append(_ string: String) {
    text.append(string.utf8Span.span.rawBytes)
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    text.append(value: bracket)
    depth += 1
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    precondition(depth > 0, "an end of an object or array that did not begin")
    depth -= 1
    if needsComma { breakLine() }
    text.append(value: bracket)
    needsComma = true
  }

  /// What comes before a key or value, and the note that one was written.
  private mutating func separate() {
    if isAfterKey {
      isAfterKey = false
      return
    }
    if needsComma { text.append(value: UInt8(ascii: ",")) }
    if depth > 0 { breakLine() }
    needsComma = true
  }

  private mutating func breakLine() {
    guard layout == .indented else { return }
    text.append(value: UInt8(ascii: "\n"))
    for _ in 0..<depth { text.append(value: UInt16(0x2020)) }
  }

  private mutating func writeQuoted(_ string: String) { writeQuoted(string.utf8Span.span.rawBytes) }

  private mutating func writeQuoted(_ utf8: RawSpan) {
    text.append(value: UInt8(ascii: "\""))
    var start = 0
    while true {
      let end = utf8.firstToEscape(from: start)
      text.append(utf8.extracting(start..<end))
      guard end < utf8.byteCount else { break }
      writeEscape(of: utf8[end])
      start = end &+ 1
    }
    text.append(value: UInt8(ascii: "\""))
  }

  private mutating func writeEscape(of byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case 0x0a: append("\\n")
    case 0x09: append("\\t")
    case 0x0d: append("\\r")
    case 0x08: append("\\b")
    case 0x0c: append("\\f")
    default: append("\\u00" + [byte].hexadecimal)
    }
  }
}

extension RawSpan {
  /// The first byte from `start` on that JSON does not allow in a string as it is.
  fileprivate func firstToEscape(from start: Int) -> Int {
    var i = start
    while true {
      i = firstSpecial(from: i)
      guard i < byteCount, self[i] >= 0x80 else { return i }
      repeat { i &+= 1 } while i < byteCount && self[i] >= 0x80
    }
  }
}
