// SPDX-License-Identifier: Apache-2.0

/// A cursor over bytes from outside: every read is checked against what is left, and throws.
///
/// Nothing it reads can trap, whatever the bytes are. Sizes read with it are the caller's to hold
/// against ``remaining`` or a ``DecodeLimits`` before memory is taken for them.
public struct ByteReader: ~Escapable {
  @usableFromInline let bytes: RawSpan
  /// How many bytes were read; counts from the start of the span.
  public private(set) var offset: Int

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) {
    self.bytes = bytes
    self.offset = 0
  }

  /// How many bytes are left.
  public var remaining: Int { bytes.byteCount - offset }
  public var isAtEnd: Bool { remaining == 0 }

  private func check(_ count: Int) throws(ByteError) {
    guard count >= 0 else {
      throw .outOfRange(offset: offset, what: "length", value: Int64(count))
    }
    guard count <= remaining else {
      throw .truncated(offset: offset, needed: count, available: remaining)
    }
  }

  public mutating func readUInt8() throws(ByteError) -> UInt8 {
    guard offset < bytes.byteCount else {
      throw .truncated(offset: offset, needed: 1, available: 0)
    }
    defer { offset += 1 }
    return bytes.loadLE(at: offset, as: UInt8.self)
  }

  /// The next byte, left where it is; nil at the end.
  public func peek() -> UInt8? { isAtEnd ? nil : bytes.loadLE(at: offset, as: UInt8.self) }

  public mutating func readUInt16LE() throws(ByteError) -> UInt16 {
    try check(2)
    defer { offset += 2 }
    return bytes.loadLE(at: offset, as: UInt16.self)
  }

  public mutating func readUInt32LE() throws(ByteError) -> UInt32 {
    try check(4)
    defer { offset += 4 }
    return bytes.loadLE(at: offset, as: UInt32.self)
  }

  public mutating func readUInt32BE() throws(ByteError) -> UInt32 { try readUInt32LE().byteSwapped }

  public mutating func readInt32LE() throws(ByteError) -> Int32 {
    Int32(bitPattern: try readUInt32LE())
  }

  public mutating func readUInt64LE() throws(ByteError) -> UInt64 {
    try check(8)
    defer { offset += 8 }
    return bytes.loadLE(at: offset, as: UInt64.self)
  }

  public mutating func readInt64LE() throws(ByteError) -> Int64 {
    Int64(bitPattern: try readUInt64LE())
  }

  /// An unsigned LEB128 integer of at most `maxBytes` (5 for 32 bits, 10 for 64).
  public mutating func readULEB128(maxBytes: Int = 10) throws(ByteError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    for i in 0..<maxBytes {
      let byte = try readUInt8()
      if i == 9, byte > 1 { throw .overlongInteger(offset: start) }
      value |= UInt64(byte & 0x7f) << UInt64(7 * i)
      if byte < 0x80 { return value }
    }
    throw .overlongInteger(offset: start)
  }

  /// A zig-zag LEB128 integer of 64 bits, as Thrift's compact protocol and Avro have them.
  public mutating func readZigZag() throws(ByteError) -> Int64 {
    let raw = try readULEB128()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  /// The next `count` bytes, not copied.
  @_lifetime(copy self)
  public mutating func readBytes(_ count: Int) throws(ByteError) -> RawSpan {
    try check(count)
    defer { offset += count }
    return bytes.extracting(offset..<offset + count)
  }

  /// All that is left, not copied.
  @_lifetime(copy self)
  public mutating func readRest() -> RawSpan {
    defer { offset = bytes.byteCount }
    return bytes.extracting(offset..<bytes.byteCount)
  }

  /// The next `byteCount` bytes as text.
  public mutating func readUTF8(_ byteCount: Int) throws(ByteError) -> String {
    let start = offset
    let text = try readBytes(byteCount)
    guard let string = String(validatingUTF8: text) else { throw .notUTF8(offset: start) }
    return string
  }

  public mutating func skip(_ count: Int) throws(ByteError) {
    try check(count)
    offset += count
  }

  /// Throws unless the next bytes are exactly `expected`.
  public mutating func expect(_ expected: [UInt8], as name: String) throws(ByteError) {
    let start = offset
    let found = try readBytes(expected.count)
    let array = found.array()
    guard array == expected else {
      throw .unexpected(offset: start, expected: name, found: "0x" + array.hexadecimal)
    }
  }
}

extension String {
  /// The text that `bytes` are the UTF-8 of; nil if they are not.
  public init?(validatingUTF8 bytes: RawSpan) {
    // Not `String(validating:as:)`: it is generic, and twice as slow for short text.
    guard let text = try? UTF8Span(validating: Span<UInt8>(_bytes: bytes)) else { return nil }
    self.init(copying: text)
  }
}

extension Sequence<UInt8> {
  /// Two lower-case hexadecimal digits a byte.
  public var hexadecimal: String {
    var text: [UInt8] = []
    for byte in self {
      for digit in [byte >> 4, byte & 15] { text.append(digit + (digit < 10 ? 48 : 87)) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
