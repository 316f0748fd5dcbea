// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@testable import Columnar

/// Rows looked up by their keys, against comparing each with each.
@Suite("Looking rows up")
struct RowLookupTests {
  private func column(_ random: inout Seeded, _ kind: Int, _ count: Int) -> Column {
    let types: [ColumnType] = [
      .int32, .int64, .string, .boolean, .decimal(precision: 30, scale: 2), .fixed(byteCount: 3),
      .null,
    ]
    let type = types[kind]
    let builder = ColumnBuilder(type)
    for _ in 0..<count {
      let value = Int(random.next() % 9)
      if value == 0 || type == .null {
        builder.appendNull()
        continue
      }
      switch type {
      case .int32: builder.append(Int32(value - 4))
      case .int64: builder.append(Int64(value - 4) << 40)
      case .string: builder.append(String(repeating: "k", count: value * 5))
      case .boolean: builder.append(value > 4)
      case .fixed: builder.append(Buffer(utf8: "\(value)ab").bytes)
      default: builder.append(Int128(value) << 70)
      }
    }
    return builder.finish()
  }

  @Test func `a row is found where it equals one of the first keys, nulls too`() {
    var random = Seeded(7)
    for _ in 0..<300 {
      let kinds = (0..<Int(random.next() % 3 + 1)).map { _ in Int(random.next() % 7) }
      let keyCount = Int(random.next() % 40)
      let rowCount = Int(random.next() % 60)
      let keys = kinds.map { column(&random, $0, keyCount) }
      let rows = kinds.map { column(&random, $0, rowCount) }
      // Few bits, so that hashes collide.
      for mask in [UInt64.max, 3, 0] {
        let lookup = RowLookup(keys: keys, mask: mask)
        for limit in [0, 1, keyCount / 2, keyCount, Int.max] {
          let found = lookup.contains(rows, first: limit)
          for row in 0..<rowCount {
            let expected = (0..<min(limit, keyCount)).contains { key in
              zip(rows, keys).allSatisfy {
                $0.slice(row..<row + 1).rowsEqual($1.slice(key..<key + 1))[0]
              }
            }
            #expect(found[row] == expected, "row \(row), limit \(limit), mask \(mask)")
          }
        }
      }
    }
  }
}
