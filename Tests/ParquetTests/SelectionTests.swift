// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@testable import Parquet

/// A file of random columns in small pages.
struct RandomFile {
  let bytes: Buffer
  let footer: ParquetFooter

  init(_ random: Seeded, rows: Int, version: DataPageVersion, depth: Int) throws {
    var columns = RandomColumns(random)
    let fields = (0..<5).map { columns.field("c\($0)", depth: depth) }
    let batch = RecordBatch(
      fields: fields, columns: fields.map { columns.column($0, rows: rows) }, rowCount: rows)
    var options = WriterOptions()
    options.dataPageVersion = version
    options.pageRowCount = 37
    options.rowGroupRowCount = rows / 2 + 1
    options.encodings = .smallest
    let writer = try ParquetFileWriter(fields: fields, options: options)
    try writer.write(batch)
    _ = try writer.finish()
    bytes = Buffer(writer.takeBytes().flatMap { $0.array() })
    footer = try ParquetFooter.parse(wholeFile: bytes)
  }

  /// The rows of row group `group`, a text for each.
  func rows(_ group: Int) throws -> [String] {
    let plan = try footer.readPlan(rowGroup: group, projection: footer.schema.all)
    let decoder = try RowGroupDecoder(footer, plan: plan, bytes: FileBytes(wholeFile: bytes))
    var rows: [String] = []
    while let batch = try decoder.next() { rows += batch.rowTexts }
    return rows
  }

  /// The bytes of `ranges` and nothing else.
  func parts(_ ranges: [Range<Int64>]) -> FileBytes {
    FileBytes(ranges.map { ($0.lowerBound, bytes.slice(Int($0.lowerBound)..<Int($0.upperBound))) })
  }

  func pageIndexes(_ group: Int) throws -> [Int: PageIndex] {
    var found: [Int: PageIndex] = [:]
    for leaf in 0..<footer.schema.leafCount {
      let ranges = footer.pageIndexRanges(rowGroup: group, leaf: leaf)
      let index: PageIndex = try #require(
        footer.pageIndex(rowGroup: group, leaf: leaf, bytes: parts(ranges)))
      found[leaf] = index
    }
    return found
  }
}

extension RecordBatch {
  var rowTexts: [String] {
    (0..<rowCount).map { row in
      columns.map { CanonicalText.text($0, row) }.joined(separator: " ")
    }
  }
}

@Suite("Reading selected rows")
struct SelectionTests {
  private func selection(_ rowCount: Int, _ random: inout Seeded) -> RowSelection {
    var builder = RowSelectionBuilder(rowCount: rowCount)
    var next = random.below(rowCount)
    let step = random.pick([3, 30, 300])
    while next < rowCount {
      let end = min(rowCount, next + 1 + random.below(step))
      builder.append(next..<end)
      next = end + 1 + random.below(step)
    }
    return builder.finish()
  }

  @Test(arguments: [DataPageVersion.v1, .v2], [0, 2])
  func `selected rows are the same with all bytes and with those of their pages`(
    version: DataPageVersion, depth: Int
  ) throws {
    var random = Seeded(UInt64(depth) + 40)
    for round in 0..<12 {
      let file = try RandomFile(
        random, rows: 200 + random.below(600), version: version, depth: depth)
      for group in 0..<file.footer.rowGroupCount {
        let all = try file.rows(group)
        let wanted = selection(all.count, &random)
        let expected = wanted.ranges.flatMap { all[$0] }
        let indexes = try file.pageIndexes(group)
        let plan = try file.footer.readPlan(
          rowGroup: group, projection: file.footer.schema.all, selection: wanted,
          pageIndexes: indexes)
        for bytes in [file.parts(plan.ranges), FileBytes(wholeFile: file.bytes)] {
          let decoder = try RowGroupDecoder(file.footer, plan: plan, bytes: bytes)
          #expect(try read(wanted, decoder, &random) == expected, "round \(round)")
        }
        let whole = try file.footer.readPlan(rowGroup: group, projection: file.footer.schema.all)
        let decoder = try RowGroupDecoder(
          file.footer, plan: whole, bytes: FileBytes(wholeFile: file.bytes))
        #expect(try read(wanted, decoder, &random) == expected, "round \(round), no index")
      }
    }
  }

  /// Reads the selection in parts that end anywhere.
  private func read(
    _ wanted: RowSelection, _ decoder: RowGroupDecoder, _ random: inout Seeded
  ) throws -> [String] {
    var rows: [String] = []
    while decoder.remaining > 0 {
      let start = decoder.row
      let end = min(wanted.rowCount, start + 1 + random.below(300))
      let part = wanted.slice(start..<end)
      if part.isEmpty {
        decoder.skip(part.rowCount)
      } else {
        rows += try decoder.read(part).rowTexts
      }
    }
    return rows
  }

  @Test(arguments: [DataPageVersion.v1, .v2], [0, 2])
  func `who reads a page that has other rows than its index says finds out`(
    version: DataPageVersion, depth: Int
  ) throws {
    var random = Seeded(UInt64(depth) + 44)
    var foundOut = 0
    for _ in 0..<6 {
      let file = try RandomFile(
        random, rows: 200 + random.below(600), version: version, depth: depth)
      let all = try file.rows(0)
      let indexes = try file.pageIndexes(0)
      for (leaf, index) in indexes where index.rows.count > 1 {
        let page = 1 + random.below(index.rows.count - 1)
        let start = index.rows[page].lowerBound + random.pick([-1, 1, -5, 5])
        guard index.rows[page - 1].lowerBound < start, start < index.rows[page].upperBound else {
          continue
        }
        var lying = indexes
        lying[leaf] = index.beginning(page, at: start)
        let wanted = selection(all.count, &random)
        let isRead =
          wanted.overlaps(index.rows[page - 1].lowerBound..<start)
          || wanted.overlaps(start..<index.rows[page].upperBound)
        let plan = try file.footer.readPlan(
          rowGroup: 0, projection: file.footer.schema.all, selection: wanted, pageIndexes: lying)
        do {
          let decoder = try RowGroupDecoder(
            file.footer, plan: plan, bytes: FileBytes(wholeFile: file.bytes))
          #expect(try read(wanted, decoder, &random) == wanted.ranges.flatMap { all[$0] })
          #expect(!isRead)
        } catch let error as ParquetError {
          #expect(error.leafOfPageIndex == file.footer.schema.leaves[leaf].name, "\(error)")
          #expect(isRead)
          foundOut += 1
        }
      }
    }
    // Else nothing was tested.
    #expect(foundOut > 5)
  }

  @Test func `only the pages of the rows are asked for`() throws {
    let file = try RandomFile(Seeded(41), rows: 2000, version: .v1, depth: 0)
    let rowCount = Int(file.footer.rowCount(ofRowGroup: 0))
    let indexes = try file.pageIndexes(0)
    let all = try file.footer.readPlan(rowGroup: 0, projection: file.footer.schema.all)
    let one = try file.footer.readPlan(
      rowGroup: 0, projection: file.footer.schema.all,
      selection: RowSelection(ranges: [400..<401], rowCount: rowCount), pageIndexes: indexes)
    #expect(one.byteCount < all.byteCount)
    let none = try file.footer.readPlan(
      rowGroup: 0, projection: file.footer.schema.all, selection: .none(of: rowCount),
      pageIndexes: indexes)
    #expect(none.ranges.isEmpty)
  }

  @Test func `bytes that were not fetched are named in the error`() throws {
    let file = try RandomFile(Seeded(42), rows: 500, version: .v1, depth: 0)
    let plan = try file.footer.readPlan(rowGroup: 0, projection: file.footer.schema.all)
    let decoder = try RowGroupDecoder(file.footer, plan: plan, bytes: FileBytes([]))
    #expect(throws: ParquetError.self) { try decoder.next() }
  }

  @Test func `pages that can't match are known from their statistics`() throws {
    let file = try RandomFile(Seeded(43), rows: 1500, version: .v2, depth: 0)
    for group in 0..<file.footer.rowGroupCount {
      for (leaf, index) in try file.pageIndexes(group) {
        #expect(index.rows.last?.upperBound == Int(file.footer.rowCount(ofRowGroup: group)))
        guard !index.statistics.isEmpty else { continue }
        let noNulls = index.selection { $0.nullCount == 0 }
        let projection = file.footer.schema.projection([leaf])
        let plan = try file.footer.readPlan(rowGroup: group, projection: projection)
        let decoder = try RowGroupDecoder(
          file.footer, plan: plan, bytes: FileBytes(wholeFile: file.bytes))
        #expect(try decoder.read(noNulls).columns[0].nullCount == 0)
      }
    }
  }
}

extension PageIndex {
  /// This index with page `page` said to begin at row `start`.
  fileprivate func beginning(_ page: Int, at start: Int) -> PageIndex {
    var rows = rows
    rows[page - 1] = rows[page - 1].lowerBound..<start
    rows[page] = start..<rows[page].upperBound
    var locations = offsetIndex.pageLocations
    locations[page].firstRowIndex = Int64(start)
    return PageIndex(
      rows: rows, statistics: statistics, offsetIndex: OffsetIndex(pageLocations: locations),
      headerChecksums: headerChecksums)
  }
}
