// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Testing

@Suite("Store decorators")
struct DecoratorTests {
  let memory = MemoryStore()

  @Test func `a metered store counts every request and byte`() async throws {
    let store = MeteredStore(memory)
    let dir = try ObjectPath("memory://b/dir")
    let path = try dir.appending("object")
    _ = try await store.put(Buffer(utf8: "12345"), to: path, if: .absent)
    _ = try? await store.put(Buffer(utf8: "123"), to: path, if: .absent)
    _ = try await store.get(path, range: 0..<3)
    _ = try await store.get(path, limit: 100)
    _ = try await store.headIfPresent(dir.appending("missing"))
    let middle = store.counts
    let writer = try await store.writer(to: dir.appending("written"), if: .none)
    try await writer.append(Buffer(utf8: "1234567"))
    _ = try await writer.finish()
    _ = try await store.listAll(dir)
    try await store.delete(path)

    var expected = MeteredStore.Counts()
    expected.puts = 2
    expected.gets = 2
    expected.heads = 1
    expected.failures = 2
    expected.bytesRead = 8
    expected.bytesWritten = 8
    #expect(middle == expected)
    #expect(middle.requests == 5)
    var rest = MeteredStore.Counts()
    rest.writers = 1
    rest.lists = 1
    rest.listedObjects = 2
    rest.deletes = 1
    rest.bytesWritten = 7
    #expect(store.counts.since(middle) == rest)
  }

  @Test func `a policy allows its prefixes by component and nothing else`() throws {
    let policy = LocationPolicy(
      within: [try ObjectPath("s3://bucket/wh/t"), try ObjectPath("/data/wh")])
    for allowed in [
      "s3://bucket/wh/t", "s3a://bucket/wh/t/data/x", "/data/wh/t/x", "file:///data/wh/x",
    ] {
      #expect(policy.allows(try ObjectPath(allowed)), "\(allowed)")
    }
    for refused in [
      "s3://bucket/wh/t2/x", "s3://bucket/wh", "s3://other/wh/t/x", "gs://bucket/wh/t/x",
      "/data/wh2/x", "/data", "/", "file://host/data/wh/x", "http://169.254.169.254/latest",
      "/bucket/wh/t/x",
    ] {
      let path = try ObjectPath(refused)
      #expect(!policy.allows(path), "\(refused)")
      #expect(throws: StorageError.self, "\(refused)") { try policy.check(path) }
      #expect(LocationPolicy.unrestricted.allows(path))
      #expect(policy.adding(path).allows(path))
      #expect(!LocationPolicy(within: []).allows(path))
    }
  }

  @Test func `a policed store asks before every request`() async throws {
    let inside = try ObjectPath("memory://b/t")
    let outside = try ObjectPath("memory://b/u/object")
    try await memory.create(outside, Buffer(utf8: "secret"))
    let metered = MeteredStore(memory)
    let store = PolicedStore(metered, policy: LocationPolicy(within: [inside]))
    let requests: [@Sendable () async throws -> Void] = [
      { _ = try await store.get(outside, range: 0..<1) },
      { _ = try await store.put(.empty, to: outside, if: .none) },
      { _ = try await store.writer(to: outside, if: .none) },
      { _ = try await store.head(outside) },
      { try await store.delete(outside) },
      { _ = try await store.listAll(ObjectPath("memory://b")) },
      { _ = try await store.removeAbandonedWrites(under: outside, before: .epoch) },
    ]
    for (index, request) in requests.enumerated() {
      do {
        try await request()
        Issue.record("request \(index) went through")
      } catch let error as StorageError {
        guard case .refused = error else {
          Issue.record("request \(index): \(error)")
          continue
        }
        #expect(error.remedy == .changeInput)
      }
    }
    #expect(metered.counts.requests == 0)
  }

  @Test func `a registry sends each path to the store of its scheme`() async throws {
    let other = MemoryStore()
    let registry = StoreRegistry(["file": memory]).adding(other, for: "s3")
    try await registry.create(ObjectPath("/a"), Buffer(utf8: "local"))
    try await registry.create(ObjectPath("s3a://b/a"), Buffer(utf8: "remote"))
    #expect(try await memory.get(ObjectPath("file:///a"), limit: 9) == Buffer(utf8: "local"))
    #expect(try await other.get(ObjectPath("s3://b/a"), limit: 9) == Buffer(utf8: "remote"))
    #expect(registry.schemes == ["file", "s3"])
    await #expect(throws: StorageError.self) {
      try await registry.head(ObjectPath("gs://b/a"))
    }
    await #expect(throws: StorageError.self) {
      try await registry.listAll(ObjectPath("gs://b/a"))
    }
  }

  @Test func `concurrency has a limit, and the first failure ends all`() async throws {
    let running = Gauge()
    let doubled = await mapConcurrently(Array(0..<50), limit: 4) { number in
      running.enter()
      await Task.yield()
      running.leave()
      return number * 2
    }
    #expect(doubled == Array(0..<50).map { $0 * 2 })
    #expect(running.most <= 4 && running.most > 1)
    struct Odd: Error, Equatable { let number: Int }
    let started = Gauge()
    await #expect(throws: Odd(number: 3)) {
      try await mapConcurrently(Array(0..<1000), limit: 2) { number throws(Odd) in
        started.enter()
        if number == 3 { throw Odd(number: number) }
        return number
      }
    }
    #expect(started.most < 1000, "work went on after the failure")
    #expect(await mapConcurrently([Int](), limit: 3) { $0 } == [])
  }
}
