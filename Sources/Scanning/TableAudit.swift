// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import Parquet
internal import ParquetFiles
internal import Storage

/// Checks that all files of a table are there, and are what the table says of them.
///
/// Reached from the table's metadata: earlier metadata files, statistics, and of every retained
/// snapshot its manifest list, manifests, data and delete files. Each must exist and have the
/// length that is told of it; manifest lists and manifests must decode, manifests must have as many
/// files and rows as their lists tell, and Parquet files as many rows as their manifests tell.
///
/// What is wrong with one file does not keep the others from being checked.
public struct TableAudit: Sendable {
  private let table: Table

  public init(_ table: Table) { self.table = table }

  /// How many files are looked at at a time.
  private static let concurrency = 8

  /// Checks everything, and hands each problem to `problem` as it is found.
  ///
  /// Cost: a request for each metadata file, manifest list and manifest; two for each data file.
  /// - Throws: ``ScanError/cancelled``; nothing else: what can't be read is a problem.
  public func run(
    _ problem: (AuditProblem) async -> Void
  ) async throws(ScanError) -> AuditReport {
    var report = AuditReport()
    var problems = 0
    func tell(_ found: [AuditProblem]) async {
      problems += found.count
      for one in found { await problem(one) }
    }
    let metadata = table.metadata
    for violation in metadata.validate() {
      await tell([
        AuditProblem(
          .metadata, table.metadataLocation.text, "the format's rules kept", "\(violation)")
      ])
    }
    let others =
      metadata.metadataLog.map { ExpectedFile(path: $0.location) }
      + metadata.statistics.map { ExpectedFile(path: $0.path, byteCount: $0.byteCount) }
      + metadata.partitionStatistics.map { ExpectedFile(path: $0.path, byteCount: $0.byteCount) }
    try await each(others, Self.head, tell)
    report.metadataFiles = others.count + 1

    var manifests: [ManifestFile] = []
    var seen: [String: Int64] = [:]
    for snapshot in metadata.snapshots {
      if Task.isCancelled { throw .cancelled }
      report.snapshots += 1
      do throws(CatalogError) {
        for manifest in try await ManifestFiles(table).list(of: snapshot).manifests {
          if seen.updateValue(manifest.byteCount, forKey: manifest.path) == nil {
            manifests.append(manifest)
          }
        }
      } catch {
        let path = snapshot.manifestList ?? "snapshot \(snapshot.id.rawValue)"
        await tell([AuditProblem(path, error)])
      }
    }
    report.manifests = manifests.count
    try await checkFiles(of: manifests, &report, tell)
    report.problems = problems
    return report
  }

  private func checkFiles(
    of manifests: [ManifestFile], _ report: inout AuditReport,
    _ tell: ([AuditProblem]) async -> Void
  ) async throws(ScanError) {
    var seen: Set<String> = []
    for start in stride(from: 0, to: manifests.count, by: Self.concurrency) {
      if Task.isCancelled { throw .cancelled }
      let some = Array(manifests[start..<min(start + Self.concurrency, manifests.count)])
      let table = self.table
      let results = await mapConcurrently(some, limit: Self.concurrency) {
        manifest async throws(Never) in await Self.read(manifest, of: table)
      }
      for (entries, problems) in results {
        await tell(problems)
        var files: [ExpectedFile] = []
        for entry in entries where entry.isLive && seen.insert(entry.file.path).inserted {
          files.append(ExpectedFile(entry.file))
          report.bytes += entry.file.byteCount
        }
        report.files += files.count
        try await each(files, Self.checkContent, tell)
      }
    }
  }

  private func each(
    _ files: [ExpectedFile],
    _ check: @escaping @Sendable (ExpectedFile, any ObjectStore) async -> [AuditProblem],
    _ tell: ([AuditProblem]) async -> Void
  ) async throws(ScanError) {
    let store = table.store
    for start in stride(from: 0, to: files.count, by: 64) {
      if Task.isCancelled { throw .cancelled }
      let some = Array(files[start..<min(start + 64, files.count)])
      let problems = await mapConcurrently(some, limit: Self.concurrency) {
        file async throws(Never) in await check(file, store)
      }
      await tell(problems.flatMap { $0 })
    }
  }
}

// MARK: - One file

extension TableAudit {
  /// A file as the table tells of it; nil where it tells nothing.
  struct ExpectedFile: Sendable {
    var path: String
    var byteCount: Int64?
    var parquetRowCount: Int64?

    init(path: String, byteCount: Int64? = nil) {
      self.path = path
      self.byteCount = byteCount
    }

    init(_ file: DataFile) {
      path = file.path
      byteCount = file.byteCount
      if file.format == .parquet { parquetRowCount = file.recordCount }
    }
  }

  @Sendable
  static func head(_ file: ExpectedFile, _ store: any ObjectStore) async -> [AuditProblem] {
    do throws(StorageError) {
      let found = try await store.head(try ObjectPath(file.path)).byteCount
      guard let expected = file.byteCount, found != expected else { return [] }
      return [AuditProblem(.length, file.path, "\(expected) bytes", "\(found)")]
    } catch {
      return [AuditProblem(file.path, error)]
    }
  }

  /// A file of rows: as ``head(_:_:)``, and the rows its own footer tells.
  @Sendable
  static func checkContent(_ file: ExpectedFile, _ store: any ObjectStore) async -> [AuditProblem] {
    let problems = await head(file, store)
    guard problems.isEmpty, let expected = file.parquetRowCount else { return problems }
    do throws(ParquetFileError) {
      guard let path = try? ObjectPath(file.path) else { return problems }
      let found = try await ParquetFile.open(path, in: store, byteCount: file.byteCount)
        .footer.rowCount
      guard found != expected else { return [] }
      return [AuditProblem(.rows, file.path, "\(expected) rows", "\(found)")]
    } catch {
      return [AuditProblem(.readable, file.path, "a Parquet file", "\(error)")]
    }
  }

  /// The entries of a manifest, and what is wrong with it.
  private static func read(
    _ manifest: ManifestFile, of table: Table
  ) async -> ([ManifestEntry], [AuditProblem]) {
    do throws(CatalogError) {
      let projection = ManifestProjection(metrics: .none)
      let entries = try await ManifestFiles(table).entries(of: manifest, projection)
      return (entries, checkCounts(manifest, ManifestFile.Counts(of: entries)))
    } catch {
      return ([], [AuditProblem(manifest.path, error)])
    }
  }

  private static func checkCounts(
    _ manifest: ManifestFile, _ found: ManifestFile.Counts
  ) -> [AuditProblem] {
    let told = manifest.counts
    let pairs = [
      ("added files", told.addedFiles, found.addedFiles),
      ("existing files", told.existingFiles, found.existingFiles),
      ("deleted files", told.deletedFiles, found.deletedFiles),
      ("added rows", told.addedRows, found.addedRows),
      ("existing rows", told.existingRows, found.existingRows),
      ("deleted rows", told.deletedRows, found.deletedRows),
    ]
    var problems: [AuditProblem] = []
    for (what, told, found) in pairs {
      guard let told, let found, told != found else { continue }
      problems.append(AuditProblem(.counts, manifest.path, "\(told) \(what)", "\(found)"))
    }
    return problems
  }
}

// MARK: - What is found

/// Something about a file that is not as its table says.
public struct AuditProblem: Hashable, Sendable {
  public enum Check: String, Hashable, Sendable {
    /// The table's own metadata keeps the format's rules.
    case metadata
    /// The file is there.
    case exists
    /// It can be read, and is what it should be.
    case readable
    case length
    /// A manifest has the files and rows that its list tells.
    case counts
    /// A data file has the rows that its manifest tells.
    case rows
    /// The pages of a data file are as its checksums, indexes and statistics tell.
    case pages
    /// The values of a column are as many, and lie within the bounds, that the manifest tells.
    case metrics
    /// A delete file deletes rows that are there, as many as told.
    case deletes
    /// Sequence numbers grow along a branch, and no entry is newer than its manifest.
    case sequence
    /// A snapshot has each file once.
    case unique
    /// A key index finds the rows of keys, and no others.
    case index
  }

  public let check: Check
  public let file: String
  public let expected: String
  public let found: String

  package init(_ check: Check, _ file: String, _ expected: String, _ found: String) {
    self.check = check
    self.file = file
    self.expected = expected
    self.found = found
  }

  init(_ file: String, _ error: StorageError) {
    if error.isNotFound {
      self.init(.exists, file, "a file", "nothing")
    } else {
      self.init(.readable, file, "a file", "\(error)")
    }
  }

  package init(_ file: String, _ error: CatalogError) {
    if case .storage(let cause, _) = error {
      self.init(file, cause)
    } else {
      self.init(.readable, file, "a manifest or manifest list", "\(error)")
    }
  }
}

extension AuditProblem: CustomStringConvertible {
  public var description: String { "\(file): expected \(expected), found \(found)" }
}

/// What an audit looked at.
public struct AuditReport: Hashable, Sendable {
  public var problems = 0
  public var metadataFiles = 0
  public var snapshots = 0
  public var manifests = 0
  /// Data and delete files.
  public var files = 0
  /// Of those.
  public var bytes: Int64 = 0
}

extension Table {
  /// Checks that all files of this table are there, and are what it says of them.
  public func audit() -> TableAudit { TableAudit(self) }
}
