// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
package import Iceberg
internal import Parquet
package import Storage

/// Rows of a data file that are to be deleted by their positions.
package struct FilePositions: Sendable {
  package let path: String
  package let partition: PartitionValues
  package let positions: DeletionVector

  package init(path: String, partition: PartitionValues, positions: DeletionVector) {
    self.path = path
    self.partition = partition
    self.positions = positions
  }
}

/// Writes position deletes as the table's format version has them.
///
/// From v3 on they are deletion vectors, each in a Puffin file of its own: the format takes several in
/// one, but DuckDB 1.5 takes one of these for another. Before, they are Parquet files of paths and
/// positions, one for each partition or, by `write.delete.granularity`, for each data file.
///
/// Source: Iceberg spec, "Position Delete Files" and "Deletion Vectors".
package struct PositionDeleteWriter {
  private let metadata: TableMetadata
  private let store: any ObjectStore
  private var naming: DataFileNaming
  private let granularity: Granularity

  /// What a position delete file before v3 is about.
  package enum Granularity: String, Sendable { case file, partition }

  /// - Parameter granularity: nil: what `write.delete.granularity` says.
  package init(
    _ metadata: TableMetadata, store: any ObjectStore, environment: Environment,
    granularity: Granularity? = nil
  ) throws(CommitError) {
    self.metadata = metadata
    self.store = store
    do throws(StorageError) {
      naming = try DataFileNaming(metadata, uuid: environment.uuid())
    } catch {
      throw .storage(error, while: "naming delete files")
    }
    do throws(IcebergError) {
      let text = try metadata.properties.value(of: .deleteGranularity)
      self.granularity = granularity ?? Granularity(rawValue: text) ?? .partition
    } catch {
      throw .rejected(error)
    }
  }

  /// The delete files of `deletes`, written.
  ///
  /// - Throws: ``CommitError``; what was written before is deleted again.
  package mutating func write(_ deletes: [FilePositions]) async throws(CommitError) -> [DataFile] {
    let deletes = deletes.filter { !$0.positions.isEmpty }
    guard !deletes.isEmpty else { return [] }
    return metadata.formatVersion >= .v3 ? try await vectors(deletes) : try await files(deletes)
  }

  // MARK: deletion vectors

  /// A file for each vector, several written at a time.
  private mutating func vectors(_ deletes: [FilePositions]) async throws(CommitError) -> [DataFile]
  {
    var places: [(delete: FilePositions, path: ObjectPath)] = []
    for delete in deletes { places.append((delete, try nextPath(ending: "deletes.puffin"))) }
    let writer = self
    do throws(CommitError) {
      return try await mapConcurrently(places, limit: Self.concurrency) {
        place throws(CommitError) in
        try await writer.vector(of: place.delete, at: place.path)
      }
    } catch {
      await store.discard(places.map(\.path))
      throw error
    }
  }

  /// How many vectors are written at a time.
  private static let concurrency = 8

  private func vector(
    of delete: FilePositions, at path: ObjectPath
  ) async throws(CommitError) -> DataFile {
    let blob: PuffinBlob
    let bytes: Buffer
    do throws(IcebergError) {
      var writer = PuffinWriter(properties: ["created-by": WriterOptions().createdBy])
      blob = try writer.append(delete.positions, of: delete.path)
      bytes = try writer.finish().file
    } catch {
      throw .rejected(error)
    }
    try await put(bytes, at: path)
    return DataFile(
      content: .positionDeletes, path: path.text, format: .puffin, partition: delete.partition,
      recordCount: Int64(delete.positions.count), byteCount: Int64(bytes.count),
      referencedDataFile: delete.path,
      contentRange: DataFile.ContentRange(offset: blob.offset, byteCount: blob.byteCount))
  }

  // MARK: position delete files

  private mutating func files(_ deletes: [FilePositions]) async throws(CommitError) -> [DataFile] {
    var groups: [[FilePositions]] = []
    if granularity == .file {
      groups = deletes.map { [$0] }
    } else {
      var index: [PartitionValues: Int] = [:]
      for delete in deletes {
        if let place = index[delete.partition] {
          groups[place].append(delete)
        } else {
          index[delete.partition] = groups.count
          groups.append([delete])
        }
      }
    }
    var files: [DataFile] = []
    do throws(CommitError) {
      for group in groups { files.append(try await file(group)) }
    } catch {
      await store.discard(files)
      throw error
    }
    return files
  }

  /// The file of the deletes of one partition, sorted by path and then position.
  private mutating func file(_ group: [FilePositions]) async throws(CommitError) -> DataFile {
    let sorted = group.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let path = try nextPath(ending: "deletes.parquet")
    let encoder: ParquetFileWriter
    let written: WrittenFile
    var parts: [Buffer] = []
    do throws(ParquetError) {
      var options = WriterOptions()
      options.encodings = .widest
      // Each position is there once.
      options.columns["pos", default: ColumnOptions()].dictionary = .never
      encoder = try ParquetFileWriter(fields: Self.fields, options: options)
      for delete in sorted {
        for batch in try Self.batches(delete) { try await encoder.write(batch, threads: 1) }
        parts += encoder.takeBytes()
      }
      written = try await encoder.finish(threads: 1)
      parts += encoder.takeBytes()
    } catch {
      throw .unsupported("a position delete file: \(error)")
    }
    var bytes = ByteWriter(capacity: Int(clamping: written.byteCount))
    for part in parts { bytes.write(part.bytes) }
    try await put(bytes.finish(), at: path)
    return DataFile(
      content: .positionDeletes, path: path.text, format: .parquet, partition: group[0].partition,
      recordCount: written.rowCount, byteCount: written.byteCount, metrics: Self.metrics(sorted),
      splitOffsets: written.splitOffsets,
      referencedDataFile: sorted.count == 1 ? sorted[0].path : nil)
  }

  private static let fields = [
    ColumnField("file_path", .string, isNullable: false, fieldID: FieldID.deleteFilePath.rawValue),
    ColumnField("pos", .int64, isNullable: false, fieldID: FieldID.deletePosition.rawValue),
  ]

  private static func batches(_ delete: FilePositions) throws(ParquetError) -> [RecordBatch] {
    let positions = delete.positions.positions
    var batches: [RecordBatch] = []
    do throws(ColumnarError) {
      for start in stride(from: 0, to: positions.count, by: 65_536) {
        let part = positions[start..<min(start + 65_536, positions.count)]
        let paths = try Column.constant(.string(delete.path), type: .string, count: part.count)
        batches.append(
          RecordBatch(
            fields: fields, columns: [paths, Self.column(part)], rowCount: part.count))
      }
    } catch {
      throw .unwritable(path: "file_path", what: "\(error)")
    }
    return batches
  }

  /// Positions as a column.
  private static func column(_ positions: ArraySlice<Int64>) -> Column {
    var target = MutableBuffer(byteCount: positions.count * 8)
    var places = target.mutableValues(as: Int64.self)
    for i in places.indices { places[i] = positions[positions.startIndex + i] }
    return Column(
      type: .int64, count: positions.count, validity: nil, values: .fixed(target.freeze()))
  }

  /// Bounds of whole paths, never cut: equal ones tell that the file is about one data file.
  private static func metrics(_ sorted: [FilePositions]) -> ColumnMetricsList {
    let count = sorted.reduce(Int64(0)) { $0 + Int64($1.positions.count) }
    let all = sorted.map(\.positions.positions)
    let lowest = all.compactMap(\.first).min() ?? 0
    let highest = all.compactMap(\.last).max() ?? 0
    var position = ColumnMetrics(
      fieldID: .deletePosition, byteCount: nil, valueCount: count, nullCount: 0, nanCount: nil)
    position.lowerBound = Value.long(lowest).encoded(as: .long)
    position.upperBound = Value.long(highest).encoded(as: .long)
    var path = ColumnMetrics(
      fieldID: .deleteFilePath, byteCount: nil, valueCount: count, nullCount: 0, nanCount: nil)
    path.lowerBound = sorted.first.map { Array($0.path.utf8) }
    path.upperBound = sorted.last.map { Array($0.path.utf8) }
    return ColumnMetricsList([position, path])
  }

  // MARK: bytes

  private mutating func nextPath(ending: String) throws(CommitError) -> ObjectPath {
    do throws(StorageError) { return try naming.next(ending: ending) } catch {
      throw .storage(error, while: "naming a delete file")
    }
  }

  private func put(_ bytes: Buffer, at path: ObjectPath) async throws(CommitError) {
    do throws(StorageError) {
      _ = try await store.put(bytes, to: path, if: .absent)
    } catch {
      if case .outcomeUnknown = error { try? await store.delete(path) }
      throw .storage(error, while: "writing \(path)")
    }
  }
}
