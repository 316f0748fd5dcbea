// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

/// Masks of every kind a filter has a way of its own for.
func randomMask(_ count: Int, using random: inout Seeded) -> [Bool] {
  switch Int.random(in: 0..<5, using: &random) {
  case 0: return [Bool](repeating: true, count: count)
  case 1: return [Bool](repeating: false, count: count)
  case 2: return (0..<count).map { _ in .random(using: &random) }
  case 3: return (0..<count).map { _ in random.oneIn(20) }
  default:
    var mask: [Bool] = []
    while mask.count < count {
      let length = Int.random(in: 1...60, using: &random)
      mask += [Bool](repeating: .random(using: &random), count: length)
    }
    return Array(mask.prefix(count))
  }
}

@Suite("Filter, gather, concat")
struct PickingTests {
  @Test(arguments: allTypes)
  func `a filter keeps the rows whose bit is 1`(type: ColumnType) {
    var random = Seeded(101)
    for shape in Shape.allCases {
      for count in [0, 1, 63, 64, 65, 200] {
        for _ in 0..<4 {
          let cells = randomCells(type, count: count, nullOneIn: 4, using: &random)
          let column = Column(type, cells, shape: shape, using: &random)
          let bits = randomMask(count + 3, using: &random)
          let mask = Bitmap(bits).slice(3..<count + 3)
          let expected = cells.indices.filter { bits[$0 + 3] }.map { cells[$0] }
          let filtered = column.filter(by: mask)
          #expect(filtered.cells == expected, "\(shape), seed \(random.seed)")
          #expect(filtered.isDictionary == column.isDictionary)
          #expect(column.filter(by: RowSelection(mask)).cells == expected, "seed \(random.seed)")
        }
      }
    }
  }

  @Test(arguments: allTypes)
  func `gather takes any rows in any order`(type: ColumnType) throws {
    var random = Seeded(102)
    for shape in Shape.allCases {
      for count in [1, 64, 130] {
        let cells = randomCells(type, count: count, nullOneIn: 4, using: &random)
        let column = Column(type, cells, shape: shape, using: &random)
        let rows = (0..<Int.random(in: 0...200, using: &random)).map { _ in
          Int32.random(in: 0..<Int32(count), using: &random)
        }
        let gathered = try column.gather(rows)
        #expect(gathered.cells == rows.map { cells[Int($0)] }, "\(shape), seed \(random.seed)")
      }
      let none = try Column(type, [], shape: shape, using: &random).gather([])
      #expect(none.count == 0)
    }
  }

  @Test func `bytes are copied whole, be they short, long, or last in the buffer`() throws {
    var random = Seeded(103)
    for length in [0, 1, 15, 16, 17, 31, 32, 33, 100] {
      let cells = (0..<20).map { i in Cell.bytes([UInt8](repeating: UInt8(i), count: length)) }
      let column = Column(.binary, cells)
      // A copy with nothing readable after it.
      guard case .variable(let offsets, let bytes) = column.values else { return }
      let exact = Column(
        type: .binary, count: 20, validity: nil,
        values: .variable(offsets: offsets, bytes: Buffer(copying: bytes.bytes)))
      let rows = (0..<40).map { _ in Int32.random(in: 0..<20, using: &random) }
      #expect(try exact.gather(rows).cells == rows.map { cells[Int($0)] })
    }
  }

  @Test func `strings taken too often are refused`() throws {
    let big = Column(.binary, [.bytes([UInt8](repeating: 7, count: 1 << 20))])
    let rows = [Int32](repeating: 0, count: 2048)
    #expect(throws: ColumnarError.tooLarge(count: 1 << 31)) { try big.gather(rows) }
    let codes = MutableBuffer(zeroed: 2048 * 4).freeze()
    let dictionary = Column(
      type: .binary, count: 2048, validity: nil, values: .dictionary(codes: codes, big))
    #expect(throws: ColumnarError.tooLarge(count: 1 << 31)) { try dictionary.materialized() }
    // Comparing does not write them out all at once.
    #expect(dictionary.rowsEqual(dictionary.slice(0..<2048)).countOfOnes == 2048)
  }

  @Test(arguments: allTypes)
  func `concat puts columns of any shape one after another`(type: ColumnType) throws {
    var random = Seeded(104)
    for round in 0..<40 {
      var columns: [Column] = []
      var expected: [Cell] = []
      let only = Shape.allCases.randomElement(using: &random)!
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        let count = Int.random(in: 0...70, using: &random)
        if random.oneIn(5) {
          columns.append(.nulls(type, count: count))
          expected += [Cell](repeating: .null, count: count)
        } else {
          let nulls = [0, 1, 3].randomElement(using: &random)!
          let cells = randomCells(type, count: count, nullOneIn: nulls, using: &random)
          let shape = round < 20 ? only : Shape.allCases.randomElement(using: &random)!
          columns.append(Column(type, cells, shape: shape, using: &random))
          expected += cells
        }
      }
      let joined = try Column.concat(columns)
      #expect(joined.type == type)
      #expect(joined.cells == expected, "seed \(random.seed)")
    }
  }

  @Test func `dictionaries are merged without equal entries`() throws {
    var random = Seeded(105)
    let words = (0..<10).map { Cell.text("word \($0)") }
    let cells = (0..<4).map { _ in (0..<100).map { _ in words.randomElement(using: &random)! } }
    let columns = cells.map { Column(.string, $0, shape: .dictionary, using: &random) }
    let joined = try Column.concat(columns)
    #expect(joined.cells == cells.flatMap { $0 })
    guard case .dictionary(_, let dictionary) = joined.values else {
      Issue.record("no dictionary")
      return
    }
    #expect(Set(dictionary.cells).count == dictionary.count)
    // The same dictionary stays.
    let again = try Column.concat([joined.slice(0..<100), joined.slice(100..<400)])
    guard case .dictionary(_, let kept) = again.values else {
      Issue.record("no dictionary")
      return
    }
    #expect(kept.cells == dictionary.cells)
    #expect(again.cells == joined.cells)
  }

  @Test(arguments: allTypes)
  func `materializing keeps the values and leaves no dictionary`(type: ColumnType) throws {
    var random = Seeded(106)
    for shape in Shape.allCases {
      for nulls in [0, 1, 3] {
        let cells = randomCells(type, count: 70, nullOneIn: nulls, using: &random)
        let plain = try Column(type, cells, shape: shape, using: &random).materialized()
        #expect(plain.cells == cells, "\(shape), seed \(random.seed)")
        #expect(!plain.isDictionary)
      }
    }
  }

  @Test func `batches are filtered, gathered and joined column by column`() throws {
    var random = Seeded(107)
    let fields = allTypes.enumerated().map { ColumnField("c\($0.offset)", $0.element) }
    let cells = fields.map { randomCells($0.type, count: 90, nullOneIn: 4, using: &random) }
    let columns = zip(fields, cells).map { field, cells in
      Column(
        field.type, cells, shape: Shape.allCases.randomElement(using: &random)!, using: &random)
    }
    let batch = RecordBatch(fields: fields, columns: columns, rowCount: 90)
    for _ in 0..<10 {
      let mask = randomMask(90, using: &random)
      let rows = mask.indices.filter { mask[$0] }
      let filtered = batch.filter(by: Bitmap(mask))
      #expect(filtered.rowCount == rows.count)
      #expect(filtered.isEqual(to: try batch.gather(rows.map { Int32($0) })))
      #expect(filtered.isEqual(to: batch.filter(by: RowSelection(Bitmap(mask)))))
      for (column, cells) in zip(filtered.columns, cells) {
        #expect(column.cells == rows.map { cells[$0] }, "seed \(random.seed)")
      }
      let cut = Int.random(in: 0...90, using: &random)
      let joined = try RecordBatch.concat([batch.slice(0..<cut), batch.slice(cut..<90)])
      #expect(joined.isEqual(to: batch))
    }
    let bare = RecordBatch(fields: [], columns: [], rowCount: 3)
    #expect(bare.filter(by: Bitmap([true, false, true])).rowCount == 2)
    #expect(try RecordBatch.concat([bare, bare]).rowCount == 6)
  }
}
