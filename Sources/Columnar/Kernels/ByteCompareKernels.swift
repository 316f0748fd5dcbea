// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Compare {
  /// Rows of bytes of a plain column, compared with `value`.
  static func bytes(_ a: Column, _ op: ComparisonOperator, _ value: Buffer) -> Bitmap {
    unsafe a.withByteRows { a in
      unsafe Column(bytes: value).withByteRows { b in unsafe bytes(a, op, b) { _ in 0 } }
    }
  }

  /// Rows of bytes of a plain column, each compared with its row of another, which is as long.
  static func bytes(_ a: Column, _ op: ComparisonOperator, _ b: Column) -> Bitmap {
    precondition(a.count == b.count, "columns of different lengths")
    return unsafe a.withByteRows { a in
      unsafe b.withByteRows { b in unsafe bytes(a, op, b) { $0 } }
    }
  }

  /// Each row of `a` against the row of `b` that `place` says.
  @inline(__always)
  private static func bytes(
    _ a: ByteRows, _ op: ComparisonOperator, _ b: ByteRows,
    at place: (Int) -> Int
  ) -> Bitmap {
    let count = unsafe a.count
    return switch op {
    case .equal: largeBits(count: count) { unsafe a.row($0).equals(b.row(place($0))) }
    case .notEqual: largeBits(count: count) { unsafe !a.row($0).equals(b.row(place($0))) }
    case .less: largeBits(count: count) { unsafe a.row($0).order(b.row(place($0))) < 0 }
    case .lessOrEqual: largeBits(count: count) { unsafe a.row($0).order(b.row(place($0))) <= 0 }
    case .greater: largeBits(count: count) { unsafe a.row($0).order(b.row(place($0))) > 0 }
    case .greaterOrEqual: largeBits(count: count) { unsafe a.row($0).order(b.row(place($0))) >= 0 }
    }
  }

  /// 1 in rows of bytes of a plain column that start with `prefix`.
  static func starts(_ a: Column, with prefix: Buffer) -> Bitmap {
    unsafe a.withByteRows { a in
      unsafe Column(bytes: prefix).withByteRows { prefix in
        let prefix = unsafe prefix.row(0)
        return largeBits(count: unsafe a.count) { unsafe a.row($0).starts(with: prefix) }
      }
    }
  }

  /// 1 in rows of bytes of a plain column that are one of `list`.
  ///
  /// A hash table of the list, probed by a hash of each row. Gain over a `Set` of arrays: 10 ×.
  static func isIn(_ a: Column, _ list: Column) -> Bitmap {
    let table = SlotTable(hashes: Hash.values(list, seed: 0))
    let hashes = Hash.values(a, seed: 0)
    let keys = hashes.values(as: UInt64.self)
    return unsafe a.withByteRows { a in
      unsafe list.withByteRows { list in
        largeBits(count: unsafe a.count) { row in
          table.firstEntry(withHash: keys[row]) { unsafe a.row(row).equals(list.row($0)) } != nil
        }
      }
    }
  }
}
