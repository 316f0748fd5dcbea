// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

/// One law on one store, in a place of its own.
struct StoreTrial: Sendable {
  let under: StoreUnderTest
  let root: ObjectPath
  let random: SeededRandom

  init(_ under: StoreUnderTest, _ name: String) throws {
    self.under = under
    random = SeededRandom(printing: "\(under.name), \(name)")
    root = try under.root.appending("law-\(random.seed)-\(random.next() % 1_000_000)")
  }

  var store: any ObjectStore { under.store }

  func path(_ name: String) throws -> ObjectPath { try root.appending(relativePath: name) }

  func put(_ text: String, at name: String) async throws {
    _ = try await store.put(Buffer(utf8: text), to: path(name), if: .none)
  }

  func text(at name: String) async throws -> String {
    let bytes = try await store.get(path(name), range: 0..<Int64.max, of: nil)
    return String(decoding: bytes.array(), as: UTF8.self)
  }

  /// The names of what is listed under `name`, relative to the root.
  func list(_ name: String? = nil) async throws -> [String] {
    let prefix = try name.map { try path($0) } ?? root
    return try await store.listAll(prefix).map { root.relativePath(of: $0.path) ?? "\($0.path)" }
  }

  /// Throws unless `condition` holds.
  func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw StoreContract.Violation(description: what()) }
  }

  /// Throws unless `a` and `b` are equal.
  func expect<T: Equatable>(_ a: T, equals b: T, _ what: @autoclosure () -> String) throws {
    try expect(a == b, "\(what()): found \(a), expected \(b)")
  }

  /// Throws unless `work` throws an error that `isExpected`.
  func expectError<T>(
    _ what: String, _ isExpected: (StorageError) -> Bool,
    _ work: () async throws(StorageError) -> T
  ) async throws {
    do throws(StorageError) {
      _ = try await work()
    } catch {
      return try expect(isExpected(error), "\(what): unexpected error: \(error)")
    }
    throw StoreContract.Violation(description: "\(what): no error")
  }

  /// Throws unless there is no object called `name`, however one asks.
  func expectAbsent(_ name: String, _ when: String) async throws {
    let path = try path(name)
    try await expectError("get \(when)", \.isNotFound) { () throws(StorageError) in
      try await store.get(path, range: 0..<1, of: nil)
    }
    try await expectError("head \(when)", \.isNotFound) { () throws(StorageError) in
      try await store.head(path)
    }
    let listed = try await list()
    try expect(!listed.contains(name), "listed \(when): \(name)")
  }

  /// Throws unless the text at `name` is `expected`; nil for nothing there.
  func expectText(_ name: String, _ expected: String?, _ when: String) async throws {
    let found = try await textIfPresent(name)
    try expect(
      found == expected, "\(when): found \(found ?? "nothing"), not \(expected ?? "nothing")")
  }

  /// The text at `name`; nil if there is nothing.
  func textIfPresent(_ name: String) async throws -> String? {
    do throws(StorageError) {
      let bytes = try await store.get(
        ObjectPath(root.text + "/" + name), range: 0..<Int64.max, of: nil)
      return String(decoding: bytes.array(), as: UTF8.self)
    } catch .notFound {
      return nil
    }
  }

  /// What `work` throws.
  func error(_ work: () async throws(StorageError) -> Void) async -> StorageError? {
    do throws(StorageError) {
      try await work()
      return nil
    } catch {
      return error
    }
  }

  func copy(
    _ source: String, _ target: String, if condition: PutCondition
  ) async throws(StorageError) {
    let root = root.text
    let bytes = try await store.get(ObjectPath(root + "/" + source), limit: 1 << 20)
    _ = try await store.put(bytes, to: ObjectPath(root + "/" + target), if: condition)
  }

  /// Random bytes, cheaply.
  func chunk(_ byteCount: Int) -> Buffer {
    var bytes = [UInt8](repeating: UInt8(random.int(in: 0..<256)), count: byteCount)
    for _ in 0..<100 {
      bytes[random.int(in: 0..<byteCount)] = UInt8(random.int(in: 0..<256))
    }
    return Buffer(bytes)
  }

  func expectBytes(_ name: String, _ parts: [Buffer]) async throws {
    let count = parts.reduce(0) { $0 + $1.count }
    let found = try await store.get(path(name), limit: 1 << 30)
    try expect(found.count, equals: count, "bytes of \(name)")
    var start = 0
    for (index, part) in parts.enumerated() {
      try expect(
        found.slice(start..<start + part.count) == part, "part \(index) of \(name) differs")
      start += part.count
    }
  }

  /// The folders and objects that lie right in `name`.
  func level(_ name: String) async throws -> (folders: [String], objects: [String]) {
    let prefix = try path(name)
    var (folders, objects): ([String], [String]) = ([], [])
    for try await info in store.list(prefix) {
      let way = prefix.relativePath(of: info.path) ?? ""
      if let slash = way.firstIndex(of: "/") {
        let folder = String(way[..<slash])
        if folders.last != folder { folders.append(folder) }
      } else {
        objects.append(way)
      }
    }
    return (folders, objects)
  }
}

extension StorageError {
  /// True if a condition did not hold.
  var isConditionFailed: Bool {
    if case .conditionFailed = self { true } else { false }
  }
}
