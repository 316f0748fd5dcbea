// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The least and the greatest of many values.
enum MinMax {
  /// Of values whose bit in `validity`, if there is one, is 1; nil if there are none.
  ///
  /// A null counts as the least so far, which leaves it and the greatest as they are. Gain over a
  /// branch a row: 2 × (2.0 against 4.4 ns, one in ten null).
  @inline(__always)
  static func of<T: Comparable & BitwiseCopyable>(
    _ buffer: Buffer, as type: T.Type, _ validity: Bitmap?
  ) -> (T, T)? {
    let aligned = buffer.aligned(to: MemoryLayout<T>.alignment)
    let values = aligned.values(as: T.self)
    guard let first = validity?.first ?? (values.isEmpty ? nil : 0) else { return nil }
    var low = values[first]
    var high = low
    guard let validity else {
      for i in values.indices {
        low = min(low, values[i])
        high = max(high, values[i])
      }
      return (low, high)
    }
    for w in 0..<validity.wordCount {
      var word = validity.word(w)
      for i in w &* 64..<min(w &* 64 &+ 64, values.count) {
        let value = word & 1 == 1 ? values[i] : low
        low = min(low, value)
        high = max(high, value)
        word >>= 1
      }
    }
    return (low, high)
  }

  /// Of doubles, as integers that sort as they do, with NaNs left out.
  static func numbers(
    _ buffer: Buffer, _ validity: Bitmap?
  ) -> (minimum: ColumnValue, maximum: ColumnValue)? {
    let aligned = buffer.aligned(to: 8)
    let values = aligned.values(as: Int64.self)
    let infinity = Int64(bitPattern: Double.infinity.bitPattern)
    var low = Int64.max
    var high = Int64.min
    for w in 0..<(values.count &+ 63) / 64 {
      var word = validity?.word(w) ?? .max
      for i in w &* 64..<min(w &* 64 &+ 64, values.count) {
        let bits = values[i]
        let counts = (bits & .max <= infinity) && word & 1 == 1
        let key = bits ^ ((bits >> 63) & .max)
        low = min(low, counts ? key : .max)
        high = max(high, counts ? key : .min)
        word >>= 1
      }
    }
    // No number's bits are those of either start: they would be NaNs.
    if low > high { return nil }
    func number(_ key: Int64) -> ColumnValue {
      .floatingPoint(Double(bitPattern: UInt64(bitPattern: key ^ ((key >> 63) & .max))))
    }
    return (number(low), number(high))
  }

  /// The rows of the least and the greatest bytes of a plain column, nulls left out.
  static func rowsOfBytes(_ column: Column) -> (Int, Int)? {
    let validity = column.validity
    guard let first = validity?.first ?? (column.count == 0 ? nil : 0) else { return nil }
    return unsafe column.withByteRows { rows in
      var low = unsafe (row: first, bytes: rows.row(first))
      var high = unsafe low
      for i in first..<column.count {
        if let validity, !validity[i] { continue }
        let bytes = unsafe rows.row(i)
        if unsafe bytes.order(low.bytes) < 0 { unsafe low = unsafe (i, bytes) }
        if unsafe bytes.order(high.bytes) > 0 { unsafe high = unsafe (i, bytes) }
      }
      return unsafe (low.row, high.row)
    }
  }

  /// 1 for each of `entryCount` entries that a row with a value has the code of.
  static func used(_ codes: Buffer, validity: Bitmap?, entryCount: Int) -> Bitmap {
    let codes = codes.values(as: Int32.self)
    var flags = [UInt8](repeating: 0, count: entryCount)
    if let validity {
      for i in codes.indices where validity[i] { flags[Int(codes[i])] = 1 }
    } else {
      for i in codes.indices { flags[Int(codes[i])] = 1 }
    }
    return Compare.bits(count: entryCount) { flags[$0] != 0 }
  }
}
