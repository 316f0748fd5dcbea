// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Codecs
internal import Columnar
internal import Iceberg
internal import Parquet
internal import ParquetFiles
internal import Scanning
internal import Storage

/// Rows that wait elsewhere than in memory, as a file beside the table's data files that nothing
/// ever names.
struct RowSpill: Sendable {
  let path: ObjectPath
  /// How much memory the rows took.
  let byteCount: Int

  /// Writes `rows` to `path`.
  static func write(
    _ rows: [RecordBatch], to path: ObjectPath, of table: Table
  ) async throws(CommitError) -> RowSpill {
    guard let fields = rows.first?.fields else { return RowSpill(path: path, byteCount: 0) }
    let names = numbered(fields)
    let encoder: ParquetFileWriter
    var parts: [Buffer] = []
    do throws(ParquetError) {
      var options = WriterOptions()
      options.compressionLevel = CompressionLevel(1)
      options.encodings = .widest
      for place in names.suffix(2) {
        options.columns[place.name, default: ColumnOptions()].dictionary = .never
      }
      encoder = try ParquetFileWriter(fields: names, options: options)
      for batch in rows {
        try await encoder.write(
          RecordBatch(fields: names, columns: batch.columns, rowCount: batch.rowCount), threads: 1)
        parts += encoder.takeBytes()
      }
      _ = try await encoder.finish(threads: 1)
      parts += encoder.takeBytes()
    } catch {
      throw .unsupported("rows to be sorted: \(error)")
    }
    do throws(StorageError) {
      let sink = try await table.store.writer(to: path, if: .absent)
      do throws(StorageError) {
        for part in parts { try await sink.append(part) }
        _ = try await sink.finish()
      } catch {
        await sink.abort()
        if case .outcomeUnknown = error { try? await table.store.delete(path) }
        throw error
      }
    } catch {
      throw .storage(error, while: "writing \(path)")
    }
    return RowSpill(path: path, byteCount: rows.reduce(0) { $0 + $1.byteCount })
  }

  /// The rows, of the columns `fields` that they were written with.
  ///
  /// - Parameter shape: gives a batch of all but the last two columns the types that they had.
  func read(
    _ fields: [ColumnField], of table: Table,
    _ shape: (RecordBatch) throws(CommitError) -> RecordBatch
  ) async throws(CommitError) -> [RecordBatch] {
    let found: [RecordBatch]
    do throws(ScanError) {
      let file: ParquetFile
      do throws(ParquetFileError) {
        file = try await ParquetFile.open(path, in: table.store)
      } catch {
        throw .dataFile(error)
      }
      found = try await ParquetScan(file).readAll()
    } catch {
      throw .reading(error)
    }
    var batches: [RecordBatch] = []
    for batch in found {
      let own = fields.count - 2
      let rows = try shape(
        RecordBatch(
          fields: zip(fields.prefix(own), batch.columns).map { field, column in
            ColumnField(field.name, column.type, isNullable: field.isNullable)
          },
          columns: Array(batch.columns.prefix(own)), rowCount: batch.rowCount))
      batches.append(
        RecordBatch(
          fields: fields, columns: rows.columns + batch.columns.suffix(2),
          rowCount: batch.rowCount))
    }
    return batches
  }

  /// The fields under names that are no one's.
  private static func numbered(_ fields: [ColumnField]) -> [ColumnField] {
    fields.enumerated().map { index, field in
      var field = field
      field.name = "c\(index)"
      return field
    }
  }
}
