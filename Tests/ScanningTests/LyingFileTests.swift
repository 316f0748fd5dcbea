// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@testable import Iceberg
@testable import Parquet
@testable import Scanning

/// Statistics and indexes that can't be true, or are not there: what the format allows to know must
/// not be believed, so that rows stay what they are.
@Suite("Files that lie of themselves")
struct LyingFileTests {
  /// What is done to the page index of a column chunk.
  enum Lie: CaseIterable {
    case noIndex, noColumnIndex, noStatistics, brokenThrift, swappedBounds, boundsOfOtherWidth
    case nullPagesWithValues, impossibleNullCounts, wrongNullCounts, boundsBeyondTheChunk
    case shiftedRows, fewerPages, rowsOutOfOrder, pagesElsewhere, impossibleChunkCounts
    case boundsOfNaN
    /// Two boundaries, so that the page between them has as many rows as it is said to.
    case shiftedPage
    /// Their sum is that of the chunk, so that only who reads a page can tell.
    case nullCountsOfTheNextPage

    /// Those that no read believes; the others have tests of their own.
    static let allCases: [Lie] = [
      .noIndex, .noColumnIndex, .noStatistics, .brokenThrift, .swappedBounds, .boundsOfOtherWidth,
      .nullPagesWithValues, .impossibleNullCounts, .wrongNullCounts, .boundsBeyondTheChunk,
      .shiftedRows, .fewerPages, .rowsOutOfOrder, .pagesElsewhere, .impossibleChunkCounts,
      .boundsOfNaN,
    ]

    /// Found out where a page is read whose rows it is about.
    var isOfRows: Bool { self == .shiftedRows || self == .rowsOutOfOrder || self == .fewerPages }
  }

  @Test(arguments: Lie.allCases)
  func `no lie that can be found out changes the rows`(lie: Lie) async throws {
    let random = SeededRandom(printing: "\(lie)")
    for round in 0..<6 {
      let file = try await RandomParquetFile(random)
      let bytes = try LyingFile(file.bytes).telling(lie)
      let lying = try await RandomParquetFile(bytes, file.rows, file.schema, file.text)
      for _ in 0..<6 {
        // Of several columns the pages that are said to match may have no row in common, and then
        // none is read.
        let predicate = Generators.predicate(random, on: file.schema, depth: lie.isOfRows ? 0 : 3)
        let note = Comment("\(lie), round \(round): \(file.text), where \(predicate)")
        let tuning = ReadTuning.random(random)
        do {
          let found = try await ParquetScan(lying.parquet).filter(predicate).tuned(tuning).lines()
          let expected = try file.lines(matching: predicate)
          #expect(found.lines == expected, note)
        } catch ScanError.dataFile(.parquet(let error, _)) {
          // Who reads a page that is lied about finds out, but what others left out is theirs.
          #expect(lie.isOfRows && tuning.isSplitting && error.leafOfPageIndex != nil, note)
        }
      }
    }
  }

  @Test func `a boundary in the wrong place is found out by what is counted of its pages`()
    async throws
  {
    // Page 5 is told to have row 11 alone, and has as many nulls, or NaNs.
    let nan = Value.double(.nan)
    let fillers: [(String, Value?, (Int) -> Value)] = [
      ("long", nil, { .long(Int64($0)) }), ("double", nan, { .double(Double($0)) }),
    ]
    for (type, filler, value) in fillers {
      let schema = try Schema("k long not null, v \(type)")
      let rows = (0..<20).map { row -> [Value?] in
        [.long(Int64(row)), row % 2 == 0 ? filler : value(row)]
      }
      try await check(rows, schema, .shiftedRows)
    }
    // Page 5 has as many rows as it is told to, and the levels of those beside it tell.
    let schema = try Schema("k long not null, s struct<v: long>")
    let id = try #require(schema.fields[1].leafIDs.first)
    let rows = (0..<20).map { row -> [Value?] in
      [.long(Int64(row)), .structure([id: .long(Int64(row))])]
    }
    try await check(rows, schema, .shiftedPage)
  }

  /// Asks for row 11 of pages of two rows.
  private func check(_ rows: [[Value?]], _ schema: Schema, _ lie: Lie) async throws {
    var options = WriterOptions()
    for (name, _) in Generators.leaves(schema) { options.columns[name] = .plain }
    options.pageRowCount = 2
    let file = try await RandomParquetFile(rows, schema, options)
    let bytes = try LyingFile(file.bytes).telling(lie)
    let lying = try await RandomParquetFile(bytes, rows, schema, file.text)
    let text = schema.fields[1].name == "s" ? "s.v = 11" : "v = 11"
    let honest = try await ParquetScan(file.parquet).filter(text).tuned(.eager).lines()
    #expect(honest.lines.count == 1 && honest.counts.pagesSkipped > 0)
    let found = try await ParquetScan(lying.parquet).filter(text).tuned(.eager).lines()
    #expect(found.lines == honest.lines, "\(lie), \(file.text)")
  }

  @Test func `null counts of other pages are found out where a page is read`() async throws {
    let schema = try Schema("k long not null, v long")
    let rows: [[Value?]] = (0..<400).map { row in
      // Every other page of 20 rows has 5 nulls.
      let isNull = row / 20 % 2 == 0 && row % 4 == 0
      let value: Value? = isNull ? nil : .long(Int64(row % 7))
      return [.long(Int64(row)), value]
    }
    var options = WriterOptions()
    options.columns = ["k": .plain, "v": .plain]
    options.pageRowCount = 20
    let file = try await RandomParquetFile(rows, schema, options)
    let bytes = try LyingFile(file.bytes).telling(.nullCountsOfTheNextPage)
    let lying = try await RandomParquetFile(bytes, rows, schema, file.text)
    let predicate = Iceberg.Predicate.test("v", .isNull)
    let expected = try file.lines(matching: predicate)
    #expect(expected.count == 50)
    let scan = try ParquetScan(lying.parquet).filter(predicate)
    #expect(try await scan.tuned(.eager).lines().lines == expected)
    var tuning = ReadTuning.eager
    tuning.partByteCount = 400
    do {
      let found = try await scan.tuned(tuning).lines()
      Issue.record("believed: \(found.lines.count) of \(expected.count) rows")
    } catch ScanError.dataFile(.parquet(.inconsistent(let part, _, let told, let found), _)) {
      #expect(part == .columnIndex(path: "v", rowGroup: 0))
      #expect(told == 5 && found == 0)
    }
  }

  @Test func `a flipped bit between pages and footer never changes rows`() async throws {
    let random = SeededRandom(printing: "flipped index bits")
    for _ in 0..<4 {
      let file = try await RandomParquetFile(random)
      let range = try #require(file.parquet.footer.indexRange)
      let predicate = Generators.predicate(random, on: file.schema)
      let expected = try file.lines(matching: predicate)
      for _ in 0..<60 {
        var bytes = file.bytes.array()
        let place = random.int(in: Int(range.lowerBound)..<Int(range.upperBound))
        bytes[place] ^= 1 << UInt8(random.int(in: 0..<8))
        let lying = try await RandomParquetFile(
          Buffer(bytes), file.rows, file.schema, file.text)
        let found = try await ParquetScan(lying.parquet).filter(predicate).tuned(.eager).lines()
        #expect(found.lines == expected, "byte \(place), \(file.text), where \(predicate)")
      }
    }
  }
}

/// A file whose index and statistics are made anew, its pages left as they are.
struct LyingFile {
  private let bytes: Buffer
  private let footer: ParquetFooter

  init(_ bytes: Buffer) throws {
    self.bytes = bytes
    footer = try ParquetFooter.parse(wholeFile: bytes)
  }

  func telling(_ lie: LyingFileTests.Lie) throws -> Buffer {
    var metadata = footer.metadata
    // Another program's: Lake's own checksums would tell at once.
    metadata.createdBy = "another program"
    metadata.keyValueMetadata = nil
    let file = FileBytes(wholeFile: bytes)
    let end = try #require(footer.indexRange).lowerBound
    var output = Array(bytes.array()[..<Int(end)])
    func place(_ encode: (inout ThriftWriter) -> Void) -> (Int64, Int32) {
      var writer = ThriftWriter()
      encode(&writer)
      let start = Int64(output.count)
      output += writer.finish().array()
      return (start, Int32(Int64(output.count) - start))
    }
    for group in metadata.rowGroups.indices {
      for leaf in metadata.rowGroups[group].columns.indices {
        var chunk = metadata.rowGroups[group].columns[leaf]
        chunk.metaData?.bloomFilterOffset = nil
        chunk.metaData?.bloomFilterLength = nil
        var offsets = try footer.offsetIndex(chunk, file)
        var columns = try footer.columnIndex(chunk, file)
        Self.tell(lie, &chunk, &offsets, &columns, rows: metadata.rowGroups[group].rowCount)
        (chunk.columnIndexOffset, chunk.columnIndexLength) = (nil, nil)
        (chunk.offsetIndexOffset, chunk.offsetIndexLength) = (nil, nil)
        if let columns {
          let (offset, length) = place { columns.encode(into: &$0) }
          (chunk.columnIndexOffset, chunk.columnIndexLength) = (offset, length)
        }
        if let offsets {
          let (offset, length) = place { offsets.encode(into: &$0) }
          (chunk.offsetIndexOffset, chunk.offsetIndexLength) = (offset, length)
        }
        if lie == .brokenThrift { output[output.count - 1] = 0xff }
        metadata.rowGroups[group].columns[leaf] = chunk
      }
    }
    let (_, length) = place { metadata.encode(into: &$0) }
    for shift in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: length >> shift)) }
    return Buffer(output + Array("PAR1".utf8))
  }

  private static func tell(
    _ lie: LyingFileTests.Lie, _ chunk: inout ColumnChunk, _ offsets: inout OffsetIndex?,
    _ columns: inout ColumnIndex?, rows: Int64
  ) {
    let told = columns
    switch lie {
    case .noIndex: (offsets, columns) = (nil, nil)
    case .noColumnIndex: columns = nil
    case .noStatistics: chunk.metaData?.statistics = nil
    case .brokenThrift: break
    case .swappedBounds:
      if let old = columns, old.minValues != old.maxValues {
        // Where the two of a page are equal, nothing is swapped.
        columns?.minValues = old.maxValues
        columns?.maxValues = old.minValues
        chunk.metaData?.statistics = nil
      }
    case .boundsOfOtherWidth:
      guard chunk.metaData?.type != .byteArray else { return }
      columns?.minValues = told?.minValues.map { $0 + [0] } ?? []
      columns?.maxValues = told?.maxValues.map { Array($0.dropLast()) } ?? []
    case .nullPagesWithValues:
      guard columns?.nullCounts != nil else { return }
      columns?.nullPages = told?.nullPages.map { _ in true } ?? []
    case .impossibleNullCounts: columns?.nullCounts = told?.nullCounts?.map { _ in rows + 1 }
    case .wrongNullCounts:
      guard let old = columns?.nullCounts else { return }
      columns?.nullCounts = old.map { _ in 0 }
      // Beside the truth of the chunk.
      if old.allSatisfy({ $0 == 0 }) { columns = nil }
    case .nullCountsOfTheNextPage:
      guard let old = columns?.nullCounts, old.count > 1 else { return }
      columns?.nullCounts = Array(old.dropFirst()) + [old[0]]
    case .boundsBeyondTheChunk:
      let types: [PhysicalType] = [.int32, .int64]
      guard let type = chunk.metaData?.type, types.contains(type),
        chunk.metaData?.statistics?.maxValue != nil
      else { return }
      let width = type == .int32 ? 4 : 8
      let most = [UInt8](repeating: 0xff, count: width - 1) + [0x7f]
      // Values that no page has, where the chunk says so.
      if chunk.metaData?.statistics?.maxValue == most { return }
      columns?.minValues = told?.minValues.map { $0.isEmpty ? $0 : most } ?? []
      columns?.maxValues = told?.maxValues.map { $0.isEmpty ? $0 : most } ?? []
    case .shiftedRows:
      // One boundary: whoever reads a page beside it can tell.
      if let count = offsets?.pageLocations.count, count > 1 {
        offsets?.pageLocations[count / 2].firstRowIndex += 1
      }
    case .shiftedPage:
      if let count = offsets?.pageLocations.count, count > 2 {
        offsets?.pageLocations[count / 2].firstRowIndex += 1
        offsets?.pageLocations[count / 2 + 1].firstRowIndex += 1
      }
    case .fewerPages: offsets?.pageLocations.removeLast()
    case .rowsOutOfOrder:
      for page in offsets?.pageLocations.indices ?? 0..<0 {
        offsets?.pageLocations[page].firstRowIndex = Int64(page % 2) * 3
      }
    case .pagesElsewhere:
      for page in offsets?.pageLocations.indices ?? 0..<0 {
        offsets?.pageLocations[page].offset += 1 << 40
      }
    case .impossibleChunkCounts:
      chunk.metaData?.statistics?.nullCount = -7
      chunk.metaData?.statistics?.distinctCount = .max
    case .boundsOfNaN:
      guard chunk.metaData?.type == .double else { return }
      let nan: [UInt8] = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]
      columns?.minValues = told?.minValues.map { $0.isEmpty ? $0 : nan } ?? []
      columns?.maxValues = told?.maxValues.map { $0.isEmpty ? $0 : nan } ?? []
      chunk.metaData?.statistics?.minValue = nan
      chunk.metaData?.statistics?.maxValue = nan
    }
  }
}

extension ParquetFooter {
  /// What lies between the last page and the footer: Bloom filters and page indexes. Nil where
  /// chunks do not lie as they should.
  fileprivate var indexRange: Range<Int64>? {
    var end: Int64 = 0
    for group in 0..<rowGroupCount {
      for leaf in 0..<schema.leafCount {
        guard let place = try? chunkPlace(rowGroup: group, leaf: leaf) else { return nil }
        end = max(end, place.range.upperBound)
      }
    }
    return end > 0 && end <= offset ? end..<offset : nil
  }

  fileprivate func offsetIndex(_ chunk: ColumnChunk, _ file: FileBytes) throws -> OffsetIndex? {
    guard let start = chunk.offsetIndexOffset, let length = chunk.offsetIndexLength,
      let bytes = file.slice(start..<start + Int64(length))
    else { return nil }
    var reader = ThriftReader(bytes.bytes)
    return try OffsetIndex(from: &reader)
  }

  fileprivate func columnIndex(_ chunk: ColumnChunk, _ file: FileBytes) throws -> ColumnIndex? {
    guard let start = chunk.columnIndexOffset, let length = chunk.columnIndexLength,
      let bytes = file.slice(start..<start + Int64(length))
    else { return nil }
    var reader = ThriftReader(bytes.bytes)
    return try ColumnIndex(from: &reader)
  }
}
