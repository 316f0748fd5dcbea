// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// Predicates over a column's rows. Strings, binaries, fixed and uuids are compared by unsigned
/// bytes, a prefix first. A dictionary is asked once for each entry, not for each row.
extension Column {
  /// Compares each row with `value`, which is a value as the column's type has them.
  ///
  /// - Returns: unknown where the column is null.
  public func compare(
    _ op: ComparisonOperator, to value: ColumnValue, nan: NaNOrder = .unordered
  ) -> TruthMask {
    test { $0.compareValues(op, to: value, nan: nan) }
  }

  /// True in rows that equal one of `list`, as ``compare(_:to:nan:)`` has it; unknown in nulls.
  public func isIn(_ list: [ColumnValue]) -> TruthMask { test { $0.findValues(in: list) } }

  /// True in rows of a string or binary column that start with `prefix`; unknown in nulls.
  public func starts(with prefix: Buffer) -> TruthMask {
    test { Compare.starts($0, with: prefix) }
  }

  /// Compares each row with the same row of `other`, which is as long and whose values are of the
  /// same kind: integers of any width, decimals of one scale, float or double, or bytes.
  ///
  /// - Returns: unknown where either is null.
  public func compare(
    _ op: ComparisonOperator, to other: Column, nan: NaNOrder = .unordered
  ) -> TruthMask {
    precondition(count == other.count, "columns of different lengths")
    let known = (validity, other.validity)
    let validity: Bitmap? =
      switch known {
      case (let a?, let b?): a.and(b)
      case (let a, let b): a ?? b
      }
    if let validity, validity.countOfOnes == 0 { return .unknown(count: count) }
    let trues = comparable().compareValues(op, to: other.comparable(), nan: nan)
    return TruthMask(trues: trues, validity: validity)
  }

  /// 1 in rows that are null.
  public var nulls: Bitmap {
    validity?.inverted() ?? Bitmap(repeating: false, count: count)
  }

  /// 1 in rows of a float or double column that are NaN; 0 in nulls.
  public var nans: Bitmap {
    test { $0.compareValues(.notEqual, to: $0, nan: .unordered) }.trues
  }

  /// The truth of `body`, which is asked for a plain column: this one, or its dictionary.
  private func test(_ body: (Column) -> Bitmap) -> TruthMask {
    switch values {
    case .null: return .unknown(count: count)
    case .dictionary(let codes, let dictionary):
      if dictionary.count == 0 { return .unknown(count: count) }
      if dictionary.count > count {
        return TruthMask(trues: body(comparable()), validity: validity)
      }
      let trues = body(dictionary).gather(codes.values(as: Int32.self))
      return TruthMask(trues: trues, validity: validity)
    default: return TruthMask(trues: body(self), validity: validity)
    }
  }

  /// The same rows with a slot for each: plain, but for a dictionary of strings, which are not
  /// written out to be compared.
  func comparable() -> Column {
    guard case .dictionary(_, let dictionary) = values else { return withSlots() }
    if dictionary.count > 0, type.layout == .variable { return self }
    do throws(ColumnarError) { return try materialized().withSlots() } catch {
      preconditionFailure("values of fixed width outgrow offsets: \(error)")
    }
  }

  /// One row of bytes, with zeros behind them, so that words are read of it without care.
  init(bytes: Buffer) {
    var offsets = MutableBuffer(capacity: 8)
    offsets.append(value: Int32(0))
    offsets.append(value: Int32(bytes.count))
    var padded = MutableBuffer(capacity: bytes.count + 8)
    padded.append(bytes.bytes)
    padded.append(value: UInt64(0))
    self.init(
      type: .binary, count: 1, validity: nil,
      values: .variable(offsets: offsets.freeze(), bytes: padded.freeze()))
  }
}

extension Column {
  /// Compares plain values, nulls' too, with `value`.
  private func compareValues(
    _ op: ComparisonOperator, to value: ColumnValue, nan: NaNOrder
  ) -> Bitmap {
    switch (values, value) {
    case (.bits(let bits), .boolean(let value)):
      return Compare.booleans(bits, op, Bitmap(repeating: value, count: count))
    case (.fixed(let buffer), .integer(let value)): return compare(buffer, op, value)
    case (.fixed(let buffer), .floatingPoint(let value)): return compare(buffer, op, value, nan)
    case (_, .bytes(let value)): return Compare.bytes(self, op, value)
    default: preconditionFailure("\(value) is not a value of \(type)")
    }
  }

  private func compare(_ buffer: Buffer, _ op: ComparisonOperator, _ value: Int128) -> Bitmap {
    switch type.layout {
    case .fixed(width: 4):
      guard let value = Int32(exactly: value) else { return outside(op, isAbove: value > 0) }
      return Compare.integers(buffer, op, value)
    case .fixed(width: 8):
      guard let value = Int64(exactly: value) else { return outside(op, isAbove: value > 0) }
      return Compare.integers(buffer, op, value)
    case .fixed(width: 16): return Compare.integers(buffer, op, WideInteger(value))
    default: preconditionFailure("\(type) is not of integers")
    }
  }

  /// The outcome for a value that is above, or else below, all the type has.
  private func outside(_ op: ComparisonOperator, isAbove: Bool) -> Bitmap {
    let truth =
      switch op {
      case .equal: false
      case .notEqual: true
      case .less, .lessOrEqual: isAbove
      case .greater, .greaterOrEqual: !isAbove
      }
    return Bitmap(repeating: truth, count: count)
  }

  private func compare(
    _ buffer: Buffer, _ op: ComparisonOperator, _ value: Double, _ nan: NaNOrder
  ) -> Bitmap {
    switch type {
    case .float:
      // Not rounded to the column's type: 0.1 as a double lies between two floats.
      if let value = Float(exactly: value) { return Compare.numbers(buffer, op, value, nan) }
      return Compare.numbers(Widen.floats(buffer), op, value, nan)
    case .double: return Compare.numbers(buffer, op, value, nan)
    default: preconditionFailure("\(type) is not of floating-point numbers")
    }
  }

  /// Compares plain values, nulls' too, row by row.
  func compareValues(_ op: ComparisonOperator, to other: Column, nan: NaNOrder) -> Bitmap {
    switch (values, other.values) {
    case (.bits(let a), .bits(let b)): return Compare.booleans(a, op, b)
    case _ where type.layout == .variable: return Compare.bytes(self, op, other)
    case (.fixed(let a), .fixed(let b)):
      switch (type, other.type) {
      case (.uuid, .uuid), (.fixed, .fixed): return Compare.bytes(self, op, other)
      case (.float, .float): return Compare.numbers(a, op, b, nan, as: Float.self)
      case (.float, _), (.double, _):
        return Compare.numbers(asDoubles(a), op, other.asDoubles(b), nan, as: Double.self)
      default: return compareIntegers(a, op, to: other, b)
      }
    default: preconditionFailure("\(type) is not compared with \(other.type)")
    }
  }

  private func asDoubles(_ buffer: Buffer) -> Buffer {
    switch type {
    case .float: Widen.floats(buffer)
    case .double: buffer
    default: preconditionFailure("\(type) is not of floating-point numbers")
    }
  }

  private func compareIntegers(
    _ a: Buffer, _ op: ComparisonOperator, to other: Column, _ b: Buffer
  ) -> Bitmap {
    switch (type.layout, other.type.layout) {
    case (.fixed(width: 4), .fixed(width: 4)):
      return Compare.integers(a, op, b, as: Int32.self)
    case (.fixed(width: 8), .fixed(width: 8)):
      return Compare.integers(a, op, b, as: Int64.self)
    case (.fixed(let v), .fixed(let w)) where max(v, w) == 8:
      return Compare.integers(Widen.to64(a, width: v), op, Widen.to64(b, width: w), as: Int64.self)
    case (.fixed(let v), .fixed(let w)):
      let wideA = Widen.to128(a, width: v)
      return Compare.integers(wideA, op, Widen.to128(b, width: w), as: WideInteger.self)
    default: preconditionFailure("\(type) is not compared with \(other.type)")
    }
  }
}
