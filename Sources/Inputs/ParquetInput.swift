// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Parquet
internal import ParquetFiles
internal import Storage

/// Streams the rows of a Parquet file as batches; one row group is in memory at a time.
final class ParquetInput {
  let fields: [ColumnField]
  private let file: ParquetFile
  private let projection: ParquetProjection
  private let batchRowCount: Int
  private var nextRowGroup = 0
  private var decoder: RowGroupDecoder?

  private init(_ file: ParquetFile, _ options: InputOptions) {
    self.file = file
    projection = file.footer.schema.all
    // Ids in a user's file are those of another table, if of any.
    fields = projection.fields.map(\.withoutID)
    batchRowCount = options.batchRowCount
  }

  static func open(
    _ path: ObjectPath, in store: any ObjectStore, _ options: InputOptions
  ) async throws(InputError) -> ParquetInput {
    do throws(ParquetFileError) {
      return ParquetInput(try await ParquetFile.open(path, in: store), options)
    } catch {
      throw InputError(error)
    }
  }

  /// The next rows; nil after the last.
  func next() async throws(InputError) -> RecordBatch? {
    do throws(ParquetFileError) {
      while true {
        if let batch = try decode() {
          return RecordBatch(fields: fields, columns: batch.columns, rowCount: batch.rowCount)
        }
        guard nextRowGroup < file.footer.rowGroupCount else { return nil }
        decoder = try await file.rowGroup(nextRowGroup, projection: projection)
        nextRowGroup += 1
      }
    } catch {
      throw InputError(error)
    }
  }

  private func decode() throws(ParquetFileError) -> RecordBatch? {
    guard let decoder else { return nil }
    do throws(ParquetError) {
      return try decoder.next(limit: batchRowCount)
    } catch {
      throw .parquet(error, file: file.path)
    }
  }
}

extension InputError {
  fileprivate init(_ error: ParquetFileError) {
    switch error {
    case .storage(let error): self = .storage(error)
    case .parquet(let error, let file): self = .parquet(error, file: file.text)
    }
  }
}
