// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

extension Cell {
  /// The value a column compares with; nil for a null.
  var value: ColumnValue? {
    switch self {
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .number(let bits): .floatingPoint(Double(bitPattern: bits))
    case .bytes(let bytes): .bytes(Buffer(bytes))
    default: nil
    }
  }

  /// What SQL says; nil if unknown.
  func compare(_ op: ComparisonOperator, to other: Cell, nan: NaNOrder) -> Bool? {
    func by<T: Comparable>(_ a: T, _ b: T) -> Bool {
      switch op {
      case .equal: a == b
      case .notEqual: a != b
      case .less: a < b
      case .lessOrEqual: a <= b
      case .greater: a > b
      case .greaterOrEqual: a >= b
      }
    }
    switch (self, other) {
    case (.null, _), (_, .null): return nil
    case (.boolean(let a), .boolean(let b)): return by(a ? 1 : 0, b ? 1 : 0)
    case (.integer(let a), .integer(let b)): return by(a, b)
    case (.bytes(let a), .bytes(let b)):
      return by(a.lexicographicallyPrecedes(b) ? -1 : a == b ? 0 : 1, 0)
    case (.number(let x), .number(let y)):
      let a = Double(bitPattern: x)
      let b = Double(bitPattern: y)
      if nan == .aboveAll, op != .equal, op != .notEqual, a.isNaN != b.isNaN {
        return by(a.isNaN ? 1 : 0, b.isNaN ? 1 : 0)
      }
      return by(a, b)
    default: fatalError("not of one kind")
    }
  }
}

extension TruthMask {
  var truths: [Bool?] {
    (0..<count).map { row in
      if unknowns?[row] == true {
        #expect(!trues[row])
        return nil
      }
      #expect(trues[row] != falses[row])
      return trues[row]
    }
  }

  init(_ truths: [Bool?]) {
    self.init(
      trues: Bitmap(truths.map { $0 ?? Bool.random() }), unknowns: Bitmap(truths.map { $0 == nil }))
  }
}

@Suite("Comparing")
struct ComparingTests {
  @Test(arguments: leafTypes)
  func `a column is compared with a value as SQL does`(type: ColumnType) {
    var random = Seeded(201)
    for shape in Shape.allCases {
      for count in [0, 1, 64, 150] {
        let cells = randomCells(
          type, count: count, nullOneIn: [0, 1, 4].randomElement(using: &random)!, using: &random)
        let column = Column(type, cells, shape: shape, using: &random)
        for _ in 0..<4 {
          let other = Cell.random(type, nullOneIn: 0, using: &random)
          for op in ComparisonOperator.allCases {
            for nan in [NaNOrder.unordered, .aboveAll] {
              let truths = column.compare(op, to: other.value!, nan: nan).truths
              let expected = cells.map { $0.compare(op, to: other, nan: nan) }
              #expect(truths == expected, "\(op) \(other), \(nan), \(shape), seed \(random.seed)")
            }
          }
        }
      }
    }
  }

  @Test(arguments: leafTypes)
  func `a column is compared with a column as SQL does`(type: ColumnType) {
    var random = Seeded(202)
    for shape in Shape.allCases {
      for count in [0, 1, 64, 150] {
        let a = randomCells(type, count: count, nullOneIn: 4, using: &random)
        let b = randomCells(type, count: count, nullOneIn: 4, using: &random)
        let left = Column(type, a, shape: shape, using: &random)
        let right = Column(
          type, b, shape: Shape.allCases.randomElement(using: &random)!, using: &random)
        for op in ComparisonOperator.allCases {
          for nan in [NaNOrder.unordered, .aboveAll] {
            let truths = left.compare(op, to: right, nan: nan).truths
            let expected = zip(a, b).map { $0.compare(op, to: $1, nan: nan) }
            #expect(truths == expected, "\(op), \(nan), \(shape), seed \(random.seed)")
          }
        }
        #expect(
          left.compare(.equal, to: .nulls(type, count: count)).truths.allSatisfy { $0 == nil })
      }
    }
  }

  @Test func `numbers of different widths are compared by value`() {
    var random = Seeded(203)
    let integers: [ColumnType] = [
      .int32, .int64, .decimal(precision: 5, scale: 0), .decimal(precision: 30, scale: 0), .date,
    ]
    for (types, from) in [(integers, ColumnType.int32), ([.float, .double], .float)] {
      for x in types {
        for y in types {
          let a = randomCells(from, count: 80, nullOneIn: 4, using: &random)
          let b = randomCells(from, count: 80, nullOneIn: 4, using: &random)
          for op in ComparisonOperator.allCases {
            #expect(
              Column(x, a).compare(op, to: Column(y, b)).truths
                == zip(a, b).map { $0.compare(op, to: $1, nan: .unordered) }, "\(x) \(op) \(y)")
          }
        }
      }
    }
  }

  @Test func `values a type does not have are above or below all it has`() {
    let column = Column(.int32, [.integer(Int128(Int32.max)), .null, .integer(-3)])
    let above = ColumnValue.integer(1 << 40)
    let below = ColumnValue.integer(-(1 << 40))
    #expect(column.compare(.less, to: above).truths == [true, nil, true])
    #expect(column.compare(.greaterOrEqual, to: above).truths == [false, nil, false])
    #expect(column.compare(.equal, to: above).truths == [false, nil, false])
    #expect(column.compare(.notEqual, to: below).truths == [true, nil, true])
    #expect(column.compare(.greater, to: below).truths == [true, nil, true])
    let float = Column(.float, [.number(Double(Float(0.1)))])
    #expect(float.compare(.equal, to: .floatingPoint(0.1)).truths == [false])
    #expect(float.compare(.greater, to: .floatingPoint(0.1)).truths == [true])
    #expect(float.compare(.less, to: .floatingPoint(1e300)).truths == [true])
  }

  @Test(arguments: leafTypes)
  func `rows are found in a list`(type: ColumnType) {
    var random = Seeded(204)
    for shape in Shape.allCases {
      for length in [0, 1, 3, 4, 30] {
        let cells = randomCells(type, count: 100, nullOneIn: 4, using: &random)
        let list = randomCells(type, count: length, nullOneIn: 0, using: &random)
        let column = Column(type, cells, shape: shape, using: &random)
        let expected = cells.map { cell -> Bool? in
          cell.isNull
            ? nil : list.contains { cell.compare(.equal, to: $0, nan: .unordered) == true }
        }
        #expect(column.isIn(list.map { $0.value! }).truths == expected, "seed \(random.seed)")
      }
    }
  }

  @Test func `prefixes are found`() {
    var random = Seeded(205)
    for type in [ColumnType.string, .binary] {
      for shape in Shape.allCases {
        let cells = randomCells(type, count: 100, nullOneIn: 4, using: &random)
        let column = Column(type, cells, shape: shape, using: &random)
        for prefix in ["", "a", "a common prefix of 23 b", "a common prefix of 23 bytes", "é"] {
          let bytes = Array(prefix.utf8)
          let expected = cells.map { cell -> Bool? in
            if case .bytes(let cell) = cell { cell.starts(with: bytes) } else { nil }
          }
          #expect(column.starts(with: Buffer(bytes)).truths == expected, "seed \(random.seed)")
        }
      }
    }
  }

  @Test func `nulls and NaNs are told`() {
    var random = Seeded(206)
    for type in [ColumnType.float, .double] {
      for shape in Shape.allCases {
        let cells = randomCells(type, count: 100, nullOneIn: 4, using: &random)
        let column = Column(type, cells, shape: shape, using: &random)
        let nans = cells.map { cell in
          if case .number(let bits) = cell { Double(bitPattern: bits).isNaN } else { false }
        }
        #expect((0..<100).map { column.nans[$0] } == nans, "seed \(random.seed)")
        #expect((0..<100).map { column.nulls[$0] } == cells.map(\.isNull))
      }
    }
    #expect(Column.nulls(.double, count: 3).nans.countOfOnes == 0)
    #expect(Column.nulls(.double, count: 3).nulls.countOfOnes == 3)
  }

  @Test func `and, or and not keep to SQL's three values`() {
    let values: [Bool?] = [true, false, nil]
    let a = values.flatMap { [$0, $0, $0] }
    let b = values + values + values
    let and = TruthMask(a).and(TruthMask(b)).truths
    let or = TruthMask(a).or(TruthMask(b)).truths
    #expect(and == [true, false, nil, false, false, false, nil, false, nil])
    #expect(or == [true, true, true, true, false, nil, true, nil, nil])
    #expect(TruthMask(values).not().truths == [false, true, nil])
    #expect(
      TruthMask.unknown(count: 3).and(TruthMask([true, false, nil])).truths == [nil, false, nil])
    let known = TruthMask.constant(true, count: 3)
    #expect(known.and(TruthMask(values)).truths == values)
    #expect(TruthMask(values).and(known).truths == values)
    #expect(TruthMask(values).or(known).truths == [true, true, true])
    #expect(known.not().or(TruthMask(values)).truths == values)
    #expect(known.unknowns == nil)
  }
}
