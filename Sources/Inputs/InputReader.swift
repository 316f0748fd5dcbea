// SPDX-License-Identifier: Apache-2.0
public import Columnar
public import Storage

/// Streams the rows of a user's file or pipe as batches of bounded size.
///
///     let reader = try await InputReader.open(path, in: LocalStore())
///     while let batch = try await reader.next() { … }
///
/// Used by one task at a time. Errors name the file, and for text the line and column.
public final class InputReader {
  /// The columns of the batches: those wanted, or those of the input.
  public let fields: [ColumnField]
  /// The names in a CSV file's header; nil where there is none.
  public var header: [String]? {
    if case .csv(let input) = source { input.header } else { nil }
  }
  private let source: Source
  /// What errors call the input.
  private let name: String
  /// Behind what was handed out of an input that is no text.
  private var place = InputPlace()
  /// How many rows are still to be passed over, and were.
  private var rowsToSkip: Int64 = 0
  private var skipped: Int64 = 0

  private enum Source {
    case csv(CSVInput)
    case jsonLines(JSONLinesInput)
    case parquet(ParquetInput)
    case arrow(ArrowInput)
    case avro(AvroInput)
  }

  private init(_ source: Source, _ name: String, _ options: InputOptions) {
    self.source = source
    self.name = name
    if case .rows(let count) = options.start { rowsToSkip = count }
    fields =
      switch source {
      case .csv(let input): input.fields
      case .jsonLines(let input): input.fields
      case .parquet(let input): input.fields
      case .arrow(let input): input.fields
      case .avro(let input): input.fields
      }
  }

  /// Opens the object at `path`; text may be compressed with gzip or zstd.
  ///
  /// Parquet, Arrow and Avro files have columns of their own: ``InputOptions/columns`` does not
  /// change them.
  /// - Throws: ``InputError/unknownFormat(file:known:)`` if neither the options nor the name tell
  ///   the format.
  public static func open(
    _ path: ObjectPath, in store: any ObjectStore, options: InputOptions = InputOptions()
  ) async throws(InputError) -> InputReader {
    guard let format = options.format ?? InputFormat(fileName: path.name) else {
      throw .unknownFormat(file: path.text, known: InputFormat.allCases.map(\.rawValue))
    }
    if format == .parquet {
      let input = try await ParquetInput.open(path, in: store, options)
      return InputReader(.parquet(input), path.text, options)
    }
    if format == .arrow {
      let input = try await ArrowInput.open(path, in: store, options)
      return InputReader(.arrow(input), path.text, options)
    }
    var options = options
    if path.name.lowercased().contains(".tsv"), options.delimiter == UInt8(ascii: ",") {
      options.delimiter = 9
    }
    return try await open(ObjectSource(path, in: store), format: format, options: options)
  }

  /// Opens a stream.
  ///
  /// - Throws: ``InputError/unknownFormat(file:known:)`` for Parquet, which is read from its end.
  public static func open(
    _ source: any ByteSource, format: InputFormat, options: InputOptions = InputOptions()
  ) async throws(InputError) -> InputReader {
    let input: Source
    switch format {
    case .csv: input = .csv(try await CSVInput.open(source, options))
    case .jsonl: input = .jsonLines(try await JSONLinesInput.open(source, options))
    case .arrow: input = .arrow(try await ArrowInput.open(source, options))
    case .avro: input = .avro(try await AvroInput.open(source, options))
    case .parquet:
      throw .unknownFormat(file: source.name, known: ["csv", "jsonl", "arrow", "avro"])
    }
    return InputReader(input, source.name, options)
  }

  /// The next rows, never none; nil after the last. Waits for sources that have nothing for now.
  public func next() async throws(InputError) -> RecordBatch? {
    while true {
      switch try await step() {
      case .rows(let rows) where rows.batch.rowCount > 0: return rows.batch
      case .rows, .pause: continue
      case .end: return nil
      }
    }
  }

  /// What there is to take: the next rows with their places and those kept apart, or that there is
  /// nothing for now, or that the input has ended.
  public func step() async throws(InputError) -> InputStep {
    let read: BatchStep
    switch source {
    case .csv(let input): return try await skippingRows(try await input.step())
    case .jsonLines(let input): return try await skippingRows(try await input.step())
    case .parquet(let input): read = try await input.next().map { .rows($0) } ?? .end
    case .arrow(let input): read = try await input.step()
    case .avro(let input): read = try await input.step()
    }
    let batch: RecordBatch
    switch read {
    case .end: return try await skippingRows(.end)
    case .pause: return .pause
    case .rows(let rows): batch = rows
    }
    var end = place
    end.rowCount += Int64(batch.rowCount)
    let rows = InputRows(batch: batch, rejected: [], end: end, lines: nil, start: place)
    place = end
    return try await skippingRows(.rows(rows))
  }

  /// `step` without rows before those that reading begins with.
  private func skippingRows(_ step: InputStep) async throws(InputError) -> InputStep {
    guard rowsToSkip > 0 else { return step }
    switch step {
    case .pause: return step
    case .end:
      throw .endsBeforeStart(file: name, start: rowsToSkip + skipped, end: skipped)
    case .rows(let rows):
      let count = min(rowsToSkip, Int64(rows.batch.rowCount))
      rowsToSkip -= count
      skipped += count
      if count == rows.batch.rowCount { return try await self.step() }
      return .rows(rows.slice(Int(count)..<rows.batch.rowCount))
    }
  }
}
