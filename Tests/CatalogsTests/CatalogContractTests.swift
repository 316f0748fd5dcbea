// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport
import Testing

/// Every law of the contract against the catalogs that need nothing but a store.
@Suite("Catalog contract")
struct CatalogContractTests {
  enum Kind: CaseIterable {
    case memory, local, observed
  }

  @Test(arguments: Kind.allCases, CatalogContract.laws)
  func `a filesystem catalog keeps every law`(kind: Kind, law: CatalogContract.Law) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "lake-catalog-\(UUID().uuidString)").resolvingSymlinksInPath()
    defer { try? FileManager.default.removeItem(at: folder) }
    let store: any ObjectStore = kind == .local ? LocalStore() : MemoryStore()
    let warehouse = try ObjectPath(kind == .local ? folder.path : "memory://contract/w")
    func catalog() -> any Catalog {
      let catalog = FilesystemCatalog(warehouse: warehouse, store: store)
      return kind == .observed ? catalog.observed(by: Nobody()) : catalog
    }
    try await law.check(
      CatalogSubject(
        catalog(), beside: catalog(), store: store,
        [.impliesNamespaces, .nests, .anyNames, .purges]))
  }

  private struct Nobody: TableObserver {}
}
