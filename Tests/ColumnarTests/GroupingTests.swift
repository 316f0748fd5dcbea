// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

extension Cell {
  /// Equal cells are those that groups and equality take for equal: all NaNs are one.
  var key: Cell {
    switch self {
    case .number(let bits):
      Double(bitPattern: bits).isNaN ? .number(Double.nan.bitPattern) : self
    case .list(let cells): .list(cells.map(\.key))
    case .structure(let cells): .structure(cells.map(\.key))
    default: self
    }
  }
}

@Suite("Equality, hashes, groups")
struct GroupingTests {
  @Test(arguments: allTypes)
  func `columns are equal by value, whatever their shape`(type: ColumnType) {
    var random = Seeded(401)
    for count in [0, 1, 65, 100] {
      let cells = randomCells(type, count: count, nullOneIn: 4, using: &random)
      let columns = Shape.allCases.map { Column(type, cells, shape: $0, using: &random) }
      for a in columns {
        for b in columns { #expect(a.isEqual(to: b), "seed \(random.seed)") }
      }
      let other = randomCells(type, count: count, nullOneIn: 4, using: &random)
      let expected = zip(cells, other).map { $0.key == $1.key }
      for shape in Shape.allCases {
        let b = Column(type, other, shape: shape, using: &random)
        for a in columns {
          let equal = a.rowsEqual(b)
          #expect((0..<count).map { equal[$0] } == expected, "seed \(random.seed)")
          #expect(a.isEqual(to: b) == expected.allSatisfy { $0 })
        }
      }
      if type != .null {
        #expect(
          columns[0].isEqual(to: Column.nulls(type, count: count)) == cells.allSatisfy(\.isNull))
      }
    }
    #expect(!Column.nulls(type, count: 1).isEqual(to: .nulls(type, count: 2)))
    #expect(!Column.nulls(.int32, count: 1).isEqual(to: .nulls(.date, count: 1)))
  }

  @Test(arguments: allTypes)
  func `equal rows have equal hashes, and others hardly ever`(type: ColumnType) {
    var random = Seeded(402)
    let cells = randomCells(type, count: 150, nullOneIn: 8, using: &random)
    let second = randomCells(.int32, count: 150, nullOneIn: 8, using: &random)
    var byKey: [[Cell]: UInt64] = [:]
    for shape in Shape.allCases {
      let columns = [
        Column(type, cells, shape: shape, using: &random),
        Column(.int32, second, shape: shape, using: &random),
      ]
      let buffer = Column.hashes(of: columns, seed: 7)
      let hashes = buffer.values(as: UInt64.self)
      for row in 0..<150 {
        let key = [cells[row].key, second[row].key]
        #expect(byKey[key, default: hashes[row]] == hashes[row], "\(shape), seed \(random.seed)")
        byKey[key] = hashes[row]
      }
      #expect(Column.hashes(of: columns, seed: 8) != buffer)
    }
    #expect(Set(byKey.values).count == byKey.count, "seed \(random.seed)")
  }

  @Test func `a promoted column keeps its hashes`() throws {
    var random = Seeded(403)
    for (from, to) in PromotionTests.same {
      let column = Column(from, randomCells(from, count: 90, nullOneIn: 5, using: &random))
      #expect(
        Column.hashes(of: [column], seed: 1)
          == Column.hashes(of: [try column.promoted(to: to)], seed: 1), "\(from)")
    }
  }

  @Test(arguments: allTypes)
  func `groups are those of equal keys, in the order of their first rows`(type: ColumnType) {
    var random = Seeded(404)
    for shape in Shape.allCases {
      for count in [0, 1, 2, 65, 300] {
        for isClustered in [false, true] {
          var cells = randomCells(type, count: count, nullOneIn: 5, using: &random)
          if isClustered { cells = cells.indices.map { cells[$0 / 40 * 40] } }
          let second: [Cell] = cells.indices.map { .integer(Int128($0 / 100)) }
          let keys = [
            Column(type, cells, shape: shape, using: &random),
            Column(.int64, second, shape: shape, using: &random),
          ]
          var expected: [Int32] = []
          var firsts: [[Cell]: Int32] = [:]
          var representatives: [Int32] = []
          for row in 0..<count {
            let key = [cells[row].key, second[row]]
            if firsts[key] == nil {
              firsts[key] = Int32(firsts.count)
              representatives.append(Int32(row))
            }
            expected.append(firsts[key]!)
          }
          let groups = RowGroups(keys: keys)
          #expect(groups.numbers == expected, "\(shape), seed \(random.seed)")
          #expect(groups.representatives == representatives)
          #expect(groups.selections.map(\.count).reduce(0, +) == count)
          for (group, selection) in groups.selections.enumerated() {
            let rows = selection.ranges.flatMap { Array($0) }
            #expect(rows.allSatisfy { expected[$0] == group })
          }
        }
      }
    }
  }

  @Test func `keys whose hashes collide are told apart`() {
    var random = Seeded(406)
    let hashes = MutableBuffer(zeroed: 120 * 8).freeze()
    for type in leafTypes {
      let cells = randomCells(type, count: 120, nullOneIn: 5, using: &random)
      let keys = [Column(type, cells)]
      let numbers = RowGroups.numbersOfColliding(keys, count: 120, hashes)
      #expect(numbers == RowGroups(keys: keys).numbers, "\(type), seed \(random.seed)")
    }
  }

  @Test func `splitting a batch loses no row and keeps their order`() {
    var random = Seeded(405)
    for keyCount in [1, 2, 50] {
      let keys = (0..<200).map { _ in
        Cell.integer(Int128(Int.random(in: 0..<keyCount, using: &random)))
      }
      let places = (0..<200).map { Cell.integer(Int128($0)) }
      let batch = RecordBatch(
        fields: [ColumnField("key", .int32), ColumnField("place", .int64)],
        columns: [Column(.int32, keys), Column(.int64, places)], rowCount: 200)
      var seen = 0
      for (representative, part) in batch.split(by: [batch.columns[0]]) {
        let key = keys[representative]
        #expect(part.columns[0].cells.allSatisfy { $0 == key })
        #expect(
          part.columns[1].cells == places.indices.filter { keys[$0] == key }.map { places[$0] })
        seen += part.rowCount
      }
      #expect(seen == 200)
    }
  }
}
