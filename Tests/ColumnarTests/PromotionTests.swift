// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@Suite("Promotion and constants")
struct PromotionTests {
  static let same: [(ColumnType, ColumnType)] = [
    (.int32, .int64), (.float, .double),
    (.decimal(precision: 5, scale: 2), .decimal(precision: 12, scale: 2)),
    (.decimal(precision: 5, scale: 2), .decimal(precision: 20, scale: 2)),
    (.decimal(precision: 20, scale: 2), .decimal(precision: 38, scale: 2)), (.string, .string),
    (
      .list(ColumnField("element", .structure([ColumnField("a", .int32)]))),
      .list(ColumnField("element", .structure([ColumnField("b", .int64)])))
    ),
    (
      .map(key: ColumnField("key", .int32), value: ColumnField("value", .float)),
      .map(key: ColumnField("key", .int64), value: ColumnField("value", .double))
    ),
  ]

  @Test(arguments: same)
  func `promotion keeps every value`(from: ColumnType, to: ColumnType) throws {
    var random = Seeded(301)
    for shape in Shape.allCases {
      let cells = randomCells(from, count: 70, nullOneIn: 4, using: &random)
      let column = Column(from, cells, shape: shape, using: &random)
      let promoted = try column.promoted(to: to)
      #expect(promoted.type == to)
      #expect(promoted.cells == cells, "\(shape), seed \(random.seed)")
      #expect(promoted.isDictionary == column.isDictionary)
    }
  }

  @Test func `a date becomes its midnight, and microseconds become nanoseconds`() throws {
    let days = Column(.date, [.integer(1), .null, .integer(-1)])
    let micro = try days.promoted(to: .timestamp(.microseconds, zoned: false))
    #expect(micro.cells == [.integer(86_400_000_000), .null, .integer(-86_400_000_000)])
    let nano = try micro.promoted(to: .timestamp(.nanoseconds, zoned: false))
    #expect(nano.cells == [.integer(86_400_000_000_000), .null, .integer(-86_400_000_000_000)])
    #expect(try days.promoted(to: .timestamp(.nanoseconds, zoned: false)).cells == nano.cells)
  }

  @Test func `a time past 64 bits is refused, in a null not`() throws {
    let type = ColumnType.timestamp(.nanoseconds, zoned: false)
    let late = Column(.date, [.null, .integer(200_000)])
    #expect(throws: ColumnarError.outOfRange(row: 1, value: 200_000, type: type)) {
      try late.promoted(to: type)
    }
    let days = Buffer([0x40, 0x0d, 3, 0, 1, 0, 0, 0])
    let hidden = Column(
      type: .date, count: 2, validity: Bitmap([false, true]), values: .fixed(days))
    #expect(try hidden.promoted(to: type).cells == [.null, .integer(86_400_000_000_000)])
  }

  @Test func `other types are refused`() {
    let cases: [(ColumnType, ColumnType)] = [
      (.int64, .int32), (.string, .binary), (.date, .timestamp(.microseconds, zoned: true)),
      (.decimal(precision: 5, scale: 2), .decimal(precision: 4, scale: 2)),
      (.decimal(precision: 5, scale: 2), .decimal(precision: 9, scale: 3)), (.int32, .date),
      (.timestamp(.nanoseconds, zoned: true), .timestamp(.microseconds, zoned: true)),
    ]
    for (from, to) in cases {
      #expect(throws: ColumnarError.notPromotable(from: from, to: to)) {
        try Column(from, []).promoted(to: to)
      }
    }
  }

  @Test(arguments: allTypes)
  func `nulls of no type become nulls of any`(type: ColumnType) throws {
    let nulls = try Column.nulls(.null, count: 3).promoted(to: type)
    #expect(nulls.type == type)
    #expect(nulls.nullCount == 3)
  }

  @Test(arguments: leafTypes)
  func `a constant is the value in every row`(type: ColumnType) throws {
    var random = Seeded(302)
    for count in [0, 1, 70] {
      let cell = Cell.random(type, nullOneIn: 0, using: &random)
      let column = try Column.constant(cell.value, type: type, count: count)
      #expect(column.cells == [Cell](repeating: cell, count: count), "seed \(random.seed)")
      let nulls = try Column.constant(nil, type: type, count: count)
      #expect(nulls.nullCount == count)
    }
  }

  @Test func `a constant the type does not have is refused`() {
    #expect(throws: ColumnarError.outOfRange(row: 0, value: 1 << 40, type: .int32)) {
      try Column.constant(.integer(1 << 40), type: .int32, count: 2)
    }
  }
}
