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
  let schema: Schema
  /// What manifests tell of the first column that is sorted by, by data file.
  let metrics: [String: ColumnMetricsList]

  static let requestByteCount: Int64 = 4 << 20
  /// Where a row goes that is sorted takes so many bytes until it is committed.
  private static let placeByteCount = 64

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
    case .sort, .zorder: return true
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

  /// Files that follow each other, as many as make a file of the target size; for sorting, as many as
  /// can be sorted together.
  private func bins(of tasks: [ScanTask]) -> [[ScanTask]] {
    let isSorting = options.strategy != .binpack
    let limit = isSorting ? Int64.max : targetByteCount
    let rowLimit =
      isSorting ? Int64(max(1, options.memoryLimit / Self.placeByteCount)) : Int64.max
    var bins: [[ScanTask]] = []
    var bin: [ScanTask] = []
    var (byteCount, rowCount) = (Int64(0), Int64(0))
    for task in inOrder(tasks) {
      let size = max(0, task.file.byteCount - task.deadByteCount)
      let rows = max(0, task.file.recordCount)
      if !bin.isEmpty,
        byteCount.saturating(size) > limit || rowCount.saturating(rows) > rowLimit
      {
        bins.append(bin)
        bin = []
        (byteCount, rowCount) = (0, 0)
      }
      bin.append(task)
      byteCount = byteCount.saturating(size)
      rowCount = rowCount.saturating(rows)
    }
    if !bin.isEmpty { bins.append(bin) }
    return bins
  }

  /// For sorting, by the lowest value of the first column that is sorted by; else as they are.
  private func inOrder(_ tasks: [ScanTask]) -> [ScanTask] {
    guard options.strategy != .binpack, let id = sortOrder.fields.first?.sourceIDs.first else {
      return tasks
    }
    let type = schema.field(id)?.type.primitive
    return tasks.map { ($0, bounds(of: $0, id, type)) }.sorted { a, b in
      guard let low = a.1, let high = b.1 else { return a.1 != nil && b.1 == nil }
      return (Value.compare(low.lower, high.lower) ?? 0) < 0
    }.map(\.0)
  }

  /// Between which values a column of a file lies.
  private struct Bounds {
    let lower: Value
    let upper: Value
    /// False if they may have been cut, so that those of files that touch overlap.
    let isExact: Bool

    init?(_ metrics: ColumnMetrics?, _ type: PrimitiveType?) {
      guard let type, let metrics,
        let lower = Value(bound: metrics.lowerBound, as: type),
        let upper = Value(bound: metrics.upperBound, as: type)
      else { return nil }
      self.lower = lower
      self.upper = upper
      isExact =
        switch upper {
        case .string, .bytes: false
        default: true
        }
    }
  }

  private func bounds(of task: ScanTask, _ id: FieldID, _ type: PrimitiveType?) -> Bounds? {
    Bounds(metrics[task.file.path]?[id], type)
  }

  /// True if files of `bin`, which are sorted each, are known to overlap.
  private func overlaps(_ bin: [ScanTask]) -> Bool {
    guard let field = sortOrder.fields.first, field.transform == .identity,
      let id = field.sourceIDs.first
    else { return false }
    let type = schema.field(id)?.type.primitive
    var highest: Value?
    for task in inOrder(bin) {
      guard let bounds = bounds(of: task, id, type), bounds.isExact else { continue }
      if let highest, let order = Value.compare(bounds.lower, highest), order < 0 { return true }
      if let known = highest, (Value.compare(known, bounds.upper) ?? 0) >= 0 { continue }
      highest = bounds.upper
    }
    return false
  }

  private func benefit(of bin: [ScanTask]) -> Int64 {
    let dead = bin.reduce(Int64(0)) { $0.saturating($1.deadByteCount) }
    let bytes = bin.reduce(Int64(0)) { $0.saturating($1.file.byteCount) }
    let outputs = max(1, Int((bytes - dead) / max(1, targetByteCount)))
    let deletes = Set(bin.flatMap { $0.deletes.map(\.file.identity) }).count
    let requests = Int64(max(0, bin.count - outputs) + deletes)
    let benefit = dead.saturating(requests.multipliedReportingOverflow(by: Self.requestByteCount).0)
    guard options.strategy != .binpack else { return benefit }
    // What was asked for is done, whatever the files say: they don't tell of such orders.
    if options.strategy == .zorder || options.sortBy != nil { return max(1, bytes) }
    let isUnsorted = bin.contains { $0.file.sortOrderID != sortOrder.id }
    return isUnsorted || overlaps(bin) ? max(1, benefit, bytes) : benefit
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
