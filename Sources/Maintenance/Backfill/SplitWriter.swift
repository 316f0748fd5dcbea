// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning
internal import Storage
internal import Writing

/// A split, and the files that were made of it, which nothing names yet.
struct WrittenSplit: Sendable {
  let split: BackfillSplit
  var files: [DataFile] = []
  var rowCount: Int64 = 0
  /// Of a table's own rows: where the rows were that these stand for.
  var map: PositionMap?
}

/// Reads the rows of splits and writes what is made of them.
struct SplitWriter: Sendable {
  let job: BackfillJob
  let computation: BackfillComputation
  let parallelism: Int

  init(_ job: BackfillJob, parallelism: Int) throws(MaintenanceError) {
    self.job = job
    self.parallelism = max(1, parallelism)
    computation = try BackfillComputation(
      job.options.computation, of: job.schema, for: job.target.metadata.currentSchema,
      isOwn: job.isOwn)
  }

  /// - Returns: what nothing names yet. On an error nothing is left of it.
  func write(_ split: BackfillSplit) async throws(MaintenanceError) -> WrittenSplit {
    let tasks = split.tasks.filter { job.candidates.contains($0.file.path) }
    guard !tasks.isEmpty else { return WrittenSplit(split: split) }
    return job.isOwn ? try await replaced(split, tasks) : try await appended(split, tasks)
  }

  // MARK: into another table

  private func appended(
    _ split: BackfillSplit, _ tasks: [ScanTask]
  ) async throws(MaintenanceError) -> WrittenSplit {
    let target = job.target
    let writer: PartitionedWriter
    do throws(CommitError) {
      writer = try PartitionedWriter(
        target.metadata, lineage: .assigned, store: target.store,
        environment: target.environment, threads: 1,
        sortByteLimit: PartitionedWriter.sortByteLimit / parallelism)
    } catch {
      throw .commit(error)
    }
    let scan = job.source.scan().at(.id(job.snapshot)).of(tasks).filter(job.filter)
      .select(computation.columns)
    var written = WrittenSplit(split: split)
    do throws(MaintenanceError) {
      try await read(scan) { (batch) async throws(MaintenanceError) in
        let rows = try computation.rows(batch)
        written.rowCount += Int64(rows.rowCount)
        do throws(CommitError) { try await writer.write(rows) } catch { throw .commit(error) }
      }
      do throws(CommitError) { written.files = try await writer.finish() } catch {
        throw .commit(error)
      }
      return written
    } catch {
      await writer.abort()
      throw error
    }
  }

  // MARK: into itself

  private func replaced(
    _ split: BackfillSplit, _ tasks: [ScanTask]
  ) async throws(MaintenanceError) -> WrittenSplit {
    let target = job.target
    let metadata = target.metadata
    let writer: RelocatingWriter
    do throws(CommitError) {
      let size: Int64
      do throws(IcebergError) {
        size = try metadata.properties.value(of: .targetFileByteCount)
      } catch {
        throw .rejected(error)
      }
      writer = try RelocatingWriter(
        target, targetByteCount: size,
        sortByteLimit: PartitionedWriter.sortByteLimit / parallelism)
    } catch {
      throw .commit(error)
    }
    let place = [MetadataColumn.file, .position].map(\.rawValue)
    let lineage = [MetadataColumn.rowID, .lastUpdatedSequenceNumber].map(\.rawValue)
    let carriesLineage = metadata.formatVersion >= .v3
    let schema = metadata.currentSchema
    let key = schema.identifierFieldIDs.compactMap { schema.field($0)?.name }
    let scan = job.source.scan().at(.reference(job.options.branch)).of(tasks).filter(job.filter)
      .select(["*"] + place + (carriesLineage ? lineage : []))
    var written = WrittenSplit(split: split)
    do throws(MaintenanceError) {
      try await read(scan) { (batch) async throws(MaintenanceError) in
        guard let file = batch.column(place[0]), let positions = batch.column(place[1]) else {
          return
        }
        let own = batch.selecting(
          batch.fields.indices.filter { !place.contains(batch.fields[$0].name) })
        let rows = try computation.replacing(own, key: key).asChanged
        written.rowCount += Int64(rows.rowCount)
        do throws(CommitError) {
          // A batch is of one file.
          try await writer.write(rows, from: positions, of: file.string(0))
        } catch {
          throw .commit(error)
        }
      }
      do throws(CommitError) {
        let (files, map) = try await writer.finish()
        (written.files, written.map) = (files, map)
      } catch {
        throw .commit(error)
      }
      return written
    } catch {
      await writer.abort()
      throw error
    }
  }

  // MARK: reading

  private func read(
    _ scan: TableScan, _ body: (RecordBatch) async throws(MaintenanceError) -> Void
  ) async throws(MaintenanceError) {
    var failure: MaintenanceError?
    do throws(ScanError) {
      try await scan.parallelism(1).read { batch throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        guard batch.rowCount > 0 else { return true }
        do throws(MaintenanceError) {
          if Task.isCancelled { throw .cancelled }
          try await body(batch)
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
  }
}

extension RecordBatch {
  /// The rows as changed by a commit to come: the sequence number of their last change is its.
  fileprivate var asChanged: RecordBatch {
    let name = MetadataColumn.lastUpdatedSequenceNumber.rawValue
    guard let index = fields.firstIndex(where: { $0.name == name }) else { return self }
    var columns = columns
    columns[index] = .nulls(.int64, count: rowCount)
    return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
  }
}
