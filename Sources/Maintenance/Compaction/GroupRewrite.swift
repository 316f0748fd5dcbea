// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Scanning
internal import Writing

/// A group of files, and what was written in its place.
struct RewrittenGroup: Sendable {
  /// The data files, as they were read.
  var replaced: [ManifestEntry]
  /// Those that are no longer part of the table, whose rows were written in vain.
  var gone: [ManifestEntry] = []
  let added: [DataFile]
  /// Where the live rows went.
  let map: PositionMap
}

/// Reads the live rows of files, what deletes them applied, and writes them to others, each with its
/// id.
struct GroupRewrite {
  let table: Table
  let options: CompactionOptions
  let targetByteCount: Int64
  let sortOrder: SortOrder

  /// - Returns: nothing of which is part of the table. On an error nothing is left of it.
  func run(_ group: CompactionGroup) async throws(CommitError) -> RewrittenGroup {
    // What comes out a little larger than was guessed needs no file of its own.
    let writer = try RelocatingWriter(
      table, targetByteCount: targetByteCount.saturating(targetByteCount / 4),
      order: try await order(of: group), sortByteLimit: sortByteLimit, keyed: options.key)
    let place = [MetadataColumn.file, .position].map(\.rawValue)
    let lineage = [MetadataColumn.rowID, .lastUpdatedSequenceNumber].map(\.rawValue)
    let carriesLineage = table.metadata.formatVersion >= .v3
    let scan = table.scan().at(.reference(options.branch)).of(group.tasks)
      .select(["*"] + place + (carriesLineage ? lineage : []))
    var failure: CommitError?
    do throws(CommitError) {
      do throws(ScanError) {
        try await scan.read { batch throws(ScanError) in
          batch
        } consume: { batch throws(ScanError) in
          guard batch.rowCount > 0, let file = batch.column(place[0]),
            let positions = batch.column(place[1])
          else { return true }
          let rows = batch.selecting(
            batch.fields.indices.filter { !place.contains(batch.fields[$0].name) })
          do throws(CommitError) {
            // A batch is of one file.
            try await writer.write(rows, from: positions, of: file.string(0))
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
      let (files, map) = try await writer.finish()
      return RewrittenGroup(replaced: group.tasks.map(\.entry), added: files, map: map)
    } catch {
      await writer.abort()
      throw error
    }
  }

  // MARK: order

  /// What is sorted at a time is there twice for a moment, and what waits beside it.
  private var sortByteLimit: Int {
    options.strategy == .binpack ? options.memoryLimit : max(1, options.memoryLimit / 4)
  }

  /// About how many rows tell how the others lie.
  private static let sampleRowCount: Int64 = 1 << 16
  private static let partLimit = 1 << 10

  /// The order of the rows of `group`, in as many parts as it takes to sort one at a time.
  private func order(of group: CompactionGroup) async throws(CommitError) -> RowOrder {
    let schema = table.metadata.currentSchema
    let plain = RowOrder(sortOrder, of: schema)
    if options.strategy == .binpack { return plain }
    // In memory rows take about four times the room.
    let size = group.byteCount.saturating(group.byteCount).saturating(group.byteCount)
      .saturating(group.byteCount)
    // Parts are not quite equal, and a half is left for that.
    let wanted = Int(clamping: size / Int64(max(1, sortByteLimit / 2))).addingReportingOverflow(1)
    let partCount = wanted.overflow ? Self.partLimit : min(wanted.partialValue, Self.partLimit)
    if options.strategy == .sort, partCount == 1 { return plain }
    let sample = try await sample(of: group, schema)
    do throws(ColumnarError) {
      let order =
        options.strategy == .zorder
        ? RowOrder(
          try ZOrder(sortOrder.fields.flatMap { $0.sourceIDs.prefix(1) }, by: sample), of: schema)
        : plain
      return try order.parted(into: partCount, by: sample)
    } catch {
      throw .unsupported("sorting by more than 2 GiB of text")
    }
  }

  /// Rows at equal distances, of the columns that are sorted by.
  private func sample(
    of group: CompactionGroup, _ schema: Schema
  ) async throws(CommitError) -> RecordBatch {
    let ids = Set(sortOrder.fields.flatMap(\.sourceIDs))
    let names = ids.compactMap { schema.name(of: $0) }.sorted()
    let scan = table.scan().at(.reference(options.branch)).of(group.tasks).select(names)
    let rowCount = group.tasks.reduce(Int64(0)) { $0.saturating(max(0, $1.file.recordCount)) }
    let step = Int(clamping: max(1, rowCount / Self.sampleRowCount))
    var next = step / 2
    var batches: [RecordBatch] = []
    do throws(ScanError) {
      let fields = try scan.outputFields().map(\.columnField)
      try await scan.read { batch throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        var chosen: [Int32] = []
        while next < batch.rowCount {
          chosen.append(Int32(truncatingIfNeeded: next))
          next += step
        }
        next -= batch.rowCount
        do throws(ColumnarError) {
          if !chosen.isEmpty { batches.append(try batch.gather(chosen)) }
        } catch {
          throw .unsupported(what: "2 GiB of values of a column at once", file: table.name)
        }
        return true
      }
      guard !batches.isEmpty else {
        return RecordBatch(
          fields: fields, columns: fields.map { .nulls($0.type, count: 0) }, rowCount: 0)
      }
      do throws(ColumnarError) { return try RecordBatch.concat(batches) } catch {
        throw .unsupported(what: "2 GiB of values of a column at once", file: table.name)
      }
    } catch {
      throw .reading(error)
    }
  }
}
