// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet
internal import Storage

/// Writes rows of one partition to a data file.
///
/// Memory is bounded by a row group's compressed pages. Nothing can be seen of the file until it
/// is finished.
final class DataFileWriter {
  private let path: ObjectPath
  private let partition: PartitionValues
  private let settings: WriterSettings
  private let threads: Int
  private let sortOrderID: SortOrderID
  private let encoder: ParquetFileWriter
  private let store: any ObjectStore
  private let sink: any ObjectWriter
  private let types: [FieldID: PrimitiveType]
  private let environment: Environment

  /// When rows were last written, as the partitioned writer counts.
  var lastUse = 0

  init(
    path: ObjectPath, partition: PartitionValues, schema: Schema, settings: WriterSettings,
    sortOrderID: SortOrderID, store: any ObjectStore, environment: Environment, threads: Int
  ) async throws(CommitError) {
    self.path = path
    self.sortOrderID = sortOrderID
    self.partition = partition
    self.settings = settings
    self.threads = threads
    self.store = store
    self.environment = environment
    var types: [FieldID: PrimitiveType] = [:]
    for field in schema.allFields { types[field.id] = field.type.primitive }
    self.types = types
    do throws(ParquetError) {
      var options = settings.options
      options.keyValueMetadata.append((key: "iceberg.schema", value: schema.jsonText))
      encoder = try ParquetFileWriter(fields: schema.columnFields, options: options)
    } catch {
      throw .unsupported("a data file of this schema: \(error)")
    }
    do throws(StorageError) {
      sink = try await store.writer(to: path, if: .absent)
    } catch {
      throw .storage(error, while: "opening \(path)")
    }
  }

  /// How many bytes the file has so far.
  var byteCount: Int64 { encoder.byteCount }

  func write(_ batch: RecordBatch) async throws(CommitError) {
    do throws(ParquetError) {
      try await encoder.write(batch, threads: threads)
    } catch {
      await sink.abort()
      throw Self.rejected(error)
    }
    try await drain()
  }

  /// Ends the file, and tells what is in it.
  func finish() async throws(CommitError) -> DataFile {
    let written: WrittenFile
    do throws(ParquetError) {
      written = try await encoder.finish(threads: threads)
    } catch {
      await sink.abort()
      throw Self.rejected(error)
    }
    try await drain()
    do throws(StorageError) {
      _ = try await sink.finish()
    } catch {
      // It may be there, and no commit is going to name it.
      if case .outcomeUnknown = error { try? await store.delete(path) }
      throw .storage(error, while: "writing \(path)")
    }
    var file = DataFile(
      path: path.text, format: .parquet, partition: partition, recordCount: written.rowCount,
      byteCount: written.byteCount, metrics: metrics(of: written),
      splitOffsets: written.splitOffsets, sortOrderID: sortOrderID)
    file.writeTime = DataFile.WriteTime(milliseconds: environment.now().milliseconds)
    return file
  }

  /// Gives the file up.
  func abort() async { await sink.abort() }

  private func drain() async throws(CommitError) {
    do throws(StorageError) {
      for bytes in encoder.takeBytes() { try await sink.append(bytes) }
    } catch {
      await sink.abort()
      throw .storage(error, while: "writing \(path)")
    }
  }

  private static func rejected(_ error: ParquetError) -> CommitError {
    if case .unwritable(let column, let what) = error {
      return .schemaMismatch(column: column, expected: "rows of the table's schema", found: what)
    }
    return .unsupported("a data file: \(error)")
  }

  // MARK: metrics

  private func metrics(of file: WrittenFile) -> ColumnMetricsList {
    var columns: [Iceberg.ColumnMetrics] = []
    for column in file.columns {
      guard let id = column.fieldID.map({ FieldID($0) }) else { continue }
      let mode = settings.metrics.mode(for: id)
      guard mode != .none else { continue }
      var metrics = Iceberg.ColumnMetrics(
        fieldID: id, byteCount: column.byteCount, valueCount: column.valueCount,
        nullCount: column.nullCount, nanCount: column.nanCount)
      if mode != .counts, !column.isRepeated, let type = types[id] {
        metrics.lowerBound = lower(column.lowerBound, type, mode)
        metrics.upperBound = upper(column.upperBound, type, mode)
      }
      columns.append(metrics)
    }
    return ColumnMetricsList(columns)
  }

  private func lower(
    _ bound: ColumnBound?, _ type: PrimitiveType, _ mode: MetricsMode
  ) -> [UInt8]? {
    guard let bound, let value = try? Value(encoded: bound.bytes, as: type) else { return nil }
    return BoundTruncation.lower(value, of: type, mode: mode)?.encoded(as: type)
  }

  /// A bound that was cut before is no value of the column, but no value lies above it, and so it
  /// is with what is cut from it.
  private func upper(
    _ bound: ColumnBound?, _ type: PrimitiveType, _ mode: MetricsMode
  ) -> [UInt8]? {
    guard let bound, let value = try? Value(encoded: bound.bytes, as: type) else { return nil }
    return BoundTruncation.upper(value, of: type, mode: mode)?.encoded(as: type)
  }
}
