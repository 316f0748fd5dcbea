// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet
internal import ParquetFiles
internal import Storage

/// Yields the units of a scan in the order of its tasks, opening files and fetching row groups as
/// they come up: nothing is read ahead but one row group.
struct UnitSource {
  private let request: ReadRequest
  /// Nil where no task has deletes.
  private let deletes: DeleteLoader?
  private var tasks: ArraySlice<ScanTask>
  private var file: OpenDataFile?
  private var rowGroups: ArraySlice<Int> = []
  /// The position of each row group's first row in the file.
  private var firstPositions: [Int64] = []
  private var units: ArraySlice<ScanUnit> = []
  private(set) var counts = ScanCounts()

  /// - Parameter parallelism: of reading delete files.
  init(_ tasks: [ScanTask], _ request: ReadRequest, parallelism: Int) {
    self.tasks = tasks[...]
    self.request = request
    let hasDeletes = tasks.contains { !$0.deletes.isEmpty }
    deletes =
      hasDeletes
      ? DeleteLoader(tasks, of: request.table, parallelism: parallelism) : nil
  }

  /// The next unit; nil after the last.
  mutating func next() async throws(ScanError) -> ScanUnit? {
    while true {
      if let unit = units.popFirst() { return unit }
      if let file, let group = rowGroups.popFirst() {
        units = try await self.units(of: group, in: file)[...]
        continue
      }
      guard let task = tasks.popFirst() else { return nil }
      if Task.isCancelled { throw .cancelled }
      try await open(task)
    }
  }

  private mutating func open(_ task: ScanTask) async throws(ScanError) {
    let deletes = try await self.deletes?.deletes(of: task) ?? .none
    let opened = try await request.open(task, deletes)
    let footer = opened.parquet.footer
    guard footer.rowCount == task.file.recordCount else {
      throw .wrongSize(
        file: task.file.path, what: "rows", expected: task.file.recordCount,
        found: footer.rowCount)
    }
    file = opened
    counts.files += 1
    counts.rowGroups += footer.rowGroupCount
    firstPositions = footer.firstPositions
    let kept = (0..<footer.rowGroupCount).filter { group in
      let count = footer.rowCount(ofRowGroup: group)
      let rows = firstPositions[group]..<firstPositions[group] + count
      return count > 0 && opened.mightMatch(rowGroup: group)
        && deletes.count(in: rows) < count
    }
    counts.rowGroupsRead += kept.count
    rowGroups = kept[...]
  }

  private mutating func units(
    of group: Int, in file: OpenDataFile
  ) async throws(ScanError) -> [ScanUnit] {
    let plan: ReadPlan
    let bytes: FileBytes
    do throws(ParquetFileError) {
      (plan, bytes) = try await file.parquet.fetch(group, projection: file.projection)
    } catch {
      throw .dataFile(error)
    }
    let footer = file.parquet.footer
    let rowCount = Int(clamping: footer.rowCount(ofRowGroup: group))
    let (encoded, stored) = footer.byteCounts(ofRowGroup: group, file.projection)
    counts.bytesRead += stored
    counts.rowsDecoded += Int64(rowCount)
    let parts = max(1, Int(clamping: (encoded + ScanUnit.byteCount - 1) / ScanUnit.byteCount))
    let size = max(1024, (rowCount + parts - 1) / parts)
    return stride(from: 0, to: rowCount, by: size).map { start in
      ScanUnit(
        file: file, plan: plan, rows: start..<min(start + size, rowCount),
        firstPosition: firstPositions[group], bytes: bytes)
    }
  }
}

extension ParquetFooter {
  /// The position of each row group's first row in the file.
  fileprivate var firstPositions: [Int64] {
    var next: Int64 = 0
    return (0..<rowGroupCount).map { group in
      defer { next &+= rowCount(ofRowGroup: group) }
      return next
    }
  }

  /// How many bytes the pages of some columns of a row group have, inflated and as they are stored.
  fileprivate func byteCounts(
    ofRowGroup group: Int, _ projection: ParquetProjection
  ) -> (encoded: Int64, stored: Int64) {
    var encoded: Int64 = 0
    var stored: Int64 = 0
    for leaf in projection.leafIndices {
      guard let chunk = metadata.rowGroups[group].columns[leaf].metaData else { continue }
      encoded += max(0, chunk.totalUncompressedSize)
      stored += max(0, chunk.totalCompressedSize)
    }
    return (encoded, stored)
  }
}

/// What a scan touched, for those who want to know what was pruned.
public struct ScanCounts: Hashable, Sendable {
  public var files = 0
  public var rowGroups = 0
  public var rowGroupsRead = 0
  public var rowsDecoded: Int64 = 0
  public var bytesRead: Int64 = 0
}
