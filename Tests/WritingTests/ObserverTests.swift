// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Synchronization
import Testing

@Suite("Observers")
struct ObserverTests {
  private final class Recorder: ScanObserver, CommitObserver {
    let scans = Mutex<[ScanReport]>([])
    let commits = Mutex<[CommitReport]>([])

    func scanned(_ report: ScanReport) { scans.withLock { $0.append(report) } }
    func committed(_ report: CommitReport) { commits.withLock { $0.append(report) } }

    func takeScans() -> [ScanReport] {
      scans.withLock { all in
        defer { all = [] }
        return all
      }
    }
    func takeCommits() -> [CommitReport] {
      commits.withLock { all in
        defer { all = [] }
        return all
      }
    }
  }

  private func catalog(_ store: any ObjectStore) throws -> FilesystemCatalog {
    FilesystemCatalog(
      warehouse: try ObjectPath("memory://w/house"), store: store,
      environment: Environment.deterministic(seed: 3))
  }

  private func rows(_ range: Range<Int32>, _ table: Table) -> RecordBatch {
    Rows.batch(range.map { [.int($0), .int($0 % 10)] }, table.metadata.currentSchema)
  }

  @Test func `each commit is told of, with what its snapshot says`() async throws {
    let recorder = Recorder()
    let plain = try catalog(MemoryStore(environment: Environment.deterministic(seed: 3)))
    _ = try await plain.createTable("db.t", "k int, p int")
    let name = try TableIdentifier("db.t")
    var table = try await plain.observed(by: recorder).loadTable(name)
    let receipt = try #require(try await table.append([rows(0..<100, table)]))
    var report = try #require(recorder.takeCommits().first)
    let snapshot = try #require(receipt.snapshot)
    #expect(report.table == "db.t" && report.operation == "append" && report.attempts == 1)
    #expect(report.snapshotID == snapshot.id && report.sequenceNumber == snapshot.sequenceNumber)
    #expect(report.failure == nil && report.duration >= .zero)
    #expect(report.metrics["added-records"] == 100 && report.metrics["added-data-files"] == 1)
    #expect(report.metrics["attempts"] == 1)
    #expect(
      report.metrics["added-files-size-bytes"] == Int64(snapshot.summary["added-files-size"] ?? ""))
    // The observer goes on with the states that follow.
    table = try await receipt.table.refreshed()
    _ = try await table.deleteRows(where: PredicateParser.parse("p = 3"), mode: .copyOnWrite)
    report = try #require(recorder.takeCommits().first)
    #expect(report.operation == "overwrite" && report.metrics["removed-data-files"] == 1)
    #expect(report.metrics["total-records"] == 90)
    // A change of metadata alone makes no snapshot.
    _ = try await table.refreshed().commit(PropertyChange(set: ["a": "b"]))
    report = try #require(recorder.takeCommits().first)
    #expect(report.snapshotID == nil && report.operation == nil)
    _ = try await table.observed(by: nil).refreshed().commit(PropertyChange(set: ["a": "c"]))
    #expect(recorder.takeCommits().isEmpty)
  }

  @Test func `attempts are counted, and a commit that fails is told of with why`() async throws {
    let recorder = Recorder()
    let store = MemoryStore(environment: Environment.deterministic(seed: 3))
    let plain = try catalog(store)
    _ = try await plain.createTable(
      "db.t", "k int, p int", properties: ["commit.retry.num-retries": "2"])
    let name = try TableIdentifier("db.t")
    let wins = Mutex(0)
    let slow = InterposedStore(store) { call in
      guard call.operation == .put, call.path.name.hasSuffix(".metadata.json") else { return }
      guard
        wins.withLock({ left in
          left -= 1; return left >= 0
        })
      else { return }
      let now = try? await plain.loadTable(name)
      _ = try? await now?.commit(PropertyChange(set: ["at": call.path.name]))
    }
    let table = try await catalog(slow).observed(by: recorder).loadTable(name)
    wins.withLock { $0 = 2 }
    _ = try await table.append([rows(0..<3, table)])
    #expect(recorder.takeCommits().map(\.attempts) == [3])
    wins.withLock { $0 = 100 }
    await #expect(throws: AppendError<Never>.self) {
      try await table.refreshed().append([rows(0..<3, table)])
    }
    let report = try #require(recorder.takeCommits().first)
    guard case .conflictsPersist(attempts: 3, _)? = report.failure else {
      Issue.record("\(report)")
      return
    }
    #expect(report.attempts == 3 && report.snapshotID == nil)
  }

  @Test func `a scan is told of once, the same way read at once or as a stream`() async throws {
    let recorder = Recorder()
    let plain = try catalog(MemoryStore(environment: Environment.deterministic(seed: 3)))
    let made = try await plain.createTable("db.t", "k int, p int", partitionedBy: "p")
    for start in [0, 100, 200] as [Int32] {
      try await made.append([rows(start..<start + 100, made)])
    }
    let table = try await plain.observed(by: recorder).loadTable(TableIdentifier("db.t"))
    let scan = try table.scan().select("k").filter("p < 3 AND k >= 50")
    let report = try await scan.read { batch throws(ScanError) in
      batch
    } consume: {
      _ throws(ScanError) in
      true
    }
    #expect(recorder.takeScans() == [report])
    #expect(report.table == "db.t" && report.columns == ["k"] && report.fieldIDs == [FieldID(1)])
    #expect(report.snapshotID == table.metadata.currentSnapshotID)
    #expect(report.schemaID == table.metadata.currentSchemaID)
    #expect(report.filter == (try PredicateParser.parse("p < 3 AND k >= 50")))
    #expect(report.rows == 75 && report.plan.dataFilesKept == 9 && report.plan.dataFiles == 30)
    #expect(report.metrics["result-data-files"] == 9 && report.metrics["skipped-data-files"] == 21)
    #expect(report.metrics["result-records"] == 75)
    #expect(report.fileByteCount > 0 && report.planningDuration <= report.duration)

    var count = 0
    for try await batch in scan.batches() { count += batch.rowCount }
    let streamed = try #require(recorder.takeScans().first)
    #expect(count == 75 && streamed.rows == 75)
    #expect(streamed.plan == report.plan && streamed.read == report.read)

    count = 0
    for try await batch in scan.limit(5).batches() { count += batch.rowCount }
    #expect(count == 5 && recorder.takeScans().map(\.rows) == [5])
  }
}
