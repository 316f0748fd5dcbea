// SPDX-License-Identifier: Apache-2.0
internal import Bytes
package import Catalogs
package import Columnar
internal import Expressions
package import Iceberg
internal import Parquet
internal import Scanning
internal import Storage

/// A data file, and which rows of a batch are in it.
package struct PlacedRows: Sendable {
  package let file: DataFile
  /// The row of the batch at each position of the file.
  package let rows: [Int32]
}

/// Writes rows in the order they are given to data files of their partitions, and tells where each
/// of them is.
///
/// Where rows have ids of their own, as a column `_row_id` with nulls where they have none, these
/// are written, and `_last_updated_sequence_number` as nulls, so that it is the commit's.
package struct PlacedRowWriter: Sendable {
  private let table: Table
  private let plain: Schema
  private let lineage: Schema
  private let spec: PartitionSpec
  private let sortOrderID: SortOrderID
  private let bloomFilters: [String]

  /// - Parameters:
  ///   - sortOrderID: of the order that rows are given in.
  ///   - keyed: the columns that get a Bloom filter.
  package init(
    _ table: Table, schema: Schema, sortOrderID: SortOrderID, keyed: [String]
  ) throws(CommitError) {
    self.table = table
    plain = schema
    spec = table.metadata.defaultPartitionSpec
    self.sortOrderID = sortOrderID
    bloomFilters = keyed
    do throws(IcebergError) {
      lineage = try schema.withRowLineage()
      try spec.check(for: schema)
    } catch {
      throw .rejected(error)
    }
  }

  /// Writes the rows of `batch`, which has the schema's columns.
  ///
  /// - Parameter rowIDs: int64; nil: no row has one.
  /// - Returns: the files. On an error nothing is left of them.
  package func write(
    _ batch: RecordBatch, rowIDs: Column?
  ) async throws(CommitError) -> [PlacedRows] {
    guard batch.rowCount > 0 else { return [] }
    let schema = rowIDs == nil ? plain : lineage
    var settings = try WriterSettings(
      table.metadata, schema: schema, isKeyed: !bloomFilters.isEmpty)
    for name in bloomFilters {
      settings.options.columns[name, default: ColumnOptions()].bloomFilter = BloomFilterOptions()
    }
    let parts = Self.parts(of: batch, spec, plain)
    var rows = batch
    if let rowIDs {
      rows = RecordBatch(
        fields: schema.columnFields,
        columns: batch.columns + [rowIDs, .nulls(.int64, count: batch.rowCount)],
        rowCount: batch.rowCount)
    }
    let encoding = Encoding(
      table: table, schema: schema, spec: spec, settings: settings, sortOrderID: sortOrderID,
      threads: parts.count == 1 ? table.environment.processorCount : 1)
    return try await encoding.write(rows, parts)
  }

  /// Some rows of one partition.
  fileprivate struct Part: Sendable {
    let partition: PartitionValues
    /// Ascending; nil: all rows there are.
    let rows: [Int32]?
  }

  private static func parts(
    of rows: RecordBatch, _ spec: PartitionSpec, _ schema: Schema
  ) -> [Part] {
    if spec.isUnpartitioned {
      let values = spec.fields.map { _ -> Value? in nil }
      return [Part(partition: PartitionValues(specID: spec.id, values: values), rows: nil)]
    }
    let keys = rows.partitionColumns(spec, schema)
    let groups = RowGroups(keys: keys)
    return zip(groups.representatives, groups.selections).map { first, selection in
      let values = keys.map { $0.icebergValue(Int(first)) }
      return Part(
        partition: PartitionValues(specID: spec.id, values: values),
        rows: groups.count == 1
          ? nil : selection.ranges.flatMap { $0.map { Int32(truncatingIfNeeded: $0) } })
    }
  }
}

/// How the parts of a batch are made files.
private struct Encoding: Sendable {
  let table: Table
  let schema: Schema
  let spec: PartitionSpec
  let settings: WriterSettings
  let sortOrderID: SortOrderID
  let threads: Int

  /// How many files are written at a time.
  private static let openFileLimit = 8
  private static let batchRowCount = 65_536

  func write(
    _ rows: RecordBatch, _ parts: [PlacedRowWriter.Part]
  ) async throws(CommitError) -> [PlacedRows] {
    var numbered: [(PlacedRowWriter.Part, DataFileNaming)] = []
    let uuid = table.environment.uuid()
    do throws(StorageError) {
      for number in parts.indices {
        let naming = try DataFileNaming(
          table.metadata, uuid: parts.count == 1 ? uuid : "\(uuid)-\(number)")
        numbered.append((parts[number], naming))
      }
    } catch {
      throw .storage(error, while: "naming data files")
    }
    let results = try await mapConcurrently(numbered, limit: Self.openFileLimit) {
      (part, naming) throws(CommitError) -> Result<[PlacedRows], CommitError> in
      var naming = naming
      do throws(CommitError) {
        return .success(try await write(rows, part, &naming))
      } catch {
        return .failure(error)
      }
    }
    var files: [PlacedRows] = []
    var failure: CommitError?
    for result in results {
      switch result {
      case .success(let some): files += some
      case .failure(let error): failure = failure ?? error
      }
    }
    guard let failure else { return files }
    await table.store.discard(files.map(\.file))
    throw failure
  }

  /// Writes the rows of one partition, as one file or, past the target size, more.
  private func write(
    _ all: RecordBatch, _ part: PlacedRowWriter.Part, _ naming: inout DataFileNaming
  ) async throws(CommitError) -> [PlacedRows] {
    let rows: RecordBatch
    do throws(ColumnarError) { rows = try part.rows.map(all.gather) ?? all } catch {
      throw .unsupported("a batch of more than 2 GiB of text")
    }
    var files: [PlacedRows] = []
    var open: (writer: DataFileWriter, start: Int)?
    var next = 0
    do throws(CommitError) {
      while next < rows.rowCount {
        let end = min(next + Self.batchRowCount, rows.rowCount)
        let start = open?.start ?? next
        let writer: DataFileWriter
        if let open { writer = open.writer } else { writer = try await self.writer(part, &naming) }
        open = (writer, start)
        try await writer.write(rows.slice(next..<end))
        next = end
        if writer.byteCount >= settings.targetFileByteCount || next == rows.rowCount {
          files.append(placed(try await writer.finish(), start..<next, part))
          open = nil
        }
      }
    } catch {
      await open?.writer.abort()
      await table.store.discard(files.map(\.file))
      throw error
    }
    return files
  }

  private func placed(
    _ file: DataFile, _ range: Range<Int>, _ part: PlacedRowWriter.Part
  ) -> PlacedRows {
    let rows = part.rows.map { Array($0[range]) } ?? range.map { Int32(truncatingIfNeeded: $0) }
    return PlacedRows(file: file, rows: rows)
  }

  private func writer(
    _ part: PlacedRowWriter.Part, _ naming: inout DataFileNaming
  ) async throws(CommitError) -> DataFileWriter {
    let path: ObjectPath
    do throws(StorageError) {
      let folder =
        spec.isUnpartitioned ? "" : spec.path(for: part.partition.values, schema: schema)
      path = try naming.next(partition: folder)
    } catch {
      throw .storage(error, while: "naming a data file")
    }
    return try await DataFileWriter(
      path: path, partition: part.partition, schema: schema, settings: settings,
      sortOrderID: sortOrderID, store: table.store, environment: table.environment,
      threads: threads)
  }
}
