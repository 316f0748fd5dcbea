// SPDX-License-Identifier: Apache-2.0
internal import Bytes
package import Catalogs
package import Columnar
internal import Expressions
package import Iceberg
internal import Parquet
internal import Scanning
internal import Storage

/// Writes rows of a table to other data files, and records where each of them went.
///
/// Rows of one source come in the order they have there. Where files are sorted, rows are kept, up
/// to a limit of bytes for all partitions, and each file is sorted.
/// Law: every row written is in exactly one of the files ``finish()`` returns, at the position that
/// the map has of it.
package final class RelocatingWriter {
  private let table: Table
  private let schema: Schema
  private var settings: WriterSettings
  private let conformance: RowConformance
  private let sortOrder: SortOrder
  private let sortOrderID: SortOrderID
  private let targetByteCount: Int64
  private let sortByteLimit: Int
  private var naming: DataFileNaming
  private var open: [PartitionValues: Target] = [:]
  private var waiting: [PartitionValues: SortBuffer] = [:]
  private var waitingByteCount = 0
  private var clock = 0
  private var finished: [DataFile] = []
  private var map = PositionMapBuilder()
  private var sources: [String] = []
  private var sourceIndexes: [String: Int64] = [:]

  /// A file that rows are being written to.
  private struct Target {
    let writer: DataFileWriter
    let path: String
    var rowCount: Int64 = 0
  }

  /// - Parameters:
  ///   - targetByteCount: a file is ended when it has as many.
  ///   - sortOrder: of the rows of each file.
  ///   - keyed: the columns that get a Bloom filter; where the order is none, rows are sorted by
  ///     them.
  package init(
    _ table: Table, targetByteCount: Int64, sortOrder: SortOrder, sortByteLimit: Int,
    keyed: [String] = []
  ) throws(CommitError) {
    self.table = table
    self.targetByteCount = targetByteCount
    sortOrderID = sortOrder.id
    self.sortByteLimit = sortByteLimit
    let metadata = table.metadata
    do throws(IcebergError) {
      let current = metadata.currentSchema
      schema = metadata.formatVersion >= .v3 ? try current.withRowLineage() : current
      try metadata.defaultPartitionSpec.check(for: schema)
    } catch {
      throw .rejected(error)
    }
    settings = try WriterSettings(metadata, schema: schema, isKeyed: !keyed.isEmpty)
    for name in keyed {
      settings.options.columns[name, default: ColumnOptions()].bloomFilter = BloomFilterOptions()
    }
    self.sortOrder =
      sortOrder.isUnsorted && !keyed.isEmpty ? Self.order(by: keyed, schema) : sortOrder
    conformance = RowConformance(to: schema)
    do throws(StorageError) {
      naming = try DataFileNaming(metadata, uuid: table.environment.uuid())
    } catch {
      throw .storage(error, while: "naming data files")
    }
  }

  /// Rows by the values of columns.
  private static func order(by columns: [String], _ schema: Schema) -> SortOrder {
    let fields = columns.compactMap { schema.field(named: $0) }.map { field in
      SortField(
        sourceIDs: [field.id], transform: .identity, direction: .ascending, nullOrder: .nullsFirst)
    }
    return fields.isEmpty ? .unsorted : SortOrder(id: SortOrderID(1), fields: fields)
  }

  private var spec: PartitionSpec { table.metadata.defaultPartitionSpec }

  /// Adds rows, with the table's columns and, from v3 on, their lineage.
  ///
  /// - Parameters:
  ///   - positions: int64, where the rows are in the file `source`.
  package func write(
    _ rows: RecordBatch, from positions: Column, of source: String
  ) async throws(CommitError) {
    guard rows.rowCount > 0 else { return }
    let conformed = try conformance.conform(rows)
    // Where a row comes from goes with it through partitioning and sorting.
    let placed = RecordBatch(
      fields: conformed.fields + Self.placeFields,
      columns: conformed.columns
        + [Self.constant(index(of: source), count: rows.rowCount), positions],
      rowCount: rows.rowCount)
    if spec.isUnpartitioned {
      let values = spec.fields.map { _ -> Value? in nil }
      return try await place(placed, in: PartitionValues(specID: spec.id, values: values))
    }
    let keys = placed.partitionColumns(spec, schema)
    for (row, part) in placed.split(by: keys) {
      let values = keys.map { $0.icebergValue(row) }
      try await place(part, in: PartitionValues(specID: spec.id, values: values))
    }
  }

  /// Ends all files.
  ///
  /// - Returns: the files, and where rows went.
  package func finish() async throws(CommitError) -> (files: [DataFile], map: PositionMap) {
    for partition in waiting.keys.sorted(by: { size($0) > size($1) }) {
      try await writeSorted(partition)
    }
    for partition in open.keys.sorted(by: { lastUse($0) < lastUse($1) }) {
      try await end(partition)
    }
    do throws(IcebergError) { return (finished, try map.finish()) } catch {
      throw .rejected(error)
    }
  }

  /// Gives all files up, and deletes those that were ended: nothing refers to them.
  package func abort() async {
    waiting = [:]
    for target in open.values { await target.writer.abort() }
    open = [:]
    await table.store.discard(finished)
    finished = []
  }

  // MARK: places

  private static let placeFields = [
    ColumnField("source", .int64, isNullable: false),
    ColumnField("position", .int64, isNullable: false),
  ]

  private static func constant(_ value: Int64, count: Int) -> Column {
    var target = MutableBuffer(byteCount: count * 8)
    var places = target.mutableValues(as: Int64.self)
    for i in places.indices { places[i] = value }
    return Column(type: .int64, count: count, validity: nil, values: .fixed(target.freeze()))
  }

  private func index(of source: String) -> Int64 {
    if let index = sourceIndexes[source] { return index }
    let index = Int64(sources.count)
    sources.append(source)
    sourceIndexes[source] = index
    return index
  }

  /// Notes that the rows of `batch` are the next ones of `target`.
  private func note(_ batch: RecordBatch, in target: Target) {
    let fromColumn = batch.columns[batch.columns.count - 2]
    let positionColumn = batch.columns[batch.columns.count - 1]
    let from = fromColumn.fixedValues(as: Int64.self)
    let positions = positionColumn.fixedValues(as: Int64.self)
    var start = 0
    for row in 1...batch.rowCount {
      if row < batch.rowCount, from[row] == from[start],
        positions[row] - positions[start] == Int64(row - start)
      {
        continue
      }
      map.append(
        from: positions[start], of: sources[Int(from[start])],
        to: target.rowCount + Int64(start), of: target.path, count: Int64(row - start))
      start = row
    }
  }

  // MARK: files

  private func size(_ partition: PartitionValues) -> Int { waiting[partition]?.byteCount ?? 0 }
  private func lastUse(_ partition: PartitionValues) -> Int {
    open[partition]?.writer.lastUse ?? 0
  }

  private func place(
    _ rows: RecordBatch, in partition: PartitionValues
  ) async throws(CommitError) {
    guard !sortOrder.isUnsorted else { return try await write(rows, to: partition) }
    let before = size(partition)
    waiting[partition, default: SortBuffer()].append(rows)
    waitingByteCount += size(partition) - before
    while waitingByteCount > sortByteLimit,
      let largest = waiting.keys.max(by: { size($0) < size($1) })
    {
      try await writeSorted(largest)
    }
  }

  /// Writes what waits of a partition as files of its own, sorted.
  private func writeSorted(_ partition: PartitionValues) async throws(CommitError) {
    guard let buffer = waiting.removeValue(forKey: partition) else { return }
    waitingByteCount -= buffer.byteCount
    for rows in try buffer.sorted(by: sortOrder, of: schema) {
      try await write(rows, to: partition)
    }
    try await end(partition)
  }

  private func write(
    _ rows: RecordBatch, to partition: PartitionValues
  ) async throws(CommitError) {
    var target = try await self.target(for: partition)
    clock += 1
    target.writer.lastUse = clock
    note(rows, in: target)
    try await target.writer.write(rows.selecting(Array(0..<rows.columns.count - 2)))
    target.rowCount += Int64(rows.rowCount)
    open[partition] = target
    if target.writer.byteCount >= targetByteCount { try await end(partition) }
  }

  private func target(for partition: PartitionValues) async throws(CommitError) -> Target {
    if let target = open[partition] { return target }
    if open.count >= PartitionedWriter.openFileLimit,
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
      sortOrderID: sortOrderID, store: table.store,
      threads: max(1, table.environment.processorCount))
    return Target(writer: writer, path: path.text)
  }

  private func end(_ partition: PartitionValues) async throws(CommitError) {
    guard let target = open.removeValue(forKey: partition) else { return }
    finished.append(try await target.writer.finish())
  }
}
