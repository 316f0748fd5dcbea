// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@Suite("Column")
struct ColumnTests {
  @Test(arguments: allTypes)
  func `a column of any shape holds what was appended, and so does every slice`(type: ColumnType) {
    var random = Seeded(21)
    for shape in Shape.allCases {
      for count in [0, 1, 7, 8, 64, 65, 130] {
        for nulls in [0, 1, 3] {
          let cells = randomCells(type, count: count, nullOneIn: nulls, using: &random)
          let column = Column(type, cells, shape: shape, using: &random)
          #expect(column.cells == cells, "\(shape), seed \(random.seed)")
          #expect(column.count == count)
          #expect(column.nullCount == cells.count { $0.isNull })
          #expect((column.validity == nil) == (column.nullCount == 0))
          let low = Int.random(in: 0...count, using: &random)
          let high = Int.random(in: low...count, using: &random)
          let slice = column.slice(low..<high)
          #expect(slice.cells == Array(cells[low..<high]), "\(shape), seed \(random.seed)")
          #expect(slice.nullCount == cells[low..<high].count { $0.isNull })
          #expect(slice.byteCount <= column.byteCount || type.isNested)
        }
      }
    }
  }

  @Test func `a validity without zeros is dropped`() {
    let column = Column(
      type: .int32, count: 2, validity: Bitmap([true, true]),
      values: .fixed(Buffer([1, 0, 0, 0, 2, 0, 0, 0])))
    #expect(column.validity == nil)
    #expect(column.nullCount == 0)
  }

  @Test func `a column of nulls is null in every row and slice`() {
    let column = Column.nulls(.string, count: 9)
    #expect(column.nullCount == 9)
    #expect(column.slice(3..<7).nullCount == 4)
    #expect(column.slice(3..<3).validity == nil)
    #expect((0..<9).allSatisfy { column.isNull($0) })
  }

  @Test func `retyping changes what values mean, down to dictionaries and children`() {
    var random = Seeded(22)
    let days = randomCells(.date, count: 20, nullOneIn: 4, using: &random)
    for shape in Shape.allCases {
      let retyped = Column(.date, days, shape: shape, using: &random).retyped(as: .int32)
      #expect(retyped.type == .int32)
      #expect(retyped.cells == days)
      if case .dictionary(_, let dictionary) = retyped.values {
        #expect(dictionary.type == .int32)
      }
    }
    let before = ColumnType.structure([ColumnField("a", .list(ColumnField("element", .date)))])
    let after = ColumnType.structure([ColumnField("b", .list(ColumnField("item", .int32)))])
    let cells = randomCells(before, count: 20, nullOneIn: 4, using: &random)
    let nested = Column(before, cells).retyped(as: after)
    #expect(nested.type == after)
    #expect(nested.cells == cells)
    #expect(nested.children[0].type == .list(ColumnField("item", .int32)))
    #expect(nested.children[0].children[0].type == .int32)
  }

  @Test func `text is read back as text`() {
    let column = Column(.string, [.text("héllo"), .null, .text("")])
    #expect(column.string(0) == "héllo")
    #expect(column.string(2) == "")
    #expect(column.slice(2..<3).string(0) == "")
  }

  @Test func `fixed values are lent as spans`() {
    let column = Column(.int64, [.integer(3), .integer(-4)])
    let span = column.fixedValues(as: Int64.self)
    #expect(span.count == 2)
    #expect(span[0] == 3)
    #expect(span[1] == -4)
  }
}

@Suite("ColumnBuilder")
struct ColumnBuilderTests {
  @Test(arguments: allTypes)
  func `a finished builder starts over`(type: ColumnType) {
    var random = Seeded(31)
    let builder = ColumnBuilder(type, capacity: 3)
    for count in [5, 0, 70] {
      let cells = randomCells(type, count: count, nullOneIn: 3, using: &random)
      for cell in cells { builder.append(cell) }
      #expect(builder.count == count)
      let column = builder.finish()
      #expect(column.cells == cells, "seed \(random.seed)")
      #expect(column.type == type)
      #expect(builder.count == 0)
    }
  }
}

@Suite("RecordBatch")
struct RecordBatchTests {
  private func batch(_ count: Int, using random: inout Seeded) -> (RecordBatch, [[Cell]]) {
    let fields = allTypes.enumerated().map {
      ColumnField("c\($0.offset)", $0.element, fieldID: Int32($0.offset + 1))
    }
    let cells = fields.map { randomCells($0.type, count: count, nullOneIn: 4, using: &random) }
    let columns = zip(fields, cells).map { field, cells in
      Column(
        field.type, cells, shape: Shape.allCases.randomElement(using: &random)!, using: &random)
    }
    return (RecordBatch(fields: fields, columns: columns, rowCount: count), cells)
  }

  @Test func `a slice of a batch slices every column`() {
    var random = Seeded(41)
    let (batch, cells) = batch(50, using: &random)
    let slice = batch.slice(7..<31)
    #expect(slice.rowCount == 24)
    for (column, cells) in zip(slice.columns, cells) {
      #expect(column.cells == Array(cells[7..<31]), "seed \(random.seed)")
    }
  }

  @Test func `columns are found by name and by id, and selected by place`() {
    var random = Seeded(42)
    let (batch, cells) = batch(5, using: &random)
    #expect(batch.column("c1")?.cells == cells[1])
    #expect(batch.column(fieldID: 2)?.cells == cells[1])
    #expect(batch.column("none") == nil)
    #expect(batch.column(fieldID: 999) == nil)
    let selected = batch.selecting([3, 0])
    #expect(selected.fields.map(\.name) == ["c3", "c0"])
    #expect(selected.columns[0].cells == cells[3])
  }

  @Test func `a batch may have rows and no columns`() {
    let batch = RecordBatch(fields: [], columns: [], rowCount: 3)
    #expect(batch.slice(1..<3).rowCount == 2)
  }

  @Test func `batches are built a row at a time`() {
    let builder = BatchBuilder([ColumnField("a", .int32), ColumnField("b", .string)])
    builder.columns[0].append(Int32(1))
    #expect(builder.rowCount == 0)
    builder.columns[1].append("x")
    #expect(builder.rowCount == 1)
    let batch = builder.finish()
    #expect(batch.columns[1].string(0) == "x")
    #expect(builder.rowCount == 0)
  }
}
