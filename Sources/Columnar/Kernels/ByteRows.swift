// SPDX-License-Identifier: Apache-2.0
internal import Bytes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The bytes of each row of a column of strings, binaries, fixed or uuids, through pointers that
/// are good for the call of ``Column/withByteRows(_:)`` and checked by it.
@unsafe
struct ByteRows {
  /// Of rows that are entries of a dictionary; else nil.
  var codes: UnsafePointer<Int32>?
  /// Of rows of a fixed width: nil.
  let offsets: UnsafePointer<Int32>?
  let width: Int
  let bytes: UnsafeRawPointer
  /// How many bytes there are behind `bytes`.
  let limit: Int
  var count: Int

  @inline(__always)
  func row(_ row: Int) -> ByteRow {
    var row = row
    if let codes = unsafe codes { row = unsafe Int(codes[row]) }
    guard let offsets = unsafe offsets else {
      return unsafe ByteRow(
        start: bytes + row &* width, length: width, slack: limit &- (row &+ 1) &* width)
    }
    let start = unsafe Int(offsets[row])
    let end = unsafe Int(offsets[row &+ 1])
    return unsafe ByteRow(start: bytes + start, length: end &- start, slack: limit &- end)
  }
}

/// The bytes of one row.
@unsafe
struct ByteRow {
  let start: UnsafeRawPointer
  let length: Int
  /// How many readable bytes follow.
  let slack: Int

  /// Gain of looking at the first and last eight bytes before the rest: 2 × for short strings.
  @inline(__always)
  func equals(_ other: ByteRow) -> Bool {
    let count = unsafe length
    if unsafe count != other.length { return false }
    if count < 8 { return unsafe chunk(at: 0) == other.chunk(at: 0) }
    if unsafe word(at: 0) != other.word(at: 0) { return false }
    if unsafe word(at: count &- 8) != other.word(at: count &- 8) { return false }
    return unsafe count <= 16 || memcmp(start + 8, other.start + 8, count &- 16) == 0
  }

  @inline(__always)
  private func word(at offset: Int) -> UInt64 {
    unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  /// Negative, zero or positive as these bytes sort before, with or after `other` (unsigned).
  @inline(__always)
  func order(_ other: ByteRow) -> Int {
    let common = unsafe min(length, other.length)
    let order = unsafe Int(memcmp(start, other.start, common))
    return unsafe order != 0 ? order : length &- other.length
  }

  /// The 8 bytes from `offset` on as a number that sorts as they do, with zeros past the end.
  @inline(__always)
  func chunk(at offset: Int) -> UInt64 {
    let left = unsafe length &- offset
    if left >= 8 {
      return unsafe UInt64(bigEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    if left <= 0 { return 0 }
    if unsafe left &+ slack >= 8 {
      let wide = unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      return UInt64(bigEndian: wide) & (.max << UInt64(64 &- 8 &* left))
    }
    return unsafe lastChunk(at: offset, left)
  }

  /// The same with nothing to be read after the `left` bytes.
  @inline(never)
  private func lastChunk(at offset: Int, _ left: Int) -> UInt64 {
    var value: UInt64 = 0
    for i in 0..<left {
      let byte = unsafe start.load(fromByteOffset: offset &+ i, as: UInt8.self)
      value |= UInt64(byte) << UInt64(56 &- 8 &* i)
    }
    return value
  }

  /// True if the first bytes are those of `prefix`.
  @inline(__always)
  func starts(with prefix: ByteRow) -> Bool {
    let count = unsafe prefix.length
    let rest = unsafe length &- count
    return unsafe rest >= 0
      && ByteRow(start: start, length: count, slack: slack &+ rest).equals(prefix)
  }
}

extension Column {
  /// Calls `body` with the bytes of the rows of this column.
  ///
  /// That all offsets ascend and end within the bytes, and that all codes are within the
  /// dictionary, is checked here, once.
  func withByteRows<R>(_ body: (ByteRows) -> R) -> R {
    if case .dictionary(let codes, let dictionary) = values {
      let codes = codes.values(as: Int32.self)
      checkRows(codes, below: dictionary.count)
      return unsafe codes.withUnsafeBufferPointer { codes in
        unsafe dictionary.withByteRows { rows in
          var rows = unsafe rows
          unsafe rows.codes = codes.baseAddress
          unsafe rows.count = count
          return unsafe body(rows)
        }
      }
    }
    if case .variable(let offsets, let buffer) = values {
      checkAscending(offsets.values(as: Int32.self), limit: buffer.count)
    }
    return unsafe withCheckedByteRows(body)
  }

  /// The same for a plain column whose offsets are known to ascend and to end within the bytes.
  @unsafe
  func withCheckedByteRows<R>(_ body: (ByteRows) -> R) -> R {
    switch values {
    case .fixed(let buffer):
      guard case .fixed(let width) = type.layout else { preconditionFailure("not of fixed width") }
      return unsafe buffer.bytes.withUnsafeBytes { bytes in
        // An empty buffer has an address too; without one there is nothing to read.
        guard let base = bytes.baseAddress else { preconditionFailure("a buffer without address") }
        return unsafe body(
          ByteRows(
            codes: nil, offsets: nil, width: width, bytes: base, limit: bytes.count, count: count))
      }
    case .variable(let offsets, let buffer):
      return unsafe offsets.values(as: Int32.self).withUnsafeBufferPointer { offsets in
        unsafe buffer.bytes.withUnsafeBytes { bytes in
          guard let base = bytes.baseAddress, let first = offsets.baseAddress else {
            preconditionFailure("a buffer without address")
          }
          return unsafe body(
            ByteRows(
              codes: nil, offsets: first, width: 0, bytes: base, limit: bytes.count, count: count))
        }
      }
    default: preconditionFailure("not bytes")
    }
  }
}

/// Stops unless `offsets` start at 0 or above, ascend, and end within `limit`. Without branches, as
/// ``checkRows(_:below:)``.
func checkAscending(_ offsets: Span<Int32>, limit: Int) {
  precondition(offsets.count > 0, "no first offset")
  var signs: Int32 = offsets[0]
  for i in 1..<offsets.count {
    let offset = unsafe offsets[unchecked: i]
    unsafe signs |= offset | (offset &- offsets[unchecked: i &- 1])
  }
  // With all of them at 0 or above, no difference wrapped around.
  precondition(signs >= 0 && offsets[offsets.count - 1] <= limit, "offsets outside the bytes")
}
