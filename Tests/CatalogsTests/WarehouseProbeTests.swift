// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import Testing

@Suite("Warehouse probe")
struct WarehouseProbeTests {
  private let warehouse: ObjectPath
  private let clock = TestClock()
  private let memory: MemoryStore

  init() throws {
    warehouse = try ObjectPath("memory://w/house")
    memory = MemoryStore(environment: .deterministic(seed: 1, clock: clock))
  }

  private func run(
    _ store: any ObjectStore, clock: TestClock? = nil
  ) async -> [WarehouseProbe.Finding] {
    await WarehouseProbe(
      warehouse, in: store, environment: .deterministic(seed: 2, clock: clock ?? self.clock)
    ).run()
  }

  private func failed(_ findings: [WarehouseProbe.Finding]) -> [String] {
    findings.filter { $0.problem != nil }.map(\.step.rawValue)
  }

  @Test func `a store that is well passes every step, and has nothing more in it than before`()
    async throws
  {
    _ = try await memory.put(Buffer(utf8: "x"), to: warehouse.appending("a"), if: .none)
    let findings = await run(memory)
    #expect(findings.map(\.step) == WarehouseProbe.Step.allCases)
    #expect(failed(findings) == [])
    #expect(try await memory.listAll(warehouse).map(\.path.name) == ["a"])
  }

  @Test func `each call that is refused fails the step it is of`() async throws {
    typealias Case = (operation: StoreCall.Operation, step: String)
    for one in [
      ("put", "write"), ("get", "read"), ("list", "list"), ("head", "clock"), ("delete", "delete"),
    ] {
      let store = FaultyStore(
        memory, failing: .before, atCall: 1, lasting: .once,
        error: { .permissionDenied(path: $0.path, reason: "injected") }
      ) { $0.operation.rawValue == one.0 }
      let findings = await run(store)
      #expect(failed(findings).first == one.1, "\(one.0): \(failed(findings))")
      if one.0 == "put" { #expect(findings.count == 1) }
    }
  }

  @Test func `a store that takes conditions and ignores them is found out`() async throws {
    let findings = await run(Careless(base: memory))
    #expect(failed(findings) == ["conditional writes"])
    guard case .failed(.unsupported)? = findings.last?.problem else {
      Issue.record("\(findings)")
      return
    }
  }

  @Test(arguments: [-7200, -90, -30, 30, 90, 7200])
  func `a clock that is off by more than a minute is found out`(seconds: Int) async throws {
    let ours = TestClock(now: clock.now().adding(.seconds(-seconds)))
    let findings = await run(memory, clock: ours)
    guard abs(seconds) > 60 else {
      #expect(failed(findings) == [])
      return
    }
    #expect(failed(findings) == ["clock"])
    guard case .clockSkew(let skew)? = findings.first(where: { $0.step == .clock })?.problem else {
      return
    }
    #expect(skew == .seconds(seconds))
  }

  /// A store that keeps no condition.
  private struct Careless: ObjectStore {
    let base: MemoryStore

    func get(
      _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
    ) async throws(StorageError) -> Buffer { try await base.get(path, range: range, of: version) }

    func put(
      _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
    ) async throws(StorageError) -> ObjectVersion {
      try await base.put(bytes, to: path, if: .none)
    }

    func writer(
      to path: ObjectPath, if condition: PutCondition
    ) async throws(StorageError) -> any ObjectWriter {
      try await base.writer(to: path, if: .none)
    }

    func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
      try await base.head(path)
    }

    func delete(_ path: ObjectPath) async throws(StorageError) { try await base.delete(path) }

    func list(
      _ prefix: ObjectPath
    ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable { base.list(prefix) }
  }
}
