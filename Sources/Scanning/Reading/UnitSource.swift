// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Parquet
internal import ParquetFiles

/// Yields the units of a scan in the order of its files, opening those and fetching parts of row
/// groups as they come up.
///
/// A value, so that a task can go on with it while units are being decoded.
struct UnitSource: Sendable {
  private var pending: ArraySlice<PendingFile>
  private let tuning: ReadTuning
  /// How many units are decoded at a time.
  private let parallelism: Int
  /// Nil where no task has deletes.
  private let deletes: DeleteLoader?
  private let openFiles: OpenFiles?
  private var file: OpenDataFile?
  private var rowGroups: ArraySlice<Int> = []
  private var parts: ArraySlice<PlannedPart> = []
  /// Of an Avro file.
  private var records: [AvroUnit] = []
  /// Of the file, of some row groups that come up.
  private var pageIndexes: [Int: [Int: PageIndex]] = [:]
  private var isDeferring = true
  private(set) var counts = ScanCounts()

  /// What is to be read.
  private enum PendingFile: Sendable {
    case task(ScanTask, ReadRequest)
    case open(OpenDataFile)
  }

  /// Rows of a row group that are fetched at once.
  private struct PlannedPart: Sendable {
    let rowGroup: Int
    let rows: Range<Int>
    /// Of the row group, within `rows`.
    let selection: RowSelection
    let pageIndexes: [Int: PageIndex]
    /// True if rows of the row group were left out.
    let isPruned: Bool
    /// The first of its row group.
    let isFirst: Bool
  }

  /// - Parameter parallelism: how many units are decoded at a time.
  init(_ tasks: [ScanTask], _ request: ReadRequest, parallelism: Int) {
    pending = tasks.map { .task($0, request) }[...]
    tuning = request.tuning
    openFiles = request.openFiles
    self.parallelism = parallelism
    let hasDeletes = tasks.contains { !$0.deletes.isEmpty }
    deletes =
      hasDeletes ? DeleteLoader(tasks, of: request.table, parallelism: parallelism) : nil
  }

  init(_ file: OpenDataFile, _ tuning: ReadTuning) {
    pending = [.open(file)]
    self.tuning = tuning
    openFiles = nil
    parallelism = .max
    deletes = nil
  }

  /// The next units, one or more; nil after the last.
  mutating func next() async throws(ScanError) -> [ReadUnit]? {
    while true {
      if Task.isCancelled { throw .cancelled }
      if !records.isEmpty {
        defer { records = [] }
        return records.map { .records($0) }
      } else if let file, let part = parts.popFirst() {
        let units = try await units(of: part, in: file)
        if !units.isEmpty { return units.map { .rows($0) } }
      } else if let file, let group = rowGroups.popFirst() {
        parts = try await plan(group, in: file)[...]
      } else {
        guard let next = pending.popFirst() else { return nil }
        try await open(next)
      }
    }
  }

  /// Takes notice of what units did, to decide how the next ones are fetched.
  ///
  /// Where nearly all pages turn out to be needed, nothing is won by asking for them later.
  mutating func note(_ read: ScanCounts) {
    counts += read
    guard read.deferredBytes > 0 else { return }
    isDeferring = read.deferredBytesRead * 4 < read.deferredBytes * 3
  }

  // MARK: Files

  /// Opens the file of `task` if it is none of Parquet; false if it is.
  private mutating func openOther(
    _ task: ScanTask, _ request: ReadRequest
  ) async throws(ScanError) -> Bool {
    guard task.file.keyMetadata == nil else {
      throw .unsupported(what: "encrypted data files", file: task.file.path)
    }
    switch task.file.format {
    case .parquet: return false
    case .avro:
      var deletes = try await self.deletes?.deletes(of: task) ?? .none
      if let positions = task.positions {
        deletes.positions.formUnion(positions.others(below: task.file.recordCount))
      }
      let file = try await request.openAvro(task, deletes)
      records = try file.units(rowCount: task.file.recordCount)
      counts.files += 1
      counts.bytes += Int64(file.bytes.count)
      counts.bytesRead += Int64(file.bytes.count)
      return true
    case .orc:
      throw .unsupported(
        what: "ORC data files, which Spark, Trino and Hive read and can rewrite as Parquet,",
        file: task.file.path)
    case .puffin, .unknown:
      throw .unsupported(what: "\(task.file.format.name) data files", file: task.file.path)
    }
  }

  private mutating func open(_ next: PendingFile) async throws(ScanError) {
    let opened: OpenDataFile
    switch next {
    case .open(let file): opened = file
    case .task(let task, let request):
      guard try await !openOther(task, request) else { return }
      var file = try await request.open(task, try await deletes?.deletes(of: task) ?? .none)
      file.knownPages = openFiles?.pages(task.file.path)
      opened = file
      let rowCount = opened.parquet.footer.rowCount
      guard rowCount == task.file.recordCount else {
        throw .wrongSize(
          file: task.file.path, what: "rows", expected: task.file.recordCount, found: rowCount)
      }
    }
    let footer = opened.parquet.footer
    counts.files += 1
    counts.rowGroups += footer.rowGroupCount
    var kept: [Int] = []
    for group in 0..<footer.rowGroupCount where footer.rowCount(ofRowGroup: group) > 0 {
      counts.bytes += footer.byteCounts(ofRowGroup: group, opened.leaves).stored
      if let filter = opened.filter {
        let facts = RowGroupFacts(footer: footer, rowGroup: group, leaves: filter.leaves)
        guard facts.mightMatch(filter.residual) else {
          counts.ruledOut.byStatistics += 1
          continue
        }
      }
      let count = footer.rowCount(ofRowGroup: group)
      let first = footer.firstRow(ofRowGroup: group)
      if let positions = opened.positions, !positions.overlaps(first..<first + count) { continue }
      if Int64(opened.deletes.count(in: first..<first + count)) == count {
        counts.ruledOut.byDeletes += 1
        continue
      }
      kept.append(group)
    }
    file = opened
    rowGroups = kept[...]
    pageIndexes = [:]
    isDeferring = true
  }

  // MARK: Row groups

  /// How many row groups' page indexes are asked for at once.
  private static let indexedRowGroupCount = 32

  /// What is read of a row group: nothing if it turns out that no row matches.
  private mutating func plan(
    _ group: Int, in file: OpenDataFile
  ) async throws(ScanError) -> [PlannedPart] {
    let footer = file.parquet.footer
    let rowCount = Int(clamping: footer.rowCount(ofRowGroup: group))
    let indexes = try await indexes(of: group, in: file)
    let first = footer.firstRow(ofRowGroup: group)
    let wanted = file.positions?.selection(in: first..<first + Int64(rowCount), rowCount: rowCount)
    var selection = wanted ?? RowSelection.all(rowCount)
    if let filter = file.filter {
      var facts = RowGroupFacts(footer: footer, rowGroup: group, leaves: filter.leaves)
      facts.pageIndexes = indexes
      let matching = facts.selection(filter.residual)
      selection = wanted?.intersection(matching) ?? matching
      counts.pages += file.leaves.reduce(0) { $0 + (indexes[$1]?.rows.count ?? 0) }
      guard !selection.isEmpty else {
        counts.ruledOut.byPageIndex += 1
        return []
      }
      facts.bloomFilters = try await bloomFilters(facts, filter.residual, in: file)
      guard facts.bloomFilters.isEmpty || facts.mightMatch(filter.residual) else {
        counts.ruledOut.byBloomFilter += 1
        return []
      }
    }
    return parts(group, file, selection, indexes)
  }

  /// The page indexes of the file's leaves in `group`, where they are worth it.
  private mutating func indexes(
    of group: Int, in file: OpenDataFile
  ) async throws(ScanError) -> [Int: PageIndex] {
    if let known = pageIndexes[group] { return known }
    pageIndexes = [:]
    let leaves = file.leaves
    let parquet = file.parquet
    if let known = openFiles?.indexes(file.name, rowGroup: group, leaves) {
      pageIndexes[group] = known
      return known
    }
    let coming = [group] + rowGroups.prefix(Self.indexedRowGroupCount - 1)
    let bytes = coming.reduce(0) { $0 + parquet.footer.byteCounts(ofRowGroup: $1, leaves).stored }
    let isWorthIt =
      if file.filter != nil {
        bytes >= tuning.indexedByteCount
          || parquet.hasPageIndexes(rowGroup: group, leaves: leaves)
      } else if file.positions != nil {
        bytes >= tuning.positionedByteCount
          || parquet.hasPageIndexes(rowGroup: group, leaves: leaves)
      } else {
        coming.contains {
          parquet.footer.byteCounts(ofRowGroup: $0, leaves).stored > tuning.partByteCount
        }
      }
    if isWorthIt {
      do throws(ParquetFileError) {
        pageIndexes = try await parquet.pageIndexes(
          rowGroups: coming, leaves: leaves,
          statistics: Set(file.filter?.leaves.values.map { $0 } ?? []))
      } catch {
        throw .dataFile(error)
      }
    }
    for group in coming where pageIndexes[group] == nil { pageIndexes[group] = [:] }
    for group in coming where isWorthIt && file.filter == nil {
      openFiles?.keep(pageIndexes[group] ?? [:], file.name, rowGroup: group, leaves)
    }
    return pageIndexes[group] ?? [:]
  }

  /// The Bloom filters that could rule out the row group `facts` are about, if they are small
  /// beside what they may spare.
  private func bloomFilters(
    _ facts: RowGroupFacts, _ residual: BoundPredicate, in file: OpenDataFile
  ) async throws(ScanError) -> [Int: ColumnBloomFilter] {
    let leaves = facts.leavesToLookUp(residual)
    guard !leaves.isEmpty else { return [:] }
    let spared = facts.footer.byteCounts(ofRowGroup: facts.rowGroup, file.leaves).stored
    do throws(ParquetFileError) {
      return try await file.parquet.bloomFilters(
        rowGroup: facts.rowGroup, leaves: Array(leaves),
        byteCountLimit: max(tuning.bloomFilterByteCount, spared / 4))
    } catch {
      throw .dataFile(error)
    }
  }

  /// Takes a row group apart, if it is large and its pages can be told apart.
  private func parts(
    _ group: Int, _ file: OpenDataFile, _ selection: RowSelection, _ indexes: [Int: PageIndex]
  ) -> [PlannedPart] {
    func part(_ rows: Range<Int>, _ own: RowSelection, isFirst: Bool) -> PlannedPart {
      PlannedPart(
        rowGroup: group, rows: rows, selection: own, pageIndexes: indexes,
        isPruned: !selection.isAll, isFirst: isFirst)
    }
    let stored = file.parquet.footer.byteCounts(ofRowGroup: group, file.leaves).stored
    let isPositioned = file.positions != nil && selection.count > Self.fewRows && file.isNear
    let size = isPositioned ? tuning.nearPartByteCount : tuning.partByteCount
    let cuts = stored > size ? PageCuts(file.leaves, indexes, of: selection) : nil
    guard let cuts else { return [part(0..<selection.rowCount, selection, isFirst: true)] }
    let fetched = isPositioned ? Int64(Double(stored) * cuts.share) : stored
    let count = Int(clamping: fetched / max(1, size) + 1)
    var parts: [PlannedPart] = []
    for rows in cuts.pieces(of: 0..<selection.rowCount, count: count) {
      let own = selection.intersection(RowSelection(ranges: [rows], rowCount: selection.rowCount))
      if !own.isEmpty { parts.append(part(rows, own, isFirst: parts.isEmpty)) }
    }
    return parts
  }

  /// Up to so many rows are not worth taking apart.
  private static let fewRows = 64

  // MARK: Units

  private mutating func units(
    of planned: PlannedPart, in file: OpenDataFile
  ) async throws(ScanError) -> [ScanUnit] {
    let part = try await fetch(planned, in: file)
    if planned.isFirst {
      if let filter = file.filter, !mightMatch(part, filter) {
        counts.ruledOut.byDictionary += 1
        parts = []
        return []
      }
      counts.rowGroupsRead += 1
    }
    return split(planned, part)
  }

  /// Fetches the pages that are needed at first.
  private mutating func fetch(
    _ planned: PlannedPart, in file: OpenDataFile
  ) async throws(ScanError) -> RowGroupPart {
    let footer = file.parquet.footer
    let rest = file.rest.projection
    let (_, restBytes) = footer.byteCounts(ofRowGroup: planned.rowGroup, rest.leafIndices)
    let isDeferred =
      file.filter != nil && isDeferring && restBytes >= tuning.deferredByteCount
      && rest.leafIndices.allSatisfy { planned.pageIndexes[$0] != nil }
    let first = ParquetProjection(
      shapes: (file.filter?.part.projection.shapes ?? []) + (isDeferred ? [] : rest.shapes))
    do throws(ParquetFileError) {
      let wanted = tuning.widened(planned.selection)
      let (plan, bytes) = try await file.parquet.fetch(
        planned.rowGroup, projection: first, selection: wanted, pageIndexes: planned.pageIndexes)
      let part = RowGroupPart(
        file: file, rowGroup: planned.rowGroup,
        firstRow: footer.firstRow(ofRowGroup: planned.rowGroup), pageIndexes: planned.pageIndexes,
        bytes: bytes, isDeferred: isDeferred, isPruned: planned.isPruned, tuning: tuning)
      counts.bytesRead += plan.byteCount
      counts.pagesRead += part.pageCount(first, in: wanted)
      return part
    } catch {
      throw .dataFile(error)
    }
  }

  /// False only if the dictionaries of the filter's columns, which were fetched with their first
  /// page, tell that no row matches.
  private func mightMatch(_ part: RowGroupPart, _ filter: FileFilter) -> Bool {
    let dictionaries = FileDictionaries(part, filter).batches()
    guard !dictionaries.isEmpty else { return true }
    var facts = RowGroupFacts(
      footer: part.file.parquet.footer, rowGroup: part.rowGroup, leaves: filter.leaves)
    facts.dictionaries = dictionaries
    return facts.mightMatch(filter.residual)
  }

  /// About how many bytes a unit gets.
  ///
  /// Where a unit starts and ends, a page of each column is decompressed twice, and dictionaries
  /// are for each unit: of the usual pages of 1 MB, units of all too few make twice the work. So
  /// they are larger as long as there is other work for those who would wait.
  private func unitByteCount(leafCount: Int) -> Int64 {
    let others = pending.count + rowGroups.count + parts.count
    let isBusy = others >= parallelism - 1
    return max(1, tuning.unitByteCount) * Int64(isBusy ? min(4, max(1, leafCount)) : 1)
  }

  /// Units of about as much work.
  private func split(_ planned: PlannedPart, _ part: RowGroupPart) -> [ScanUnit] {
    let selection = planned.selection
    let encoded = part.encodedByteCount(part.file.leaves, in: selection)
    let unit = unitByteCount(leafCount: part.file.leaves.count)
    let count = Int(clamping: encoded / unit + 1)
    let cuts =
      selection.count < planned.rows.count && count > 1
      ? PageCuts(part.file.leaves, planned.pageIndexes, of: selection) : nil
    let pieces =
      cuts?.pieces(of: planned.rows, count: count)
      ?? selection.pieces(
        of: planned.rows, holding: max(1024, (selection.count + count - 1) / count))
    var units: [ScanUnit] = []
    for rows in pieces {
      let own = selection.intersection(RowSelection(ranges: [rows], rowCount: selection.rowCount))
      if !own.isEmpty { units.append(ScanUnit(part: part, rows: rows, selection: own)) }
    }
    return units
  }
}

extension ParquetFooter {
  /// How many bytes the pages of some leaves of a row group have, inflated and as they are stored.
  func byteCounts(
    ofRowGroup group: Int, _ leaves: [Int]
  ) -> (encoded: Int64, stored: Int64) {
    var encoded: Int64 = 0
    var stored: Int64 = 0
    for leaf in leaves {
      guard let chunk = metadata.rowGroups[group].columns[leaf].metaData else { continue }
      encoded = encoded.addingClamped(max(0, chunk.totalUncompressedSize))
      stored = stored.addingClamped(max(0, chunk.totalCompressedSize))
    }
    return (encoded, stored)
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
