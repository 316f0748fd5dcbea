// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage
internal import Synchronization

/// Reads manifests and keeps of each what a filter keeps, so that memory is taken for the files to
/// be read and not for all there are.
struct ManifestPlanning: Sendable {
  let files: ManifestFiles
  let specs: SpecPlans
  let filter: BoundPredicate
  let deletes: DeleteIndex
  let schema: Schema
  let projection: ManifestProjection
  /// The filter names metadata columns, of which a file tells by more than its metrics.
  private let asksOfFiles: Bool
  private let takesAll: Bool

  init(
    files: ManifestFiles, specs: SpecPlans, filter: BoundPredicate, deletes: DeleteIndex,
    schema: Schema, projection: ManifestProjection
  ) {
    self.files = files
    self.specs = specs
    self.filter = filter
    self.deletes = deletes
    self.schema = schema
    self.projection = projection
    takesAll = filter == .alwaysTrue
    asksOfFiles = filter.columns.contains { MetadataColumn($0.id) != nil }
  }

  /// How many manifests are read at a time.
  static let concurrency = 8

  /// What is found in `manifests`, in their order; in the first of them only, if their files are
  /// known to have `rowCount` rows that no delete is about.
  func plan(
    _ manifests: [ManifestFile], until rowCount: Int?
  ) async throws(ScanError) -> [PlannedManifest] {
    let progress = Progress(manifests, until: rowCount)
    let workers = min(Self.concurrency, manifests.count)
    if workers <= 1 {
      await work(progress)
    } else {
      await withTaskGroup { group in
        for _ in 0..<workers { group.addTask { await work(progress) } }
      }
    }
    return try progress.result()
  }

  private func work(_ progress: Progress) async {
    while let (index, manifest) = progress.next() {
      do throws(ScanError) {
        progress.finish(index, try await plan(manifest))
      } catch {
        progress.fail(error)
      }
    }
  }

  private func plan(_ manifest: ManifestFile) async throws(ScanError) -> PlannedManifest {
    let spec = specs[manifest]
    let entries = try await files.entries(of: manifest, spec.layout, projection)
    var planned = PlannedManifest(fileCount: entries.count)
    // By index: a copy of an entry counts references to all that it holds.
    for i in entries.indices {
      guard spec.mightMatch(entries[i].file.partition), mightMatch(entries, i) else { continue }
      let entry = entries[i]
      let deletes = try deletes.deletes(of: entry, schema: schema)
      if deletes.isEmpty { planned.add(entry.file.recordCount) }
      planned.tasks.append(
        ScanTask(file: entry.file, sequenceNumber: entry.sequenceNumber, deletes: deletes))
    }
    return planned
  }

  private func mightMatch(_ entries: [ManifestEntry], _ i: Int) -> Bool {
    if takesAll { return true }
    if asksOfFiles { return filter.mightMatch(DataFileFacts(file: entries[i].file)) }
    return filter.mightMatch(ColumnMetricsFacts(metrics: entries[i].file.metrics))
  }

  /// Which manifests are left, and what was found in the others: shared by the workers.
  private final class Progress: Sendable {
    private struct State {
      var next = 0
      var found: [PlannedManifest?]
      var rows: Int64 = 0
      var failure: ScanError?
    }

    private let manifests: [ManifestFile]
    private let enough: Int64
    private let state: Mutex<State>

    init(_ manifests: [ManifestFile], until rowCount: Int?) {
      self.manifests = manifests
      enough = rowCount.map(Int64.init) ?? .max
      state = Mutex(State(found: Array(repeating: nil, count: manifests.count)))
    }

    /// They are taken in order, so that what was read when there is enough are the first ones.
    func next() -> (Int, ManifestFile)? {
      state.withLock { state in
        guard state.failure == nil, state.rows < enough, state.next < manifests.count else {
          return nil
        }
        state.next += 1
        return (state.next - 1, manifests[state.next - 1])
      }
    }

    func finish(_ index: Int, _ planned: PlannedManifest) {
      state.withLock { state in
        state.found[index] = planned
        let (sum, overflow) = state.rows.addingReportingOverflow(planned.rowCount)
        state.rows = overflow ? .max : sum
      }
    }

    func fail(_ error: ScanError) {
      state.withLock { if $0.failure == nil { $0.failure = error } }
    }

    func result() throws(ScanError) -> [PlannedManifest] {
      let (found, failure) = state.withLock { ($0.found, $0.failure) }
      if let failure { throw failure }
      return found.compactMap(\.self)
    }
  }
}

/// What planning found in one manifest.
struct PlannedManifest: Sendable {
  /// How many live files it has.
  let fileCount: Int
  var tasks: [ScanTask] = []
  /// How many rows the files to be read have that no delete may be about.
  private(set) var rowCount: Int64 = 0

  init(fileCount: Int) { self.fileCount = fileCount }

  mutating func add(_ rows: Int64) {
    let (sum, overflow) = rowCount.addingReportingOverflow(rows)
    rowCount = overflow ? .max : sum
  }
}

extension ManifestFiles {
  /// The entries of `manifest`, read or known from before.
  func entries(
    of manifest: ManifestFile, _ layout: PartitionLayout, _ projection: ManifestProjection
  ) async throws(ScanError) -> [ManifestEntry] {
    if let known = knownEntries(of: manifest, layout, projection) { return known }
    do throws(CatalogError) {
      return try await keptEntries(of: manifest, layout, projection)
    } catch {
      throw .catalog(error)
    }
  }
}
