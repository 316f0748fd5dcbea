// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

/// The laws of ``ObjectStore``, each to be run against any store.
///
///     @Test(arguments: StoreContract.laws)
///     func `keeps the law`(law: StoreContract.Law) async throws {
///       try await law.check(MyStore(), under: ObjectPath("mine://bucket/contract"))
///     }
///
/// Every law works under a prefix of its own, and expects nothing of what else is stored.
public enum StoreContract {
  /// One law, and how to see whether a store keeps it.
  public struct Law: Sendable, CustomStringConvertible {
    public let name: String
    let body: @Sendable (Subject) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
      self.name = name
      self.body = body
    }

    public var description: String { name }

    /// - Throws: ``Violation``, or what the store threw where it must not throw.
    public func check(_ store: any ObjectStore, under prefix: ObjectPath) async throws {
      let random = SeededRandom(printing: "store contract, \(name)")
      let own = try prefix.appending("law-\(random.seed)-\(random.next() % 1_000_000)")
      try await body(Subject(store: store, root: own, random: random))
    }
  }

  /// A law that was broken.
  public struct Violation: Error, CustomStringConvertible {
    public let description: String
  }

  /// All laws.
  public static let laws: [Law] = readingLaws + writingLaws + listingLaws + racingLaws
}

/// A store under test, and a place in it that only this test uses.
struct Subject: Sendable {
  let store: any ObjectStore
  let root: ObjectPath
  let random: SeededRandom

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
}

extension StorageError {
  /// True if a condition did not hold.
  var isConditionFailed: Bool {
    if case .conditionFailed = self { true } else { false }
  }
}
