// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import SQLiteCatalog
import SeededNumbers
import Testing

/// Each call of SQLite to its files fails once, or from then on; and each call to the store.
@Suite("SQLite catalog under faults", .serialized)
struct FaultTests {
  /// How what was asked for ended.
  enum Report: Equatable { case done, failed, unknown }

  struct Case: Sendable, CustomTestStringConvertible {
    let fault: FaultyFiles.Fault
    let lasting: FaultyFiles.Lasting
    let isRollbackJournal: Bool
    var testDescription: String {
      "\(fault) \(lasting)\(isRollbackJournal ? ", rollback journal" : "")"
    }
    /// Some of them, and all with `LAKE_DEPTH=long`.
    static let all = everyOne.filter { one in
      if Depth.isLong { return true }
      if one.isRollbackJournal { return one.fault == .after && one.lasting == .once }
      return one.fault != .full && (one.fault != .before || one.lasting == .untilHealed)
    }

    private static let everyOne = FaultyFiles.Fault.allCases.flatMap { fault in
      FaultyFiles.Lasting.allCases.flatMap { lasting in
        [false, true].compactMap { isRollback in
          // A lock that is never had is waited for a minute.
          fault == .busy && lasting == .untilHealed
            ? nil : Case(fault: fault, lasting: lasting, isRollbackJournal: isRollback)
        }
      }
    }
  }

  private static func report(_ work: () async throws -> Void) async -> Report {
    do {
      try await work()
      return .done
    } catch let error as AppendError<Never> {
      if case .commit(.stateUnknown) = error { return .unknown }
      return .failed
    } catch CatalogError.outcomeUnknown {
      return .unknown
    } catch {
      return .failed
    }
  }

  /// Runs `work` with the fault at each call there is, in a file with a table `db.t` of one row; then
  /// `check` is told how it ended, with the faults gone.
  private func forEachCall(
    _ fault: Case, atLeast: Int, _ work: (SQLiteCatalog) async throws -> Void,
    check: (Report, SQLiteCatalog, Comment) async throws -> Void
  ) async throws {
    for call in 1...500 {
      let place = try CatalogFile()
      if fault.isRollbackJournal {
        try place.execute(
          ContractTests.version0 + "ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)")
      }
      let store = MemoryStore()
      let clean = place.catalog(store)
      try await clean.create("db.t").append("first")
      let files = FaultyFiles(fault.fault, atCall: call, lasting: fault.lasting)
      let environment = Environment(time: TestClock(), random: SeededRandom(seed: UInt64(call)))
      let unlucky = place.catalog(store, environment: environment, vfs: files.name)
      let report = await Self.report { try await work(unlucky) }
      files.heal()
      let note = Comment("\(fault.testDescription) at call \(call), \(files.firedCall ?? "none")")
      if fault.lasting == .once, fault.fault != .before, fault.fault != .full {
        #expect(report != .unknown, note)
      }
      try await check(report, place.catalog(store), note)
      #expect(try place.rows("PRAGMA integrity_check") == [["ok"]], note)
      // Whatever it was, who comes next can work.
      try await place.catalog(store).create("db.next").append("row")
      try #expect(await clean.texts("db.next") == ["row"], note)
      if files.firedCall == nil {
        #expect(report == .done, note)
        #expect(call > atLeast, "too few calls were made: \(call)")
        return
      }
    }
    Issue.record("the work never ended without a fault")
  }

  @Test(arguments: Case.all)
  func `A4 A5: an append loses, doubles and dangles nothing`(fault: Case) async throws {
    try await forEachCall(fault, atLeast: 3) { catalog in
      try await catalog.load("db.t").append("second")
    } check: { report, catalog, note in
      let texts = try await catalog.texts("db.t")
      switch report {
      case .done: #expect(texts == ["first", "second"], note)
      case .failed: #expect(texts == ["first"], note)
      case .unknown: #expect(texts == ["first"] || texts == ["first", "second"], note)
      }
      let violations = try await TableInvariants.violations(of: try await catalog.load("db.t"))
      #expect(violations == [], note)
    }
  }

  @Test(arguments: Case.all)
  func `A3: a table is made whole or not at all`(fault: Case) async throws {
    try await forEachCall(fault, atLeast: 3) { catalog in
      _ = try await catalog.create("db.u")
    } check: { report, catalog, note in
      let names = try await catalog.listTables(in: ["db"]).map(\.name)
      switch report {
      case .done: #expect(names == ["t", "u"], note)
      case .failed: #expect(names == ["t"], note)
      case .unknown: #expect(names == ["t"] || names == ["t", "u"], note)
      }
      if names.contains("u") { try #expect(await catalog.texts("db.u") == [], note) }
    }
  }

  @Test(arguments: Case.all)
  func `A3: a table is renamed or is not`(fault: Case) async throws {
    try await forEachCall(fault, atLeast: 3) { catalog in
      try await catalog.renameTable(TableIdentifier("db.t"), to: TableIdentifier("x.u"))
    } check: { report, catalog, note in
      let isThere = try await catalog.listNamespaces(in: []).contains(["x"])
      switch report {
      case .done: #expect(isThere, note)
      case .failed: #expect(!isThere, note)
      case .unknown: break
      }
      try #expect(await catalog.texts(isThere ? "x.u" : "db.t") == ["first"], note)
    }
  }

  @Test(arguments: Case.all)
  func `A3: a purge deletes files of a table that is gone, and of no other`(
    fault: Case
  ) async throws {
    try await forEachCall(fault, atLeast: 3) { catalog in
      try await catalog.dropTable(TableIdentifier("db.t"), .purge)
    } check: { report, catalog, note in
      let isThere = try await catalog.listNamespaces(in: []).contains(["db"])
      switch report {
      case .done: #expect(!isThere, note)
      case .failed: #expect(isThere, note)
      case .unknown: break
      }
      if isThere { try #expect(await catalog.texts("db.t") == ["first"], note) }
    }
  }

  @Test(arguments: Case.all)
  func `A3: a namespace is made with all its properties, or not at all`(
    fault: Case
  ) async throws {
    try await forEachCall(fault, atLeast: 3) { catalog in
      try await catalog.createNamespace(["n"], properties: ["a": "1", "b": "2"])
    } check: { report, catalog, note in
      let isThere = try await catalog.listNamespaces(in: []).contains(["n"])
      switch report {
      case .done: #expect(isThere, note)
      case .failed: #expect(!isThere, note)
      case .unknown: break
      }
      if isThere {
        try #expect(await catalog.namespaceProperties(of: ["n"]) == ["a": "1", "b": "2"], note)
      }
    }
  }
}
