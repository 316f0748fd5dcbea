// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Storage

/// Is told of scans.
public protocol ScanObserver: TableObserver {
  /// Called when a scan has handed out its last rows, or its reader wanted no more. Scans that fail
  /// are not told of, nor streams of batches that are let go of before their end.
  func scanned(_ report: ScanReport)
}

/// What a scan did: for `--stats`, and for whoever wants to know why one is slow.
public struct ScanReport: Hashable, Sendable {
  /// The table's name.
  public let table: String
  /// What was read; nil of a table without rows.
  public let snapshotID: SnapshotID?
  public let schemaID: SchemaID
  public let filter: Predicate
  /// The columns that were asked for.
  public let columns: [String]
  public let fieldIDs: [FieldID]
  public let plan: PlanCounts
  public let read: ScanCounts
  /// How many rows were handed out.
  public let rows: Int
  /// How many bytes the data files have that planning kept.
  public let fileByteCount: Int64
  public let planningDuration: Duration
  /// Of all, planning included.
  public let duration: Duration

  /// The counts and durations by name: Iceberg's where it has one; durations in nanoseconds.
  ///
  /// Source: Iceberg REST catalog spec, `ScanReport` (metrics).
  public var metrics: [String: Int64] {
    [
      "total-planning-duration": planningDuration.nanoseconds,
      "result-data-files": Int64(plan.dataFilesKept),
      "result-delete-files": Int64(plan.deleteFilesKept),
      "skipped-data-files": Int64(plan.dataFiles - plan.dataFilesKept),
      "skipped-delete-files": Int64(plan.deleteFiles - plan.deleteFilesKept),
      "total-file-size-in-bytes": fileByteCount,
      "total-duration": duration.nanoseconds,
      "total-manifests": Int64(plan.manifests),
      "scanned-manifests": Int64(plan.manifestsRead),
      "row-groups": Int64(read.rowGroups),
      "scanned-row-groups": Int64(read.rowGroupsRead),
      "decoded-records": read.rowsDecoded,
      "result-records": Int64(rows),
      "read-bytes": read.bytesRead,
    ]
  }
}

/// A scan that is being read.
struct ScanRun: Sendable {
  let table: Table
  let filter: Predicate
  let fields: [Field]
  let plan: ScanPlan
  let start: Duration
  let planned: Duration

  /// Tells the table's observer of the scan.
  @discardableResult
  func end(read: ScanCounts, rows: Int) -> ScanReport {
    let report = ScanReport(
      table: table.name, snapshotID: plan.snapshot?.id, schemaID: plan.schema.id, filter: filter,
      columns: fields.map(\.name), fieldIDs: fields.map(\.id), plan: plan.counts, read: read,
      rows: rows, fileByteCount: plan.tasks.reduce(0) { $0 &+ $1.file.byteCount },
      planningDuration: planned - start, duration: table.environment.uptime() - start)
    (table.observer as? any ScanObserver)?.scanned(report)
    return report
  }
}

extension Duration {
  /// In whole nanoseconds, as far as they can be counted.
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : product &+ attoseconds / 1_000_000_000
  }
}
