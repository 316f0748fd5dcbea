// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Values of a narrower type as those of a wider one, as schemas evolve.
extension Column {
  /// The same values as `type`. The type itself, and:
  ///
  ///     int → long                         float → double
  ///     decimal(p, s) → decimal(q, s)      q ≥ p
  ///     date → timestamp, timestamp_ns     midnight
  ///     timestamp → timestamp_ns           both zoned, or neither
  ///     null → any type
  ///     structures, lists and maps         whose children are promoted, by their places
  ///
  /// A dictionary is promoted entry by entry.
  /// - Throws: ``ColumnarError/notPromotable(from:to:)`` for any other pair of types;
  ///   ``ColumnarError/outOfRange(row:value:type:)`` for a time that does not fit 64 bits.
  /// Source: Iceberg spec, "Schema Evolution" (but for the step between units of time).
  public func promoted(to type: ColumnType) throws(ColumnarError) -> Column {
    if type == self.type { return self }
    if case .null = values { return .nulls(type, count: count) }
    if case .dictionary(let codes, let dictionary) = values {
      let entries = try dictionary.promoted(to: type)
      return with(type, .dictionary(codes: codes, entries))
    }
    switch (self.type, type, values) {
    case (.int32, .int64, .fixed(let buffer)): return with(type, .fixed(Widen.integers(buffer)))
    case (.float, .double, .fixed(let buffer)): return with(type, .fixed(Widen.floats(buffer)))
    case (.decimal(let p, let s), .decimal(let q, let t), .fixed(let buffer))
    where s == t && q >= p:
      let isWider = self.type.layout != type.layout
      return with(type, .fixed(isWider ? Widen.decimals(buffer) : buffer))
    case (.date, .timestamp(let unit, zoned: false), .fixed(let buffer)):
      let unitsPerDay: Int64 = unit == .microseconds ? 86_400_000_000 : 86_400_000_000_000
      return try times(Widen.integers(buffer), times: unitsPerDay, type)
    case (
      .timestamp(.microseconds, let a), .timestamp(.nanoseconds, let b), .fixed(let buffer)
    ) where a == b:
      return try times(buffer, times: 1000, type)
    default: return try promotedChildren(to: type)
    }
  }

  private func with(_ type: ColumnType, _ values: Values) -> Column {
    Column(type: type, count: count, validity: validity, values: values)
  }

  private func promotedChildren(to type: ColumnType) throws(ColumnarError) -> Column {
    switch (self.type, type, values) {
    case (.structure(let old), .structure(let new), .structure(let children))
    where old.count == new.count:
      var promoted: [Column] = []
      for (child, field) in zip(children, new) {
        promoted.append(try child.promoted(to: field.type))
      }
      return with(type, .structure(promoted))
    case (.list, .list, .list(let offsets, let elements)),
      (.map, .map, .list(let offsets, let elements)):
      return with(
        type, .list(offsets: offsets, elements: try elements.promoted(to: type.elementType)))
    default: throw .notPromotable(from: self.type, to: type)
    }
  }

  /// `buffer`'s 64-bit integers times `factor`, where they are of rows with a value.
  private func times(
    _ buffer: Buffer, times factor: Int64, _ type: ColumnType
  ) throws(ColumnarError) -> Column {
    let (product, overflowed) = Widen.product(buffer, times: factor)
    if overflowed {
      let old = buffer.aligned(to: 8)
      let values = old.values(as: Int64.self)
      for row in values.indices where !isNull(row) {
        if values[row].multipliedReportingOverflow(by: factor).overflow {
          throw .outOfRange(row: row, value: values[row], type: type)
        }
      }
    }
    return with(type, .fixed(product))
  }

  /// `count` rows of `value`, a value of `type`; of nulls if there is none.
  ///
  /// Of bytes, a dictionary of one.
  /// - Throws: ``ColumnarError/outOfRange(row:value:type:)`` if the type has no such number.
  public static func constant(
    _ value: ColumnValue?, type: ColumnType, count: Int
  ) throws(ColumnarError) -> Column {
    guard let value else { return .nulls(type, count: count) }
    let values: Values
    switch (type, value) {
    case (.boolean, .boolean(let bit)): values = .bits(Bitmap(repeating: bit, count: count))
    case (.float, .floatingPoint(let number)):
      values = .fixed(Widen.repeated(Float(number), count: count))
    case (.double, .floatingPoint(let number)):
      values = .fixed(Widen.repeated(number, count: count))
    case (_, .integer(let number)):
      values = .fixed(try repeated(number, type: type, count: count))
    case (_, .bytes(let bytes)):
      let codes = MutableBuffer(zeroed: count * 4).freeze()
      let entry: Values
      if case .variable = type.layout {
        entry = Column(bytes: bytes).values
      } else {
        entry = .fixed(bytes)
      }
      let dictionary = Column(type: type, count: 1, validity: nil, values: entry)
      values = .dictionary(codes: codes, dictionary)
    default: preconditionFailure("\(value) is not a value of \(type)")
    }
    return Column(type: type, count: count, validity: nil, values: values)
  }

  private static func repeated(
    _ number: Int128, type: ColumnType, count: Int
  ) throws(ColumnarError) -> Buffer {
    let clamped = Int64(clamping: number)
    switch type.layout {
    case .fixed(width: 4):
      guard let number = Int32(exactly: number) else {
        throw .outOfRange(row: 0, value: clamped, type: type)
      }
      return Widen.repeated(number, count: count)
    case .fixed(width: 8):
      guard let number = Int64(exactly: number) else {
        throw .outOfRange(row: 0, value: clamped, type: type)
      }
      return Widen.repeated(number, count: count)
    case .fixed(width: 16): return Widen.repeated(WideInteger(number), count: count)
    default: preconditionFailure("\(type) is not of integers")
    }
  }
}

/// Loops that make wider values; all of them are safe and vectorised by the compiler.
enum Widen {
  static func integers(_ buffer: Buffer) -> Buffer {
    map(buffer, from: Int32.self) { Int64($0) }
  }

  static func floats(_ buffer: Buffer) -> Buffer {
    map(buffer, from: Float.self) { Double($0) }
  }

  static func decimals(_ buffer: Buffer) -> Buffer {
    map(buffer, from: Int64.self) { WideInteger(low: UInt64(bitPattern: $0), high: $0 >> 63) }
  }

  /// The products modulo 2^64, and whether one of them is not the true one.
  static func product(_ buffer: Buffer, times factor: Int64) -> (Buffer, overflowed: Bool) {
    let limit = Int64.max / factor
    let aligned = buffer.aligned(to: 8)
    let values = aligned.values(as: Int64.self)
    var overflowed = false
    for i in values.indices { overflowed = overflowed || values[i] > limit || values[i] < -limit }
    return (map(aligned, from: Int64.self) { $0 &* factor }, overflowed)
  }

  static func repeated<T: BitwiseCopyable>(_ value: T, count: Int) -> Buffer {
    var target = MutableBuffer(byteCount: count * MemoryLayout<T>.stride)
    var values = target.mutableValues(as: T.self)
    for i in values.indices { values[i] = value }
    return target.freeze()
  }

  @inline(__always)
  private static func map<T: BitwiseCopyable, U: BitwiseCopyable>(
    _ buffer: Buffer, from: T.Type, _ body: (T) -> U
  ) -> Buffer {
    let aligned = buffer.aligned(to: MemoryLayout<T>.alignment)
    let values = aligned.values(as: T.self)
    var target = MutableBuffer(byteCount: values.count * MemoryLayout<U>.stride)
    var result = target.mutableValues(as: U.self)
    for i in values.indices { result[i] = body(values[i]) }
    return target.freeze()
  }
}

extension Widen {
  /// Integers of `width` bytes, 4 or 8, as 8.
  static func to64(_ buffer: Buffer, width: Int) -> Buffer {
    width == 4 ? integers(buffer) : buffer
  }

  /// Integers of `width` bytes, 4, 8 or 16, as 16.
  static func to128(_ buffer: Buffer, width: Int) -> Buffer {
    width == 16 ? buffer : decimals(to64(buffer, width: width))
  }
}
