// SPDX-License-Identifier: Apache-2.0
internal import Columnar
internal import Lake

/// What a table has of statistics, as rows.
enum StatisticsRows {
  /// Adds the tables `statistics` (a row a blob) and `partition_statistics` to `record`, where there
  /// are any files of the kind.
  static func add(_ metadata: TableMetadata, to record: inout ResultRecord) throws {
    if !metadata.statistics.isEmpty {
      var table = try ResultTable(
        """
        snapshot_id long not null, columns list<string>, kind string, ndv long, \
        file string not null, bytes long not null
        """)
      table.rows = metadata.statistics.flatMap { rows($0, metadata) }
      record.add("statistics", table)
    }
    if !metadata.partitionStatistics.isEmpty {
      var table = try ResultTable(
        "snapshot_id long not null, file string not null, bytes long not null")
      table.rows = metadata.partitionStatistics.map { file in
        [Cell(file.snapshotID.rawValue), .text(file.path), Cell(file.byteCount)]
      }
      record.add("partition_statistics", table)
    }
  }

  private static func rows(_ file: StatisticsFile, _ metadata: TableMetadata) -> [[Cell]] {
    let place: [Cell] = [.text(file.path), Cell(file.byteCount)]
    if file.blobs.isEmpty {
      return [[Cell(file.snapshotID.rawValue), .null, .null, .null] + place]
    }
    return file.blobs.map { blob in
      let names = blob.fieldIDs.map { metadata.currentSchema.name(of: $0) ?? "#\($0.rawValue)" }
      return [
        Cell(file.snapshotID.rawValue), .list(names.map { .text($0) }), .text(blob.type),
        Cell(blob.distinctCount),
      ] + place
    }
  }
}
