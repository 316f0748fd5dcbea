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
    /// The function by which Rust's `object_store` crate tests its stores that the law, perhaps with
    /// others, makes anew for what stores promise here; nil if it has none.
    ///
    /// Differences: a range behind the end is empty and no error, prefixes are whole components,
    /// and copies, renames, delimiters and offsets are made of what a store has.
    public let function: String?
    let body: @Sendable (StoreTrial) async throws -> Void

    init(
      _ name: String, as function: String? = nil,
      _ body: @escaping @Sendable (StoreTrial) async throws -> Void
    ) {
      self.name = name
      self.function = function
      self.body = body
    }

    public var description: String { function.map { "\(name) (\($0))" } ?? name }

    /// - Throws: ``Violation``, or what the store threw where it must not throw.
    public func check(_ store: StoreUnderTest) async throws {
      try await body(StoreTrial(store, name))
    }

    /// The same of a store alone, for one of ``StoreContract/laws``.
    public func check(_ store: any ObjectStore, under prefix: ObjectPath) async throws {
      try await check(
        StoreUnderTest(name: "store contract", store: store, root: prefix, capabilities: []) {
          ScriptedStore(store, $0)
        })
    }
  }

  /// A law that was broken.
  public struct Violation: Error, CustomStringConvertible {
    public let description: String
  }

  /// The laws of any store.
  public static let laws: [Law] =
    readingLaws + writingLaws + writerLaws + listingLaws + racingLaws

  /// All laws: for stores of which it is known what they can do, and on the way to which something
  /// can be lost.
  public static let all: [Law] = laws + wireLaws + lostAnswers

  /// The functions of `object_store` that laws stand for, each once.
  public static var functions: [String] { Set(all.compactMap(\.function)).sorted() }
}
