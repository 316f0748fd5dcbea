// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Loops over the values of plain columns of fixed width. Slots of nulls are computed too and mean
/// nothing; that they fail is not looked at.
///
/// The bodies are inlined, so that each use is a loop of its own.
enum ColumnLoops {
  /// `body` of each value.
  @inline(__always)
  static func map<T: BitwiseCopyable, U: BitwiseCopyable>(
    _ a: Column, _ from: T.Type, as type: ColumnType, _ body: (T) -> U
  ) -> Column {
    guard let buffer = a.fixedBuffer else { return .nulls(type, count: a.count) }
    let source = buffer.aligned(to: MemoryLayout<T>.alignment)
    let values = source.values(as: T.self)
    var target = MutableBuffer(byteCount: values.count * MemoryLayout<U>.stride)
    var results = target.mutableValues(as: U.self)
    for i in values.indices { results[i] = body(values[i]) }
    return Column(
      type: type, count: a.count, validity: a.validity, values: .fixed(target.freeze()))
  }

  /// `body` of each value: the result, and whether it failed.
  @inline(__always)
  static func checked<T: BitwiseCopyable, U: BitwiseCopyable>(
    _ a: Column, _ from: T.Type, as type: ColumnType, _ body: (T) -> (U, failed: Bool)
  ) -> Outcome {
    guard let buffer = a.fixedBuffer else { return Outcome(.nulls(type, count: a.count)) }
    let source = buffer.aligned(to: MemoryLayout<T>.alignment)
    let values = source.values(as: T.self)
    var target = MutableBuffer(byteCount: values.count * MemoryLayout<U>.stride)
    var results = target.mutableValues(as: U.self)
    var anyFailed = false
    for i in values.indices {
      let (result, failed) = body(values[i])
      results[i] = result
      anyFailed = anyFailed || failed
    }
    let column = Column(
      type: type, count: a.count, validity: a.validity, values: .fixed(target.freeze()))
    guard anyFailed else { return Outcome(column) }
    var failures = BitmapBuilder(capacity: values.count)
    for i in values.indices { failures.append(!a.isNull(i) && body(values[i]).failed) }
    return Outcome(column, failures: failures.finish().orNil)
  }

  /// `body` of the values of two columns in each row: the result, and whether it failed.
  @inline(__always)
  static func checked<T: BitwiseCopyable, U: BitwiseCopyable>(
    _ a: Column, _ b: Column, _ from: T.Type, as type: ColumnType,
    _ body: (T, T) -> (U, failed: Bool)
  ) -> Outcome {
    guard let bufferA = a.fixedBuffer, let bufferB = b.fixedBuffer else {
      return Outcome(.nulls(type, count: a.count))
    }
    let sourceA = bufferA.aligned(to: MemoryLayout<T>.alignment)
    let sourceB = bufferB.aligned(to: MemoryLayout<T>.alignment)
    let x = sourceA.values(as: T.self)
    let y = sourceB.values(as: T.self)
    precondition(x.count == y.count, "columns of different lengths")
    var target = MutableBuffer(byteCount: x.count * MemoryLayout<U>.stride)
    var results = target.mutableValues(as: U.self)
    var anyFailed = false
    for i in x.indices {
      let (result, failed) = body(x[i], y[i])
      results[i] = result
      anyFailed = anyFailed || failed
    }
    let validity = Bitmap.both(a.validity, b.validity)
    let column = Column(
      type: type, count: a.count, validity: validity, values: .fixed(target.freeze()))
    guard anyFailed else { return Outcome(column) }
    var failures = BitmapBuilder(capacity: x.count)
    for i in x.indices {
      failures.append(validity.map { $0[i] } ?? true && body(x[i], y[i]).failed)
    }
    return Outcome(column, failures: failures.finish().orNil)
  }

  /// The booleans that `body` makes of each value.
  @inline(__always)
  static func bits<T: BitwiseCopyable>(
    _ a: Column, _ from: T.Type, _ body: (T) -> Bool
  ) -> Column {
    guard let buffer = a.fixedBuffer else { return .nulls(.boolean, count: a.count) }
    let source = buffer.aligned(to: MemoryLayout<T>.alignment)
    let values = source.values(as: T.self)
    var bits = BitmapBuilder(capacity: values.count)
    for i in values.indices { bits.append(body(values[i])) }
    return Column(
      type: .boolean, count: a.count, validity: a.validity, values: .bits(bits.finish()))
  }
}

extension Bitmap {
  /// 1 where both are; nil is 1 everywhere.
  static func both(_ a: Bitmap?, _ b: Bitmap?) -> Bitmap? {
    switch (a, b) {
    case (let a?, let b?): a.and(b)
    case (let a, let b): a ?? b
    }
  }

  /// Nil if no bit is 1.
  var orNil: Bitmap? { countOfOnes == 0 ? nil : self }
}

extension Column {
  /// The values, of a plain column of fixed width; nil if all are null.
  var fixedBuffer: Buffer? {
    switch values {
    case .fixed(let buffer): return buffer
    case .null: return nil
    default: preconditionFailure("\(type) is not a plain column of fixed width")
    }
  }
}
