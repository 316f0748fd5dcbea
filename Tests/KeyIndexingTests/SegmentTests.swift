// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyIndexing
import Lake
import LakeTestSupport
import Testing

/// Hashes of keys, and runs of entries, held against what they stand for.
@Suite("Key hashes and segments")
struct SegmentTests {
  private static func columns(_ schema: String) throws -> KeyColumns {
    let schema = try Schema(schema)
    return try KeyColumns(schema: schema, names: schema.fields.map(\.name))
  }

  private static func hashes(
    _ schema: String, _ rows: [[Value?]], seed: KeySeed
  ) throws -> KeyHashes {
    let table = try Schema(schema)
    return try columns(schema).hashes(of: Rows.batch(rows, table), seed: seed)
  }

  private let seed = KeySeed(Environment.deterministic(seed: 3))

  struct Promotion: Sendable {
    let narrow: String
    let wide: String
    let values: [Value]
    let same: [Value]
  }

  private static let promotions: [Promotion] = [
    Promotion(
      narrow: "int", wide: "long", values: [Value.int(7), Value.int(-1)],
      same: [Value.long(7), Value.long(-1)]),
    Promotion(
      narrow: "date", wide: "timestamp", values: [Value.int(19_000), Value.int(-3)],
      same: [Value.long(1_641_600_000_000_000), Value.long(-259_200_000_000)]),
    Promotion(
      narrow: "timestamp", wide: "timestamp_ns",
      values: [Value.long(1_700_000_000_000_001), Value.long(-5)],
      same: [Value.long(1_700_000_000_000_001_000), Value.long(-5000)]),
    Promotion(
      narrow: "decimal(9,2)", wide: "decimal(30,2)",
      values: [Value.decimal(-1234), Value.decimal(99)],
      same: [Value.decimal(-1234), Value.decimal(99)]),
  ]

  @Test func `a key has the hash it had before its column was promoted`() throws {
    for promotion in Self.promotions {
      let a = try Self.hashes("k \(promotion.narrow)", promotion.values.map { [$0] }, seed: seed)
      let b = try Self.hashes("k \(promotion.wide)", promotion.same.map { [$0] }, seed: seed)
      for row in 0..<promotion.values.count { #expect(a[row] == b[row], "\(promotion)") }
      #expect(a[0] != a[1])
    }
  }

  @Test func `short byte strings have hashes of their own, whatever they end in`() throws {
    // All of up to four bytes of 0 to 3: `00 01` and `01 01 00` had one hash.
    var values: [[UInt8]] = [[]]
    var longest = values
    for _ in 0..<4 {
      longest = longest.flatMap { value in (UInt8(0)..<4).map { value + [$0] } }
      values += longest
    }
    // And those that end in zeros, over the ends of words.
    for length in 5..<40 { values.append([UInt8](repeating: 0, count: length)) }
    let hashes = try Self.hashes("k binary", values.map { [.bytes($0)] }, seed: seed)
    #expect(Set((0..<values.count).map { hashes[$0] }).count == values.count)
  }

  @Test func `rows that are equal have one hash, and no others do`() throws {
    let random = SeededRandom(printing: "key hashes")
    let schema = try Schema(
      "a int, b long, c string, d date, e timestamptz_ns, f uuid, g decimal(20,3), h fixed[5], "
        + "i binary, j boolean, l time")
    let columns = try KeyColumns(schema: schema, names: schema.fields.map(\.name))
    let rows: [[Value?]] = (0..<4000).map { _ in
      schema.fields.map { field in
        random.chance(60) ? Self.plain(field) : Generators.optional(field, random)
      }
    }
    let batch = Rows.batch(rows, schema)
    let hashes = try columns.hashes(of: batch, seed: seed)
    var known: [KeyHash: [Value?]] = [:]
    for (row, values) in rows.enumerated() {
      let isKey = !values.contains { $0 == nil }
      #expect(hashes.validity?[row] ?? true == isKey)
      guard isKey else { continue }
      if let other = known[hashes[row]] { #expect(other == values) }
      known[hashes[row]] = values
    }
    #expect(known.count == Set(rows.filter { !$0.contains { $0 == nil } }).count)
    // Slices and the columns in any order are the same keys.
    let part = try columns.hashes(of: batch.slice(1000..<2000), seed: seed)
    #expect((0..<1000).allSatisfy { part[$0] == hashes[1000 + $0] })
    let reversed = RecordBatch(
      fields: batch.fields.reversed(), columns: batch.columns.reversed(), rowCount: batch.rowCount)
    let same = try columns.hashes(of: reversed, seed: seed)
    #expect((0..<4000).allSatisfy { same[$0] == hashes[$0] })
    let other = try columns.hashes(of: batch, seed: KeySeed(Environment.deterministic(seed: 4)))
    #expect((0..<4000).allSatisfy { other[$0] != hashes[$0] })
  }

  private static func plain(_ field: Field) -> Value {
    switch field.type {
    case .int, .date: .int(1)
    case .string: .string("one")
    case .uuid: .bytes(Array(repeating: 1, count: 16))
    case .fixed(5): .bytes([0, 0, 0, 0, 0])
    case .binary: .bytes([])
    case .boolean: .boolean(false)
    case .decimal(20, 3): .decimal(1)
    default: .long(1)
    }
  }

  @Test func `what can be no key is refused by name`() throws {
    let schema = try Schema("a int, f float, g double, s struct<x: int>, l list<int>")
    for name in ["f", "g", "s", "l", "s.x"] {
      #expect(throws: KeyIndexError.self, "\(name)") {
        try KeyColumns(schema: schema, names: ["a", name])
      }
    }
    #expect(throws: KeyIndexError.self) { try KeyColumns(schema: schema, names: nil) }
    #expect(throws: KeyIndexError.self) { try KeyColumns(schema: schema, names: ["b"]) }
    let columns = try KeyColumns(schema: schema, names: ["a"])
    let nulls = Rows.batch([[.int(1), nil, nil, nil, nil], [nil, nil, nil, nil, nil]], schema)
    do {
      _ = try columns.keys(of: nulls, seed: seed)
      Issue.record("a null was taken for a key")
    } catch .nullKey(let column, let row) {
      #expect(column == "a" && row == 1)
    } catch {
      Issue.record("\(error)")
    }
    let builder = ColumnBuilder(.string)
    builder.append("1")
    let text = RecordBatch(
      fields: [ColumnField("a", .string)], columns: [builder.finish()], rowCount: 1)
    #expect(throws: KeyIndexError.self) { try columns.hashes(of: text, seed: seed) }
    #expect(throws: KeyIndexError.self) {
      try columns.hashes(of: nulls.selecting([1]), seed: seed)
    }
  }

  @Test func `numbers of order values order as the values do`() {
    let doubles: [Double] = [
      -.infinity, -1e300, -2, -1, -1e-300, 0, 1e-300, 1, 2, 1e300, .infinity, .nan,
    ]
    let builder = ColumnBuilder(.double)
    for value in doubles { builder.append(value) }
    builder.appendNull()
    builder.append(-0.0)
    let numbers = OrderColumn.numbers(of: builder.finish())
    let known = numbers.prefix(doubles.count).compactMap(\.self)
    #expect(known == known.sorted() && Set(known).count == doubles.count)
    #expect(numbers[doubles.count] == nil)
    #expect(numbers[doubles.count + 1] == numbers[5])
  }

  @Test func `places of keys are those of a dictionary, however entries came and merged`()
    async throws
  {
    let random = SeededRandom(printing: "segments")
    let environment = Environment.deterministic(seed: 5)
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: MemoryStore(environment: environment),
      environment: environment)
    var table = try await catalog.createTable("db.t", "k long, v int", formatVersion: .v3)
    let columns = try KeyColumns(schema: table.metadata.currentSchema, names: ["k"])
    var index = KeyIndex(columns, seed: seed)
    // Few keys of very many rows, and many of few.
    for step in 0..<12 {
      let count = random.pick([1, 3, 50, 2000, 0])
      let rows: [[Value?]] = (0..<count).map { row -> [Value?] in
        let most = row % 2 == 0 ? 3 : 5000
        let key = random.chance(5) ? nil : Value.long(Int64(random.int(in: 0..<most)))
        return [key, Value.int(1)]
      }
      let before = Set(try await table.scan().plan().tasks.map(\.file.path))
      try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
      table = try await table.refreshed()
      // Half of them told by the writer, half read.
      if step % 2 == 0 {
        for task in try await table.scan().plan().tasks where !before.contains(task.file.path) {
          let batch = Rows.batch(rows, table.metadata.currentSchema)
          let hashes = try columns.hashes(of: batch, seed: seed)
          try index.insert(task.file.path, [IndexedRows(hashes: hashes)])
        }
      }
      let state = try await TableState(of: table)
      try await index.cover(state)
      #expect(try await IndexModel.difference(index, state) == nil)
      #expect(index.segmentCount <= 12)
    }
  }
}
