// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Testing

@testable import Storage

@Suite("Read cache on disk")
struct CachingStoreTests {
  private let base = MeteredStore(MemoryStore())
  private let directory: TemporaryDirectory
  private let data: ObjectPath

  init() throws {
    directory = try TemporaryDirectory()
    data = try ObjectPath("memory://b/t/data/0001.parquet")
  }

  private func open(_ byteLimit: Int64 = 1 << 20) async throws -> CachingStore {
    try await CachingStore(base, keepingIn: directory.path, byteLimit: byteLimit)
  }

  private func fill(_ path: ObjectPath, _ count: Int = 10_000) async throws -> [UInt8] {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    _ = try await base.put(Buffer(bytes), to: path, if: .none)
    return bytes
  }

  @Test func `a range is asked for once, and what lies within it not again`() async throws {
    let bytes = try await fill(data)
    let store = try await open()
    for range in [100..<5000, 100..<5000, 200..<300, 4999..<5000] as [Range<Int64>] {
      let found = try await store.get(data, range: range)
      #expect(found.array() == Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
    }
    #expect(base.counts.gets == 1)
    #expect(store.counts.hits == 3)
    _ = try await store.get(data, range: 4999..<5001)
    #expect(base.counts.gets == 2)
  }

  @Test func `what is kept is there for the next process`() async throws {
    let bytes = try await fill(data)
    _ = try await open().get(data, range: 0..<5000)
    let store = try await open()
    #expect(try await store.get(data, range: 10..<20).array() == Array(bytes[10..<20]))
    #expect(base.counts.gets == 1)
  }

  @Test func `files that change are never kept, and versions are kept apart`() async throws {
    let hint = try ObjectPath("memory://b/t/metadata/version-hint.text")
    let store = try await open()
    for text in ["1", "2"] {
      _ = try await store.put(Buffer(utf8: text), to: hint, if: .none)
      #expect(try await store.get(hint, range: 0..<1) == Buffer(utf8: text))
    }
    let old = try await base.put(Buffer(utf8: "old"), to: data, if: .none)
    #expect(try await store.get(data, range: 0..<3, of: old) == Buffer(utf8: "old"))
    let new = try await base.put(Buffer(utf8: "new"), to: data, if: .none)
    #expect(try await store.get(data, range: 0..<3, of: new) == Buffer(utf8: "new"))
    await #expect(throws: StorageError.self) {
      try await store.get(data, range: 0..<2, of: ObjectVersion(token: "other"))
    }
  }

  @Test func `any damage to what is kept costs a request and nothing else`() async throws {
    let bytes = try await fill(data, 64)
    _ = try await open().get(data, range: 0..<64)
    let disk = LocalStore(roots: [directory.path], durability: .unsynced)
    let file = try #require(try await disk.listAll(directory.path).first).path
    let whole = try await disk.get(file, limit: 1 << 20)
    for bit in stride(from: 0, to: whole.count * 8, by: 9) {
      var damaged = whole.array()
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      _ = try await disk.put(Buffer(damaged), to: file, if: .none)
      let store = try await open()
      #expect(try await store.get(data, range: 0..<64).array() == bytes, "bit \(bit)")
      #expect(store.counts.hits == 0, "bit \(bit)")
    }
    for count in stride(from: 0, to: whole.count, by: 7) {
      _ = try await disk.put(whole.slice(0..<count), to: file, if: .none)
      #expect(try await open().get(data, range: 0..<64).array() == bytes, "\(count) bytes")
    }
    try await disk.delete(file)
    let store = try await open()
    _ = try await store.get(data, range: 0..<64)
    try await disk.delete(file)
    #expect(try await store.get(data, range: 0..<64).array() == bytes, "deleted under it")
  }

  @Test func `the limit holds, and what was read last stays`() async throws {
    let store = try await open(100_000)
    let first = try ObjectPath("memory://b/t/first.parquet")
    _ = try await fill(first, 5000)
    for number in 0..<60 {
      let path = try ObjectPath("memory://b/t/\(number).parquet")
      _ = try await fill(path, 5000)
      _ = try await store.get(path, range: 0..<5000)
      _ = try await store.get(first, range: 0..<5000)
      #expect(store.byteCount <= 100_000)
    }
    let kept = try await LocalStore(roots: [directory.path]).listAll(directory.path)
    #expect(kept.reduce(0) { $0 + $1.byteCount } <= 100_000)
    #expect(store.counts.hits == 59)
    let reopened = try await open(20_000)
    #expect(reopened.byteCount <= 20_000)
  }

  @Test func `a disk that fails is no failure`() async throws {
    let bytes = try await fill(data)
    let store = try await open()
    let disk = LocalStore(roots: [directory.path])
    _ = try await store.get(data, range: 0..<100)
    for info in try await disk.listAll(directory.path) { try await disk.delete(info.path) }
    #expect(try await store.get(data, range: 0..<100).array() == Array(bytes[..<100]))
  }
}
