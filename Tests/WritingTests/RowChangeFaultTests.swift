// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

/// Changes of rows under storage faults: what was written is taken away when the change fails.
@Suite("Row changes under faults")
struct RowChangeFaultTests {
  private enum Change: CaseIterable {
    case delete, update, overwrite

    func make(_ table: Table, _ mode: RowChangeMode) async throws {
      let filter = Predicate.and([.greaterOrEqual("k", 1), .less("k", 5)])
      switch self {
      case .delete: _ = try await table.deleteRows(where: filter, mode: mode)
      case .update:
        _ = try await table.updateRows(
          where: filter, set: [ExpressionParser.parse(assignment: "v = 'new'")], mode: mode)
      case .overwrite:
        let row = [Value.long(9), .string("over")] as [Value?]
        var left = [Rows.batch([row], table.metadata.currentSchema)][...]
        _ = try await table.overwriteRows(where: filter) {
          () async throws(Never) in left.popFirst()
        }
      }
    }
  }

  /// Every call that writes data files, delete files and manifests is failed once.
  @Test(arguments: [FormatVersion.v2, .v3], RowChangeMode.allCases)
  func `a write that fails leaves no file of the change behind`(
    version: FormatVersion, mode: RowChangeMode
  ) async throws {
    for change in Change.allCases {
      for kind in [FaultKind.before, .halfway, .after] {
        for call in 1...1000 {
          let environment = Environment.deterministic(seed: UInt64(call))
          let memory = MemoryStore(environment: environment)
          let faulty = FaultyStore(
            memory, failing: kind, atCall: call,
            where: { call in
              call.isWrite && call.operation != .delete
                && !call.path.name.hasSuffix(".metadata.json")
                && !call.path.name.hasSuffix(".text")
            })
          let warehouse = try ObjectPath("memory://w/house")
          let table = try await FilesystemCatalog(
            warehouse: warehouse, store: memory, environment: environment
          ).createTable(
            "db.t", "k long, v string", partitionedBy: "truncate(3, k)",
            properties: ["write.delete.granularity": "file"], formatVersion: version)
          let rows = (0..<6).map { [Value.long(Int64($0)), .string("old")] as [Value?] }
          try await table.append([Rows.batch(rows, table.metadata.currentSchema)])
          let unlucky = try await FilesystemCatalog(
            warehouse: warehouse, store: faulty, environment: environment
          ).loadTable(TableIdentifier("db.t"))
          let note = Comment("\(change), \(kind) at call \(call)")
          let invariants = TableInvariants(
            try warehouse.appending(relativePath: "db/t"), in: memory)
          do {
            try await change.make(unlucky, mode)
            #expect(!faulty.fired, note)
            #expect(call > 2, "too few calls to mean anything")
            break
          } catch {
            #expect(faulty.fired, "\(note): \(error)")
            #expect(try await invariants.orphans() == [], note)
            #expect(try await invariants.violations() == [], note)
            #expect(try await table.refreshed().scan().count() == 6, note)
          }
        }
      }
    }
  }
}
