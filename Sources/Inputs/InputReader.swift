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
  private let source: Source

  private enum Source {
    case csv(CSVInput)
    case jsonLines(JSONLinesInput)
    case parquet(ParquetInput)
    case arrow(ArrowInput)
    case avro(AvroInput)
  }

  private init(_ source: Source) {
    self.source = source
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
      return InputReader(.parquet(try await ParquetInput.open(path, in: store, options)))
    }
    if format == .arrow {
      return InputReader(.arrow(try await ArrowInput.open(path, in: store, options)))
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
    switch format {
    case .csv: return InputReader(.csv(try await CSVInput.open(source, options)))
    case .jsonl: return InputReader(.jsonLines(try await JSONLinesInput.open(source, options)))
    case .arrow: return InputReader(.arrow(try await ArrowInput.open(source, options)))
    case .avro: return InputReader(.avro(try await AvroInput.open(source, options)))
    case .parquet:
      throw .unknownFormat(file: source.name, known: ["csv", "jsonl", "arrow", "avro"])
    }
  }

  /// The next rows, never none; nil after the last.
  public func next() async throws(InputError) -> RecordBatch? {
    switch source {
    case .csv(let input): try await input.next()
    case .jsonLines(let input): try await input.next()
    case .parquet(let input): try await input.next()
    case .arrow(let input): try await input.next()
    case .avro(let input): try await input.next()
    }
  }
}
