// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import ParquetFiles
public import Scanning
internal import Storage

/// Checks all that ``TableAudit`` does, and reads every data and delete file of every retained
/// snapshot, each once.
///
/// Held against what is told of them: checksums, sizes, counts, statistics and indexes of Parquet
/// files; the counts and bounds that manifests have of columns; how many rows delete files delete, and
/// that these are there; sequence numbers; that a snapshot has each file once; that the key indexes
/// kept with the table find each row of its newest state, and no other.
public struct DeepAudit: Sendable {
  private let table: Table

  public init(_ table: Table) { self.table = table }

  /// Checks everything, and hands each problem to `problem` as it is found.
  ///
  /// Cost: all bytes of the table, twice those of its columns.
  /// - Throws: ``MaintenanceError/cancelled``; nothing else: what can't be read is a problem.
  public func run(
    _ problem: (AuditProblem) async -> Void
  ) async throws(MaintenanceError) -> AuditReport {
    var report: AuditReport
    do throws(ScanError) { report = try await table.audit().run(problem) } catch {
      throw .reading(error)
    }
    var files = LiveFiles()
    for found in try await files.collect(table) {
      report.problems += 1
      await problem(found)
    }
    for entry in files.data {
      if Task.isCancelled { throw .cancelled }
      for found in await problems(of: entry) {
        report.problems += 1
        await problem(found)
      }
    }
    for (delete, data) in files.deletes {
      if Task.isCancelled { throw .cancelled }
      if let found = await self.problem(of: delete, data) {
        report.problems += 1
        await problem(found)
      }
    }
    for found in try await IndexAudit(table: table).problems() {
      report.problems += 1
      await problem(found)
    }
    return report
  }

  // MARK: data files

  private func problems(of entry: ManifestEntry) async -> [AuditProblem] {
    var problems: [AuditProblem] = []
    guard let path = try? ObjectPath(entry.file.path) else { return [] }
    if entry.file.format == .parquet {
      do throws(ParquetFileError) {
        let file = try await ParquetFile.open(
          path, in: table.store, byteCount: entry.file.byteCount)
        _ = try await file.audit { found in
          problems.append(
            AuditProblem(
              .pages, entry.file.path,
              "\(found.check.rawValue) of \(found.part): \(found.expected)",
              found.found))
        }
      } catch {
        // That it is not there, or no Parquet file, was told.
        return []
      }
    }
    do throws(ScanError) {
      return problems + (try await metricsProblems(of: entry))
    } catch {
      return problems + [AuditProblem(.readable, entry.file.path, "rows", "\(error)")]
    }
  }

  /// What is found of a column.
  private struct Found {
    var nulls: Int64 = 0
    var nans: Int64 = 0
    var rows: Int64 = 0
    var lower: Value?
    var upper: Value?

    mutating func add(_ column: Column) {
      let summary = column.summary()
      nulls += Int64(summary.nullCount)
      nans += Int64(summary.nanCount)
      rows += Int64(summary.rowCount)
      guard let bounds = summary.bounds else { return }
      lower = Self.pick(lower, Self.value(bounds.minimum, column.type), -1)
      upper = Self.pick(upper, Self.value(bounds.maximum, column.type), 1)
    }

    private static func value(_ value: ColumnValue, _ type: ColumnType) -> Value? {
      (try? Column.constant(value, type: type, count: 1))?.icebergValue(0)
    }

    private static func pick(_ a: Value?, _ b: Value?, _ sign: Int) -> Value? {
      guard let a, let b else { return a ?? b }
      return (Value.compare(b, a) ?? 0) * sign > 0 ? b : a
    }
  }

  /// Holds the columns of a data file that are not made of others against what its manifest tells.
  private func metricsProblems(of entry: ManifestEntry) async throws(ScanError) -> [AuditProblem] {
    let told = entry.file.metrics
    let fields = table.metadata.currentSchema.fields.filter { field in
      guard let type = field.type.primitive else { return false }
      return told[field.id] != nil && type != .unknown && !field.type.columnType.isNested
    }
    let task = ScanTask(file: entry.file, sequenceNumber: entry.sequenceNumber)
    var found = [Found](repeating: Found(), count: fields.count)
    var rows: Int64 = 0
    let scan = table.scan().of([task]).select(fields.isEmpty ? ["_pos"] : fields.map(\.name))
    try await scan.read { batch throws(ScanError) in
      batch
    } consume: { batch throws(ScanError) in
      rows += Int64(batch.rowCount)
      for index in fields.indices where batch.rowCount > 0 {
        found[index].add(batch.columns[index])
      }
      return true
    }
    var problems: [AuditProblem] = []
    if rows != entry.file.recordCount {
      problems.append(
        AuditProblem(.rows, entry.file.path, "\(entry.file.recordCount) rows", "\(rows)"))
    }
    for (field, found) in zip(fields, found) {
      guard let told = told[field.id] else { continue }
      problems += Self.difference(told, found, field, entry.file.path)
    }
    return problems
  }

  private static func difference(
    _ told: ColumnMetrics, _ found: Found, _ field: Field, _ path: String
  ) -> [AuditProblem] {
    var problems: [AuditProblem] = []
    func note(_ expected: String, _ found: String) {
      problems.append(AuditProblem(.metrics, path, "\(field.name): \(expected)", found))
    }
    if let nulls = told.nullCount, nulls != found.nulls { note("\(nulls) nulls", "\(found.nulls)") }
    if let nans = told.nanCount, nans != found.nans { note("\(nans) NaNs", "\(found.nans)") }
    if let count = told.valueCount, count != found.rows { note("\(count) values", "\(found.rows)") }
    guard let type = field.type.primitive else { return problems }
    if let bound = Value(bound: told.lowerBound, as: type), let lower = found.lower,
      (Value.compare(lower, bound) ?? 0) < 0
    {
      note("no value below \(bound)", "\(lower)")
    }
    if let bound = Value(bound: told.upperBound, as: type), let upper = found.upper,
      (Value.compare(upper, bound) ?? 0) > 0
    {
      note("no value above \(bound)", "\(upper)")
    }
    return problems
  }

  // MARK: delete files

  private func problem(
    of delete: ManifestEntry, _ data: ManifestEntry?
  ) async -> AuditProblem? {
    guard let data else { return nil }
    do throws(ScanError) {
      let vector = try await table.deletedPositions(of: [data], by: [delete]).first
      guard let last = vector?.positions.last, last >= data.file.recordCount else { return nil }
      return AuditProblem(
        .deletes, delete.file.path,
        "positions below \(data.file.recordCount), the rows of \(data.file.path)", "\(last)")
    } catch {
      if case .storage(let cause, _) = error, cause.isNotFound { return nil }
      return AuditProblem(.deletes, delete.file.path, "deleted positions", "\(error)")
    }
  }
}

/// The files of all snapshots, each once.
private struct LiveFiles {
  private(set) var data: [ManifestEntry] = []
  /// Delete files by position of one data file, and that file.
  private(set) var deletes: [(delete: ManifestEntry, data: ManifestEntry?)] = []

  /// - Returns: what is wrong with how snapshots list them. What can't be read was told.
  mutating func collect(_ table: Table) async throws(MaintenanceError) -> [AuditProblem] {
    let files = ManifestFiles(table)
    var known: [String: [ManifestEntry]] = [:]
    var seen: Set<DataFile.Identity> = []
    var byPath: [String: ManifestEntry] = [:]
    var positions: [ManifestEntry] = []
    var problems: [AuditProblem] = []
    for snapshot in table.metadata.snapshots {
      if Task.isCancelled { throw .cancelled }
      let name = snapshot.manifestList ?? "snapshot \(snapshot.id.rawValue)"
      if let parent = snapshot.parentID.flatMap({ table.metadata.snapshot($0) }),
        snapshot.sequenceNumber <= parent.sequenceNumber,
        snapshot.sequenceNumber.rawValue > 0
          || parent.sequenceNumber.rawValue > 0
      {
        problems.append(
          AuditProblem(
            .sequence, name, "a number above \(parent.sequenceNumber.rawValue), its parent's",
            "\(snapshot.sequenceNumber.rawValue)"))
      }
      guard let list = try? await files.list(of: snapshot) else { continue }
      var once: Set<DataFile.Identity> = []
      for manifest in list.manifests where manifest.mayHaveLiveFiles {
        var entries = known[manifest.path]
        if entries == nil { entries = try? await files.entries(of: manifest, .all) }
        guard let entries else { continue }
        let isNew = known.updateValue(entries, forKey: manifest.path) == nil
        for entry in entries where entry.isLive {
          if !once.insert(entry.file.identity).inserted {
            problems.append(AuditProblem(.unique, name, "\(entry.file.path) once", "twice"))
          }
          guard isNew else { continue }
          problems += Self.order(entry, manifest)
          guard seen.insert(entry.file.identity).inserted else { continue }
          switch entry.file.content {
          case .data:
            data.append(entry)
            byPath[entry.file.path] = entry
          case .positionDeletes: positions.append(entry)
          case .equalityDeletes: break
          }
        }
      }
    }
    deletes = positions.map { ($0, $0.file.onlyReferencedPath.flatMap { byPath[$0] }) }
    return problems
  }

  private static func order(
    _ entry: ManifestEntry, _ manifest: ManifestFile
  ) -> [AuditProblem] {
    let number = entry.sequenceNumber
    guard number < manifest.minSequenceNumber || number > manifest.sequenceNumber else { return [] }
    return [
      AuditProblem(
        .sequence, manifest.path,
        "\(entry.file.path) from \(manifest.minSequenceNumber.rawValue) to "
          + "\(manifest.sequenceNumber.rawValue)", "\(number.rawValue)")
    ]
  }
}
