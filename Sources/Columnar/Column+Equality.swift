// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Column {
  /// True if both have the same type and the same values, however they lie in memory.
  ///
  /// Nulls are equal to nulls, NaNs to NaNs; -0 differs from 0.
  public func isEqual(to other: Column) -> Bool {
    type == other.type && count == other.count
      && rowsEqual(other).countOfOnes == count
  }

  /// 1 where a row has the same value as in `other`, a column of as many rows and of the same
  /// layout; or is null in both.
  ///
  /// NaNs are equal to NaNs; -0 differs from 0, as the keys of partitions have it.
  /// Source: Iceberg spec, "Scan Planning", note 3.
  public func rowsEqual(_ other: Column) -> Bitmap {
    precondition(count == other.count, "columns of different lengths")
    precondition(type.layout == other.type.layout, "\(type) is not compared with \(other.type)")
    let equal =
      type == .null
      ? Bitmap(repeating: true, count: count)
      : comparable().valuesEqual(other.comparable())
    switch (validity, other.validity) {
    case (nil, nil): return equal
    case (let a?, nil): return equal.and(a)
    case (nil, let b?): return equal.and(b)
    case (let a?, let b?): return equal.and(a.and(b)).or(a.or(b).inverted())
    }
  }

  /// 1 where plain values, nulls' too, are equal.
  private func valuesEqual(_ other: Column) -> Bitmap {
    switch (values, other.values) {
    case (.bits(let a), .bits(let b)): return Compare.booleans(a, .equal, b)
    case _ where type.layout == .variable: return Compare.bytes(self, .equal, other)
    case (.fixed(let a), .fixed(let b)):
      switch type {
      case .float: return Compare.sameFloats(a, b)
      case .double: return Compare.sameDoubles(a, b)
      default: return sameBytes(a, other, b)
      }
    case (.structure(let a), .structure(let b)):
      precondition(a.count == b.count, "structures of different fields")
      return zip(a, b).reduce(Bitmap(repeating: true, count: count)) {
        $0.and($1.0.rowsEqual($1.1))
      }
    case (.list(let a, let x), .list(let b, let y)): return sameLists(a, x, other, b, y)
    default: preconditionFailure("\(type) is not compared with \(other.type)")
    }
  }

  private func sameBytes(_ a: Buffer, _ other: Column, _ b: Buffer) -> Bitmap {
    switch type.layout {
    case .fixed(width: 4): Compare.integers(a, .equal, b, as: Int32.self)
    case .fixed(width: 8): Compare.integers(a, .equal, b, as: Int64.self)
    case .fixed(width: 16): Compare.integers(a, .equal, b, as: WideInteger.self)
    default: Compare.bytes(self, .equal, other)
    }
  }

  /// 1 where lists are of equal length and equal elements. Only those of equal length are looked
  /// into.
  private func sameLists(
    _ a: Buffer, _ x: Column, _ other: Column, _ b: Buffer, _ y: Column
  ) -> Bitmap {
    let p = a.values(as: Int32.self)
    let q = b.values(as: Int32.self)
    var rowsOfX: [Int32] = []
    var rowsOfY: [Int32] = []
    var result = BitmapBuilder(capacity: count)
    for row in 0..<count {
      let isSameLength = p[row + 1] - p[row] == q[row + 1] - q[row]
      result.append(isSameLength)
      guard isSameLength, !isNull(row), !other.isNull(row) else { continue }
      rowsOfX += p[row]..<p[row + 1]
      rowsOfY += q[row]..<q[row + 1]
    }
    let candidates = result.finish()
    let elements: Bitmap
    do throws(ColumnarError) {
      elements = try x.gather(rowsOfX).rowsEqual(try y.gather(rowsOfY))
    } catch { preconditionFailure("some elements of a column take more than all: \(error)") }
    var next = 0
    return Bitmap(
      (0..<count).map { row in
        guard candidates[row], !isNull(row), !other.isNull(row) else { return false }
        let length = Int(p[row + 1] - p[row])
        defer { next += length }
        return elements.slice(next..<next + length).countOfOnes == length
      })
  }
}

extension Compare {
  static func sameDoubles(_ a: Buffer, _ b: Buffer) -> Bitmap {
    let a = a.aligned(to: 8)
    let b = b.aligned(to: 8)
    let x = a.values(as: Double.self)
    let y = b.values(as: Double.self)
    return bits(count: x.count) {
      x[$0].bitPattern == y[$0].bitPattern || (x[$0] != x[$0] && y[$0] != y[$0])
    }
  }

  static func sameFloats(_ a: Buffer, _ b: Buffer) -> Bitmap {
    let a = a.aligned(to: 4)
    let b = b.aligned(to: 4)
    let x = a.values(as: Float.self)
    let y = b.values(as: Float.self)
    return bits(count: x.count) {
      x[$0].bitPattern == y[$0].bitPattern || (x[$0] != x[$0] && y[$0] != y[$0])
    }
  }
}

extension RecordBatch {
  /// True if both have the same fields and the same values, however they lie in memory.
  public func isEqual(to other: RecordBatch) -> Bool {
    fields == other.fields && rowCount == other.rowCount
      && zip(columns, other.columns).allSatisfy { $0.isEqual(to: $1) }
  }
}
