// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

extension Cell {
  /// Negative, zero or positive in the order that rows are sorted by; of two that are not null.
  func sortOrder(_ other: Cell) -> Int {
    func by<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
    switch (self, other) {
    case (.boolean(let a), .boolean(let b)): return by(a ? 1 : 0, b ? 1 : 0)
    case (.integer(let a), .integer(let b)): return by(a, b)
    case (.bytes(let a), .bytes(let b)):
      return a.lexicographicallyPrecedes(b) ? -1 : a == b ? 0 : 1
    case (.number(let x), .number(let y)):
      let a = Double(bitPattern: x)
      let b = Double(bitPattern: y)
      return x == y ? 0 : a.isTotallyOrdered(belowOrEqualTo: b) ? -1 : 1
    default: return 0
    }
  }
}

@Suite("Sorting and bounds")
struct SortingTests {
  private struct Key {
    let cells: [Cell]
    let direction: SortKey.Direction
    let nulls: SortKey.NullOrder

    func order(_ a: Int, _ b: Int) -> Int {
      let (x, y) = (cells[a], cells[b])
      if x.isNull || y.isNull {
        if x.isNull && y.isNull { return 0 }
        return x.isNull == (nulls == .first) ? -1 : 1
      }
      return direction == .ascending ? x.sortOrder(y) : -x.sortOrder(y)
    }
  }

  private func check(_ types: [ColumnType], count: Int, using random: inout Seeded) throws {
    let keys = types.map { type in
      let cells = randomCells(
        type, count: count, nullOneIn: [0, 1, 3, 9].randomElement(using: &random)!, using: &random)
      return Key(
        cells: cells, direction: random.oneIn(2) ? .ascending : .descending,
        nulls: random.oneIn(2) ? .first : .last)
    }
    let columns = zip(types, keys).map { type, key in
      Column(
        type, key.cells, shape: Shape.allCases.randomElement(using: &random)!, using: &random)
    }
    let expected = (0..<count).sorted { a, b in
      for key in keys {
        let order = key.order(a, b)
        if order != 0 { return order < 0 }
      }
      return a < b
    }
    let fields = types.enumerated().map { ColumnField("c\($0.offset)", $0.element) }
    let batch = RecordBatch(fields: fields, columns: columns, rowCount: count)
    let sortKeys = zip(columns, keys).map { SortKey($0, $1.direction, nulls: $1.nulls) }
    let rows = batch.sortedRows(by: sortKeys)
    #expect(rows == expected.map { Int32($0) }, "\(types), seed \(random.seed)")
    let sorted = try batch.sorted(by: sortKeys)
    #expect(sorted.columns[0].cells == expected.map { keys[0].cells[$0] })
  }

  @Test(arguments: leafTypes)
  func `rows are sorted by one column of any shape`(type: ColumnType) throws {
    var random = Seeded(501)
    for count in [0, 1, 2, 16, 17, 40, 100, 700] {
      for _ in 0..<4 { try check([type], count: count, using: &random) }
    }
  }

  @Test func `rows are sorted by several columns, equal ones staying as they are`() throws {
    var random = Seeded(502)
    for _ in 0..<120 {
      let types = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        leafTypes.randomElement(using: &random)!
      }
      try check(types, count: Int.random(in: 0...300, using: &random), using: &random)
    }
  }

  @Test func `strings that are equal for long, or prefixes of each other, are told apart`() throws {
    var cells: [Cell] = []
    for length in stride(from: 4000, through: 0, by: -5) {
      cells.append(.bytes([UInt8](repeating: 0, count: length)))
    }
    let column = Column(.binary, cells)
    let batch = RecordBatch(
      fields: [ColumnField("a", .binary)], columns: [column], rowCount: cells.count)
    let up = batch.sortedRows(by: [SortKey(column, .ascending, nulls: .first)])
    #expect(up == (0..<Int32(cells.count)).reversed())
    let down = batch.sortedRows(by: [SortKey(column, .descending, nulls: .first)])
    #expect(down == Array(0..<Int32(cells.count)))
  }

  @Test func `floating-point numbers are in the total order`() {
    let numbers: [Double] = [.nan, .infinity, 1, 0.0, -0.0, -1, -.infinity, -.nan]
    for type in [ColumnType.float, .double] {
      let column = Column(type, numbers.map { .number($0) })
      let batch = RecordBatch(fields: [ColumnField("a", type)], columns: [column], rowCount: 8)
      #expect(
        batch.sortedRows(by: [SortKey(column, .ascending, nulls: .last)])
          == [7, 6, 5, 4, 3, 2, 1, 0])
    }
  }

  @Test(arguments: leafTypes)
  func `a summary counts and bounds what occurs`(type: ColumnType) {
    var random = Seeded(503)
    for shape in Shape.allCases {
      for count in [0, 1, 2, 64, 200] {
        for nulls in [0, 1, 3] {
          let cells = randomCells(type, count: count, nullOneIn: nulls, using: &random)
          let summary = Column(type, cells, shape: shape, using: &random).summary()
          let values = cells.filter { !$0.isNull && $0.key != .number(.nan) }
          let isNumber = type == .float || type == .double
          let nanCount = isNumber ? cells.count { $0.key == .number(.nan) } : 0
          #expect(summary.rowCount == count)
          #expect(summary.nullCount == cells.count { $0.isNull })
          #expect(summary.nanCount == nanCount)
          let low = values.min { $0.sortOrder($1) < 0 }
          let high = values.max { $0.sortOrder($1) < 0 }
          #expect(summary.bounds.map { Cell($0.minimum) } == low, "\(shape), seed \(random.seed)")
          #expect(summary.bounds.map { Cell($0.maximum) } == high, "\(shape), seed \(random.seed)")
        }
      }
    }
  }
}

extension Cell {
  init(_ value: ColumnValue) {
    switch value {
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .floatingPoint(let value): self = .number(value)
    case .bytes(let bytes): self = .bytes(bytes.array())
    }
  }
}
