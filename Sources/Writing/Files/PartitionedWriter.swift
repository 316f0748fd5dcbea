// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
internal import Expressions
public import Iceberg
internal import Scanning
public import Storage

/// Writes rows to the data files of their partitions.
///
/// Rows are split by the values of the partition spec's transforms; each partition has one open
/// file, which is ended at the target size. Open files are bounded: the one not written to for the
/// longest is ended to make room, so that input which is not clustered makes more files rather than
/// take more memory. In a table with a sort order rows are kept, up to a limit of bytes, and each
/// file is sorted.
/// Law: every row written is in exactly one of the files ``finish()`` returns.
public final class PartitionedWriter {
  private let schema: Schema
  private let spec: PartitionSpec
  private let settings: WriterSettings
  private let store: any ObjectStore
  private let environment: Environment
  private let threads: Int
  private let conformance: RowConformance
  private var naming: DataFileNaming
  private var open: [PartitionValues: DataFileWriter] = [:]
  private var finished: [DataFile] = []
  private var clock = 0
  private let sortOrder: SortOrder
  private var unsorted: [PartitionValues: SortBuffer] = [:]
  private var unsortedByteCount = 0

  /// How many files are open at a time.
  static let openFileLimit = 64
  /// How many bytes of rows are kept to be sorted, by default.
  package static let sortByteLimit = 256 << 20
  private let sortByteLimit: Int

  /// Whether rows come with ids of their own.
  package enum RowLineage: Hashable, Sendable {
    /// They are new: they get ids when they are committed.
    case assigned
    /// They were in the table before: columns `_row_id` and `_last_updated_sequence_number` are
    /// written, nulls where the commit is to tell.
    case carried
  }

  /// - Parameters:
  ///   - metadata: of the table; its current schema and default spec are written.
  ///   - threads: how many tasks encode columns at once.
  public convenience init(
    _ metadata: TableMetadata, store: any ObjectStore, environment: Environment, threads: Int = 1
  ) throws(CommitError) {
    try self.init(
      metadata, lineage: .assigned, store: store, environment: environment, threads: threads)
  }

  /// As ``init(_:store:environment:threads:)``, for rows that may have been in the table before.
  package init(
    _ metadata: TableMetadata, lineage: RowLineage, store: any ObjectStore,
    environment: Environment, threads: Int, sortByteLimit: Int = PartitionedWriter.sortByteLimit
  ) throws(CommitError) {
    do throws(IcebergError) {
      schema =
        lineage == .assigned
        ? metadata.currentSchema : try metadata.currentSchema.withRowLineage()
    } catch {
      throw .rejected(error)
    }
    spec = metadata.defaultPartitionSpec
    sortOrder = metadata.defaultSortOrder
    self.sortByteLimit = sortByteLimit
    self.store = store
    self.environment = environment
    self.threads = threads
    settings = try WriterSettings(metadata, schema: schema)
    conformance = RowConformance(to: schema)
    do throws(StorageError) {
      naming = try DataFileNaming(metadata, uuid: environment.uuid())
    } catch {
      throw .storage(error, while: "naming data files")
    }
    do throws(IcebergError) {
      try spec.check(for: schema)
    } catch {
      throw .rejected(error)
    }
  }

  /// Adds the rows of `batch`, whose columns are found by name.
  ///
  /// - Throws: ``CommitError``; after one, ``abort()`` is all that is left to do.
  public func write(_ batch: RecordBatch) async throws(CommitError) {
    guard batch.rowCount > 0 else { return }
    let rows = try conformance.conform(batch)
    if spec.isUnpartitioned {
      let values = spec.fields.map { _ -> Value? in nil }
      return try await place(rows, in: PartitionValues(specID: spec.id, values: values))
    }
    let keys = rows.partitionColumns(spec, schema)
    for (row, part) in rows.split(by: keys) {
      let values = keys.map { $0.icebergValue(row) }
      try await place(part, in: PartitionValues(specID: spec.id, values: values))
    }
  }

  /// Ends all files, and returns them in the order they were ended.
  public func finish() async throws(CommitError) -> [DataFile] {
    for partition in unsorted.keys.sorted(by: { size($0) > size($1) }) {
      try await writeSorted(partition)
    }
    for partition in open.keys.sorted(by: { lastUse($0) < lastUse($1) }) {
      try await end(partition)
    }
    return finished
  }

  /// Gives all files up, and deletes those that were ended: nothing refers to them.
  public func abort() async {
    unsorted = [:]
    for writer in open.values { await writer.abort() }
    open = [:]
    await store.discard(finished)
    finished = []
  }

  // MARK: partitions

  // MARK: order

  private func size(_ partition: PartitionValues) -> Int { unsorted[partition]?.byteCount ?? 0 }

  private func place(
    _ rows: RecordBatch, in partition: PartitionValues
  ) async throws(CommitError) {
    guard !sortOrder.isUnsorted else { return try await write(rows, to: partition) }
    let before = size(partition)
    unsorted[partition, default: SortBuffer()].append(rows)
    unsortedByteCount += size(partition) - before
    while unsortedByteCount > sortByteLimit,
      let largest = unsorted.keys.max(by: { size($0) < size($1) })
    {
      try await writeSorted(largest)
    }
  }

  /// Writes what waits of a partition as a file of its own, sorted.
  private func writeSorted(_ partition: PartitionValues) async throws(CommitError) {
    guard let buffer = unsorted.removeValue(forKey: partition) else { return }
    unsortedByteCount -= buffer.byteCount
    for rows in try buffer.sorted(by: sortOrder, of: schema) {
      try await write(rows, to: partition)
    }
    try await end(partition)
  }

  private func lastUse(_ partition: PartitionValues) -> Int { open[partition]?.lastUse ?? 0 }

  private func write(
    _ rows: RecordBatch, to partition: PartitionValues
  ) async throws(CommitError) {
    let writer = try await self.writer(for: partition)
    clock += 1
    writer.lastUse = clock
    try await writer.write(rows)
    if writer.byteCount >= settings.targetFileByteCount { try await end(partition) }
  }

  private func writer(
    for partition: PartitionValues
  ) async throws(CommitError) -> DataFileWriter {
    if let writer = open[partition] { return writer }
    if open.count >= Self.openFileLimit,
      let oldest = open.keys.min(by: { lastUse($0) < lastUse($1) })
    {
      try await end(oldest)
    }
    let path: ObjectPath
    do throws(StorageError) {
      let folder = spec.isUnpartitioned ? "" : spec.path(for: partition.values, schema: schema)
      path = try naming.next(partition: folder)
    } catch {
      throw .storage(error, while: "naming a data file")
    }
    let writer = try await DataFileWriter(
      path: path, partition: partition, schema: schema, settings: settings,
      sortOrderID: sortOrder.id, store: store, environment: environment, threads: threads)
    open[partition] = writer
    return writer
  }

  private func end(_ partition: PartitionValues) async throws(CommitError) {
    guard let writer = open.removeValue(forKey: partition) else { return }
    finished.append(try await writer.finish())
  }
}

extension RecordBatch {
  /// The values of the fields of `spec`, one for each row.
  func partitionColumns(_ spec: PartitionSpec, _ schema: Schema) -> [Column] {
    spec.fields.map { field in
      guard let id = field.sourceIDs.first, let source = schema.field(id),
        let type = source.type.primitive, let column = nestedColumn(id)
      else { return .nulls(.int32, count: rowCount) }
      return field.transform.apply(to: column, of: type)
    }
  }
}

extension Schema {
  /// This schema with the columns that rows carry their ids in.
  ///
  /// Source: Iceberg spec, "Row Lineage".
  func withRowLineage() throws(IcebergError) -> Schema {
    let lineage = [MetadataColumn.rowID, .lastUpdatedSequenceNumber].map { column in
      Field(id: column.fieldID, name: column.rawValue, type: .long, isRequired: false)
    }
    return try Schema(id: id, fields: fields + lineage, identifierFieldIDs: identifierFieldIDs)
  }
}
