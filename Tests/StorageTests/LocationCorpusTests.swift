// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Testing

@Suite("Locations that metadata names")
struct LocationCorpusTests {
  @Test func `each is the table's own, another's, or none`() throws {
    #expect(LocationCase.all.count >= 120)
    for location in LocationCase.all {
      let policy = LocationPolicy(within: [try ObjectPath(location.home)])
      switch (try? ObjectPath(location.text), location.verdict) {
      case (nil, .invalid): break
      case (let path?, .inside): #expect(policy.allows(path), "\(location)")
      case (let path?, .outside): #expect(!policy.allows(path), "\(location)")
      default: Issue.record("\(location)")
      }
    }
  }

  @Test func `a policed store makes no request for any that is not the table's own`() async throws {
    let metered = MeteredStore(MemoryStore())
    for location in LocationCase.all where location.verdict == .outside {
      let store = PolicedStore(
        metered, policy: LocationPolicy(within: [try ObjectPath(location.home)]))
      let path = try ObjectPath(location.text)
      await #expect(throws: StorageError.self, "\(location)") {
        try await store.get(path, range: 0..<1, of: nil)
      }
      await #expect(throws: StorageError.self, "\(location)") {
        try await store.put(.empty, to: path, if: .none)
      }
      await #expect(throws: StorageError.self, "\(location)") { try await store.delete(path) }
      await #expect(throws: StorageError.self, "\(location)") { try await store.listAll(path) }
    }
    #expect(metered.counts.requests == 0)
  }

  @Test func `what is appended to the table's own stays in it`() throws {
    for location in LocationCase.all {
      let home = try ObjectPath(location.home)
      if let path = try? home.appending(relativePath: location.text) {
        #expect(home.contains(path) && path != home, "\(location)")
      }
      if let path = try? home.appending(location.text) {
        #expect(path.parent == home, "\(location)")
      }
    }
  }
}
