// SPDX-License-Identifier: Apache-2.0

/// Appends primitives to a growing run of bytes. Nothing it does can fail.
public struct ByteWriter: ~Copyable {
  /// Other parts of Bytes append to it directly.
  var buffer: MutableBuffer

  public init(capacity: Int = 64) { buffer = MutableBuffer(capacity: capacity) }

  /// How many bytes were written.
  public var count: Int { buffer.count }

  /// What was written so far.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get { buffer.bytes }
  }

  public mutating func write(_ byte: UInt8) { buffer.append(value: byte) }
  public mutating func writeLE(_ value: UInt16) { buffer.append(value: value.littleEndian) }
  public mutating func writeLE(_ value: UInt32) { buffer.append(value: value.littleEndian) }
  public mutating func writeLE(_ value: UInt64) { buffer.append(value: value.littleEndian) }
  public mutating func writeLE(_ value: Int32) { buffer.append(value: value.littleEndian) }
  public mutating func writeLE(_ value: Int64) { buffer.append(value: value.littleEndian) }
  public mutating func writeBE(_ value: UInt32) { buffer.append(value: value.bigEndian) }

  public mutating func writeULEB128(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      write(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    write(UInt8(truncatingIfNeeded: rest))
  }

  public mutating func writeZigZag(_ value: Int64) {
    writeULEB128(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  public mutating func write(_ bytes: RawSpan) { buffer.append(bytes) }
  public mutating func write(_ bytes: [UInt8]) { unsafe buffer.append(bytes.span.bytes) }
  public mutating func write(_ bytes: Buffer) { buffer.append(bytes.bytes) }

  /// The UTF-8 of `text`, no length before it.
  public mutating func write(utf8 text: String) {
    var text = text
    text.withUTF8 { unsafe buffer.append($0.span.bytes) }
  }

  /// Writes `bytes` over the ones from `offset` on, which must have been written before.
  public mutating func overwrite(at offset: Int, with bytes: RawSpan) {
    buffer.replace(at: offset, with: bytes)
  }

  public mutating func removeAll() { buffer.removeAll() }

  /// What was written, as an immutable buffer. No copy.
  public consuming func finish() -> Buffer { buffer.freeze() }
}
