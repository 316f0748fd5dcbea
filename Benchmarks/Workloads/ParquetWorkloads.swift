// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// One Parquet file: written from memory, read in full, by column, by range.
enum ParquetWorkloads {
  private static let lineitem = "lineitem.parquet"
  private static let lineitemRowCount = 6_001_215

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

  /// lineitem from a file into memory: all of it, or three columns; or its count.
  @Sendable
  static func read(_ context: BenchContext) async throws -> Workloads.Metrics {
    let query = try context.text("query")
    let path = try context.input(lineitem)
    guard ["full", "project3", "count"].contains(query) else {
      throw BenchError.usage("query full, project3 or count, not \(query)")
    }
    let scan = FileScan(
      path: path, store: context.store,
      columns: query == "project3" ? ["l_orderkey", "l_extendedprice", "l_shipdate"] : nil,
      threads: context.threads)
    var kept: [RecordBatch] = []
    var rows = 0
    let measurement = try await Measurement.of {
      if query == "count" {
        rows = Int(try await ParquetFile.open(path, in: context.store).footer.rowCount)
      } else {
        kept = try await scan.readAll()
        rows = kept.reduce(0) { $0 + $1.rowCount }
      }
    }
    guard rows == lineitemRowCount else { throw BenchError.wrongResult("\(rows) rows read") }
    let byteCount = try await context.store.head(path).byteCount
    return measurement.metrics + [
      ("rows_per_s", rows.rate(over: measurement)),
      ("mb_per_s", Double(byteCount) / 1e6 / measurement.wallSeconds), ("out_rows", Double(rows)),
    ]
  }
}
