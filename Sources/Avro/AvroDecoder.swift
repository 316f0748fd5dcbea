// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A cursor over Avro's binary encoding: every read is checked against what is left, and throws.
///
/// The encoding says nothing of its own shape: the caller asks in the order of the writer's schema,
/// by hand, with an ``AvroPlan``, or for whole values with ``readValue(_:)``. Nothing read can trap or
/// take memory that is not there in bytes.
///
/// Source: Avro 1.12 specification, "Binary Encoding".
public struct AvroDecoder: ~Escapable {
  let bytes: RawSpan
  /// How many bytes were read.
  public internal(set) var offset = 0
  /// How many elements may take no bytes, in a block and among all values that are read.
  let emptyElementLimit: Int
  var emptyValueCount = 0

  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, emptyElementLimit: Int = 100_000) {
    self.bytes = bytes
    self.emptyElementLimit = emptyElementLimit
  }

  /// How many bytes are left.
  public var remaining: Int { bytes.byteCount &- offset }
  public var isAtEnd: Bool { remaining == 0 }

  // MARK: Primitive types

  /// A byte that is 0 or 1.
  public mutating func readBoolean() throws(AvroError) -> Bool {
    try need(1)
    let byte = bytes[offset]
    guard byte < 2 else {
      throw .malformed(offset: offset, expected: "a boolean", found: "\(byte)")
    }
    offset &+= 1
    return byte == 1
  }

  public mutating func readInt() throws(AvroError) -> Int32 {
    let start = offset
    let value = try readLong()
    guard let narrow = Int32(exactly: value) else {
      throw .malformed(offset: start, expected: "an int", found: "\(value)")
    }
    return narrow
  }

  /// A long; an int is encoded alike, so this reads it too.
  public mutating func readLong() throws(AvroError) -> Int64 {
    let raw = try readVarint()
    return Int64(bitPattern: raw &>> 1) ^ (0 &- Int64(bitPattern: raw & 1))
  }

  public mutating func readFloat() throws(AvroError) -> Float {
    try need(4)
    let value = Float(bitPattern: bytes.loadLE(at: offset, as: UInt32.self))
    offset &+= 4
    return value
  }

  public mutating func readDouble() throws(AvroError) -> Double {
    try need(8)
    let value = Double(bitPattern: bytes.loadLE(at: offset, as: UInt64.self))
    offset &+= 8
    return value
  }

  /// The content of a `bytes` or `string`, not copied; whether it is UTF-8 is not checked.
  @_lifetime(copy self)
  public mutating func readBytes() throws(AvroError) -> RawSpan {
    let count = try readLength()
    let start = offset
    offset &+= count
    return bytes.extracting(start..<offset)
  }

  public mutating func readString() throws(AvroError) -> String {
    let content = try readBytes()
    guard let text = String(validatingUTF8: content) else {
      throw .malformed(offset: offset &- content.byteCount, expected: "UTF-8", found: "other bytes")
    }
    return text
  }

  /// The content of a `fixed`, not copied.
  @_lifetime(copy self)
  public mutating func readFixed(_ byteCount: Int) throws(AvroError) -> RawSpan {
    try need(byteCount)
    let start = offset
    offset &+= byteCount
    return bytes.extracting(start..<offset)
  }

  // MARK: Complex types

  /// Which of a union's `count` branches follows.
  public mutating func readBranch(of count: Int) throws(AvroError) -> Int {
    try readIndex(below: count, "a branch of the union")
  }

  /// The index of an enumeration's symbol, of `count`.
  public mutating func readSymbol(of count: Int) throws(AvroError) -> Int {
    try readIndex(below: count, "a symbol of the enumeration")
  }

  /// How many elements of an array, or pairs of a map, follow in this block; 0 ends the array.
  ///
  ///     while case let count = try decoder.readBlockCount(elementByteCount: 2), count > 0 {
  ///       for _ in 0..<count { … }
  ///     }
  ///
  /// - Parameter elementByteCount: the fewest bytes an element takes
  ///   (``AvroSchema/minimumByteCount``): a count that the bytes left can't hold throws.
  public mutating func readBlockCount(elementByteCount: Int) throws(AvroError) -> Int {
    try readBlock(elementByteCount: elementByteCount).count
  }

  /// A block's count and, if it states its size in bytes, where it ends.
  mutating func readBlock(elementByteCount: Int) throws(AvroError) -> (count: Int, end: Int?) {
    let start = offset
    var count = try readLong()
    var end: Int?
    if count < 0 {
      guard count > .min else {
        throw .malformed(offset: start, expected: "a block count", found: "\(count)")
      }
      count = 0 &- count
      let byteCount = try readLength()
      end = offset &+ byteCount
    }
    let fits =
      elementByteCount > 0
      ? count <= Int64(remaining / elementByteCount) : count <= Int64(emptyElementLimit)
    guard fits else {
      throw .malformed(
        offset: start, expected: "a block that \(remaining) bytes hold", found: "\(count) elements")
    }
    return (Int(truncatingIfNeeded: count), end)
  }

  /// Throws if a block whose elements were read has another size than it states: who passes it
  /// would go on elsewhere than who reads it.
  func check(end: Int?) throws(AvroError) {
    guard let end, end != offset else { return }
    throw .malformed(offset: offset, expected: "a block's end at \(end)", found: "it here")
  }

  // MARK: Parts

  @inline(__always)
  func need(_ count: Int) throws(AvroError) {
    guard count <= remaining, count >= 0 else {
      throw .truncated(offset: offset, needed: count, available: remaining)
    }
  }

  /// The length of what follows, which is held to be there.
  @inline(__always)
  mutating func readLength() throws(AvroError) -> Int {
    let start = offset
    let length = try readLong()
    guard length >= 0 else {
      throw .malformed(offset: start, expected: "a length", found: "\(length)")
    }
    guard length <= Int64(remaining) else {
      throw .truncated(
        offset: offset, needed: Int(truncatingIfNeeded: length), available: remaining)
    }
    return Int(truncatingIfNeeded: length)
  }

  private mutating func readIndex(
    below count: Int, _ expected: StaticString
  ) throws(AvroError) -> Int {
    let start = offset
    let index = try readLong()
    guard index >= 0, index < Int64(count) else {
      throw .malformed(
        offset: start, expected: "\(expected) of \(count)", found: "\(index)")
    }
    return Int(truncatingIfNeeded: index)
  }

  @inline(__always)
  mutating func readVarint() throws(AvroError) -> UInt64 {
    if offset < bytes.byteCount {
      let byte = bytes[offset]
      if byte < 0x80 {
        offset &+= 1
        return UInt64(byte)
      }
    }
    return try readLongVarint()
  }

  /// A varint of any length up to ten bytes, the last of which has one bit of value.
  private mutating func readLongVarint() throws(AvroError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < bytes.byteCount {
      let byte = bytes[offset]
      if shift == 63, byte > 1 { break }
      offset &+= 1
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
    }
    if offset == bytes.byteCount {
      throw .truncated(offset: offset, needed: 1, available: 0)
    }
    throw .malformed(offset: start, expected: "an integer of 64 bits", found: "a longer one")
  }
}
