// SPDX-License-Identifier: Apache-2.0
import Iceberg
import SeededNumbers
import Testing

/// Facts about columns, by field id.
struct FactTable: ColumnFactsSource {
  var facts: [FieldID: ColumnFacts] = [:]
  func facts(of column: BoundColumn) -> ColumnFacts? { facts[column.id] }
}

@Suite("Predicates and what is known of files")
struct MetricsEvaluationTests {
  /// True of -0.0 < 0.0 too: as writers order bounds.
  static func isLower(_ a: Value, _ b: Value) -> Bool { (Value.compare(a, b) ?? 0) < 0 }

  static func isNaN(_ value: Value) -> Bool {
    switch value {
    case .float(let value): value.isNaN
    case .double(let value): value.isNaN
    default: false
    }
  }

  /// What a writer would tell of `values`: some of it left out, strings cut.
  static func facts(
    _ values: [Value?], _ type: PrimitiveType, _ random: inout Seeded
  ) -> ColumnFacts? {
    if random.chance(5) { return nil }
    let present = values.compactMap { $0 }
    let ordered = present.filter { !isNaN($0) }.sorted(by: isLower)
    let mode = random.pick([MetricsMode.full, .truncate(1), .truncate(2), .counts])
    var lower = ordered.first.flatMap { BoundTruncation.lower($0, of: type, mode: mode) }
    var upper = ordered.last.flatMap { BoundTruncation.upper($0, of: type, mode: mode) }
    if random.chance(10) { lower = nil }
    if random.chance(10) { upper = nil }
    // Through bytes, as it would be read back.
    lower = lower.flatMap { Value(bound: $0.encoded(as: type), as: type) }
    upper = upper.flatMap { Value(bound: $0.encoded(as: type), as: type) }
    return ColumnFacts(
      valueCount: random.chance(80) ? Int64(values.count) : nil,
      nullCount: random.chance(80) ? Int64(values.count - present.count) : nil,
      nanCount: random.chance(80) ? Int64(present.filter(isNaN).count) : nil,
      lower: lower, upper: upper, type: type)
  }

  @Test func `G9: a file with a matching row is kept, one that must match has no other`() throws {
    var random = Seeded(printing: "metrics evaluation")
    var (kept, pruned, whole) = (0, 0, 0)
    for _ in 0..<2500 {
      let nulls = random.pick([0, 0, 15, 100])
      let rows = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        Generators.row(&random, nulls: nulls)
      }
      var source = FactTable()
      for field in Generators.schema.fields {
        source.facts[field.id] = Self.facts(
          rows.map { $0[field.id] }, Generators.type(field), &random)
      }
      let predicate = try Generators.predicate(&random, depth: 1).bound(to: Generators.schema)
      let matching = rows.filter { row in predicate.matches { row[$0] } }
      func note() -> String {
        "\(predicate) of \(rows), known \(source.facts), seed \(random.seed)"
      }
      if predicate.mightMatch(source) {
        kept += 1
      } else {
        pruned += 1
        law(matching.isEmpty, "pruned: \(note())")
      }
      if predicate.mustMatch(source) {
        whole += 1
        law(matching.count == rows.count, "taken whole: \(note())")
      }
    }
    #expect(kept > 200 && pruned > 200 && whole > 100, "\(kept) \(pruned) \(whole)")
  }

  static let schema = try! Schema("i int, d double, s string")

  static func bound(_ text: String) throws -> BoundPredicate {
    try PredicateParser.parse(text).bound(to: schema)
  }

  static func known(
    _ values: Int64?, _ nulls: Int64?, _ nans: Int64?, _ lower: Value?, _ upper: Value?,
    _ type: PrimitiveType
  ) -> ColumnFacts {
    ColumnFacts(
      valueCount: values, nullCount: nulls, nanCount: nans, lower: lower, upper: upper, type: type)
  }

  @Test func `rule 26: counts include nulls and NaNs, bounds neither`() throws {
    let onlyNaN = FactTable(facts: [FieldID(2): Self.known(5, 2, 3, nil, nil, .double)])
    #expect(try !Self.bound("d > 0").mightMatch(onlyNaN))
    #expect(try Self.bound("d IS NAN").mightMatch(onlyNaN))
    #expect(try Self.bound("d IS NULL").mightMatch(onlyNaN))
    #expect(try !Self.bound("d IS NAN").mustMatch(onlyNaN))
    let withNaN = FactTable(
      facts: [FieldID(2): Self.known(5, 0, 1, .double(1), .double(2), .double)])
    #expect(try Self.bound("d <= 2").mightMatch(withNaN))
    #expect(try !Self.bound("d <= 2").mustMatch(withNaN))
  }

  @Test func `rule 28: a bound that is NaN is unknown`() throws {
    let facts = FactTable(
      facts: [FieldID(2): Self.known(5, 0, 0, .double(.nan), .double(.nan), .double)])
    for text in ["d = 1", "d < 1", "d > 1", "d IN (1, 2)", "d <> 1"] {
      #expect(try Self.bound(text).mightMatch(facts))
      #expect(try !Self.bound(text).mustMatch(facts))
    }
  }

  @Test func `rule 31: what is missing is unknown, never zero`() throws {
    for text in ["i = 1", "i IS NULL", "i IS NOT NULL", "i < 1", "i NOT IN (1, 2)"] {
      #expect(try Self.bound(text).mightMatch(FactTable()))
      #expect(try !Self.bound(text).mustMatch(FactTable()))
      let facts = FactTable(facts: [FieldID(1): Self.known(nil, nil, nil, nil, nil, .int)])
      #expect(try Self.bound(text).mightMatch(facts))
      #expect(try !Self.bound(text).mustMatch(facts))
    }
    // Values without a count of nulls may all be null.
    let uncounted = FactTable(facts: [FieldID(1): Self.known(5, nil, nil, nil, nil, .int)])
    #expect(try Self.bound("i IS NULL").mightMatch(uncounted))
    #expect(try !Self.bound("i IS NOT NULL").mustMatch(uncounted))
    // More nulls than values, and fewer than none, are no counts.
    for nulls in [Int64(6), -1] {
      let wrong = FactTable(facts: [FieldID(1): Self.known(5, nulls, nil, nil, nil, .int)])
      #expect(try Self.bound("i = 1").mightMatch(wrong))
      #expect(try !Self.bound("i IS NULL").mustMatch(wrong))
    }
    // What lies in a list has no rows to count.
    let schema = try Schema("l list<int>, m map<string, int>")
    for name in ["l.element", "m.key", "m.value"] {
      #expect(throws: IcebergError.self) { try Predicate.isNull(name).bound(to: schema) }
    }
  }

  @Test func `rule 32: negations keep files with nulls, and nulls and NaNs never must match`()
    throws
  {
    let nulls = FactTable(facts: [
      FieldID(1): Self.known(5, 1, nil, .int(1), .int(1), .int),
      FieldID(3): Self.known(5, 1, nil, .string("ab"), .string("ac"), .string),
    ])
    for text in ["i <> 1", "i NOT IN (1, 2)", "s NOT LIKE 'a%'"] {
      #expect(try Self.bound(text).mightMatch(nulls), "\(text)")
    }
    for text in ["i <> 2", "i NOT IN (2, 3)", "s NOT LIKE 'x%'", "i = 1", "i < 2", "s LIKE 'a%'"] {
      #expect(try !Self.bound(text).mustMatch(nulls), "\(text)")
    }
    let none = FactTable(facts: [
      FieldID(1): Self.known(5, 0, nil, .int(1), .int(1), .int),
      FieldID(3): Self.known(5, 0, nil, .string("ab"), .string("ac"), .string),
    ])
    for text in ["i <> 1", "i NOT IN (1, 2)", "s NOT LIKE 'a%'"] {
      #expect(try !Self.bound(text).mightMatch(none), "\(text)")
    }
    for text in ["i <> 2", "i NOT IN (2, 3)", "s NOT LIKE 'x%'", "i = 1", "i < 2", "s LIKE 'a%'"] {
      #expect(try Self.bound(text).mustMatch(none), "\(text)")
    }
    let nans = FactTable(facts: [
      FieldID(2): Self.known(5, 0, 1, .double(1), .double(1), .double)
    ])
    for text in ["d = 1", "d < 2", "d <> 2", "d NOT IN (2, 3)"] {
      #expect(try !Self.bound(text).mustMatch(nans), "\(text)")
    }
    #expect(try Self.bound("d <> 1").mightMatch(nans))
  }

  @Test func `rule 27: zeros are one number to predicates whichever a bound is`() throws {
    for (low, high) in [(0.0, 0.0), (-0.0, -0.0), (-0.0, 0.0), (0.0, -0.0)] {
      let facts = FactTable(
        facts: [FieldID(2): Self.known(5, 0, 0, .double(low), .double(high), .double)])
      for zero in ["0.0", "-0.0"] {
        #expect(try Self.bound("d = \(zero)").mightMatch(facts))
        #expect(try Self.bound("d = \(zero)").mustMatch(facts))
        #expect(try Self.bound("d >= \(zero)").mustMatch(facts))
        #expect(try !Self.bound("d < \(zero)").mightMatch(facts))
      }
    }
  }

  @Test func `G6: bounds that contradict each other tell nothing`() throws {
    let facts = FactTable(facts: [FieldID(1): Self.known(5, 0, 0, .int(9), .int(1), .int)])
    #expect(try Self.bound("i = 5").mightMatch(facts))
    #expect(try Self.bound("i = 50").mightMatch(facts))
    #expect(try !Self.bound("i > 0").mustMatch(facts))
  }

  @Test func `rule 72: a manifest's summary without bounds may be of nulls alone`() throws {
    func summary(_ null: Bool, _ nan: Bool?, _ type: PrimitiveType) -> ColumnFacts {
      ColumnFacts(containsNull: null, containsNaN: nan, lower: nil, upper: nil, type: type)
    }
    #expect(!summary(true, nil, .int).mayHaveValues)
    #expect(summary(true, nil, .double).mayHaveValues)
    #expect(!summary(true, false, .double).mayHaveValues)
    #expect(!summary(false, true, .double).mayHaveValues)
    #expect(summary(false, nil, .int).mayHaveValues)
    #expect(summary(false, false, .double).mayHaveValues)
    #expect(summary(false, nil, .double).mayHaveNaNs)
    #expect(!summary(false, nil, .int).mayHaveNaNs)
  }
}
