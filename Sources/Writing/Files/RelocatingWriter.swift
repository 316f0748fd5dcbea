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
/// to a limit of bytes for all partitions, and each file is sorted. Where the order parts its rows
/// (``RowOrder/parted(into:by:)``), all that is written is sorted: what can't be kept waits in files,
/// one part of a partition is sorted at a time, and the files of a partition follow each other.
/// Law: every row written is in exactly one of the files ``finish()`` returns, at the position that
/// the map has of it.
package final class RelocatingWriter {
  private let table: Table
  private let schema: Schema
  private var settings: WriterSettings
  private let conformance: RowConformance
  private let order: RowOrder
  private let targetByteCount: Int64
  private let sortByteLimit: Int
  private var naming: DataFileNaming
  private var open: [PartitionValues: Target] = [:]
  private var waiting: [Part: SortBuffer] = [:]
  private var waitingByteCount = 0
  private var spills: [Part: [RowSpill]] = [:]
  private var clock = 0
  private var finished: [DataFile] = []
  private var map = PositionMapBuilder()
  private var sources: [String] = []
  private var sourceIndexes: [String: Int64] = [:]

  /// Rows of a partition that are sorted at a time.
  private struct Part: Hashable {
    let partition: PartitionValues
    /// Those before it are before it in order.
    let number: Int32
  }

  /// A file that rows are being written to.
  private struct Target {
    let writer: DataFileWriter
    let path: String
    var rowCount: Int64 = 0
  }

  /// - Parameters:
  ///   - targetByteCount: a file is ended when it has as many.
  ///   - order: of the rows of each file; nil: the table's.
  ///   - keyed: the columns that get a Bloom filter; where the order is none, rows are sorted by
  ///     them.
  package init(
    _ table: Table, targetByteCount: Int64, order: RowOrder? = nil, sortByteLimit: Int,
    keyed: [String] = []
  ) throws(CommitError) {
    self.table = table
    self.targetByteCount = targetByteCount
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
    let wanted = order ?? RowOrder(metadata.defaultSortOrder, of: metadata.currentSchema)
    self.order =
      wanted.isUnsorted && !keyed.isEmpty
      ? RowOrder(Self.order(by: keyed, schema), of: metadata.currentSchema) : wanted
    conformance = RowConformance(to: schema)
    do throws(StorageError) {
      naming = try DataFileNaming(metadata, uuid: table.environment.uuid())
    } catch {
      throw .storage(error, while: "naming data files")
    }
  }

  /// Rows by the values of columns, which is no order that the table has.
  private static func order(by columns: [String], _ schema: Schema) -> SortOrder {
    let fields = columns.compactMap { schema.field(named: $0) }.map { field in
      SortField(
        sourceIDs: [field.id], transform: .identity, direction: .ascending, nullOrder: .nullsFirst)
    }
    return SortOrder(id: .unsorted, fields: fields)
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
    var parts: [PartitionValues: [Part]] = [:]
    for part in Set(waiting.keys).union(spills.keys) {
      parts[part.partition, default: []].append(part)
    }
    for (partition, some) in parts.sorted(by: { size($0.value) > size($1.value) }) {
      // All parts of a partition make one row of files.
      for part in some.sorted(by: { $0.number < $1.number }) { try await writeSorted(part) }
      try await end(partition)
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
    for spill in spills.values.joined() { try? await table.store.delete(spill.path) }
    spills = [:]
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

  private func size(_ parts: [Part]) -> Int {
    parts.reduce(0) { $0 + (waiting[$1]?.byteCount ?? 0) }
  }
  private func lastUse(_ partition: PartitionValues) -> Int {
    open[partition]?.writer.lastUse ?? 0
  }

  private func place(
    _ rows: RecordBatch, in partition: PartitionValues
  ) async throws(CommitError) {
    guard !order.isUnsorted else { return try await write(rows, to: partition) }
    for (number, some) in try parts(of: rows) {
      waitingByteCount += some.byteCount
      waiting[Part(partition: partition, number: number), default: SortBuffer()].append(some)
    }
    while waitingByteCount > sortByteLimit,
      let largest = waiting.keys.max(by: { size([$0]) < size([$1]) })
    {
      if order.isParted {
        try await spill(largest)
      } else {
        try await writeSorted(largest)
        try await end(largest.partition)
      }
    }
  }

  /// The rows by the parts of the order that they are in.
  private func parts(
    of rows: RecordBatch
  ) throws(CommitError) -> [(number: Int32, rows: RecordBatch)] {
    guard order.isParted else { return [(0, rows)] }
    do throws(ColumnarError) {
      var picked: [Int32: [Int32]] = [:]
      for (row, part) in try order.parts(of: rows).enumerated() {
        picked[part, default: []].append(Int32(truncatingIfNeeded: row))
      }
      var parts: [(number: Int32, rows: RecordBatch)] = []
      for (part, some) in picked {
        parts.append((part, picked.count == 1 ? rows : try rows.gather(some)))
      }
      return parts
    } catch {
      throw .unsupported("sorting rows of more than 2 GiB of text")
    }
  }

  /// Lets what waits of a part wait in a file.
  private func spill(_ part: Part) async throws(CommitError) {
    guard let buffer = waiting.removeValue(forKey: part) else { return }
    waitingByteCount -= buffer.byteCount
    let path: ObjectPath
    do throws(StorageError) { path = try naming.next(ending: "sorting.parquet") } catch {
      throw .storage(error, while: "naming rows to be sorted")
    }
    let spill = try await RowSpill.write(buffer.batches, to: path, of: table)
    spills[part, default: []].append(spill)
  }

  /// Writes what waits of a part, sorted; where that is more than can be kept, as more than one
  /// sorted row of files.
  private func writeSorted(_ part: Part) async throws(CommitError) {
    var buffer = SortBuffer()
    while let spill = spills[part]?.popLast() {
      if buffer.byteCount > 0, buffer.byteCount + spill.byteCount > 2 * sortByteLimit {
        try await write(sorted: buffer, to: part.partition)
        buffer = SortBuffer()
      }
      let rows = try await spill.read(schema.columnFields + Self.placeFields, of: table) {
        (rows) throws(CommitError) in try conformance.conform(rows)
      }
      for batch in rows { buffer.append(batch) }
      try? await table.store.delete(spill.path)
    }
    spills[part] = nil
    if let rest = waiting.removeValue(forKey: part) {
      waitingByteCount -= rest.byteCount
      for batch in rest.batches { buffer.append(batch) }
    }
    try await write(sorted: buffer, to: part.partition)
  }

  private func write(
    sorted buffer: SortBuffer, to partition: PartitionValues
  ) async throws(CommitError) {
    guard !buffer.batches.isEmpty else { return }
    // A file ends between batches: those of small files are small.
    let rowCount = buffer.batches.reduce(0) { $0 + $1.rowCount }
    let perByte = Double(rowCount) / Double(max(1, buffer.byteCount))
    let batchRowCount = min(65_536, max(64, Int(Double(min(targetByteCount, 1 << 40)) * perByte)))
    for rows in try buffer.sorted(by: order, batchRowCount: batchRowCount) {
      try await write(rows, to: partition)
    }
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
      sortOrderID: order.id, store: table.store, environment: table.environment,
      threads: max(1, table.environment.processorCount))
    return Target(writer: writer, path: path.text)
  }

  private func end(_ partition: PartitionValues) async throws(CommitError) {
    guard let target = open.removeValue(forKey: partition) else { return }
    finished.append(try await target.writer.finish())
  }
}
