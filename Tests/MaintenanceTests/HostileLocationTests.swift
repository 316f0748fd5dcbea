// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Iceberg
import Lake
import LakeTestSupport
import Maintenance
import SeededNumbers
import Storage
import Synchronization
import Testing

/// Tables whose metadata names other places, met by everything that can be done with a table.
@Suite("Hostile locations in metadata")
struct HostileLocationTests {
  @Test func `no location in metadata leads out of the table's folder`() async throws {
    var met: Set<HostileEdit.Placement> = []
    let hostile = LocationCase.all.filter { $0.verdict != .inside }
    for (index, location) in hostile.enumerated() {
      for (number, placement) in HostileEdit.Placement.allCases.enumerated()
      where Depth.isLong || (number + index) % 8 == 0 {
        met.insert(placement)
        let touched = try await Self.useAll(location, placement)
        let home = try ObjectPath(location.home)
        let escapes = Set(touched.filter { !home.contains($0) })
        #expect(escapes.isEmpty, "\(location) as \(placement): \(escapes)")
      }
    }
    #expect(met == Set(HostileEdit.Placement.allCases))
  }

  @Test(arguments: HostileEdit.Placement.allCases)
  func `where it is allowed, each of the ways leads there`(
    placement: HostileEdit.Placement
  ) async throws {
    let location = LocationCase(
      text: "s3://other/place", verdict: .outside, home: "s3://bucket/wh/db/t")
    let place = try ObjectPath(location.text)
    let touched = try await Self.useAll(location, placement, allowing: [place])
    #expect(touched.contains { place.contains($0) })
  }

  /// Does all that can be done with a table that names `location`, and gives all that was touched.
  private static func useAll(
    _ location: LocationCase, _ placement: HostileEdit.Placement, allowing: [ObjectPath] = []
  ) async throws -> [ObjectPath] {
    let clock = TestClock()
    let environment = Environment.deterministic(seed: 1, clock: clock)
    let memory = MemoryStore(environment: environment)
    let watched = WatchedStore(memory)
    let home = try ObjectPath(location.home)
    let warehouse = try #require(home.parent?.parent)
    let catalog = FilesystemCatalog(
      warehouse: warehouse, store: watched, environment: environment, allowing: allowing)
    var table = try await catalog.createTable("db.t", "k long")
    for number in 0..<2 {
      let rows = Rows.batch([[.long(Int64(number))]], table.metadata.currentSchema)
      table = try await table.append([rows])?.table ?? table
      clock.advance(by: .seconds(10))
    }
    // What lies there would be worth having, and would be missed.
    if let path = try? ObjectPath(location.text), !home.contains(path), !path.isRoot {
      _ = try? await memory.create(path, Buffer(utf8: "PAR1 secret"))
    }
    _ = try? await table.commit(HostileEdit(location: location.text, placement: placement))
    clock.advance(by: .seconds(1_000_000))

    _ = try? await catalog.loadTable(TableIdentifier("db.t")).scan().readAll()
    let uses: [@Sendable (Table) async throws -> Void] = [
      { _ = try await $0.scan().count() },
      { _ = try await DeepAudit($0).run { _ in } },
      { table in
        let rows = Rows.batch([[.long(7)]], table.metadata.currentSchema)
        _ = try await table.append([rows])
      },
      { _ = try await $0.deleteRows(where: .equal("k", .integer(0)), mode: .mergeOnRead) },
      { _ = try await $0.analyze() },
      { _ = try await $0.compact() },
      { _ = try await $0.maintain() },
      {
        _ = try await $0.expireSnapshots(
          ExpiryPolicy(maxSnapshotAge: .seconds(1), minSnapshotsToKeep: 1))
      },
      { _ = try await $0.sweepOrphans(olderThan: .seconds(1), .delete) },
      { _ = try await $0.repair() },
    ]
    for use in uses {
      if let table = try? await catalog.loadTable(TableIdentifier("db.t")) { try? await use(table) }
    }
    try? await catalog.dropTable(TableIdentifier("db.t"), .purge)
    if allowing.isEmpty, let path = try? ObjectPath(location.text), !home.contains(path),
      !path.isRoot
    {
      #expect(try await memory.headIfPresent(path) != nil, "\(location) as \(placement) is gone")
    }
    return watched.touched
  }

  @Test func `a link in a table's folder leads nowhere`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-link-\(UUID())")
    let outside = folder.appending(path: "outside")
    let data = folder.appending(path: "wh/db/t/data")
    try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data("secret".utf8).write(to: outside.appending(path: "a.parquet"))
    for (name, target) in [("way-out", outside), ("file", outside.appending(path: "a.parquet"))] {
      try FileManager.default.createSymbolicLink(
        at: data.appending(path: name), withDestinationURL: target)
    }
    let clock = TestClock()
    let environment = Environment.deterministic(seed: 1, clock: clock)
    let warehouse = try ObjectPath(folder.appending(path: "wh").path)
    let store = LocalStore(roots: [warehouse], durability: .unsynced, environment: environment)
    let catalog = FilesystemCatalog(warehouse: warehouse, store: store, environment: environment)
    for named in ["way-out/a.parquet", "file"] {
      let table = try await catalog.createTable("db.t", "k long")
      let path = try ObjectPath(table.metadata.location).appending(relativePath: "data/\(named)")
      let changed = try await table.commit(HostileEdit(location: path.text, placement: .dataFile))
      await #expect(throws: (any Error).self) { try await changed.table.scan().readAll() }
      _ = try? await changed.table.sweepOrphans(olderThan: .zero, .delete)
      try? await catalog.dropTable(TableIdentifier("db.t"), .purge)
      let kept = try Data(contentsOf: outside.appending(path: "a.parquet"))
      #expect(kept == Data("secret".utf8), "\(named)")
    }
  }
}

/// Makes a table name a place: in one of the ways metadata can.
struct HostileEdit: TableChange {
  enum Placement: CaseIterable, Sendable {
    case dataFile, deleteFile, manifest, manifestList, statistics, dataPath, metadataPath, location
  }

  let location: String
  let placement: Placement

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    switch placement {
    case .dataPath: return updates(.setProperties(["write.data.path": location]))
    case .metadataPath: return updates(.setProperties(["write.metadata.path": location]))
    case .location: return updates(.setLocation(location))
    case .statistics:
      guard let id = base.metadata.currentSnapshotID else { return updates() }
      return updates(
        .setStatistics(
          StatisticsFile(
            snapshotID: id, path: location, byteCount: 100, footerByteCount: 50, blobs: [])))
    case .dataFile, .deleteFile, .manifest, .manifestList:
      do throws(CatalogError) { return try await snapshot(base) } catch { throw .catalog(error) }
    }
  }

  private func updates(_ updates: TableUpdate...) -> ChangePlan {
    ChangePlan(requirements: [], updates: updates)
  }

  private func snapshot(_ base: Table) async throws(CatalogError) -> ChangePlan {
    let metadata = base.metadata
    let parent = metadata.currentSnapshot
    let id = metadata.newSnapshotID { base.environment.random.next() }
    let writer = ManifestListWriter(for: id, on: parent?.id, of: metadata)
    var folder = metadata.location + "/metadata/\(id.rawValue)"
    var list: ManifestList?
    if let parent { list = try await ManifestFiles(base).list(of: parent) }
    let isDelete = placement == .deleteFile
    do throws(IcebergError) {
      var manifest = try ManifestWriter(
        path: placement == .manifest ? location : folder + "-m0.avro",
        layout: metadata.partitionLayout(metadata.defaultPartitionSpecID),
        schema: metadata.currentSchema, formatVersion: metadata.formatVersion,
        content: isDelete ? .deletes : .data, snapshotID: id)
      let named = placement == .dataFile || isDelete ? location : metadata.location + "/data/none"
      try manifest.add(
        DataFile(
          content: isDelete ? .positionDeletes : .data, path: named, format: .parquet,
          partition: PartitionValues(specID: metadata.defaultPartitionSpecID, values: []),
          recordCount: 1, byteCount: 11), sequenceNumber: nil)
      let made = try manifest.finish()
      let output = try writer.write(
        base: list, removing: [], adding: [made.file(at: writer.sequenceNumber)])
      let listPath = placement == .manifestList ? location : folder + "-list.avro"
      folder = listPath
      do throws(StorageError) {
        if placement != .manifest {
          _ = try await base.store.put(made.bytes, to: try ObjectPath(made.path), if: .absent)
        }
        if placement != .manifestList {
          _ = try await base.store.put(
            output.list.bytes, to: try ObjectPath(listPath), if: .absent)
        }
      } catch {
        throw IcebergError.invalid("storage", reason: "\(error)")
      }
      let snapshot = Snapshot(
        id: id, parentID: parent?.id, sequenceNumber: writer.sequenceNumber,
        timestampMilliseconds: metadata.snapshotTimestamp(
          now: base.environment.now().milliseconds, parent: parent?.id),
        manifestList: listPath, operation: .overwrite, summary: [:],
        schemaID: metadata.currentSchemaID, rowLineage: output.rowLineage)
      let main = SnapshotReference.mainBranch
      let reference = metadata.reference(main)?.moved(to: id) ?? .branch(id)
      return ChangePlan(
        requirements: [],
        updates: [.addSnapshot(snapshot), .setSnapshotReference(name: main, reference)])
    } catch {
      throw .rejected(error)
    }
  }
}

/// A store that writes down every place it is asked for.
private final class WatchedStore: ObjectStore {
  private let base: any ObjectStore
  private let paths = Mutex<[ObjectPath]>([])

  init(_ base: any ObjectStore) { self.base = base }

  var touched: [ObjectPath] { paths.withLock { $0 } }

  private func note(_ path: ObjectPath) { paths.withLock { $0.append(path) } }

  func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    note(path)
    return try await base.get(path, range: range, of: version)
  }

  func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    note(path)
    return try await base.put(bytes, to: path, if: condition)
  }

  func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    note(path)
    return try await base.writer(to: path, if: condition)
  }

  func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    note(path)
    return try await base.head(path)
  }

  func delete(_ path: ObjectPath) async throws(StorageError) {
    note(path)
    try await base.delete(path)
  }

  func list(_ prefix: ObjectPath) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    note(prefix)
    return base.list(prefix)
  }

  func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    note(prefix)
    return try await base.removeAbandonedWrites(under: prefix, before: moment)
  }
}
