// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import SeededNumbers
import Testing

@testable import Iceberg
@testable import Parquet
@testable import Scanning

/// Reading less must not show: random files, read with random predicates by all that rules rows
/// out, against the same rows asked one by one.
@Suite("Pruned reads")
struct PrunedReadTests {

  @Test func `a pruned read gives the rows that match, in their order, and skips bytes`()
    async throws
  {
    let random = SeededRandom(printing: "pruned reads")
    var total = ScanCounts()
    var skipped = (bytes: Int64(0), pages: 0)
    for round in 0..<(Depth.isLong ? 1500 : 30) {
      let file = try await RandomParquetFile(random)
      for _ in 0..<8 {
        let predicate = Generators.predicate(random, on: file.schema)
        let tuning = ReadTuning.random(random)
        let note = Comment("round \(round): \(file.text), \(tuning), where \(predicate)")
        let expected = try file.lines(matching: predicate)
        let scan = try ParquetScan(file.parquet).filter(predicate).tuned(tuning)
          .parallelism(random.int(in: 1..<4))
        let (lines, counts) = try await scan.lines()
        #expect(lines == expected, note)
        #expect(try await scan.count() == Int64(expected.count), note)
        #expect(counts.bytesRead <= counts.bytes || tuning.isSplitting, note)
        total += counts
        skipped.bytes += counts.bytesSkipped
        skipped.pages += counts.pagesSkipped
        let column = random.pick(file.schema.fields).name
        let narrow = try await scan.select(column).limit(3).lines().lines
        #expect(try narrow == Array(file.lines(matching: predicate, column).prefix(3)), note)
      }
    }
    // Else nothing was tested.
    #expect(skipped.pages > 0 && skipped.bytes > 0)
    #expect(total.rowsDecoded > total.rowsMatched)
    // Few rounds may have none of a kind.
    guard Depth.isLong else { return }
    #expect(total.ruledOut.byStatistics > 0)
    #expect(total.ruledOut.byPageIndex > 0)
    #expect(total.ruledOut.byBloomFilter > 0)
    #expect(total.ruledOut.byDictionary > 0)
  }

  @Test func `of a sorted file only the pages of a range are read`() async throws {
    let schema = try Schema("k long not null, v string")
    let rows: [[Value?]] = (0..<20_000).map { [.long(Int64($0)), .string("value \($0 * 7919)")] }
    var options = WriterOptions()
    options.columns = ["k": .plain, "v": .plain]
    options.pageRowCount = 500
    options.rowGroupRowCount = 10_000
    let file = try await RandomParquetFile(rows, schema, options)
    let scan = try ParquetScan(file.parquet).filter("k >= 4200 AND k < 4300").tuned(.eager)
    let (lines, counts) = try await scan.lines()
    #expect(lines.count == 100)
    #expect(counts.ruledOut.byStatistics == 1)
    #expect(counts.pages == 40 && counts.pagesRead == 2, "\(counts)")
    #expect(counts.bytesRead * 10 < counts.bytes, "\(counts)")
    #expect(counts.rowsDecoded == 500)
  }

  @Test func `columns are read only where rows match`() async throws {
    let schema = try Schema("k long not null, v string")
    let rows: [[Value?]] = (0..<8_000).map { row in
      [.long(Int64(row * 7919 % 8000)), .string(String(repeating: "x\(row)", count: 20))]
    }
    var options = WriterOptions()
    options.columns = ["k": .plain, "v": .plain]
    options.pageRowCount = 100
    let file = try await RandomParquetFile(rows, schema, options)
    // The bounds of every page of k hold these, so that only its values tell.
    let (lines, counts) = try await ParquetScan(file.parquet).filter("k IN (1000, 4000)")
      .tuned(.eager).lines()
    #expect(lines.count == 2)
    #expect(counts.pages == 160 && counts.pagesRead == 80 + 2, "\(counts)")
    #expect(counts.bytesSkipped * 2 > counts.bytes, "\(counts)")
    let none = try await ParquetScan(file.parquet).filter("v = 'y'")
      .tuned(.eager).lines()
    #expect(none.lines.isEmpty && none.counts.bytesRead < none.counts.bytes)
  }
}

extension ReadTuning {
  /// Everything that is there is used, whatever it would spare.
  static var eager: ReadTuning {
    var tuning = ReadTuning()
    tuning.indexedByteCount = 0
    tuning.bloomFilterByteCount = 1 << 20
    tuning.deferredByteCount = 0
    tuning.gapRowCount = 0
    return tuning
  }

  static func random(_ random: SeededRandom) -> ReadTuning {
    var tuning = random.chance(20) ? ReadTuning() : .eager
    tuning.gapRowCount = random.pick([0, 1, 5, 32])
    tuning.batchRowCount = random.pick([1, 10, 65_536])
    tuning.unitByteCount = random.pick([1, 500, 8 << 20])
    tuning.partByteCount = random.pick([1, 400, 32 << 20])
    tuning.deferredByteCount = random.pick([0, 0, 100, .max])
    return tuning
  }

  /// Pages at the seams of parts are fetched with both.
  var isSplitting: Bool { partByteCount < 1 << 20 || unitByteCount < 1 << 20 }
}

extension ColumnOptions {
  /// Without a dictionary, which is fetched whenever a page is.
  static var plain: ColumnOptions {
    var options = ColumnOptions()
    options.dictionary = .never
    return options
  }
}

extension ParquetScan {
  /// A line of JSON for each row, in order, and what was read.
  func lines() async throws -> (lines: [String], counts: ScanCounts) {
    var lines: [String] = []
    let counts = try await read { batch throws(ScanError) in
      batch.jsonLines
    } consume: { part throws(ScanError) in
      lines += part
      return true
    }
    return (lines, counts)
  }
}

extension RecordBatch {
  var jsonLines: [String] {
    var text = MutableBuffer()
    appendLines(.json, to: &text)
    return String(decoding: text.freeze().array(), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }
}

/// A Parquet file of random rows, and those rows.
struct RandomParquetFile {
  let schema: Schema
  let rows: [[Value?]]
  let parquet: ParquetFile
  let bytes: Buffer
  let text: String

  /// Random columns, rows and options; sorted by a column in half of the cases.
  init(_ random: SeededRandom) async throws {
    let schema = try Generators.schema(random, formatVersion: .v3)
    var rows = Generators.rows(random, schema, count: random.int(in: 1..<200))
    if random.chance(50) {
      let column = random.int(in: 0..<schema.fields.count)
      rows.sort { Self.precedes($0[column], $1[column]) }
    }
    try await self.init(rows, schema, Self.options(random, schema))
  }

  init(_ rows: [[Value?]], _ schema: Schema, _ options: WriterOptions) async throws {
    let batch = Rows.batch(rows, schema)
    let writer = try ParquetFileWriter(fields: batch.fields, options: options)
    try writer.write(batch)
    _ = try writer.finish()
    let bytes = Buffer(writer.takeBytes().flatMap { $0.array() })
    try await self.init(bytes, rows, schema, "\(schema.fields.map { "\($0.name) \($0.type)" })")
  }

  init(_ bytes: Buffer, _ rows: [[Value?]], _ schema: Schema, _ text: String) async throws {
    let store = MemoryStore()
    let path = try ObjectPath("memory://w/file.parquet")
    _ = try await store.put(bytes, to: path, if: .none)
    self.bytes = bytes
    self.rows = rows
    self.schema = schema
    self.text = text
    parquet = try await ParquetFile.open(path, in: store)
  }

  private static func options(_ random: SeededRandom, _ schema: Schema) -> WriterOptions {
    var options = WriterOptions()
    options.pageRowCount = random.pick([1, 3, 17, 20_000])
    options.rowGroupRowCount = random.pick([5, 40, 1 << 20])
    options.dictionaryByteCount = random.pick([1, 60, 1 << 20])
    options.dataPageVersion = random.pick([.v1, .v2])
    options.encodings = random.pick([.widest, .current, .smallest])
    options.statisticsByteCount = random.pick([1, 2, 64])
    options.codec = random.pick([.zstd, .uncompressed, .snappy])
    for (name, _) in Generators.leaves(schema) {
      var column = ColumnOptions()
      column.dictionary = random.pick([.measured, .always, .always, .never])
      if random.chance(60) { column.bloomFilter = BloomFilterOptions() }
      options.columns[name] = column
    }
    return options
  }

  private static func precedes(_ a: Value?, _ b: Value?) -> Bool {
    guard let a else { return b != nil }
    guard let b else { return false }
    return (Value.predicateOrder(a, b) ?? 0) < 0
  }

  /// The rows that match, each asked by itself, of one column if that is told.
  func lines(matching predicate: Iceberg.Predicate, _ column: String? = nil) throws -> [String] {
    let bound = try predicate.bound(to: schema)
    let kept = rows.filter { row in
      let values = ReferenceTable.values(of: row, schema.fields)
      return bound.matches { values[$0] ?? nil }
    }
    let batch = Rows.batch(kept, schema)
    guard let column else { return batch.jsonLines }
    return batch.selecting([schema.fields.firstIndex { $0.name == column } ?? 0]).jsonLines
  }
}
