// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport
import Storage
import Testing

/// Every law of the contract against every store there is; against servers: `S3StoreContractTests`.
@Suite("Store contract")
struct StoreContractTests {
  @Test func `all laws have names of their own, and stand for 18 functions and 25 lost answers`() {
    #expect(Set(StoreContract.all.map(\.name)).count == StoreContract.all.count)
    #expect(
      StoreContract.functions == [
        "copy_if_not_exists", "copy_rename_nonexistent_object", "get_nonexistent_object",
        "get_opts", "list_paginated", "list_uses_directories_correctly", "list_with_delimiter",
        "list_with_offset_exclusivity", "multipart", "multipart_out_of_order",
        "multipart_race_condition", "put_get_attributes", "put_get_delete_list", "put_opts",
        "rename_and_copy", "signing", "stream_get", "tagging",
      ])
    #expect(StoreContract.lostAnswers.count == 25)
  }

  /// Stores of bytes, and what they can do.
  enum Kind: CaseIterable {
    case memory, local

    /// All else it cannot.
    var capabilities: Set<StoreCapability> {
      switch self {
      case .memory: [.objectsBelowObjects, .longNames, .versionOfEachWrite]
      case .local: [.versionOfEachWrite]
      }
    }

    func store(in directory: TemporaryDirectory) throws -> StoreUnderTest {
      let store: any ObjectStore = self == .memory ? MemoryStore() : LocalStore()
      return StoreUnderTest(
        name: "\(self)", store: store,
        root: self == .memory ? try ObjectPath("memory://contract/a") : directory.path,
        capabilities: capabilities
      ) { ScriptedStore(store, $0) }
    }
  }

  @Test(arguments: Kind.allCases, StoreContract.all)
  func `every store keeps every law`(kind: Kind, law: StoreContract.Law) async throws {
    let directory = try TemporaryDirectory()
    try await law.check(kind.store(in: directory))
    #expect(try directory.entries().allSatisfy { !$0.contains(".tmp") }, "temporary files left")
  }

  @Test(arguments: Kind.allCases)
  func `each store can do what its list says, and no more`(kind: Kind) async throws {
    let directory = try TemporaryDirectory()
    #expect(try await kind.store(in: directory).foundCapabilities() == kind.capabilities)
  }

  /// Stores by way of which others are reached, or in a manner of their own.
  enum Manner: CaseIterable {
    case unsynced, withRoots, retrying, retryingFaulty, metered, policed, registry
  }

  @Test(arguments: Manner.allCases, StoreContract.laws)
  func `every manner of reaching a store keeps every law`(
    manner: Manner, law: StoreContract.Law
  ) async throws {
    let directory = try TemporaryDirectory()
    try await law.check(Self.store(manner, in: directory), under: directory.path)
    #expect(try directory.entries().allSatisfy { !$0.contains(".tmp") }, "temporary files left")
  }

  private static func store(
    _ manner: Manner, in directory: TemporaryDirectory
  ) -> any ObjectStore {
    let local = LocalStore(roots: [directory.path])
    switch manner {
    case .unsynced: return LocalStore(durability: .unsynced)
    case .withRoots: return local
    case .retrying:
      return RetryingStore(MemoryStore(), policy: RetryPolicy(), environment: .system)
    case .retryingFaulty:
      let faulty = FaultyStore(
        MemoryStore(), failing: .before, atCall: 3, error: FaultyStore.busyStore
      ) { $0.operation == .get || $0.operation == .head || $0.operation == .list }
      return RetryingStore(
        faulty, policy: RetryPolicy(), environment: .deterministic(seed: 1))
    case .metered: return MeteredStore(local)
    case .policed:
      return PolicedStore(LocalStore(), policy: LocationPolicy(within: [directory.path]))
    case .registry: return StoreRegistry(["file": local])
    }
  }
}
