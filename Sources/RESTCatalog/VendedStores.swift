// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Network
internal import S3Storage
internal import Storage

/// The store of a table whose keys the catalog hands out, or keeps and signs with: for each object
/// the keys whose place fits it best.
///
/// The server's word is taken for where the store is only together with its keys, and not where the
/// user says otherwise. Keys of the user's own never go to where a server says.
struct VendedStores: ObjectStore {
  private struct Place: Sendable {
    /// As ``canonical(_:)`` writes it.
    let prefix: String
    let store: S3Store
  }

  /// The longest prefix first.
  private let places: [Place]

  /// Nil if the catalog hands out no keys for the table, whose files the user's own get at then.
  init?(
    _ access: TableAccess, of table: RESTTable, at location: ObjectPath
  ) throws(StorageError) {
    let session = table.session
    let grants = access.grants
    guard !grants.isEmpty else {
      guard session.settings.storeProperties.keys == nil,
        let signer = try SignerAddress(access, of: table, at: location)
      else { return nil }
      let all = TableAccess.PlacedCredential(prefix: "", settings: access.settings)
      places = [
        Place(
          prefix: "",
          store: try Self.store(
            all, access, session, location, RemoteSigning(session.client, signer)))
      ]
      return
    }
    var places: [Place] = []
    for grant in grants {
      guard let keys = grant.settings.keys else { continue }
      let provider = RefreshingCredentials(
        [VendedKeys(keys, of: table, prefix: grant.prefix, planID: access.planID)],
        environment: session.environment)
      let store = try Self.store(
        grant, access, session, location, VendedSigning(provider: provider))
      places.append(Place(prefix: Self.canonical(grant.prefix), store: store))
    }
    self.places = places.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
  }

  private static func store(
    _ grant: TableAccess.PlacedCredential, _ access: TableAccess, _ session: Session,
    _ location: ObjectPath, _ signing: any S3Signing
  ) throws(StorageError) -> S3Store {
    let properties = try properties(grant, access, session, location)
    do throws(S3Error) {
      return try S3Store.make(
        properties: properties, environment: session.environment, signing: signing,
        transport: session.client.transport)
    } catch {
      throw .unsupported(what: "the catalog's keys", path: location, instead: "\(error)")
    }
  }

  /// What the store is opened with, no key among it: the user's settings over those of the keys,
  /// over the table's, over the server's.
  private static func properties(
    _ grant: TableAccess.PlacedCredential, _ access: TableAccess, _ session: Session,
    _ location: ObjectPath
  ) throws(StorageError) -> [String: String] {
    var properties: [String: String] = [:]
    let told = ["s3.endpoint", "s3.region", "client.region", "s3.path-style-access"]
    for name in told {
      let theirs = grant.settings[name] ?? access.settings[name]
      properties[name] = theirs?.reveal() ?? session.configuration.serverValue(name)
    }
    let own = session.settings.storeProperties
    if own["s3.endpoint"] == nil, let text = properties["s3.endpoint"] {
      try check(endpoint: text, of: session.client.address, location)
    }
    for (name, value) in own where !secrets.contains(name) { properties[name] = value.reveal() }
    return properties
  }

  private static let secrets: Set<String> = [
    "s3.access-key-id", "s3.secret-access-key", "s3.session-token", "s3.anonymous",
    "client.access-key-id", "client.secret-access-key", "client.session-token",
  ]

  /// Throws if a server names a store that it must not have us talk to: one on this machine or
  /// link that the server itself is not on, or one without TLS where the server has it.
  static func check(
    endpoint text: String, of server: ServerAddress, _ location: ObjectPath
  ) throws(StorageError) {
    guard let address = ServerAddress(text) else {
      throw .refused(path: location, reason: "the catalog names a store that has no address")
    }
    let origin = address.origin
    let isNear = origin.isLoopback && !server.origin.isLoopback
    let isLink =
      origin.host.hasPrefix("169.254.") || origin.host.hasPrefix("fe80:")
      || origin.host == "0.0.0.0" || origin.host == "::"
    let isOpen = !origin.isSecure && server.origin.isSecure
    if isNear || isLink || isOpen {
      throw .refused(
        path: location,
        reason: "the catalog names the store \(origin): set 's3.endpoint' if that is meant")
    }
  }

  /// `s3://bucket/…`, however the prefix is spelled.
  private static func canonical(_ prefix: String) -> String {
    for scheme in ["s3a://", "s3n://"] where prefix.hasPrefix(scheme) {
      return "s3://" + prefix.dropFirst(scheme.count)
    }
    return prefix
  }

  private func store(for path: ObjectPath) throws(StorageError) -> S3Store {
    places[try index(of: path)].store
  }

  /// Which of the places the object at `path` is got at by.
  private func index(of path: ObjectPath) throws(StorageError) -> Int {
    let text = "\(path.scheme)://\(path.authority)\(path.path)"
    guard let index = places.firstIndex(where: { text.hasPrefix($0.prefix) }) else {
      throw .permissionDenied(path: path, reason: "the catalog has handed out no keys for it")
    }
    return index
  }

  // MARK: the store

  func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try await store(for: path).get(path, range: range, of: version)
  }

  func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    try await store(for: path).getWithVersion(path, range: range)
  }

  func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try await store(for: path).put(bytes, to: path, if: condition)
  }

  func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try await store(for: path).writer(to: path, if: condition)
  }

  func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try await store(for: path).head(path)
  }

  func delete(_ path: ObjectPath) async throws(StorageError) {
    try await store(for: path).delete(path)
  }

  func delete(_ paths: [ObjectPath]) async -> [StorageError?] {
    var answers = [StorageError?](repeating: nil, count: paths.count)
    var indices = [[Int]](repeating: [], count: places.count)
    for (number, path) in paths.enumerated() {
      do throws(StorageError) { indices[try index(of: path)].append(number) } catch {
        answers[number] = error
      }
    }
    for (place, numbers) in zip(places, indices) where !numbers.isEmpty {
      let found = await place.store.delete(numbers.map { paths[$0] })
      for (number, answer) in zip(numbers, found) { answers[number] = answer }
    }
    return answers
  }

  func list(_ prefix: ObjectPath) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    do throws(StorageError) {
      return try store(for: prefix).list(prefix)
    } catch {
      return FailedListing(error)
    }
  }

  func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    try await store(for: prefix).removeAbandonedWrites(under: prefix, before: moment)
  }
}

/// A listing that cannot be had.
private struct FailedListing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  private let error: StorageError

  init(_ error: StorageError) { self.error = error }

  func makeAsyncIterator() -> Iterator { Iterator(error: error) }

  struct Iterator: AsyncIteratorProtocol {
    let error: StorageError

    mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(StorageError) -> ObjectInfo? { throw error }

    mutating func next() async throws(StorageError) -> ObjectInfo? { throw error }
  }
}
