// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// A store that asks again where asking again is harmless.
///
/// Reads, listings, deletes and unconditional writes are repeated on errors whose remedy is
/// ``Remedy/retry``, under a ``RetryPolicy``. Conditional writes never are: a repeated one can fail
/// because of itself, so whoever knows what was meant has to look first.
///
/// Law: a write that once had an unknown outcome and then only failures, is reported as unknown.
public struct RetryingStore: ObjectStore {
  private let base: any ObjectStore
  private let policy: RetryPolicy
  private let environment: Environment

  public init(_ base: any ObjectStore, policy: RetryPolicy, environment: Environment) {
    self.base = base
    self.policy = policy
    self.environment = environment
  }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try await repeating { () throws(StorageError) in
      try await base.get(path, range: range, of: version)
    }
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    try await repeating { () throws(StorageError) in
      try await base.getWithVersion(path, range: range)
    }
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    guard condition == .none else { return try await base.put(bytes, to: path, if: condition) }
    return try await repeating { () throws(StorageError) in
      try await base.put(bytes, to: path, if: .none)
    }
  }

  /// Only opening is repeated: the parts are gone once they were handed over.
  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try await repeating { () throws(StorageError) in
      try await base.writer(to: path, if: condition)
    }
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try await repeating { () throws(StorageError) in try await base.head(path) }
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    try await repeating { () throws(StorageError) in try await base.delete(path) }
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    RetryingListing(prefix: prefix, base: base, policy: policy, environment: environment)
  }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    try await base.removeAbandonedWrites(under: prefix, before: moment)
  }

  private func repeating<T>(
    _ request: () async throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    var pauses = Pauses(policy: policy, environment: environment)
    var unknown: StorageError?
    while true {
      do throws(StorageError) {
        return try await request()
      } catch {
        if error.isOutcomeUnknown { unknown = error }
        guard await pauses.pause(after: error) else { throw unknown ?? error }
      }
    }
  }
}

/// The pauses between the attempts of one request.
private struct Pauses {
  let policy: RetryPolicy
  let environment: Environment
  private var attempt = 0
  private let start: Duration

  init(policy: RetryPolicy, environment: Environment) {
    self.policy = policy
    self.environment = environment
    self.start = environment.uptime()
  }

  /// Returns true when it is time for another attempt; false if there shall be none.
  mutating func pause(after error: StorageError) async -> Bool {
    attempt += 1
    guard let wished = Self.delay(error) else { return false }
    return await policy.wait(after: attempt, atLeast: wished, since: start, environment)
  }

  /// How long the store wants to be left alone at least; nil if asking again is no use.
  ///
  /// An unknown outcome counts as what caused it: a disk that fails must not be asked again, as
  /// it might then say that all is well.
  private static func delay(_ error: StorageError) -> Duration? {
    switch error {
    case .outcomeUnknown(let cause, _): delay(cause)
    case .unavailable(_, _, let retryAfter): retryAfter ?? .zero
    case .cancelled: nil
    default: error.remedy == .retry ? .zero : nil
    }
  }
}

/// A listing that, where it breaks off, is asked for again and taken up behind the last object.
private struct RetryingListing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let prefix: ObjectPath
  let base: any ObjectStore
  let policy: RetryPolicy
  let environment: Environment

  func makeAsyncIterator() -> Iterator { Iterator(listing: self) }

  struct Iterator: AsyncIteratorProtocol {
    let listing: RetryingListing
    private var current: any AsyncIteratorProtocol<ObjectInfo, StorageError>
    private var last: ObjectPath?

    init(listing: RetryingListing) {
      self.listing = listing
      self.current = listing.start()
    }

    mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(StorageError) -> ObjectInfo? {
      var pauses = Pauses(policy: listing.policy, environment: listing.environment)
      while true {
        do throws(StorageError) {
          while let info = try await current.next(isolation: actor) {
            if let last, info.path <= last { continue }
            last = info.path
            return info
          }
          return nil
        } catch {
          guard await pauses.pause(after: error) else { throw error }
          current = listing.start()
        }
      }
    }

    mutating func next() async throws(StorageError) -> ObjectInfo? {
      try await next(isolation: #isolation)
    }
  }

  private func start() -> any AsyncIteratorProtocol<ObjectInfo, StorageError> {
    func open(
      _ sequence: some AsyncSequence<ObjectInfo, StorageError>
    ) -> any AsyncIteratorProtocol<ObjectInfo, StorageError> { sequence.makeAsyncIterator() }
    return open(base.list(prefix))
  }
}
