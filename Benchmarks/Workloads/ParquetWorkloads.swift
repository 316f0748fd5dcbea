// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// One Parquet file: written from memory, read in full, by column, by range.
enum ParquetWorkloads {
  private static let lineitem = "lineitem.parquet"
  private static let lineitemByShipdate = "lineitem_by_shipdate.parquet"
  private static let lineitemRowCount = 6_001_215
  private static let threeColumns = ["l_orderkey", "l_extendedprice", "l_shipdate"]
  private static let hundredth =
    "l_shipdate >= DATE '1995-03-01' AND l_shipdate < DATE '1995-03-26'"
  private static let hundredthRowCount = 62_959

  /// lineitem in memory to one file of row groups of 1 Mi rows.
  @Sendable
  static func write(_ context: BenchContext) async throws -> Workloads.Metrics {
    let batches = try await context.load(lineitem)
    var options = WriterOptions()
    options.rowGroupRowCount = 1 << 20
    options.rowGroupByteCount = .max
    switch try context.text("codec") {
    case "zstd3": options.codec = .zstd
    case "snappy": options.codec = .snappy
    default: options.codec = .uncompressed
    }
    let path = try context.work.appending("write.parquet")
    var written: WrittenFile?
    let measurement = try await Measurement.of {
      let encoder = try ParquetFileWriter(fields: batches[0].fields, options: options)
      let sink = try await context.unsynced.writer(to: path, if: .none)
      for batch in batches {
        try await encoder.write(batch, threads: context.threads)
        for bytes in encoder.takeBytes() { try await sink.append(bytes) }
      }
      written = try await encoder.finish(threads: context.threads)
      for bytes in encoder.takeBytes() { try await sink.append(bytes) }
      _ = try await sink.finish()
    }
    let rows = Int(written?.rowCount ?? 0)
    guard rows == lineitemRowCount else { throw BenchError.wrongResult("\(rows) rows written") }
    let raw = batches.reduce(0) { $0 + $1.byteCount }
    try await context.cleanUp()
    return measurement.metrics + [
      ("rows_per_s", rows.rate(over: measurement)),
      ("file_mb", Double(written?.byteCount ?? 0) / 1e6),
      ("raw_mb_per_s", Double(raw) / 1e6 / measurement.wallSeconds),
    ]
  }

  /// lineitem from a file into memory: all of it, three columns, or of those the rows of one
  /// hundredth, by a column that the file is sorted by or not; or its count; or all of it as a
  /// stream, of which nothing is kept.
  @Sendable
  static func read(_ context: BenchContext) async throws -> Workloads.Metrics {
    let query = try context.text("query")
    let path = try context.input(query == "range1pct_sorted" ? lineitemByShipdate : lineitem)
    var rows = 0
    let measurement = try await Measurement.of {
      let file = try await ParquetFile.open(path, in: context.store)
      let scan = try ParquetScan(file).parallelism(context.threads)
      switch query {
      case "count": rows = Int(try await scan.count())
      case "full": rows = try await scan.readAll().rowCount
      case "stream": rows = try await streamed(scan)
      case "project3": rows = try await scan.select(threeColumns).readAll().rowCount
      case "range1pct_sorted", "range1pct_unsorted":
        rows = try await scan.select(threeColumns).filter(hundredth).readAll().rowCount
      default: throw BenchError.usage("no query \(query)")
      }
    }
    let expected = query.hasPrefix("range1pct") ? hundredthRowCount : lineitemRowCount
    guard rows == expected else { throw BenchError.wrongResult("\(rows) rows read") }
    let byteCount = try await context.store.head(path).byteCount
    return measurement.metrics + [
      ("rows_per_s", lineitemRowCount.rate(over: measurement)),
      ("mb_per_s", Double(byteCount) / 1e6 / measurement.wallSeconds), ("out_rows", Double(rows)),
    ]
  }

  /// How many rows come by.
  private static func streamed(_ scan: ParquetScan) async throws -> Int {
    var rows = 0
    try await scan.read { batch throws(ScanError) in
      batch.rowCount
    } consume: { count throws(ScanError) in
      rows += count
      return true
    }
    return rows
  }
}

extension [RecordBatch] {
  fileprivate var rowCount: Int { reduce(0) { $0 + $1.rowCount } }
}
