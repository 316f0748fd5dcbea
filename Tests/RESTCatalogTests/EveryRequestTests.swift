// SPDX-License-Identifier: Apache-2.0
import Lake
import LakeTestSupport
import RESTCatalog
import Testing

/// Fails the n-th request of a whole session, for n = 1, 2, …, until one ends without reaching n: so
/// each request is failed once, and none has to be listed by hand.
@Suite("Every request of a REST session fails once")
struct EveryRequestTests {
  @Test(arguments: WireFault.telling)
  func `no fault loses, doubles or hides rows`(fault: WireFault) async throws {
    for n in 1...200 {
      let world = try RESTWorld()
      try await world.make()
      await world.server.fail(FaultPlan(fault, from: n))
      var done: [String] = []
      var open: [String] = []
      for text in ["one", "two"] {
        let ending = await Ending.of {
          let table = try await world.load()
          try await world.append(text, to: table)
        }
        switch ending {
        case .committed: done.append(text)
        case .unknown: open.append(text)
        case .failed: break
        }
      }
      let reached = await world.server.unfired == 0
      await world.server.dropPlans()
      await world.server.deliverHeld()
      let texts = try await world.texts()
      #expect(Set(texts).count == texts.count, "\(fault) at \(n)")
      #expect(Set(texts).isSuperset(of: done), "\(fault) at \(n)")
      #expect(Set(texts).isSubset(of: done + open), "\(fault) at \(n)")
      guard reached else {
        #expect(n > 5, "the session made too few requests for this test to mean anything")
        return
      }
    }
    Issue.record("a session never outlived its fault: the server is asked without bound")
  }

  @Test(arguments: WireFault.telling)
  func `making, naming and taking away are never said to have failed where they may be done`(
    fault: WireFault
  ) async throws {
    for n in 1...6 {
      let world = try RESTWorld()
      let catalog = try await world.catalog()
      await world.server.fail(FaultPlan(fault, from: n))
      let other = try TableIdentifier("db.u")
      let schema = try Schema("k int")
      var steps: [(String, () async throws -> Void, () async throws -> Bool)] = []
      steps.append(
        (
          "create", { _ = try await catalog.createTable(world.identifier, .init(schema: schema)) },
          { await world.server.tables[world.identifier] != nil }
        ))
      steps.append(
        (
          "rename", { try await catalog.renameTable(world.identifier, to: other) },
          { await world.server.tables[other] != nil }
        ))
      steps.append(
        (
          "drop", { try await catalog.dropTable(other, .keepFiles) },
          { await world.server.tables[other] == nil }
        ))
      for (name, step, isDone) in steps {
        do {
          try await step()
          #expect(try await isDone(), "\(name), \(fault) at \(n)")
        } catch CatalogError.outcomeUnknown {
          await world.server.deliverHeld()
          // Whoever asked must look: and then it can go on.
          if try await !isDone() {
            await world.server.dropPlans()
            try await step()
          }
        } catch {
          #expect(try await !isDone() || name == "drop", "\(name), \(fault) at \(n): \(error)")
          await world.server.dropPlans()
          if try await !isDone() { try await step() }
        }
      }
      #expect(await world.server.tables.isEmpty)
    }
  }
}
