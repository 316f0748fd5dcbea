// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A pull parser over JSON text: the caller asks for what it expects, in the order of the text.
///
///     var reader = JSONReader(bytes)
///     try reader.beginObject()
///     while let key = try reader.nextKey() {
///       switch key {
///       case "snapshot-id": id = try reader.readInt64()
///       case "schema-id": schema = try reader.readOptional() ? try reader.readInt32() : nil
///       default: try reader.skipValue()
///       }
///     }
///     try reader.finish()
///
/// Laws: accepts exactly the grammar of RFC 8259, in UTF-8, without a byte order mark; surrogates
/// come in pairs; an object that is walked with ``nextKey()`` has no key twice; nesting is bounded.
/// What is skipped is checked the same way, but for double keys. No text can trap it, and each call
/// that returns has moved forward or ended its object or array, so loops end.
///
/// Cost: one pass, nothing allocated but the strings asked for. Starting a reader is free, and one
/// reader can walk many values, as in JSON lines (see ``nextDocument()``).
public struct JSONReader: ~Escapable {
  let bytes: RawSpan
  /// Where the next byte to be read lies, from the start of the text.
  public internal(set) var offset = 0
  /// Nothing of the innermost object or array was read yet, so no comma is due.
  var isFirst = true
  var depth = 0
  let depthLimit: Int
  var keys = SeenKeys()

  /// How deep objects and arrays may nest if the caller does not say.
  public static var standardDepth: Int { 512 }

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, depth: Int = JSONReader.standardDepth) {
    self.bytes = bytes
    self.depthLimit = depth
  }

  // MARK: Structure

  /// What kind of value comes next; it is left where it is.
  public mutating func peek() throws(JSONError) -> JSONKind {
    switch try nextByte("a value") {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    default: throw unexpected("a value")
    }
  }

  /// Enters an object; then ``nextKey()`` until it gives nil.
  public mutating func beginObject() throws(JSONError) {
    try open(UInt8(ascii: "{"), .object)
    keys.beginObject(at: offset)
  }

  /// The next key of the object, or nil once its end was passed. Read or skip its value next.
  ///
  /// - Throws: ``JSONError/duplicateKey(offset:key:)`` if the object had it before.
  @_lifetime(copy self)
  public mutating func nextKey() throws(JSONError) -> JSONText? {
    if try nextByte("a key or '}'") == UInt8(ascii: "}") {
      offset &+= 1
      depth &-= 1
      isFirst = false
      keys.endObject()
      return nil
    }
    try passComma("',' or '}'")
    let start = offset
    guard try nextByte("a key") == UInt8(ascii: "\"") else { throw unexpected("a key") }
    let key = try scanString()
    try checkUnseen(key, at: start)
    guard try nextByte("':'") == UInt8(ascii: ":") else { throw unexpected("':'") }
    offset &+= 1
    return key
  }

  /// Enters an object whose keys the caller compares with each other, knowing them all; then
  /// ``nextUncomparedKey()`` until it gives nil.
  public mutating func beginUncomparedObject() throws(JSONError) {
    try open(UInt8(ascii: "{"), .object)
  }

  /// As ``nextKey()``, in an object entered by ``beginUncomparedObject()``: a key may come twice.
  @_lifetime(copy self)
  public mutating func nextUncomparedKey() throws(JSONError) -> JSONText? {
    if try nextByte("a key or '}'") == UInt8(ascii: "}") {
      offset &+= 1
      depth &-= 1
      isFirst = false
      return nil
    }
    try passComma("',' or '}'")
    guard try nextByte("a key") == UInt8(ascii: "\"") else { throw unexpected("a key") }
    let key = try scanString()
    guard try nextByte("':'") == UInt8(ascii: ":") else { throw unexpected("':'") }
    offset &+= 1
    return key
  }

  /// Enters an array; then ``nextElement()`` until it gives false.
  public mutating func beginArray() throws(JSONError) {
    try open(UInt8(ascii: "["), .array)
  }

  /// True if another element follows, to be read or skipped next; false once the end was passed.
  public mutating func nextElement() throws(JSONError) -> Bool {
    if try nextByte("a value or ']'") == UInt8(ascii: "]") {
      offset &+= 1
      depth &-= 1
      isFirst = false
      return false
    }
    try passComma("',' or ']'")
    return true
  }

  /// Throws unless all that is left is white space.
  public mutating func finish() throws(JSONError) {
    skipWhitespace()
    guard offset == bytes.byteCount else { throw .malformed(offset: offset, .trailingBytes) }
  }

  /// True if another value follows at the top level, as in JSON lines; false at the end.
  ///
  /// Any white space, or none, may lie between two values.
  public mutating func nextDocument() -> Bool {
    skipWhitespace()
    return offset < bytes.byteCount
  }

  /// Continues at `offset` of the text as if nothing had been read: after a line that failed.
  public mutating func restart(at offset: Int) {
    precondition(offset >= 0 && offset <= bytes.byteCount, "a place outside the text")
    self.offset = offset
    isFirst = true
    depth = 0
    keys = SeenKeys()
  }

  // MARK: Values

  /// Passes a `null` and gives false, or leaves any other value and gives true.
  public mutating func readOptional() throws(JSONError) -> Bool {
    guard try nextByte("a value") == UInt8(ascii: "n") else { return true }
    try passNull()
    return false
  }

  public mutating func readNull() throws(JSONError) {
    guard try nextByte("null") == UInt8(ascii: "n") else { throw try mismatch(.null) }
    try passNull()
  }

  public mutating func readBool() throws(JSONError) -> Bool {
    switch try nextByte("true or false") {
    case UInt8(ascii: "t"):
      try passLiteral(0x6575_7274, "true")
      return true
    case UInt8(ascii: "f"):
      offset &+= 1
      try passLiteral(0x6573_6c61, "false")
      return false
    default: throw try mismatch(.boolean)
    }
  }

  /// The next value, a string, not copied and with its escapes as they are.
  @_lifetime(copy self)
  public mutating func readText() throws(JSONError) -> JSONText {
    guard try nextByte("a string") == UInt8(ascii: "\"") else { throw try mismatch(.string) }
    return try scanString()
  }

  public mutating func readString() throws(JSONError) -> String { try readText().string }

  /// Passes the next value, whatever it is, checking its grammar.
  public mutating func skipValue() throws(JSONError) {
    switch try peek() {
    case .object: try skipObject()
    case .array:
      try beginArray()
      while try nextElement() { try skipValue() }
    case .string: _ = try readText()
    case .number: _ = try scanNumber()
    case .boolean: _ = try readBool()
    case .null: try readNull()
    }
  }

  /// Passes the next value as ``skipValue()`` does, and tells which bytes of the text it is.
  ///
  /// So a value that is not understood, or not changed, is kept byte for byte.
  public mutating func readRawValue() throws(JSONError) -> Range<Int> {
    skipWhitespace()
    let start = offset
    try skipValue()
    return start..<offset
  }

  /// The bytes in `range` of the text, not copied; `range` comes from ``readRawValue()``.
  @_lifetime(copy self)
  public func rawBytes(_ range: Range<Int>) -> RawSpan { bytes.extracting(range) }

  /// ``readRawValue()`` and ``rawBytes(_:)`` in one.
  @_lifetime(copy self)
  public mutating func readRawBytes() throws(JSONError) -> RawSpan {
    bytes.extracting(try readRawValue())
  }
}

// MARK: - Tokens

extension JSONReader {
  @inline(__always)
  mutating func skipWhitespace() {
    while offset < bytes.byteCount {
      let byte = bytes[offset]
      // The common case first: most tokens of compact text follow one another directly.
      if byte > 0x20 { return }
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
      offset &+= 1
    }
  }

  /// The next byte that is not white space, left where it is.
  @inline(__always)
  mutating func nextByte(_ expected: StaticString) throws(JSONError) -> UInt8 {
    skipWhitespace()
    guard offset < bytes.byteCount else { throw .malformed(offset: offset, .endsEarly) }
    return bytes[offset]
  }

  @inline(__always)
  private mutating func passComma(_ expected: StaticString) throws(JSONError) {
    if isFirst {
      isFirst = false
      return
    }
    guard bytes[offset] == UInt8(ascii: ",") else { throw unexpected(expected) }
    offset &+= 1
  }

  private mutating func open(_ bracket: UInt8, _ kind: JSONKind) throws(JSONError) {
    guard try nextByte("a value") == bracket else { throw try mismatch(kind) }
    guard depth < depthLimit else { throw .tooDeep(offset: offset, limit: depthLimit) }
    offset &+= 1
    depth &+= 1
    isFirst = true
  }

  /// An object whose keys are not looked at, so neither compared.
  private mutating func skipObject() throws(JSONError) {
    try open(UInt8(ascii: "{"), .object)
    while true {
      if try nextByte("a key or '}'") == UInt8(ascii: "}") { break }
      try passComma("',' or '}'")
      guard try nextByte("a key") == UInt8(ascii: "\"") else { throw unexpected("a key") }
      _ = try scanString()
      guard try nextByte("':'") == UInt8(ascii: ":") else { throw unexpected("':'") }
      offset &+= 1
      try skipValue()
    }
    offset &+= 1
    depth &-= 1
    isFirst = false
  }

  @inline(__always)
  private mutating func passNull() throws(JSONError) { try passLiteral(0x6c6c_756e, "null") }

  /// Passes four bytes, which in little-endian order are `letters`, of the word `expected`.
  @inline(__always)
  private mutating func passLiteral(
    _ letters: UInt32, _ expected: StaticString
  ) throws(JSONError) {
    guard bytes.byteCount &- offset >= 4, bytes.loadLE(at: offset, as: UInt32.self) == letters
    else { throw badLiteral(letters, expected) }
    offset &+= 4
  }

  /// The error at the first byte where the text is not `letters`.
  @inline(never)
  private mutating func badLiteral(_ letters: UInt32, _ expected: StaticString) -> JSONError {
    var rest = letters
    while offset < bytes.byteCount, bytes[offset] == UInt8(truncatingIfNeeded: rest) {
      offset &+= 1
      rest >>= 8
    }
    return unexpected(expected)
  }

  /// The error for a byte that the grammar does not allow where the reader is.
  @inline(never)
  func unexpected(_ expected: StaticString) -> JSONError {
    guard offset < bytes.byteCount else { return .malformed(offset: offset, .endsEarly) }
    if offset == 0, bytes.byteCount >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf {
      return .malformed(offset: 0, .byteOrderMark)
    }
    return .malformed(
      offset: offset, .unexpected(found: bytes[offset], expected: expected.description))
  }

  /// The error for a value of another kind; what is no value at all throws as such.
  @inline(never)
  mutating func mismatch(_ expected: JSONKind) throws(JSONError) -> JSONError {
    let found = try peek()
    return .mismatch(offset: offset, expected: expected, found: found)
  }
}
