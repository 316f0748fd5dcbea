// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Lake

/// What a table tells of the streams that are upserted into it, and of what they leave to tidy up.
enum UpsertRows {
  /// Adds to `record`, for a table with a key, deletes or named writers: `deleted_share`,
  /// `files_per_partition`, `most_files_in_partition`, `small_files`, and the tables `writers` and
  /// `indexes` where there are any.
  static func add(_ table: Table, to record: inout ResultRecord) async throws {
    let metadata = table.metadata
    let writers = metadata.writerRecords
    let summary = metadata.currentSnapshot?.summary ?? [:]
    let hasDeletes = summary["total-delete-files"].flatMap { Int64($0) } ?? 0 > 0
    let hasKey = !metadata.currentSchema.identifierFieldIDs.isEmpty
    guard hasKey || hasDeletes || !writers.isEmpty else { return }
    record.add("deleted_share", .double, deletedShare(summary))
    // A table whose manifests can't be read is told of all the same.
    let files = try? await Files(of: table)
    record.add("files_per_partition", .double, files.map { .floatingPoint($0.mean) } ?? .null)
    record.add("most_files_in_partition", files.map { Int64($0.most) })
    record.add("small_files", files.map { Int64($0.small) })
    if !writers.isEmpty { record.add("writers", try rows(writers, metadata)) }
    if let indexes = try? await IndexRows.table(of: table), !indexes.rows.isEmpty {
      record.add("indexes", indexes)
    }
  }

  /// Which share of the rows in data files is deleted by position or vector.
  private static func deletedShare(_ summary: [String: String]) -> Cell {
    guard let rows = summary["total-records"].flatMap({ Double($0) }), rows > 0,
      let deleted = summary["total-position-deletes"].flatMap({ Double($0) })
    else { return .null }
    return .floatingPoint(deleted / rows)
  }

  private static func rows(
    _ writers: [String: WriterRecord], _ metadata: TableMetadata
  ) throws -> ResultTable {
    var table = try ResultTable(
      """
      writer string not null, branch string not null, fence long not null, commits long not null, \
      last_snapshot_id long not null, committed_at timestamptz, offsets map<string, long> not null
      """)
    for (name, writer) in writers.sorted(by: { $0.key < $1.key }) {
      let time = metadata.snapshot(writer.snapshot)?.timestampMilliseconds
      let offsets = writer.offsets.sorted { $0.key < $1.key }
      table.rows.append([
        .text(name), .text(writer.branch), Cell(writer.fence), Cell(writer.epoch),
        Cell(writer.snapshot.rawValue), Cell(time.map { Timestamp(milliseconds: $0).microseconds }),
        .map(offsets.map { (.text($0.key), Cell($0.value)) }),
      ])
    }
    return table
  }

  /// How a table's live data files are spread.
  private struct Files {
    let mean: Double
    let most: Int
    /// Less than a quarter of the size that files are written for.
    let small: Int

    init(of table: Table) async throws {
      let target = table.metadata.properties["write.target-file-size-bytes"].flatMap { Int64($0) }
      let limit = (target ?? 512 << 20) / 4
      var small = 0
      var counts: [PartitionValues: Int] = [:]
      for task in try await table.scan().plan().tasks {
        if task.file.byteCount < limit { small += 1 }
        counts[task.file.partition, default: 0] += 1
      }
      self.small = small
      most = counts.values.max() ?? 0
      mean =
        counts.isEmpty ? 0 : Double(counts.values.reduce(0, +)) / Double(counts.count)
    }
  }
}
