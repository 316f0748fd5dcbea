// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Column {
  /// 1 in rows, nulls' too, that equal one of `list`.
  func findValues(in list: [ColumnValue]) -> Bitmap {
    // A few are looked for one by one, a word of 64 rows at a time.
    if list.count <= 3 || type == .boolean {
      return list.reduce(Bitmap(repeating: false, count: count)) {
        $0.or(compareEqual(to: $1))
      }
    }
    switch (values, type.layout) {
    case (.fixed(let buffer), _) where type == .float || type == .double:
      let doubles = type == .float ? Widen.floats(buffer) : buffer
      return IntegerSet(list.compactMap { $0.lookupNumber }).contains(numbers: doubles)
    case (.fixed(let buffer), .fixed(width: 4)) where !isOfBytes:
      return IntegerSet(list.compactMap { $0.lookupInteger }).contains(
        Widen.to64(buffer, width: 4))
    case (.fixed(let buffer), .fixed(width: 8)) where !isOfBytes:
      return IntegerSet(list.compactMap { $0.lookupInteger }).contains(buffer)
    default: return findRows(of: Column(list: list, like: type))
    }
  }

  private var isOfBytes: Bool {
    switch type {
    case .string, .binary, .fixed, .uuid: true
    default: false
    }
  }

  private func compareEqual(to value: ColumnValue) -> Bitmap {
    let whole = Column(type: type, count: count, validity: nil, values: values)
    return whole.compare(.equal, to: value).trues
  }

  /// Looks bytes and wide decimals up by their bytes.
  private func findRows(of list: Column) -> Bitmap {
    guard case .fixed(width: 16) = type.layout, !isOfBytes else { return Compare.isIn(self, list) }
    return Compare.isIn(retyped(as: .uuid), list)
  }

  /// A column of the bytes of `list`.
  private init(list: [ColumnValue], like type: ColumnType) {
    let builder = ColumnBuilder(.binary, capacity: list.count)
    for value in list {
      switch value {
      case .bytes(let bytes): builder.append(bytes.bytes)
      case .integer(let number):
        let bytes = Widen.repeated(WideInteger(number), count: 1)
        builder.append(bytes.bytes)
      default: preconditionFailure("\(value) is not a value of \(type)")
      }
    }
    self = builder.finish()
  }
}

extension ColumnValue {
  /// The integer; nil if it is none of 64 bits, which no such column has.
  fileprivate var lookupInteger: Int64? {
    guard case .integer(let value) = self else { preconditionFailure("\(self) is no integer") }
    return Int64(exactly: value)
  }

  /// The bits of a number, of 0 for -0; nil for NaN, which equals nothing.
  fileprivate var lookupNumber: Int64? {
    guard case .floatingPoint(let value) = self else { preconditionFailure("\(self) is no number") }
    return value.isNaN ? nil : Int64(bitPattern: (value + 0.0).bitPattern)
  }
}

/// A set of 64-bit integers: an open-addressed table, at most a quarter full.
struct IntegerSet {
  /// 0 stands for an empty slot.
  private var slots: [Int64]
  private var hasZero = false
  private let shift: UInt64

  init(_ values: [Int64]) {
    var size = 16
    while size < values.count * 4 { size *= 2 }
    slots = [Int64](repeating: 0, count: size)
    shift = UInt64(64 - size.trailingZeroBitCount)
    for value in values { insert(value) }
  }

  @inline(__always)
  private func home(_ value: Int64) -> Int {
    Int(truncatingIfNeeded: (UInt64(bitPattern: value) &* 0x9e37_79b9_7f4a_7c15) >> shift)
  }

  private mutating func insert(_ value: Int64) {
    if value == 0 { return hasZero = true }
    var slot = home(value)
    while slots[slot] != 0, slots[slot] != value { slot = (slot &+ 1) & (slots.count &- 1) }
    slots[slot] = value
  }

  @inline(__always)
  func contains(_ value: Int64) -> Bool {
    if value == 0 { return hasZero }
    var slot = home(value)
    while slots[slot] != 0 {
      if slots[slot] == value { return true }
      slot = (slot &+ 1) & (slots.count &- 1)
    }
    return false
  }

  /// 1 where an integer of `buffer` (64 bits each) is inside.
  func contains(_ buffer: Buffer) -> Bitmap {
    let aligned = buffer.aligned(to: 8)
    let values = aligned.values(as: Int64.self)
    return Compare.largeBits(count: values.count) { contains(values[$0]) }
  }

  /// 1 where the bits of a double of `buffer` are inside, -0 taken for 0.
  func contains(numbers buffer: Buffer) -> Bitmap {
    let aligned = buffer.aligned(to: 8)
    let values = aligned.values(as: Double.self)
    return Compare.largeBits(count: values.count) {
      contains(Int64(bitPattern: (values[$0] + 0.0).bitPattern))
    }
  }
}
