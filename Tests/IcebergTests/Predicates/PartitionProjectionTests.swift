// SPDX-License-Identifier: Apache-2.0
import Iceberg
import SeededNumbers
import Testing

@Suite("Predicates and partitions")
struct PartitionProjectionTests {
  /// All that transforms apply to in the schema of ``Generators``.
  static let terms: [(String, Transform)] = {
    let transforms: [Transform] = [
      .identity, .bucket(3), .truncate(1), .truncate(2), .truncate(10), .year, .month, .day, .hour,
      .void,
    ]
    return Generators.schema.fields.flatMap { field in
      transforms.filter { $0.applies(to: Generators.type(field)) }.map { (field.name, $0) }
    }
  }()

  static func spec(_ terms: [(String, Transform)]) throws -> PartitionSpec {
    var fields: [PartitionField] = []
    for (index, (name, transform)) in terms.enumerated() {
      let source = try #require(Generators.schema.field(named: name))
      fields.append(
        PartitionField(
          sourceIDs: [source.id], fieldID: FieldID(1000 + Int32(index)),
          name: "p\(index)", transform: transform))
    }
    return try PartitionSpec(id: PartitionSpecID(1), fields: fields)
  }

  /// The partition a row falls in; `old` as writers before the fix rounded times.
  static func partition(
    _ row: [FieldID: Value], _ spec: PartitionSpec, old: Bool = false
  ) -> [Value?] {
    spec.fields.map { field in
      let id = field.sourceIDs[0]
      let type = Generators.type(Generators.schema.field(id)!)
      let value = field.transform.apply(to: row[id], of: type)
      guard old, [.year, .month, .day, .hour].contains(field.transform),
        case .int(let ordinal) = value, !(type == .date && field.transform == .day)
      else { return value }
      let isBefore1970 = (row[id].flatMap { Value.compare($0, .int(0)) } ?? 0) < 0
      // Towards zero, unless it fell on the start of the unit; that too is simplest put as +1.
      return isBefore1970 ? .int(ordinal &+ 1) : value
    }
  }

  @Test(arguments: terms.indices)
  func `rules 13, 15 and 17: a projection finds all partitions, a strict one only whole ones`(
    index: Int
  ) throws {
    let (name, transform) = Self.terms[index]
    var random = Seeded(
      seed: UInt64(index) &* 7919 &+ Seeded(printing: "\(name) \(transform)").seed)
    let spec = try Self.spec([(name, transform)])
    for _ in 0..<40 {
      let predicate = try Generators.predicate(&random, depth: 1, on: [name])
        .bound(to: Generators.schema)
      let inclusive = spec.inclusiveProjection(of: predicate)
      let strict = spec.strictProjection(of: predicate)
      for _ in 0..<8 {
        let row = Generators.row(&random, only: name)
        let matches = predicate.matches { row[$0] }
        for old in [false, true] {
          let partition = Self.partition(row, spec, old: old)
          let facts = PartitionFacts(partition, of: spec)
          func note() -> String {
            "\(predicate) of \(row) in \(partition), seed \(random.seed)"
          }
          law(!matches || inclusive.mightMatch(facts), "lost: \(note()) by \(inclusive)")
          law(matches || !strict.mustMatch(facts), "taken: \(note()) by \(strict)")
          let residual = spec.residual(of: predicate, in: partition)
          law(residual.matches { row[$0] } == matches, "left: \(note()) as \(residual)")
        }
      }
    }
  }

  @Test func `several partition fields and a manifest of many partitions lose nothing`() throws {
    var random = Seeded(printing: "manifests")
    var pruned = 0
    for _ in 0..<800 {
      let terms = (0..<Int.random(in: 1...3, using: &random)).map { _ in random.pick(Self.terms) }
      let spec = try Self.spec(terms)
      let names = terms.map(\.0) + ["i"]
      let predicate = try Generators.predicate(&random, depth: 2, on: names)
        .bound(to: Generators.schema)
      let rows = (0..<3).map { _ in Generators.row(&random) }
      let inclusive = spec.inclusiveProjection(of: predicate)
      var manifest = FactTable()
      let partitions = rows.map { Self.partition($0, spec) }
      let types = try spec.partitionType(for: Generators.schema).fields
      for (index, field) in types.enumerated() {
        let type = Generators.type(field)
        let values = partitions.map { $0[index] }
        let ordered = values.compactMap { $0 }.filter { !MetricsEvaluationTests.isNaN($0) }
          .sorted(by: MetricsEvaluationTests.isLower)
        manifest.facts[field.id] = ColumnFacts(
          containsNull: values.contains(nil),
          containsNaN: values.contains { $0.map(MetricsEvaluationTests.isNaN) ?? false },
          lower: ordered.first?.encoded(as: type), upper: ordered.last?.encoded(as: type),
          type: type)
      }
      let anyMatches = rows.contains { row in predicate.matches { row[$0] } }
      let isKept = inclusive.mightMatch(manifest)
      if !isKept { pruned += 1 }
      law(
        !anyMatches || isKept,
        "\(predicate) by \(inclusive) of \(partitions), seed \(random.seed)")
      // A manifest is a set of rows to the strict projection too.
      if spec.strictProjection(of: predicate).mustMatch(manifest) {
        #expect(rows.allSatisfy { row in predicate.matches { row[$0] } })
      }
    }
    #expect(pruned > 40)
  }

  static let schema = try! Schema(
    "ts timestamp, day date, id long, s string, n decimal(9,2), b binary", id: SchemaID(0))

  static func projected(_ predicate: String, _ spec: String, strict: Bool = false) throws -> String
  {
    let bound = try PredicateParser.parse(predicate).bound(to: schema)
    let spec = try PartitionSpec(spec, schema: schema)
    return (strict ? spec.strictProjection(of: bound) : spec.inclusiveProjection(of: bound))
      .description
  }

  @Test func `rule 13: bounds before 1970 are widened by one, where old writers went wrong`() throws
  {
    let before = "TIMESTAMP '1969-12-31T23:00:00'"
    #expect(
      try Self.projected("ts = \(before)", "day(ts)")
        == "ts_day IN (DATE '1969-12-31', DATE '1970-01-01')")
    #expect(try Self.projected("ts <= \(before)", "month(ts)") == "ts_month <= 0")
    #expect(try Self.projected("ts > \(before)", "year(ts)") == "ts_year >= -1")
    #expect(
      try Self.projected("ts <> \(before)", "month(ts)", strict: true) == "ts_month NOT IN (-1, 0)")
    #expect(
      try Self.projected("day = DATE '1969-12-31'", "day(day)") == "day_day = DATE '1969-12-31'")
    #expect(try Self.projected("day = DATE '1969-12-31'", "year(day)") == "day_year IN (-1, 0)")
    #expect(
      try Self.projected("ts >= '2017-11-16T22:31:08'", "day(ts)") == "ts_day >= DATE '2017-11-16'")
    #expect(try Self.projected("ts < '2017-11-16'", "day(ts)") == "ts_day <= DATE '2017-11-15'")
  }

  @Test func `projections are as narrow as the reference implementation's`() throws {
    #expect(
      try Self.projected("id < 100", "truncate(10, id)")
        == "id_trunc <= 90 OR id_trunc > 9223372036854775797")
    #expect(try Self.projected("id < 100", "truncate(10, id)", strict: true) == "id_trunc < 100")
    #expect(
      try Self.projected("id >= 100", "truncate(10, id)", strict: true)
        == "id_trunc > 90 AND id_trunc <= 9223372036854775797")
    #expect(try Self.projected("n > 1.00", "truncate(50, n)") == "n_trunc >= 1.00")
    #expect(try Self.projected("id = 34", "bucket(100, id)") == "id_bucket = 79")
    #expect(try Self.projected("id <> 34", "bucket(100, id)") == "TRUE")
    #expect(try Self.projected("id <> 34", "bucket(100, id)", strict: true) == "id_bucket <> 79")
    #expect(try Self.projected("s LIKE 'ab%'", "truncate(3, s)") == "s_trunc LIKE 'ab%'")
    #expect(try Self.projected("s LIKE 'abc%'", "truncate(3, s)") == "s_trunc = 'abc'")
    #expect(try Self.projected("s LIKE 'abcd%'", "truncate(3, s)") == "s_trunc = 'abc'")
    #expect(try Self.projected("s LIKE 'abcd%'", "truncate(3, s)", strict: true) == "FALSE")
    #expect(try Self.projected("s NOT LIKE 'abcd%'", "truncate(3, s)") == "TRUE")
    #expect(try Self.projected("s = 'ab'", "truncate(3, s)", strict: true) == "s_trunc = 'ab'")
    #expect(try Self.projected("id = 5 AND s = 'x'", "id") == "id = 5")
    #expect(try Self.projected("id = 5 OR s = 'x'", "id") == "TRUE")
    #expect(try Self.projected("id = 5 OR s = 'x'", "id", strict: true) == "id = 5")
    #expect(try Self.projected("ts IS NULL", "hour(ts)") == "ts_hour IS NULL")
  }

  @Test func `rule 17: an unknown transform narrows nothing`() throws {
    let spec = try PartitionSpec(
      id: PartitionSpecID(0),
      fields: [
        PartitionField(
          sourceIDs: [FieldID(3)], fieldID: FieldID(1000), name: "z",
          transform: .unknown("zorder[3]")),
        PartitionField(
          sourceIDs: [FieldID(3), FieldID(4)], fieldID: FieldID(1001), name: "m",
          transform: .bucket(4)),
      ])
    for text in ["id = 5", "id IS NULL", "id <> 5"] {
      let bound = try PredicateParser.parse(text).bound(to: Self.schema)
      #expect(spec.inclusiveProjection(of: bound) == .alwaysTrue)
      #expect(spec.strictProjection(of: bound) == .alwaysFalse)
      #expect(spec.residual(of: bound, in: [.long(1), .int(1)]) == bound)
    }
    #expect(throws: IcebergError.self) { try spec.check(for: Self.schema) }
  }
}
