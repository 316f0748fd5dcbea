// SPDX-License-Identifier: Apache-2.0
public import Iceberg
internal import Scanning

/// Files of one partition that are worth rewriting together.
public struct CompactionGroup: Sendable {
  let tasks: [ScanTask]
  public let partition: PartitionValues
  /// What reading the table is spared, in bytes.
  public let benefit: Int64

  public var fileCount: Int { tasks.count }
  public var byteCount: Int64 { tasks.reduce(0) { $0 + $1.file.byteCount } }
  /// Delete files that apply to the group's data files.
  public var deleteFileCount: Int {
    Set(tasks.flatMap { $0.deletes.map(\.file.identity) }).count
  }

  init(_ tasks: [ScanTask], benefit: Int64) {
    self.tasks = tasks
    self.benefit = benefit
    partition = tasks.first?.file.partition ?? .unpartitioned()
  }
}

/// Chooses files to rewrite by what readers gain.
///
/// A file costs readers its bytes and a request, counted as ``requestByteCount``; so does each delete
/// file that they need. A group is worth rewriting if that spares readers at least a sixteenth of the
/// bytes that are rewritten: a large file and a tiny one are let be.
struct CompactionPlanner {
  let options: CompactionOptions
  /// How large files are to be.
  let targetByteCount: Int64
  let sortOrder: SortOrder

  static let requestByteCount: Int64 = 4 << 20

  /// The groups of the files of `tasks`, the most worthwhile first.
  func groups(of tasks: [ScanTask]) -> [CompactionGroup] {
    var byPartition: [PartitionValues: [ScanTask]] = [:]
    var partitions: [PartitionValues] = []
    for task in tasks where isCandidate(task) {
      let partition = task.file.partition
      if byPartition.updateValue((byPartition[partition] ?? []) + [task], forKey: partition) == nil
      {
        partitions.append(partition)
      }
    }
    var groups: [CompactionGroup] = []
    for partition in partitions {
      for bin in bins(of: byPartition[partition] ?? []) {
        let benefit = benefit(of: bin)
        let cost = bin.reduce(Int64(0)) { $0.saturating($1.file.byteCount) }
        if benefit > 0, benefit >= cost / 16 {
          groups.append(CompactionGroup(bin, benefit: benefit))
        }
      }
    }
    return groups.sorted { ($0.benefit, $0.byteCount) > ($1.benefit, $1.byteCount) }
  }

  private func isCandidate(_ task: ScanTask) -> Bool {
    switch options.strategy {
    case .sort: return true
    case .binpack:
      if task.file.byteCount < targetByteCount / 4 * 3 { return true }
      if task.deletes.contains(where: { $0.kind != .vector }) { return true }
      let deleted = task.deletedRowCount
      return deleted > 0
        && deleted.multipliedReportingOverflow(by: 100).partialValue
          >= task.file.recordCount.multipliedReportingOverflow(by: Int64(options.deletedPercent))
          .partialValue
    }
  }

  /// Files that follow each other, as many as make a file of the target size.
  private func bins(of tasks: [ScanTask]) -> [[ScanTask]] {
    let limit = options.strategy == .sort ? Int64(options.memoryLimit / 4) : targetByteCount
    var bins: [[ScanTask]] = []
    var bin: [ScanTask] = []
    var byteCount: Int64 = 0
    for task in inOrder(tasks) {
      let size = max(0, task.file.byteCount - task.deadByteCount)
      if !bin.isEmpty, byteCount.saturating(size) > limit {
        bins.append(bin)
        bin = []
        byteCount = 0
      }
      bin.append(task)
      byteCount = byteCount.saturating(size)
    }
    if !bin.isEmpty { bins.append(bin) }
    return bins
  }

  /// For sorting, by the lowest value of the first column that is sorted by; else as they are.
  private func inOrder(_ tasks: [ScanTask]) -> [ScanTask] {
    guard options.strategy == .sort, let field = sortOrder.fields.first,
      let id = field.sourceIDs.first
    else { return tasks }
    return tasks.sorted { a, b in
      let (low, high) = (a.file.metrics[id]?.lowerBound, b.file.metrics[id]?.lowerBound)
      guard let low, let high else { return low != nil && high == nil }
      return low.lexicographicallyPrecedes(high)
    }
  }

  private func benefit(of bin: [ScanTask]) -> Int64 {
    let dead = bin.reduce(Int64(0)) { $0.saturating($1.deadByteCount) }
    let bytes = bin.reduce(Int64(0)) { $0.saturating($1.file.byteCount) }
    let outputs = max(1, Int((bytes - dead) / max(1, targetByteCount)))
    let deletes = Set(bin.flatMap { $0.deletes.map(\.file.identity) }).count
    let requests = Int64(max(0, bin.count - outputs) + deletes)
    let benefit = dead.saturating(requests.multipliedReportingOverflow(by: Self.requestByteCount).0)
    guard options.strategy == .sort, benefit == 0 else { return benefit }
    return bin.contains { $0.file.sortOrderID != sortOrder.id } ? max(1, bytes) : 0
  }
}

extension ScanTask {
  /// How many rows delete files that are of this file alone delete.
  fileprivate var deletedRowCount: Int64 {
    deletes.reduce(Int64(0)) { sum, delete in
      let isOwn = delete.kind != .equality && delete.file.onlyReferencedPath == file.path
      return isOwn ? sum.saturating(delete.file.recordCount) : sum
    }
  }

  /// About how many bytes of the file are of deleted rows.
  fileprivate var deadByteCount: Int64 {
    guard file.recordCount > 0 else { return 0 }
    let share = min(1, Double(deletedRowCount) / Double(file.recordCount))
    return Int64(Double(max(0, file.byteCount)) * share)
  }

  /// The data file as it is in the table.
  var entry: ManifestEntry {
    ManifestEntry(
      status: .existing, snapshotID: SnapshotID(0), sequenceNumber: sequenceNumber,
      fileSequenceNumber: nil, file: file)
  }
}

extension Int64 {
  /// The sum, or the most there is.
  func saturating(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
