// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import Iceberg
public import Storage
internal import Writing

/// Finds files in a table's folder that nothing of the table names, and deletes them if told to:
/// what crashed writers, lost commits and expiries that were broken off left behind.
///
/// First the folder is listed, then the newest metadata is loaded, then the two are compared: a file
/// that was there before the metadata was read and is not named by it can only come to be named by a
/// commit that is under way. Those are told by age: a file that the store says is younger than the
/// limit is left alone.
public struct OrphanSweep: Sendable {
  /// Whether files are deleted.
  public enum Mode: Hashable, Sendable {
    case report
    /// Orphans go, unless they are more than ``OrphanSweep/percentLimit`` of all files.
    case delete
    /// Orphans go, however many they are.
    case deleteHoweverMany
  }

  /// Of a table's files, the most that may look like orphans.
  public static let percentLimit = 50
  /// How old a file has to be by default: no commit takes so long.
  public static let defaultAge = Duration.seconds(3 * 86_400)

  private let table: Table
  private let age: Duration
  private let mode: Mode

  public init(_ table: Table, olderThan age: Duration = Self.defaultAge, _ mode: Mode = .report) {
    self.table = table
    self.age = age
    self.mode = mode
  }

  /// Cost: a listing; the manifest lists of all snapshots, and each manifest once; a request for each
  /// file that is deleted.
  /// - Throws: ``MaintenanceError``; nothing was deleted then.
  public func run() async throws(MaintenanceError) -> OrphanReport {
    try checkMayDelete()
    let location = try self.location()
    let now = try await storeTime(at: location)
    let limit = now.adding(.zero - age)
    let listed: [ObjectInfo]
    do throws(StorageError) { listed = try await table.store.listAll(location) } catch {
      throw .storage(error, while: "listing \(location)")
    }
    let newest: Table
    let neighbour: String?
    do throws(CatalogError) {
      newest = try await table.refreshed()
      neighbour = try await newest.neighbour()
    } catch {
      throw .catalog(error)
    }
    if let neighbour { throw .nestedTable(neighbour) }
    let names = try await NamedFiles(newest, location)
    try names.checkNothingNested(in: listed)
    var report = OrphanReport(listedFiles: listed.count)
    for object in listed where !(try names.contains(object.path)) {
      if object.modified < limit {
        report.orphans.append(object)
      } else {
        report.youngFiles += 1
      }
    }
    if mode != .report { try await delete(&report, location, limit) }
    return report
  }

  private func delete(
    _ report: inout OrphanReport, _ location: ObjectPath, _ limit: Timestamp
  ) async throws(MaintenanceError) {
    if mode != .deleteHoweverMany,
      report.orphans.count * 100 > report.listedFiles * Self.percentLimit
    {
      throw .tooManyOrphans(
        count: report.orphans.count, of: report.listedFiles, percentLimit: Self.percentLimit)
    }
    var deletion = FileDeletion(table.store)
    _ = try await deletion.delete(report.orphans.map(\.path))
    report.deletedFiles = deletion.deletedCount
    report.problems = deletion.problems
    do throws(StorageError) {
      report.abandonedWrites = try await table.store.removeAbandonedWrites(
        under: location, before: limit)
    } catch {
      report.problems.append("abandoned writes: \(error)")
    }
  }

  private func checkMayDelete() throws(MaintenanceError) {
    guard mode != .report else { return }
    let mayDelete: Bool
    do throws(IcebergError) {
      mayDelete = try table.metadata.properties.value(of: .garbageCollection)
    } catch {
      throw .commit(.rejected(error))
    }
    guard mayDelete else { throw .deletionIsOff(what: "deleting orphans") }
  }

  private func location() throws(MaintenanceError) -> ObjectPath {
    do throws(StorageError) { return try ObjectPath(table.metadata.location) } catch {
      throw .storage(error, while: "naming the table's folder")
    }
  }

  /// What time the store has, or ours if that is earlier: ages are by the store's clock, and a file
  /// must not look older than it is because ours is fast.
  private func storeTime(at location: ObjectPath) async throws(MaintenanceError) -> Timestamp {
    let now = table.environment.now()
    guard mode != .report else { return now }
    do throws(StorageError) {
      let path = try location.appending("metadata").appending(
        "lake-time-\(table.environment.uuid()).tmp")
      _ = try await table.store.create(path, .empty)
      let modified: Timestamp
      do throws(StorageError) { modified = try await table.store.head(path).modified } catch {
        try? await table.store.delete(path)
        throw error
      }
      try await table.store.delete(path)
      return min(now, modified)
    } catch {
      throw .storage(error, while: "asking the store for its time")
    }
  }
}

/// What a sweep found and did.
public struct OrphanReport: Hashable, Sendable {
  /// All files in the table's folder.
  public internal(set) var listedFiles: Int
  /// Those that nothing names and that are old enough, by path.
  public internal(set) var orphans: [ObjectInfo] = []
  /// Those that nothing names but that may belong to a commit under way.
  public internal(set) var youngFiles = 0
  public internal(set) var deletedFiles = 0
  /// Writes that were never finished and were cleaned up.
  public internal(set) var abandonedWrites = 0
  /// What could not be deleted.
  public internal(set) var problems: [String] = []

  init(listedFiles: Int) { self.listedFiles = listedFiles }

  public var orphanBytes: Int64 { orphans.reduce(0) { $0 + $1.byteCount } }
}

extension Table {
  /// Looks for files of this table that nothing names; see ``OrphanSweep``.
  public func sweepOrphans(
    olderThan age: Duration = OrphanSweep.defaultAge, _ mode: OrphanSweep.Mode = .report
  ) async throws(MaintenanceError) -> OrphanReport {
    try await OrphanSweep(self, olderThan: age, mode).run()
  }
}
