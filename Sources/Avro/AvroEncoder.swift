// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Appends Avro's binary encoding to a growing run of bytes.
///
/// The encoding says nothing of its own shape: that the calls follow a schema is the caller's
/// contract, or see ``write(_:as:)`` for values that are checked.
///
/// Source: Avro 1.12 specification, "Binary Encoding".
public struct AvroEncoder: ~Copyable {
  var buffer: MutableBuffer

  public init(capacity: Int = 256) { buffer = MutableBuffer(capacity: capacity) }

  /// How many bytes were written.
  public var count: Int { buffer.count }

  /// What was written so far.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get { buffer.bytes }
  }

  /// What was written, as an immutable buffer. No copy.
  public consuming func finish() -> Buffer { buffer.freeze() }

  public mutating func removeAll() { buffer.removeAll() }

  /// Takes back all that was written after the first `count` bytes.
  public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= buffer.count, "more bytes than were written")
    buffer.resize(to: count)
  }

  // MARK: Primitive types

  public mutating func write(_ value: Bool) { buffer.append(value: value ? 1 as UInt8 : 0) }
  public mutating func writeInt(_ value: Int32) { writeLong(Int64(value)) }

  public mutating func writeLong(_ value: Int64) {
    var rest = UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    if rest < 0x80 { return buffer.append(value: UInt8(truncatingIfNeeded: rest)) }
    // Up to eight bytes of seven bits go out as one word, whose unused bytes are taken back.
    let start = buffer.count
    var word: UInt64 = 0
    var length = 0
    while rest >= 0x80, length < 7 {
      word |= (rest & 0x7f | 0x80) &<< UInt64(length &* 8)
      rest &>>= 7
      length &+= 1
    }
    if rest < 0x80 {
      word |= rest &<< UInt64(length &* 8)
      buffer.append(value: word)
      return buffer.resize(to: start &+ length &+ 1)
    }
    buffer.append(value: word)
    buffer.resize(to: start &+ 7)
    while rest >= 0x80 {
      buffer.append(value: UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    buffer.append(value: UInt8(truncatingIfNeeded: rest))
  }

  public mutating func write(_ value: Float) {
    buffer.append(value: value.bitPattern.littleEndian)
  }

  public mutating func write(_ value: Double) {
    buffer.append(value: value.bitPattern.littleEndian)
  }

  /// Writes `bytes`, their length first: a `bytes`, or a `string` if they are UTF-8.
  public mutating func writeBytes(_ bytes: RawSpan) {
    writeLong(Int64(bytes.byteCount))
    buffer.append(bytes)
  }

  /// Writes `bytes`, their length first.
  public mutating func writeBytes(_ bytes: [UInt8]) { writeBytes(bytes.span.rawBytes) }

  public mutating func writeString(_ text: String) {
    writeBytes(text.utf8Span.span.rawBytes)
  }

  /// Writes `bytes` as they are: a `fixed`, or values that are encoded already.
  public mutating func writeRaw(_ bytes: RawSpan) { buffer.append(bytes) }

  // MARK: Complex types

  /// Writes which branch of a union follows.
  public mutating func writeBranch(_ index: Int) { writeLong(Int64(index)) }

  /// Writes the index of an enumeration's symbol.
  public mutating func writeSymbol(_ index: Int) { writeLong(Int64(index)) }

  /// Begins the only block of an array or map: `count` elements or pairs follow, then
  /// ``endBlocks()``. Nothing is written for none.
  public mutating func writeBlockCount(_ count: Int) {
    precondition(count >= 0, "a negative count")
    if count > 0 { writeLong(Int64(count)) }
  }

  /// Ends an array or map.
  public mutating func endBlocks() { buffer.append(value: 0 as UInt8) }

  /// Writes a whole array or map of `count` elements or pairs that `elements` are the encoding of,
  /// with its size in bytes, so that readers can pass it at once.
  public mutating func writeBlocks(count: Int, _ elements: RawSpan) {
    precondition(count >= 0, "a negative count")
    if count > 0 {
      writeLong(0 - Int64(count))
      writeBytes(elements)
    }
    endBlocks()
  }
}

extension Span<UInt8> {
  var rawBytes: RawSpan {
    @_lifetime(copy self)
    get { unsafe bytes }
  }
}
