// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar

@testable import Parquet

/// Whole Parquet files: footer, pages, indexes, Bloom filters.
///
/// Laws: rows are the same whatever the size of batches, and with the page index; verified checksums
/// take rows away and never change them; rows that were read and written again read the same.
enum ParquetFileTarget {
  static let all: [FuzzTarget] = [
    FuzzTarget(name: "parquetFile", run: run, seeds: ParquetSeeds.files, files: [".parquet"])
  ]

  /// Rows beyond these are not looked at.
  private static let rowLimit = 2000

  static func run(_ file: Buffer) throws(BrokenLaw) {
    guard
      let footer = attempt({ () throws(ParquetError) in try ParquetFooter.parse(wholeFile: file) }),
      footer.schema.leafCount <= 64
    else { return }
    var options = ReadOptions()
    options.limits = FuzzLimits.decoding
    options.checksums = .ignored
    for group in 0..<min(footer.rowGroupCount, 3) {
      indexes(footer, group, file)
      let batches = read(footer, group, file, options, limit: 512)
      let other = read(footer, group, file, options, limit: 37)
      if let batches, let other {
        try hold(areEqual(batches, other), "rows depend on the size of batches")
      }
      try throughIndexes(footer, group, file, options, batches)
      options.checksums = .verified
      let verified = read(footer, group, file, options, limit: 512)
      options.checksums = .ignored
      if let verified {
        guard let batches else { throw BrokenLaw("only read where checksums are verified") }
        try hold(areEqual(batches, verified), "rows depend on the checksums")
      }
      if let batches, !batches.isEmpty { try roundTrip(batches) }
    }
  }

  /// The batches, up to a number of rows; nil if there is an error on the way.
  private static func read(
    _ footer: ParquetFooter, _ group: Int, _ file: Buffer, _ options: ReadOptions, limit: Int
  ) -> [RecordBatch]? {
    attempt { () throws(ParquetError) in
      let plan = try footer.readPlan(rowGroup: group, projection: footer.schema.all)
      let decoder = try RowGroupDecoder(
        footer, plan: plan, bytes: FileBytes(wholeFile: file), options: options)
      var batches: [RecordBatch] = []
      while decoder.row < rowLimit,
        let batch = try decoder.next(limit: min(limit, rowLimit - decoder.row))
      {
        batches.append(batch)
      }
      return batches
    }
  }

  /// Reads by the page indexes, whatever they say: all rows, which then are the same or an error,
  /// and some, where jumps may go to places that no one can tell are wrong.
  private static func throughIndexes(
    _ footer: ParquetFooter, _ group: Int, _ file: Buffer, _ options: ReadOptions,
    _ batches: [RecordBatch]?
  ) throws(BrokenLaw) {
    let bytes = FileBytes(wholeFile: file)
    var indexes: [Int: PageIndex] = [:]
    for leaf in 0..<footer.schema.leafCount {
      indexes[leaf] = footer.pageIndex(rowGroup: group, leaf: leaf, bytes: bytes)
    }
    guard !indexes.isEmpty, footer.rowCount(ofRowGroup: group) <= rowLimit else { return }
    let plan = ReadPlan(rowGroup: group, projection: footer.schema.all, pageIndexes: indexes)
    func read(skipping count: Int) -> [RecordBatch]? {
      attempt { () throws(ParquetError) in
        let decoder = try RowGroupDecoder(footer, plan: plan, bytes: bytes, options: options)
        var batches: [RecordBatch] = []
        while decoder.remaining > count {
          decoder.skip(count)
          if let batch = try decoder.next(limit: count == 0 ? 512 : 5) { batches.append(batch) }
        }
        return batches
      }
    }
    if let batches, let found = read(skipping: 0) {
      try hold(areEqual(batches, found), "rows depend on the page index")
    }
    _ = read(skipping: 7)
  }

  private static func areEqual(_ a: [RecordBatch], _ b: [RecordBatch]) -> Bool {
    guard let first = a.first, let second = b.first else { return a.isEmpty == b.isEmpty }
    for i in first.columns.indices {
      let one = try? Column.concat(a.map { $0.columns[i] })
      let two = try? Column.concat(b.map { $0.columns[i] })
      guard let one, let two else { continue }
      // The elements of lists may have had other names: written, they are called as the format says.
      guard one.type.layout == two.type.layout, one.count == two.count,
        one.rowsEqual(two).countOfOnes == one.count
      else { return false }
    }
    return first.columns.count == second.columns.count
  }

  private static func indexes(_ footer: ParquetFooter, _ group: Int, _ file: Buffer) {
    let bytes = FileBytes(wholeFile: file)
    for leaf in 0..<footer.schema.leafCount {
      let index = footer.pageIndex(rowGroup: group, leaf: leaf, bytes: bytes)
      _ = index?.selection { _ in false }
      let filter = footer.bloomFilter(rowGroup: group, leaf: leaf, bytes: bytes)
      _ = filter?.mayContain(.integer(7))
      _ = footer.statistics(rowGroup: group, leaf: leaf)
    }
  }

  private static func roundTrip(_ batches: [RecordBatch]) throws(BrokenLaw) {
    let rows = batches.reduce(0) { $0 + $1.rowCount }
    guard rows <= 300, batches[0].fields.count <= 8 else { return }
    let written = attempt { () throws(ParquetError) -> Buffer in
      var options = WriterOptions()
      options.codec = .uncompressed
      let writer = try ParquetFileWriter(fields: batches[0].fields, options: options)
      for batch in batches { try writer.write(batch) }
      _ = try writer.finish()
      var file = MutableBuffer()
      for part in writer.takeBytes() { file.append(part.bytes) }
      return file.freeze()
    }
    // Some that can be read can't be written: columns of the null type, names that are given twice.
    guard let written, rows > 0 else { return }
    guard
      let footer = attempt({ () throws(ParquetError) in
        try ParquetFooter.parse(wholeFile: written)
      }),
      let again = read(footer, 0, written, ReadOptions(), limit: 512)
    else { throw BrokenLaw("what Lake wrote is not read back") }
    try hold(areEqual(batches, again), "rows change when they are read back")
  }
}
