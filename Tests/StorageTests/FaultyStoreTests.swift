// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Testing

/// The tool the fault tests rely on has to do what it says.
@Suite("Faulty store")
struct FaultyStoreTests {
  let memory = MemoryStore()
  let path: ObjectPath
  let bytes = Buffer(utf8: "0123456789")

  init() throws { path = try ObjectPath("memory://b/object") }

  enum Verb: CaseIterable { case put, writer }

  func write(_ verb: Verb, to store: any ObjectStore) async throws(StorageError) {
    switch verb {
    case .put: _ = try await store.put(bytes, to: path, if: .absent)
    case .writer:
      let writer = try await store.writer(to: path, if: .absent)
      try await writer.append(bytes)
      _ = try await writer.finish()
    }
  }

  func stored() async throws -> Int? {
    try await memory.headIfPresent(path).map { Int($0.byteCount) }
  }

  @Test(arguments: Verb.allCases, FaultKind.allCases + [.torn])
  func `a write fails as its fault says`(verb: Verb, kind: FaultKind) async throws {
    let store = FaultyStore(memory, failing: kind, atCall: verb == .put ? 1 : 3)
    do throws(StorageError) {
      try await write(verb, to: store)
      Issue.record("no error")
    } catch {
      #expect(error.isOutcomeUnknown == (kind != .before))
    }
    #expect(store.fired)
    let expected: [FaultKind: Int?] = [
      .before: nil, .after: 10, .halfway: nil, .late: nil, .torn: 5,
    ]
    #expect(try await stored() == expected[kind])
    await store.heal()
    #expect(try await stored() == (kind == .late ? 10 : expected[kind]))
    await store.heal()
    if try await stored() == nil { try await write(verb, to: store) }
    #expect(store.callCount == store.calls.count)
  }

  @Test func `a write that is late keeps its condition`() async throws {
    let store = FaultyStore(memory, failing: .late, atCall: 1)
    await #expect(throws: StorageError.self) { try await write(.put, to: store) }
    _ = try await store.put(.empty, to: path, if: .absent)
    await store.heal()
    #expect(try await stored() == 0, "the late write replaced another's")
  }

  @Test func `a refused condition is not hidden by a lost answer`() async throws {
    try await memory.create(path, .empty)
    let store = FaultyStore(memory, failing: .after, atCall: 1)
    await #expect(throws: StorageError.conditionFailed(path: path)) {
      try await write(.put, to: store)
    }
  }

  @Test func `every call of a scenario can be made to fail, one by one`() async throws {
    func scenario(_ store: any ObjectStore) async throws(StorageError) {
      try await write(.put, to: store)
      _ = try await store.get(path, range: 0..<1)
      _ = try await store.head(path)
      _ = try await store.listAll(path)
      try await store.delete(path)
      try await write(.writer, to: store)
    }
    var operations: [StoreCall.Operation] = []
    for n in 1...100 {
      let store = FaultyStore(MemoryStore(), failing: .before, atCall: n)
      do throws(StorageError) {
        try await scenario(store)
        #expect(!store.fired)
        break
      } catch {
        let call = try #require(store.firedCall)
        #expect(error == FaultyStore.brokenDisk(call))
        operations.append(call.operation)
      }
    }
    #expect(operations == [.put, .get, .head, .list, .delete, .writer, .append, .finish])
  }

  @Test func `a store that is down stays down until it is healed`() async throws {
    let store = FaultyStore(memory, failing: .before, atCall: 2, lasting: .untilHealed)
    try await write(.put, to: store)
    for _ in 0..<3 {
      await #expect(throws: StorageError.self) { try await store.head(path) }
    }
    await store.heal()
    _ = try await store.head(path)
  }

  @Test func `only the calls that match count`() async throws {
    let store = FaultyStore(
      memory, failing: .before, atCall: 1, where: { $0.operation == .delete })
    try await write(.put, to: store)
    _ = try await store.head(path)
    await #expect(throws: StorageError.self) { try await store.delete(path) }
    #expect(store.callCount == 1)
  }
}
