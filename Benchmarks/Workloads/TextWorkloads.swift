// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// Text into columns in memory, types inferred: how a first table begins.
enum TextWorkloads {
  /// A CSV file, called `file` in the inputs.
  @Sendable
  static func csvRead(_ context: BenchContext) async throws -> Workloads.Metrics {
    try await read(context, .csv)
  }

  /// A file of JSON lines.
  @Sendable
  static func jsonLinesRead(_ context: BenchContext) async throws -> Workloads.Metrics {
    try await read(context, .jsonl)
  }

  private static func read(
    _ context: BenchContext, _ format: InputFormat
  ) async throws -> Workloads.Metrics {
    let path = try context.input(try context.text("file"))
    var options = InputOptions()
    options.format = format
    options.threads = context.threads
    let byteCount = try await context.store.head(path).byteCount
    var kept: [RecordBatch] = []
    let measurement = try await Measurement.of {
      let reader = try await InputReader.open(path, in: context.store, options: options)
      while let batch = try await reader.next() { kept.append(batch) }
    }
    let rows = kept.reduce(0) { $0 + $1.rowCount }
    guard rows > 0 else { throw BenchError.wrongResult("no rows read") }
    return measurement.metrics + [
      ("rows_per_s", rows.rate(over: measurement)),
      ("mb_per_s", Double(byteCount) / 1e6 / measurement.wallSeconds), ("out_rows", Double(rows)),
    ]
  }
}
