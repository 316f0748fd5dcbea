// SPDX-License-Identifier: Apache-2.0
internal import Bytes

extension Compare {
  /// Rows of bytes, compared with `value`.
  static func bytes(_ a: Column, _ op: ComparisonOperator, _ value: Buffer) -> Bitmap {
    unsafe a.withByteRows { a in
      unsafe Column(bytes: value).withByteRows { b in
        let b = unsafe b.row(0)
        return unsafe bits(
          op, count: a.count, equals: { unsafe a.row($0).equals(b) },
          order: { unsafe a.row($0).order(b) })
      }
    }
  }

  /// Rows of bytes, each compared with its row of another column, which is as long.
  static func bytes(_ a: Column, _ op: ComparisonOperator, _ b: Column) -> Bitmap {
    precondition(a.count == b.count, "columns of different lengths")
    return unsafe a.withByteRows { a in
      unsafe b.withByteRows { b in
        unsafe bits(
          op, count: a.count, equals: { unsafe a.row($0).equals(b.row($0)) },
          order: { unsafe a.row($0).order(b.row($0)) })
      }
    }
  }

  @inline(__always)
  private static func bits(
    _ op: ComparisonOperator, count: Int, equals: (Int) -> Bool, order: (Int) -> Int
  ) -> Bitmap {
    switch op {
    case .equal: largeBits(count: count) { equals($0) }
    case .notEqual: largeBits(count: count) { !equals($0) }
    case .less: largeBits(count: count) { order($0) < 0 }
    case .lessOrEqual: largeBits(count: count) { order($0) <= 0 }
    case .greater: largeBits(count: count) { order($0) > 0 }
    case .greaterOrEqual: largeBits(count: count) { order($0) >= 0 }
    }
  }

  /// 1 in rows of bytes that start with `prefix`.
  static func starts(_ a: Column, with prefix: Buffer) -> Bitmap {
    unsafe a.withByteRows { a in
      unsafe Column(bytes: prefix).withByteRows { prefix in
        let prefix = unsafe prefix.row(0)
        return largeBits(count: unsafe a.count) { unsafe a.row($0).starts(with: prefix) }
      }
    }
  }

  /// 1 in rows of bytes that are one of `list`.
  ///
  /// A hash table of the list, probed by a hash of each row. Gain over a `Set` of arrays: 6 ×.
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
