// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport
import Storage
import Testing

/// Every law of the contract against every store there is.
@Suite("Store contract")
struct StoreContractTests {
  enum Kind: CaseIterable {
    case memory, local, localUnsynced, localWithRoots, retryingMemory, retryingFaultyMemory
    case meteredLocal, policedLocal, registry
  }

  @Test(arguments: Kind.allCases, StoreContract.laws)
  func `every store keeps every law`(kind: Kind, law: StoreContract.Law) async throws {
    let directory = try TemporaryDirectory()
    try await law.check(
      Self.store(kind, in: directory),
      under: kind == .memory ? ObjectPath("memory://contract/a") : directory.path)
    #expect(try directory.entries().allSatisfy { !$0.contains(".tmp") }, "temporary files left")
  }

  private static func store(_ kind: Kind, in directory: TemporaryDirectory) -> any ObjectStore {
    let local = LocalStore(roots: [directory.path])
    switch kind {
    case .memory: return MemoryStore()
    case .local: return LocalStore()
    case .localUnsynced: return LocalStore(durability: .unsynced)
    case .localWithRoots: return local
    case .retryingMemory:
      return RetryingStore(MemoryStore(), policy: RetryPolicy(), environment: .system)
    case .retryingFaultyMemory:
      let faulty = FaultyStore(
        MemoryStore(), failing: .before, atCall: 3, error: FaultyStore.busyStore
      ) { $0.operation == .get || $0.operation == .head || $0.operation == .list }
      return RetryingStore(
        faulty, policy: RetryPolicy(), environment: .deterministic(seed: 1))
    case .meteredLocal: return MeteredStore(local)
    case .policedLocal:
      return PolicedStore(LocalStore(), policy: LocationPolicy(within: [directory.path]))
    case .registry: return StoreRegistry(["file": local])
    }
  }
}
