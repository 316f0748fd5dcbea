// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

/// What some stores can do and others cannot: each store's list is asserted, so that one which can
/// do more than its list says fails as one does that can do less.
public enum StoreCapability: String, CaseIterable, Sendable, CustomStringConvertible {
  /// A lost answer to a conditional write is found out about by the store itself; elsewhere the
  /// caller is told that the outcome is unknown.
  case settlesLostAnswers
  /// `a` and `a/b` are both objects.
  case objectsBelowObjects
  /// A name between two slashes may have 300 bytes.
  case longNames
  /// The same bytes, written again, are another version.
  case versionOfEachWrite
  /// Parts of a writer that never ended stay, in no listing, and are swept by their age.
  case abandonedParts
  /// Objects have attributes beside their bytes.
  case attributes
  /// Others can tag objects.
  case tags
  /// Who has a signed address needs no keys.
  case signedAddresses
  /// A signed address that was changed is refused.
  case checksSignatures

  public var description: String { rawValue }
}

/// A store, what it can do, and a way to it on which requests and answers get lost.
public struct StoreUnderTest: Sendable {
  public let name: String
  public let store: any ObjectStore
  public let root: ObjectPath
  public let capabilities: Set<StoreCapability>
  /// The same objects, by a way on which the script says what becomes of each write.
  public let lossy: @Sendable (WriteScript) -> any ObjectStore
  /// The server itself, for what no store of ours asks; nil where there is none.
  public let server: (any ObjectServer)?

  public init(
    name: String, store: any ObjectStore, root: ObjectPath, capabilities: Set<StoreCapability>,
    server: (any ObjectServer)? = nil,
    lossy: @escaping @Sendable (WriteScript) -> any ObjectStore
  ) {
    self.name = name
    self.store = store
    self.root = root
    self.capabilities = capabilities
    self.server = server
    self.lossy = lossy
  }
}

/// What is asked of a server behind a store's back.
public protocol ObjectServer: Sendable {
  /// The attributes of the object at `path`, by name.
  func attributes(of path: ObjectPath) async throws -> [String: String]
  /// Tags the object; false if the server has no tags.
  func tag(_ path: ObjectPath, name: String, value: String) async throws -> Bool
  func tags(of path: ObjectPath) async throws -> String
  /// Status and bytes of what an address gives that was signed, and changed afterwards or not.
  func readSigned(
    _ path: ObjectPath, isChanged: Bool
  ) async throws -> (status: Int, bytes: [UInt8])
}

extension StoreUnderTest {
  /// What the store turns out to be able to do.
  public func foundCapabilities() async throws -> Set<StoreCapability> {
    let trial = try StoreTrial(self, "capabilities")
    var found: Set<StoreCapability> = []
    for capability in StoreCapability.allCases where try await trial.can(capability) {
      found.insert(capability)
    }
    return found
  }
}

extension StoreTrial {
  /// True if the store can do it, tried out.
  func can(_ capability: StoreCapability) async throws -> Bool {
    switch capability {
    case .settlesLostAnswers:
      let script = WriteScript { $0 == 1 ? .loseReply : nil }
      return try await create(script, at: "settled") == .done
    case .objectsBelowObjects:
      try await put("a", at: "both")
      guard try await isWritten("b", "both/below") else { return false }
      let isBelow = try await textIfPresent("both/below") == "b"
      let isAbove = (try? await textIfPresent("both")) == "a"
      return isBelow && isAbove
    case .longNames:
      return try await isWritten("x", String(repeating: "n", count: 300))
    case .versionOfEachWrite:
      let path = try path("versions")
      let one = try await store.put(Buffer(utf8: "same"), to: path, if: .none)
      let two = try await store.put(Buffer(utf8: "same"), to: path, if: .none)
      return one != two
    case .abandonedParts:
      do {
        let writer = try await store.writer(to: path("abandoned"), if: .none)
        try await writer.append(Buffer([UInt8](repeating: 1, count: 11 << 20)))
      }
      let later = Timestamp(microseconds: 4_000_000_000_000_000)
      return try await store.removeAbandonedWrites(under: root, before: later) == 1
    case .attributes:
      guard let server = under.server else { return false }
      _ = try await store.put(Buffer(utf8: "x"), to: path("marked"), if: .absent)
      return try await !server.attributes(of: path("marked")).isEmpty
    case .tags:
      guard let server = under.server else { return false }
      try await put("x", at: "tagged")
      return try await server.tag(path("tagged"), name: "team", value: "flights")
    case .signedAddresses:
      guard let server = under.server else { return false }
      try await put("x", at: "signed")
      return try await server.readSigned(path("signed"), isChanged: false).status == 200
    case .checksSignatures:
      guard let server = under.server else { return false }
      try await put("x", at: "changed")
      return try await server.readSigned(path("changed"), isChanged: true).status == 403
    }
  }

  private func isWritten(_ text: String, _ name: String) async throws -> Bool {
    let path = try path(name)
    return await ending { () throws(StorageError) in
      _ = try await store.put(Buffer(utf8: text), to: path, if: .none)
    } == .done
  }
}
