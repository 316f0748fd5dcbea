// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Iceberg
import Lake
import Parquet
import Storage

/// Writes delete files of every kind into a table's folder.
public struct DeleteFiles {
  private let table: Table
  private let random: SeededRandom

  public init(_ table: Table, _ random: SeededRandom) {
    self.table = table
    self.random = random
  }

  /// What is written of a column's bounds.
  public enum Bounds: Sendable { case none, full }

  /// A position delete file of `rows`, which are sorted here as the format wants them.
  public func positions(
    _ rows: [(path: String, position: Int64)], in partition: PartitionValues,
    bounds: Bounds = .full, saysWhich: Bool = false
  ) async throws -> DataFile {
    let rows = rows.sorted { ($0.path, $0.position) < ($1.path, $1.position) }
    let builder = BatchBuilder([
      ColumnField("file_path", .string, isNullable: false, fieldID: 2_147_483_546),
      ColumnField("pos", .int64, isNullable: false, fieldID: 2_147_483_545),
    ])
    for row in rows {
      builder.columns[0].append(row.path)
      builder.columns[1].append(row.position)
    }
    var file = try await write(builder.finish(), .positionDeletes, partition)
    if saysWhich, Set(rows.map(\.path)).count == 1 { file.referencedDataFile = rows[0].path }
    if bounds == .full {
      file.metrics = ColumnMetricsList([
        ColumnMetrics(
          fieldID: .deleteFilePath, valueCount: Int64(rows.count), nullCount: 0,
          lowerBound: rows.first.map { Array($0.path.utf8) },
          upperBound: rows.last.map { Array($0.path.utf8) })
      ])
    }
    return file
  }

  /// Deletion vectors of data files, all in one Puffin file.
  public func vectors(
    _ vectors: [(file: DataFile, positions: [Int64])]
  ) async throws -> [DataFile] {
    let path = name("puffin")
    var writer = PuffinWriter(properties: [:])
    var files: [DataFile] = []
    for (data, positions) in vectors {
      let vector = try DeletionVector(positions)
      let blob = try writer.append(vector, of: data.path)
      files.append(
        DataFile(
          content: .positionDeletes, path: path, format: .puffin, partition: data.partition,
          recordCount: Int64(vector.count), byteCount: 0, referencedDataFile: data.path,
          contentRange: .init(offset: blob.offset, byteCount: blob.byteCount)))
    }
    let bytes = try writer.finish().file
    _ = try await table.store.put(bytes, to: ObjectPath(path), if: .absent)
    return files.map { file in
      var file = file
      file.byteCount = Int64(bytes.count)
      return file
    }
  }

  /// An equality delete file by the fields `ids` of `rows`, which have a column for each of
  /// `fields`.
  public func equality(
    _ ids: [FieldID], _ rows: [[Value?]], _ fields: [Field], in partition: PartitionValues
  ) async throws -> DataFile {
    let batch = Rows.batch(rows, try Schema(fields: fields))
    var file = try await write(batch, .equalityDeletes, partition)
    file.equalityIDs = ids
    return file
  }

  private func name(_ suffix: String) -> String {
    "\(table.metadata.location)/data/deletes-\(random.next()).\(suffix)"
  }

  private func write(
    _ batch: RecordBatch, _ content: DataFile.Content, _ partition: PartitionValues
  ) async throws -> DataFile {
    var options = WriterOptions()
    options.rowGroupByteCount = random.pick([1, 1 << 20])
    let writer = try ParquetFileWriter(fields: batch.fields, options: options)
    try await writer.write(batch, threads: 1)
    let written = try await writer.finish(threads: 1)
    var bytes = MutableBuffer()
    for part in writer.takeBytes() { bytes.append(part.bytes) }
    let path = name("parquet")
    _ = try await table.store.put(bytes.freeze(), to: ObjectPath(path), if: .absent)
    return DataFile(
      content: content, path: path, format: .parquet, partition: partition,
      recordCount: written.rowCount, byteCount: written.byteCount)
  }
}
