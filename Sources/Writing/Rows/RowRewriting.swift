// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning
internal import Storage

/// Reads rows of some files and writes what is made of them to new ones, each row with its id.
struct RowRewriting {
  let table: Table
  let branch: String

  /// What tells where a row was read; never written again.
  static let metadataColumns: [MetadataColumn] = [.file, .position]

  private var carriesLineage: Bool { table.metadata.formatVersion >= .v3 }

  /// The columns of the table's rows, as they are read to be written again.
  private var columns: [String] {
    var columns = ["*"] + Self.metadataColumns.map(\.rawValue)
    if carriesLineage {
      columns += [MetadataColumn.rowID, .lastUpdatedSequenceNumber].map(\.rawValue)
    }
    return columns
  }

  /// Writes what `change` makes of the live rows of `tasks` that match `filter`.
  ///
  /// - Parameter change: given the rows of one file (at the head ``RowsInFile``), gives batches in
  ///   the table's schema, with their ids in v3.
  /// - Returns: the new data files. On an error nothing is left of them.
  func write(
    _ tasks: [ScanTask], where filter: Predicate = .alwaysTrue,
    _ change: (RowsInFile) throws(CommitError) -> [RecordBatch]
  ) async throws(CommitError) -> [DataFile] {
    guard !tasks.isEmpty else { return [] }
    let writer = try PartitionedWriter(
      table.metadata, lineage: carriesLineage ? .carried : .assigned, store: table.store,
      environment: table.environment, threads: max(1, table.environment.processorCount))
    let scan = table.scan().at(.reference(branch)).of(tasks).filter(filter).select(columns)
    var failure: CommitError?
    do throws(CommitError) {
      do throws(ScanError) {
        try await scan.read { batch throws(ScanError) in
          batch
        } consume: { batch throws(ScanError) in
          do throws(CommitError) {
            for rows in try change(RowsInFile(batch)) { try await writer.write(rows) }
            return true
          } catch {
            failure = error
            return false
          }
        }
      } catch {
        throw .reading(error)
      }
      if let failure { throw failure }
      return try await writer.finish()
    } catch {
      await writer.abort()
      throw error
    }
  }
}

/// Some rows of one data file.
struct RowsInFile {
  let path: String
  let positions: Column
  /// With the table's columns and, in v3, `_row_id` and `_last_updated_sequence_number`.
  let rows: RecordBatch

  fileprivate init(_ batch: RecordBatch) {
    let names = Set(RowRewriting.metadataColumns.map(\.rawValue))
    path = batch.column(MetadataColumn.file.rawValue)?.string(0) ?? ""
    positions =
      batch.column(MetadataColumn.position.rawValue) ?? .nulls(.int64, count: batch.rowCount)
    rows = batch.selecting(batch.fields.indices.filter { !names.contains(batch.fields[$0].name) })
  }

  /// 1 for each row whose position is in `vector`.
  func mask(_ vector: DeletionVector) -> Bitmap {
    let places = positions.fixedValues(as: Int64.self)
    var target = MutableBuffer(zeroed: (places.count + 63) / 64 * 8)
    var words = target.mutableValues(as: UInt64.self)
    for i in places.indices where vector.contains(places[i]) {
      words[i >> 6] |= 1 << UInt64(i & 63)
    }
    return Bitmap(target.freeze(), count: places.count)
  }
}

extension RecordBatch {
  /// The rows as changed by the commit: the sequence number of their last change is the commit's.
  func asUpdated() -> RecordBatch {
    let name = MetadataColumn.lastUpdatedSequenceNumber.rawValue
    guard let index = fields.firstIndex(where: { $0.name == name }) else { return self }
    var columns = columns
    columns[index] = .nulls(.int64, count: rowCount)
    return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
  }
}
