// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A table of a FlatBuffer from outside, read field by field: every offset is checked where it is
/// followed.
///
///     buffer := uoffset of the root table, …
///     table  := soffset back to its vtable, then inline fields
///     vtable := u16 its bytes, u16 the table's bytes, u16 offset in the table a slot (0: absent)
///     vector := u32 count, elements;  string := a vector of bytes
///
/// Tables may be shared, so that a small buffer can stand for a large tree: who walks one counts
/// what was visited.
/// Source: FlatBuffers, "FlatBuffer Internals".
struct FlatTable: Sendable {
  let bytes: Buffer
  private let position: Int
  private let vtable: Int
  private let slotCount: Int

  /// The root table.
  init(root bytes: Buffer) throws(ByteError) {
    let offset = try bytes.checkedLoad(at: 0, as: UInt32.self)
    try self.init(bytes, at: Int(offset))
  }

  private init(_ bytes: Buffer, at position: Int) throws(ByteError) {
    let back = try bytes.checkedLoad(at: position, as: Int32.self)
    let vtable = position - Int(back)
    let byteCount = try bytes.checkedLoad(at: vtable, as: UInt16.self)
    guard byteCount >= 4 else {
      throw .outOfRange(offset: vtable, what: "size of a vtable", value: Int64(byteCount))
    }
    self.bytes = bytes
    self.position = position
    self.vtable = vtable
    slotCount = (Int(byteCount) - 4) / 2
  }

  /// Where the field in `slot` is; nil if it is absent.
  private func place(_ slot: Int) throws(ByteError) -> Int? {
    guard slot < slotCount else { return nil }
    let offset = try bytes.checkedLoad(at: vtable + 4 + 2 * slot, as: UInt16.self)
    return offset == 0 ? nil : position + Int(offset)
  }

  /// The integer in `slot`; `absent` if it is not there.
  func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ slot: Int, default absent: T
  ) throws(ByteError) -> T {
    guard let place = try place(slot) else { return absent }
    return try bytes.checkedLoad(at: place, as: T.self)
  }

  func boolean(_ slot: Int) throws(ByteError) -> Bool {
    try integer(slot, default: UInt8(0)) != 0
  }

  /// Where what the offset in `slot` refers to is.
  private func target(_ slot: Int) throws(ByteError) -> Int? {
    guard let place = try place(slot) else { return nil }
    return try bytes.followed(place)
  }

  func table(_ slot: Int) throws(ByteError) -> FlatTable? {
    guard let target = try target(slot) else { return nil }
    return try FlatTable(bytes, at: target)
  }

  func string(_ slot: Int) throws(ByteError) -> String? {
    guard let text = try vector(slot, elementByteCount: 1) else { return nil }
    let content = bytes.slice(text.start..<text.start + text.count)
    guard let string = String(validatingUTF8: content.bytes) else {
      throw .notUTF8(offset: text.start)
    }
    return string
  }

  /// The vector in `slot`, all of which is there.
  func vector(_ slot: Int, elementByteCount: Int) throws(ByteError) -> FlatVector? {
    guard let target = try target(slot) else { return nil }
    let count = Int(try bytes.checkedLoad(at: target, as: UInt32.self))
    let available = bytes.count - target - 4
    guard count <= available / elementByteCount else {
      throw .truncated(
        offset: target + 4, needed: count * elementByteCount, available: available)
    }
    return FlatVector(
      bytes: bytes, start: target + 4, count: count, elementByteCount: elementByteCount)
  }

  /// The tables of the vector in `slot`; none if it is absent.
  func tables(_ slot: Int) throws(ByteError) -> [FlatTable] {
    guard let vector = try vector(slot, elementByteCount: 4) else { return [] }
    var tables: [FlatTable] = []
    for index in 0..<vector.count {
      let target = try bytes.followed(vector.start + 4 * index)
      tables.append(try FlatTable(bytes, at: target))
    }
    return tables
  }
}

/// Elements of a FlatBuffer that lie one after the other, within its bytes.
struct FlatVector: Sendable {
  fileprivate let bytes: Buffer
  fileprivate let start: Int
  let count: Int
  fileprivate let elementByteCount: Int

  /// The integer `offset` bytes into element `index`.
  func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ index: Int, offset: Int = 0, as type: T.Type
  ) -> T {
    precondition(index >= 0 && index < count && offset + MemoryLayout<T>.size <= elementByteCount)
    return bytes.bytes.loadLE(at: start + index * elementByteCount + offset, as: type)
  }
}

extension Buffer {
  fileprivate func checkedLoad<T: FixedWidthInteger & BitwiseCopyable>(
    at place: Int, as type: T.Type
  ) throws(ByteError) -> T {
    guard place >= 0 else {
      throw .outOfRange(offset: 0, what: "offset", value: Int64(place))
    }
    guard MemoryLayout<T>.size <= count - place else {
      throw .truncated(
        offset: place, needed: MemoryLayout<T>.size, available: max(0, count - place))
    }
    return bytes.loadLE(at: place, as: type)
  }

  /// What the offset at `place` refers to.
  fileprivate func followed(_ place: Int) throws(ByteError) -> Int {
    place + Int(try checkedLoad(at: place, as: UInt32.self))
  }
}
