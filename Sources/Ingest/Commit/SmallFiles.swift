// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import KeyIndexing
internal import Scanning

/// The data files of a table that are smaller than they are to be, by partition: what a stream of
/// commits leaves, and puts together again.
///
/// When a partition has ``UpsertOptions/smallFileLimit`` of them, the smallest are put together, as long as none is
/// larger than half of those before it. So a row is written again O(log n) times in n commits, and a
/// partition has O(log n) files beyond the limit, which bounds what a commit has to touch.
struct SmallFiles: Sendable {
  private var byPartition: [PartitionValues: [String]] = [:]
  /// The list of files that these are of.
  private var list: TableState.ListID?

  /// Takes notice of which files are live. Cost: O(files that came), if `state` follows from the one
  /// before.
  mutating func follow(_ state: TableState) {
    let new = state.indicesUnknown(to: list)
    if new.count == state.files.count { byPartition = [:] }
    for index in new {
      let file = state.files[index].file
      byPartition[file.partition, default: []].append(file.path)
    }
    list = state.id
  }

  /// The groups of files of `partitions` that are to be put together.
  ///
  /// - Parameters:
  ///   - byteCount: files of as many bytes are large enough.
  ///   - limit: from how many files on a partition has too many.
  ///   - claimed: files with this sequence number or a lower one are let be; nil: none.
  mutating func groups(
    of partitions: Set<PartitionValues>, below byteCount: Int64, limit: Int,
    after claimed: SequenceNumber?, in state: TableState
  ) -> [[ScanTask]] {
    var groups: [[ScanTask]] = []
    for partition in partitions {
      guard let paths = byPartition[partition], paths.count >= limit else { continue }
      var files: [(task: ScanTask, liveRowCount: Int64)] = []
      var seen: Set<String> = []
      for path in paths where seen.insert(path).inserted {
        guard let index = state.index(of: path) else { continue }
        let file = state.files[index]
        // Too large files are not asked about again.
        if file.file.byteCount < byteCount { files.append((file.task, file.liveRowCount)) }
      }
      byPartition[partition] = files.map(\.task.file.path)
      if let claimed { files.removeAll { $0.task.sequenceNumber <= claimed } }
      guard files.count >= limit else { continue }
      files.sort { ($0.liveRowCount, $0.task.file.path) < ($1.liveRowCount, $1.task.file.path) }
      var group: [ScanTask] = []
      var rowCount: Int64 = 0
      for (task, count) in files {
        guard group.count < max(2, limit / 2) || count <= rowCount / 2 else { break }
        group.append(task)
        rowCount += count
      }
      groups.append(group)
    }
    return groups
  }
}
