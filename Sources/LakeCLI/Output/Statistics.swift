// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// `--stats`, as every command has it that commits rows.
struct CommitStatsOptions: ParsableArguments {
  @Flag(help: "Say on standard error what was committed, in how many attempts.") var stats = false

  /// `table`, whose commits are told of if that is asked for.
  func watching(_ table: Table) -> Table { stats ? table.observed(by: StatsPrinter()) : table }
}

/// Prints the reports of scans and commits on standard error.
struct StatsPrinter: ScanObserver, CommitObserver {
  func scanned(_ report: ScanReport) {
    let plan = report.plan
    let read = report.read
    StandardError.write(
      """
      manifests: \(plan.manifestsRead) of \(plan.manifests) read
      data files: \(plan.dataFilesKept) of \(plan.dataFiles) kept
      delete files: \(plan.deleteFilesKept) of \(plan.deleteFiles) applied
      row groups: \(read.rowGroupsRead) of \(read.rowGroups) read; ruled out: \
      \(read.ruledOut.byStatistics) by statistics, \(read.ruledOut.byPageIndex) by page index, \
      \(read.ruledOut.byBloomFilter) by Bloom filter, \(read.ruledOut.byDictionary) by dictionary
      pages: \(read.pagesRead) of \(read.pages) that indexes tell of read, \
      \(read.pagesSkipped) skipped
      rows: \(read.rowsDecoded) decoded, \(read.rowsMatched) matched, \(report.rows) returned
      bytes: \(read.bytesRead) of \(read.bytes) of data files read, \(read.bytesSkipped) skipped
      time: \(report.duration.milliseconds) ms, \(report.planningDuration.milliseconds) of planning

      """)
  }

  func committed(_ report: CommitReport) {
    guard report.failure == nil else { return }
    let metrics = report.metrics
    func count(_ name: String) -> Int64 { metrics[name] ?? 0 }
    StandardError.write(
      """
      commit: \(report.operation ?? "no snapshot"), \(report.attempts) attempts
      data files: \(count("added-data-files")) added, \(count("removed-data-files")) removed, \
      \(count("total-data-files")) in all
      delete files: \(count("added-delete-files")) added, \(count("removed-delete-files")) removed, \
      \(count("total-delete-files")) in all
      rows: \(count("added-records")) added, \(count("removed-records")) removed with files, \
      \(count("added-positional-deletes")) deleted by position
      bytes: \(count("added-files-size-bytes")) added, \(count("removed-files-size-bytes")) removed, \
      \(count("total-files-size-bytes")) in all
      time: \(report.duration.milliseconds) ms

      """)
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}
