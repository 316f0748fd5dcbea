// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar
import Foundation
import SeededNumbers
import Testing

@testable import Parquet

/// What one engine writes, the others read: random schemas of all types, random rows, and all
/// options of each writer.
///
/// Values are compared exactly, by checksums of ``CanonicalText``. One process of the other engines
/// looks at all the files of a run.
@Suite("Parquet between engines", .serialized)
struct EngineRoundTripTests {
  /// How many files Lake writes and others read, and the other way round.
  private static let caseCount = Depth.isLong ? 20_000 : 1500

  private static let codecs: [Codec] = [.uncompressed, .snappy, .gzip, .lz4Raw, .zstd]

  static func options(_ random: inout Seeded) -> WriterOptions {
    var options = WriterOptions()
    options.compressionLevel = random.pick([.standard, CompressionLevel(1)])
    options.encodings = random.pick([.widest, .current, .smallest])
    options.pageRowCount = random.pick([1, 7, 100, 20_000])
    options.pageByteCount = random.pick([1, 1000, 1 << 20])
    options.rowGroupRowCount = random.pick([16, 100, 1 << 20])
    options.rowGroupByteCount = random.pick([1000, 128 << 20])
    options.dictionaryByteCount = random.pick([0, 40, 2 << 20])
    options.statisticsByteCount = random.pick([1, 16, 64])
    return options
  }

  /// An encoding that pages without dictionary of `leaf` may have.
  static func encoding(_ leaf: ParquetLeaf, _ random: inout Seeded) -> Encoding {
    switch leaf.type {
    case .boolean: random.pick([.plain, .rle])
    case .int32, .int64, .int96: random.pick([.plain, .deltaBinaryPacked, .byteStreamSplit])
    case .float, .double: random.pick([.plain, .byteStreamSplit])
    case .byteArray:
      random.pick([.plain, .deltaLengthByteArray, .deltaLengthByteArray, .deltaByteArray])
    case .fixedLenByteArray: random.pick([.plain, .deltaByteArray, .byteStreamSplit])
    }
  }

  /// A file of random rows, and the batches in it.
  static func randomFile(
    _ random: inout Seeded, number: Int
  ) throws -> (bytes: Buffer, batches: [RecordBatch], options: WriterOptions) {
    var columns = RandomColumns(random, flatTypes: RandomColumns.allFlatTypes)
    let depth = random.pick([0, 0, 1, 2, 5])
    var fields = (0..<random.below(4) + 1).map { columns.field("c\($0)", depth: depth) }
    if random.chance(50) { fields[0].type = random.pick([.string, .binary]) }
    let batches = (0..<random.pick([1, 1, 2])).map { _ in
      let rows = random.pick([0, 1, 9, 60, 60, 200])
      return RecordBatch(
        fields: fields, columns: fields.map { columns.column($0, rows: rows) }, rowCount: rows)
    }
    var options = options(&random)
    options.codec = codecs[number % 5]
    options.dataPageVersion = number / 5 % 2 == 0 ? .v1 : .v2
    let leaves = try ParquetSchema(fields: fields).leaves
    for (path, leaf) in zip(ColumnPaths.all(fields), leaves) {
      var column = ColumnOptions()
      column.dictionary = random.pick([.measured, .always, .never])
      if random.chance(75) { column.encoding = encoding(leaf, &random) }
      if leaf.type != .boolean, random.chance(20) { column.bloomFilter = BloomFilterOptions() }
      options.columns[path] = column
    }
    if random.chance(15) { options = WriterOptions() }
    return (try Written.file(batches, options).bytes, batches, options)
  }

  private static func checksum(_ batches: [RecordBatch], _ column: Int) -> UInt32 {
    batches.reduce(0) { CanonicalText.checksum($1.columns[column], continuing: $0) }
  }

  /// DuckDB has no moments of nanoseconds in a zone, and BYTE_STREAM_SPLIT only for floats.
  private static func isForDuckDB(_ leaf: ParquetLeaf, _ options: ColumnOptions?) -> Bool {
    if case .timestamp(.nanoseconds, zoned: true) = leaf.columnType { return false }
    return options?.encoding != .byteStreamSplit || leaf.type == .float || leaf.type == .double
  }

  /// What `roundtrip.py` wants to know of a file: a line a column.
  private static func expectation(
    _ name: String, _ batches: [RecordBatch], _ options: WriterOptions
  ) throws -> String {
    let fields = batches[0].fields
    let leaves = try ParquetSchema(fields: fields).leaves
    let rows = batches.reduce(0) { $0 + $1.rowCount }
    var text = ""
    for (place, field) in fields.enumerated() {
      let isForAll = zip(leaves, ColumnPaths.all(fields)).allSatisfy { leaf, path in
        leaf.path[0] != field.name || isForDuckDB(leaf, options.columns[path])
      }
      let line = "\(name)\t\(rows)\t\(place)\t\(checksum(batches, place))"
      text += line + (isForAll ? "\n" : "\tno-duckdb\n")
    }
    return text
  }

  /// Which encodings, codecs and page versions the chunks of a file have, each with each.
  private static func forms(_ file: Buffer, _ options: WriterOptions) throws -> Set<String> {
    let chunks = try ParquetFooter.parse(wholeFile: file).metadata.rowGroups.flatMap(\.columns)
    return Set(
      chunks.compactMap(\.metaData).flatMap { chunk in
        chunk.encodings.map { "\($0) \(chunk.codec) \(options.dataPageVersion)" }
      })
  }

  @Test func `what Lake writes, Lake, pyarrow and DuckDB read`() throws {
    guard OtherEngines.areThere() else { return }
    var random = Seeded(UInt64.random(in: 0..<1 << 40))
    try OtherEngines.withFolder { folder in
      var expected = ""
      var details: [String: String] = [:]
      var forms: Set<String> = []
      for number in 0..<Self.caseCount {
        let (bytes, batches, options) = try Self.randomFile(&random, number: number)
        let name = "\(number).parquet"
        details[name] = "\(batches[0].fields.map { "\($0.type)" }) \(options)"
        forms.formUnion(try Self.forms(bytes, options))
        let read = try WholeFile.batches(bytes)
        let lines = try Self.expectation(name, batches, options)
        let own = read.isEmpty ? lines : try Self.expectation(name, read, options)
        #expect(own == lines, "\(name): \(details[name] ?? "")")
        expected += lines
        try Data(bytes.array()).write(to: folder.appending(path: name))
      }
      try expected.write(
        to: folder.appending(path: "expected.tsv"), atomically: false, encoding: .utf8)
      let lines = try OtherEngines.lines(["check", folder.path])
      for line in lines.dropLast() {
        Issue.record("\(line.joined(separator: " ")): \(details[line[0]] ?? "")")
      }
      #expect(lines.last?.first == "checked")
      // Seven encodings, five codecs, two page versions.
      #expect(forms.count == 70, "\(forms.sorted())")
      print("Lake to others: \(lines.last?.joined(separator: " ") ?? "")")
    }
  }

  @Test func `what pyarrow and DuckDB write, Lake reads`() throws {
    guard OtherEngines.areThere() else { return }
    var random = Seeded(UInt64.random(in: 0..<1 << 40))
    let seed = random.next() % (1 << 40)
    try OtherEngines.withFolder { folder in
      let made = try OtherEngines.lines(["make", folder.path, "\(seed)", "\(Self.caseCount)"])
      var details: [String: String] = [:]
      for line in made where line[1] == "made" { details[line[0]] = line[2] }
      #expect(details.count > Self.caseCount * 9 / 10, "most of what was asked for")
      let text = try String(contentsOf: folder.appending(path: "expected.tsv"), encoding: .utf8)
      var expected: [String: [(rows: String, sum: String)]] = [:]
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: "\t").map(String.init)
        expected[parts[0], default: []].append((parts[1], parts[3]))
      }
      var columns = 0
      for (name, wanted) in expected.sorted(by: { $0.key < $1.key }) {
        let bytes = try TestFiles.bytes(folder.appending(path: name))
        do throws(ParquetError) {
          let found = try WholeFile.description(bytes, limit: random.pick([5, 1 << 16]))
          for (place, (line, wanted)) in zip(found, wanted).enumerated() {
            let parts = line.split(separator: "\t")
            columns += 1
            #expect(
              parts[0] == wanted.rows && parts[2] == wanted.sum,
              "\(name), \(place): \(details[name] ?? "")")
          }
          #expect(found.count == wanted.count, "\(name)")
        } catch {
          Issue.record("\(name): \(error): \(details[name] ?? "")")
        }
      }
      print("others to Lake: \(expected.count) files, \(columns) columns")
    }
  }
}
