// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// A value of a FlatBuffer that is to be written.
indirect enum FlatValue {
  case byte(UInt8)
  case short(Int16)
  case int(Int32)
  case long(Int64)
  case string(String)
  case table([FlatField])
  /// Tables or strings.
  case vector([FlatValue])
  /// Structures of 64-bit integers, each of `width` of them, one after the other.
  case structures([Int64], width: Int)
}

/// A field of a table, in its slot.
struct FlatField {
  let slot: Int
  let value: FlatValue

  init(_ slot: Int, _ value: FlatValue) {
    self.slot = slot
    self.value = value
  }

  /// How many bytes it takes within its table.
  fileprivate var inlineByteCount: Int {
    switch value {
    case .byte: 1
    case .short: 2
    case .long: 8
    case .int, .string, .table, .vector, .structures: 4
    }
  }
}

/// Writes a FlatBuffer front to back: a table before what it refers to, as offsets are positive.
///
/// Law: all is aligned for a buffer that begins at a multiple of 8.
struct FlatBuilder {
  private var bytes: [UInt8] = []

  /// The buffer whose root is a table of `fields`, padded to a multiple of 8.
  static func encode(_ fields: [FlatField]) -> [UInt8] {
    var builder = FlatBuilder()
    builder.append(UInt32(0))
    let root = builder.write(table: fields)
    builder.patch(UInt32(root), at: 0)
    while builder.bytes.count % 8 != 0 { builder.bytes.append(0) }
    return builder.bytes
  }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    for i in 0..<MemoryLayout<T>.size {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(8 * i)))
    }
  }

  private mutating func patch<T: FixedWidthInteger>(_ value: T, at place: Int) {
    for i in 0..<MemoryLayout<T>.size {
      bytes[place + i] = UInt8(truncatingIfNeeded: value >> T(8 * i))
    }
  }

  /// Zeros until the count is `remainder` more than a multiple of `modulus`.
  private mutating func pad(to remainder: Int, modulo modulus: Int) {
    while bytes.count % modulus != remainder { bytes.append(0) }
  }

  /// Writes the vtable, the table and then what it refers to; returns where the table is.
  private mutating func write(table fields: [FlatField]) -> Int {
    // The table begins 4 past a multiple of 8, so that its first field, the widest, is aligned.
    let sorted = fields.sorted { $0.inlineByteCount > $1.inlineByteCount }
    var places: [Int] = []
    var byteCount = 4
    for field in sorted {
      places.append(byteCount)
      byteCount += field.inlineByteCount
    }
    let slotCount = (fields.map(\.slot).max() ?? -1) + 1
    let vtableByteCount = 4 + 2 * slotCount
    pad(to: (12 - vtableByteCount % 8) % 8, modulo: 8)
    let vtable = bytes.count
    append(UInt16(vtableByteCount))
    append(UInt16(byteCount))
    for _ in 0..<slotCount { append(UInt16(0)) }
    for (field, place) in zip(sorted, places) {
      patch(UInt16(place), at: vtable + 4 + 2 * field.slot)
    }
    let table = bytes.count
    append(Int32(vtableByteCount))
    for field in sorted { appendInline(field.value) }
    for (field, place) in zip(sorted, places) { writeTarget(field.value, of: table + place) }
    return table
  }

  private mutating func appendInline(_ value: FlatValue) {
    switch value {
    case .byte(let value): append(value)
    case .short(let value): append(value)
    case .int(let value): append(value)
    case .long(let value): append(value)
    case .string, .table, .vector, .structures: append(UInt32(0))
    }
  }

  /// Writes what the offset at `place` refers to, if `value` is of that kind.
  private mutating func writeTarget(_ value: FlatValue, of place: Int) {
    let target: Int
    switch value {
    case .byte, .short, .int, .long: return
    case .string(let text):
      pad(to: 0, modulo: 4)
      target = bytes.count
      append(UInt32(text.utf8.count))
      bytes += text.utf8
      bytes.append(0)
    case .table(let fields): target = write(table: fields)
    case .vector(let values):
      pad(to: 0, modulo: 4)
      target = bytes.count
      append(UInt32(values.count))
      for _ in values { append(UInt32(0)) }
      for (index, value) in values.enumerated() { writeTarget(value, of: target + 4 + 4 * index) }
    case .structures(let integers, let width):
      pad(to: 4, modulo: 8)
      target = bytes.count
      append(UInt32(integers.count / width))
      for integer in integers { append(integer) }
    }
    patch(UInt32(target - place), at: place)
  }
}
