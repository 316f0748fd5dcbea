// SPDX-License-Identifier: Apache-2.0
import Iceberg
import SeededNumbers
import Testing

@Suite("Which deletes apply, and where rows moved")
struct DeleteRulesTests {
  static func entry(
    _ content: DataFile.Content, _ sequence: Int64, path: String = "d",
    partition: [Value?] = [.int(1)], spec: Int32 = 1, format: FileFormat = .parquet,
    referenced: String? = nil, metrics: ColumnMetricsList = .unknown
  ) -> ManifestEntry {
    ManifestEntry(
      status: .added, snapshotID: SnapshotID(1), sequenceNumber: SequenceNumber(sequence),
      fileSequenceNumber: nil,
      file: DataFile(
        content: content, path: path, format: format,
        partition: PartitionValues(specID: PartitionSpecID(spec), values: partition),
        recordCount: 1, byteCount: 1, metrics: metrics, referencedDataFile: referenced))
  }

  @Test func `G1, rule 76: position deletes reach files of their commit, equality deletes do not`()
    throws
  {
    let data = Self.entry(.data, 5)
    for (sequence, positions, equality) in [(4, false, false), (5, true, false), (6, true, true)] {
      let sequence = Int64(sequence)
      #expect(
        try Self.entry(.positionDeletes, sequence).mayDeleteRows(of: data, isGlobal: false)
          == positions)
      #expect(
        try Self.entry(.positionDeletes, sequence, format: .puffin, referenced: "d")
          .mayDeleteRows(of: data, isGlobal: false) == positions)
      #expect(
        try Self.entry(.equalityDeletes, sequence).mayDeleteRows(of: data, isGlobal: false)
          == equality)
    }
    #expect(try !Self.entry(.data, 9).mayDeleteRows(of: data, isGlobal: true))
  }

  @Test func `G4, rule 77: deletes stay in their partition, but for global equality deletes`()
    throws
  {
    let data = Self.entry(.data, 5)
    let elsewhere: [([Value?], Int32)] = [([.int(2)], 1), ([.int(1)], 2), ([nil], 1), ([], 0)]
    for (partition, spec) in elsewhere {
      func delete(_ content: DataFile.Content, _ format: FileFormat = .parquet) -> ManifestEntry {
        Self.entry(
          content, 9, partition: partition, spec: spec, format: format,
          referenced: format == .puffin ? "d" : nil)
      }
      #expect(try !delete(.positionDeletes).mayDeleteRows(of: data, isGlobal: true))
      #expect(try !delete(.equalityDeletes).mayDeleteRows(of: data, isGlobal: false))
      #expect(try delete(.equalityDeletes).mayDeleteRows(of: data, isGlobal: true))
      #expect(throws: IcebergError.self) {
        try delete(.positionDeletes, .puffin).mayDeleteRows(of: data, isGlobal: false)
      }
    }
    // NaN is one partition.
    let nan = Self.entry(.data, 5, partition: [.double(.nan)])
    #expect(
      try Self.entry(.positionDeletes, 5, partition: [.double(-.nan)])
        .mayDeleteRows(of: nan, isGlobal: false))
  }

  @Test func `rule 80: each version takes its own kinds of deletes`() {
    let kinds: [DeleteKind] = [.positions, .vector, .equality]
    #expect(kinds.map { $0.mayBeAdded(in: .v1) } == [false, false, false])
    #expect(kinds.map { $0.mayBeAdded(in: .v2) } == [true, false, true])
    #expect(kinds.map { $0.mayBeAdded(in: .v3) } == [false, true, true])
  }

  static func bounds(_ id: FieldID, _ lower: Value, _ upper: Value, nulls: Int64 = 0)
    -> ColumnMetricsList
  {
    let type: PrimitiveType = if case .string = lower { .string } else { .int }
    return ColumnMetricsList([
      ColumnMetrics(
        fieldID: id, valueCount: 10, nullCount: nulls, lowerBound: lower.encoded(as: type),
        upperBound: upper.encoded(as: type))
    ])
  }

  @Test func `rules 89 and 90: equal bounds of the path name the file, byte for byte`() throws {
    let one = Self.entry(
      .positionDeletes, 5, metrics: Self.bounds(.deleteFilePath, .string("d"), .string("d")))
    #expect(one.file.onlyReferencedPath == "d")
    #expect(try one.mayDeleteRows(of: Self.entry(.data, 5, path: "d"), isGlobal: false))
    for path in ["./d", "d/", "D", "e"] {
      #expect(try !one.mayDeleteRows(of: Self.entry(.data, 5, path: path), isGlobal: false))
    }
    let composed = Self.entry(.positionDeletes, 5, referenced: "\u{e9}")
    #expect(
      try !composed.mayDeleteRows(of: Self.entry(.data, 5, path: "e\u{301}"), isGlobal: false))
    let several = Self.entry(
      .positionDeletes, 5, metrics: Self.bounds(.deleteFilePath, .string("a"), .string("d")))
    #expect(several.file.onlyReferencedPath == nil)
    #expect(try several.mayDeleteRows(of: Self.entry(.data, 5, path: "x"), isGlobal: false))
    #expect(Self.entry(.data, 5, referenced: "d").file.onlyReferencedPath == nil)
  }

  @Test func `equality deletes whose values a file can't have are told apart`() throws {
    let schema = try Schema("i int")
    func file(_ low: Int32, _ high: Int32, nulls: Int64 = 0) -> DataFile {
      var file = Self.entry(
        .equalityDeletes, 5, metrics: Self.bounds(FieldID(1), .int(low), .int(high), nulls: nulls)
      ).file
      file.equalityIDs = [FieldID(1)]
      return file
    }
    #expect(file(1, 5).mayShareKeys(with: file(5, 9), schema: schema))
    #expect(!file(1, 5).mayShareKeys(with: file(6, 9), schema: schema))
    #expect(!file(6, 9).mayShareKeys(with: file(1, 5), schema: schema))
    #expect(file(1, 5, nulls: 1).mayShareKeys(with: file(6, 9, nulls: 1), schema: schema))
    #expect(!file(1, 5, nulls: 1).mayShareKeys(with: file(6, 9), schema: schema))
    #expect(
      file(1, 5).mayShareKeys(with: file(6, 9), schema: try Schema("x int", key: []).renumbered))
  }

  @Test func `G2, rule 91: rows are deleted by values that are equal beyond doubt`() throws {
    let schema = try Schema("i int, f float, d double, s struct<x: int>, l list<int>, v variant")
    func check(_ names: String...) throws {
      try schema.checkEqualityFields(names.map { schema.field(named: $0)!.id })
    }
    try check("i")
    try check("i", "s.x")
    for name in ["f", "d", "s", "l", "l.element", "v"] {
      #expect(throws: IcebergError.self, "\(name)") { try check("i", name) }
    }
    #expect(throws: IcebergError.self) { try check() }
    #expect(throws: IcebergError.self) { try schema.checkEqualityFields([FieldID(99)]) }
  }

  @Test func `rows are found where a rewrite moved them, and deletes follow`() throws {
    var random = Seeded(printing: "position map")
    for _ in 0..<50 {
      // Rows of two files, some of them left out, go to two others in any order.
      var rows = (0..<2).flatMap { file in (0..<40).map { (file, Int64($0)) } }
      rows.removeAll { _ in random.chance(20) }
      if random.chance(50) { rows.shuffle(using: &random) }
      var builder = PositionMapBuilder()
      var expected: [String: (String, Int64)] = [:]
      var ends: [Int64] = [0, 0]
      for (index, (file, position)) in rows.enumerated() {
        let target = index < rows.count / 2 ? 0 : 1
        builder.append(from: position, of: "s\(file)", to: ends[target], of: "t\(target)")
        expected["\(file) \(position)"] = ("t\(target)", ends[target])
        ends[target] += 1
      }
      let map = try builder.finish()
      var deleted: [String: Set<Int64>] = [:]
      for file in 0..<2 {
        var vector = DeletionVector()
        for position in 0..<45 as Range<Int64> {
          let found = map.target(of: position, in: "s\(file)")
          let place = expected["\(file) \(position)"]
          law(found?.file == place?.0 && found?.position == place?.1, "seed \(random.seed)")
          if random.chance(40) {
            vector.insert(position)
            if let place { deleted[place.0, default: []].insert(place.1) }
          }
        }
        for (path, moved) in map.moved(vector, of: "s\(file)") {
          for position in moved.positions {
            law(deleted[path, default: []].remove(position) != nil, "seed \(random.seed)")
          }
        }
      }
      #expect(deleted.values.allSatisfy { $0.isEmpty }, "seed \(random.seed)")
    }
    var twice = PositionMapBuilder()
    twice.append(from: 0, of: "a", to: 0, of: "b", count: 5)
    twice.append(from: 4, of: "a", to: 9, of: "b")
    #expect(throws: IcebergError.self) { try twice.finish() }
  }
}

extension Schema {
  /// The same columns under other ids, as if those of before were dropped.
  fileprivate var renumbered: Schema {
    try! Schema(
      fields: fields.map {
        Field(id: FieldID($0.id.rawValue + 50), name: $0.name, type: $0.type, isRequired: false)
      })
  }
}
