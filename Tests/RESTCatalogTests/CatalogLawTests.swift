// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog
import Testing

/// A REST catalog keeps the laws of every catalog, with a model server behind it.
@Suite("REST catalog laws")
struct CatalogLawTests {
  @Test(arguments: CatalogContract.laws)
  func `keeps the law`(law: CatalogContract.Law) async throws {
    let world = try RESTWorld(seed: 11)
    try await law.check(
      CatalogSubject(
        try await world.catalog(), beside: try await world.catalog(), store: world.memory,
        [.renames, .registersAnything, .takesLocations, .nests, .anyNames, .purges]))
  }
}
