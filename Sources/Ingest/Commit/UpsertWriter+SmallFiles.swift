// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import KeyIndexing
internal import Maintenance
internal import Scanning
internal import Storage
internal import Writing

// A commit costs by the data files it touches, and so does a scan: the writer puts together the
// small ones that its own commits leave.

extension UpsertWriter {
  /// Puts small files of `partitions` together, where there are enough of them, in a commit of its
  /// own; those that a compaction has asked for are left to it.
  ///
  /// What goes wrong costs the files that were written, and nothing else: the table's rows are the
  /// same with and without it.
  func mergeSmallFiles(of partitions: Set<PartitionValues>) async {
    guard options.mergesSmallFiles, end == nil, !isTurn(in: table.metadata),
      let snapshot = state.snapshot,
      snapshot.id == table.metadata.reference(options.branch)?.snapshotID,
      let target = try? table.metadata.properties.value(of: .targetFileByteCount)
    else { return }
    let groups = smallFiles.groups(
      of: partitions, below: target / 4 * 3, limit: options.smallFileLimit,
      after: claimed(in: table.metadata), in: state)
    guard !groups.isEmpty else { return }
    let tasks =
      state.hasWideDeletes ? state.files.map(\.task) : groups.flatMap { $0 }
    var compaction = CompactionOptions()
    compaction.branch = options.branch
    compaction.memoryLimit = options.memoryLimit
    compaction.key = binding.key.compactMap { state.schema.name(of: $0.id) }
    let writer = self
    let oldest = groups.joined().map(\.sequenceNumber).min()
    guard
      let (now, report) = try? await Compaction(table, compaction).rewrite(
        groups, of: tasks, at: snapshot,
        if: { await writer.mayMerge(from: oldest, on: $0) })
    else { return }
    counters.filesMerged += Int64(report.rewrittenFiles)
    counters.filesWritten += Int64(report.addedFiles)
    counters.bytesWritten += report.addedBytes
    guard let now else { return }
    let before = state
    await adopt(now, PendingCommit())
    guard state.id !== before.id else { return }
    index.forgetFiles(
      groups.flatMap { $0 }.map(\.file.path).filter { state.index(of: $0) == nil })
  }

  /// Keeps the index with the table where it has come to take more memory than it may.
  ///
  /// What goes wrong costs memory, until it is tried after the next commit.
  func boundIndex() async {
    guard end == nil, index.byteCount > options.indexMemoryLimit,
      index.unkeptByteCount > options.indexMemoryLimit / 8
    else { return }
    var known = index
    do throws(KeyIndexError) {
      let now = try await known.persist(to: table)
      (index, table) = (known, now)
    } catch .segmentIsGone {
      try? await makeIndexAnew()
    } catch {}
  }

  /// True if this writer may still put together files of which the oldest has the sequence number
  /// `oldest`: one that was opened elsewhere keeps its hands off, and where a compaction has asked
  /// for some meanwhile, it has them.
  private func mayMerge(from oldest: SequenceNumber?, on metadata: TableMetadata) -> Bool {
    do throws(IngestError) { try check(metadata) } catch { return false }
    guard !isTurn(in: metadata) else { return false }
    guard let oldest, let claimed = claimed(in: metadata) else { return true }
    return oldest > claimed
  }

  /// Up to which sequence number a compaction has asked for the files of the branch.
  private func claimed(in metadata: TableMetadata) -> SequenceNumber? {
    metadata.claimedSequenceNumber(
      of: options.branch, at: table.environment.now().milliseconds)
  }
}
