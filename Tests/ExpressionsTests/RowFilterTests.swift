// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@Suite("Row filters")
struct RowFilterTests {
  @Test func `each row is answered as the predicate answers it alone`() throws {
    let random = SeededRandom(printing: "row filters")
    var matches = 0
    var total = 0
    for round in 0..<400 {
      let schema = try Generators.schema(random, formatVersion: .v3)
      let rows = Generators.rows(random, schema, count: random.int(in: 0..<150))
      var batch = Rows.batch(rows, schema)
      if random.chance(50) { batch = Self.disguised(batch, random) }
      for _ in 0..<8 {
        let predicate = Generators.predicate(random, on: schema)
        let bound = try predicate.bound(to: schema)
        let found = RowFilter(bound).matching(batch)
        #expect(found.count == rows.count)
        for (index, row) in rows.enumerated() {
          let values = ReferenceTable.values(of: row, schema.fields)
          let expected = bound.matches { values[$0] ?? nil }
          total += 1
          matches += expected ? 1 : 0
          if found[index] != expected {
            Issue.record("round \(round), row \(row): \(found[index]), where \(bound)")
          }
        }
      }
    }
    #expect(matches > total / 10 && matches < total * 9 / 10, "\(matches) of \(total) match")
  }

  /// The same rows, lying otherwise: as dictionaries, sliced, or as nulls without values.
  static func disguised(_ batch: RecordBatch, _ random: SeededRandom) -> RecordBatch {
    let columns = batch.columns.map { (column) -> Column in
      if column.nullCount == column.count { return .nulls(column.type, count: column.count) }
      return random.chance(60) ? dictionary(of: column, random) ?? column : sliced(column, random)
    }
    return RecordBatch(fields: batch.fields, columns: columns, rowCount: batch.rowCount)
  }

  /// `column` as codes into its distinct values, which are in random order; nil of structures.
  private static func dictionary(of column: Column, _ random: SeededRandom) -> Column? {
    if case .structure = column.type { return nil }
    var codes = MutableBuffer()
    var known: [Value: Int32] = [:]
    let builder = ColumnBuilder(column.type)
    var generator = random
    for row in (0..<column.count).shuffled(using: &generator) {
      guard let value = column.icebergValue(row), known[value] == nil else { continue }
      known[value] = Int32(known.count)
      builder.append(value)
    }
    for row in 0..<column.count {
      codes.append(value: column.icebergValue(row).flatMap { known[$0] } ?? 0)
    }
    return Column(
      type: column.type, count: column.count, validity: column.validity,
      values: .dictionary(codes: codes.freeze(), builder.finish()))
  }

  /// `column` as a part of a longer one.
  private static func sliced(_ column: Column, _ random: SeededRandom) -> Column {
    let before = random.int(in: 0..<80)
    let nulls = Column.nulls(column.type, count: before)
    guard let longer = try? Column.concat([nulls, column]) else { return column }
    return longer.slice(before..<before + column.count)
  }
}
