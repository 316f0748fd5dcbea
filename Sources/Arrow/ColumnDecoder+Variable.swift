// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

extension ColumnDecoder {
  /// Strings and binaries, whatever their offsets.
  mutating func variable(
    _ array: ArrayData, _ arrow: ArrowType, _ type: ColumnType, _ path: String
  ) throws(ArrowError) -> Column {
    let validity = try validity(array, path)
    let offsets: Buffer
    let bytes: Buffer
    switch arrow {
    case .utf8View, .binaryView: (offsets, bytes) = try viewed(array, validity, path)
    case .largeUtf8, .largeBinary:
      let data = array.buffers.count > 2 ? array.buffers[2] ?? .empty : .empty
      let (small, range) = try largeOffsets(array, limit: data.count, path)
      (offsets, bytes) = (small, data.slice(range))
    default:
      bytes = array.buffers.count > 2 ? array.buffers[2] ?? .empty : .empty
      offsets = try smallOffsets(array, limit: bytes.count, path)
    }
    if type == .string { try checkText(offsets, bytes, validity, path) }
    return Column(
      type: type, count: array.count, validity: validity,
      values: .variable(offsets: offsets, bytes: bytes))
  }

  /// Offsets that ascend from 0 or above to `limit` or below.
  func smallOffsets(
    _ array: ArrayData, limit: Int, _ path: String
  ) throws(ArrowError) -> Buffer {
    let buffer = try values(array, 1, width: 4, extra: 1, path)
    let offsets = buffer.values(as: Int32.self)
    var signs = offsets[0]
    for i in 1..<offsets.count { signs |= offsets[i] | (offsets[i] &- offsets[i &- 1]) }
    // With all of them at 0 or above, no difference wrapped around.
    guard signs >= 0, Int(offsets[array.count]) <= limit else {
      throw .malformed(
        field: path, expected: "offsets that ascend to at most \(limit)", found: "others")
    }
    return buffer
  }

  /// Offsets of 64 bits as ones of 32 from 0 on, and what they are offsets into.
  mutating func largeOffsets(
    _ array: ArrayData, limit: Int, _ path: String
  ) throws(ArrowError) -> (Buffer, Range<Int>) {
    let buffer = try values(array, 1, width: 8, extra: 1, path)
    try allowance.take(array.count + 1, times: 4)
    let offsets = buffer.values(as: Int64.self)
    let first = offsets[0]
    let last = offsets[array.count]
    var isAscending = first >= 0
    for i in 1..<offsets.count where offsets[i] < offsets[i - 1] { isAscending = false }
    guard isAscending, last <= Int64(limit) else {
      throw .malformed(
        field: path, expected: "offsets that ascend to at most \(limit)", found: "others")
    }
    guard last - first <= Int64(Int32.max) else {
      throw .columnar(.tooLarge(count: last - first), field: path)
    }
    var target = MutableBuffer(byteCount: (array.count + 1) * 4)
    var small = target.mutableValues(as: Int32.self)
    for i in offsets.indices { small[i] = Int32(truncatingIfNeeded: offsets[i] &- first) }
    return (target.freeze(), Int(first)..<Int(last))
  }

  /// The texts or bytes of views, one after the other.
  ///
  ///     view := i32 length, then the bytes (up to 12), or 4 of them, i32 buffer, i32 offset
  private mutating func viewed(
    _ array: ArrayData, _ validity: Bitmap?, _ path: String
  ) throws(ArrowError) -> (Buffer, Buffer) {
    let buffer = try values(array, 1, width: 16, path)
    let views = buffer.values(as: Int32.self)
    var total: Int64 = 0
    for row in 0..<array.count where validity?[row] ?? true {
      guard views[row * 4] >= 0 else {
        throw .malformed(field: path, expected: "a length", found: "\(views[row * 4])")
      }
      total += Int64(views[row * 4])
    }
    guard total <= Int64(Int32.max) else {
      throw .columnar(.tooLarge(count: total), field: path)
    }
    try allowance.take(Int(total) + (array.count + 1) * 4)
    var offsets = MutableBuffer(byteCount: (array.count + 1) * 4)
    var ends = offsets.mutableValues(as: Int32.self)
    ends[0] = 0
    var bytes = MutableBuffer(capacity: Int(total))
    for row in 0..<array.count {
      if validity?[row] ?? true {
        let length = Int(views[row * 4])
        if length <= 12 {
          bytes.append(buffer.bytes.extracting(row * 16 + 4..<row * 16 + 4 + length))
        } else {
          let source = Int(views[row * 4 + 2])
          let start = Int(views[row * 4 + 3])
          guard source >= 0, source < array.buffers.count - 2,
            let data = array.buffers[2 + source], start >= 0, length <= data.count - start
          else {
            throw .malformed(field: path, expected: "a view into a buffer", found: "another")
          }
          bytes.append(data.bytes.extracting(start..<start + length))
        }
      }
      ends[row + 1] = Int32(truncatingIfNeeded: bytes.count)
    }
    return (offsets.freeze(), bytes.freeze())
  }

  /// Throws unless the text of each row that has one is UTF-8.
  private func checkText(
    _ offsets: Buffer, _ bytes: Buffer, _ validity: Bitmap?, _ path: String
  ) throws(ArrowError) {
    let ends = offsets.values(as: Int32.self)
    let first = ends[0]
    if first == 0, UTF8Check.firstDefect(bytes.bytes, ends: ends) == nil { return }
    // What lies in the slots of nulls may be anything, so each row is looked at by itself.
    for row in 0..<ends.count - 1 where validity?[row] ?? true {
      let text = bytes.bytes.extracting(Int(ends[row])..<Int(ends[row + 1]))
      if (try? UTF8Span(validating: Span<UInt8>(_bytes: text))) == nil {
        throw .malformed(field: path, expected: "UTF-8", found: "other bytes in row \(row)")
      }
    }
  }
}
