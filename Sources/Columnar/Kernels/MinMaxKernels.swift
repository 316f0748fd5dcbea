// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The least and the greatest of many values.
enum MinMax {
  @inline(__always)
  static func of<T: Comparable & BitwiseCopyable>(
    _ buffer: Buffer, as type: T.Type
  ) -> (T, T)? {
    let aligned = buffer.aligned(to: MemoryLayout<T>.alignment)
    let values = aligned.values(as: T.self)
    if values.isEmpty { return nil }
    var low = values[0]
    var high = low
    for i in values.indices {
      low = min(low, values[i])
      high = max(high, values[i])
    }
    return (low, high)
  }

  /// Of doubles, as integers that sort as they do, with NaNs left out.
  static func numbers(_ buffer: Buffer) -> (minimum: ColumnValue, maximum: ColumnValue)? {
    let aligned = buffer.aligned(to: 8)
    let values = aligned.values(as: Int64.self)
    let infinity = Int64(bitPattern: Double.infinity.bitPattern)
    var low = Int64.max
    var high = Int64.min
    var hasNumber = false
    for i in values.indices {
      let bits = values[i]
      let isNumber = bits & .max <= infinity
      let key = bits ^ ((bits >> 63) & .max)
      low = min(low, isNumber ? key : .max)
      high = max(high, isNumber ? key : .min)
      hasNumber = hasNumber || isNumber
    }
    if !hasNumber { return nil }
    func number(_ key: Int64) -> ColumnValue {
      .floatingPoint(Double(bitPattern: UInt64(bitPattern: key ^ ((key >> 63) & .max))))
    }
    return (number(low), number(high))
  }

  /// The rows of the least and the greatest bytes of a plain column, nulls left out.
  static func rowsOfBytes(_ column: Column) -> (Int, Int)? {
    guard let first = (0..<column.count).first(where: { !column.isNull($0) }) else { return nil }
    return unsafe column.withByteRows { rows in
      var low = unsafe (row: first, bytes: rows.row(first))
      var high = unsafe low
      for i in first..<column.count where !column.isNull(i) {
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
