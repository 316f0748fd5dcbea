// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage
import Synchronization

/// What goes wrong with a call to a store.
public enum FaultKind: Hashable, Sendable, CaseIterable {
  /// Nothing is done, and the error says so.
  case before
  /// It is done, but the answer is lost: a write's outcome is unknown.
  case after
  /// It is broken off half-way: nothing is done, but a write's outcome is unknown.
  case halfway
  /// As ``halfway``, but the write is done later, under its condition, by `heal()`.
  case late
  /// Half of the bytes become the object, and the outcome is unknown. No honest store does this;
  /// it is not in `allCases`.
  case torn

  public static let allCases: [FaultKind] = [.before, .after, .halfway, .late]
}

/// A call to a store, as ``FaultyStore`` counts them.
public struct StoreCall: Hashable, Sendable, CustomStringConvertible {
  public enum Operation: String, Hashable, Sendable {
    case get, put, head, delete, list, writer, append, finish
  }

  public let operation: Operation
  public let path: ObjectPath

  /// True if the call may change what is stored.
  public var isWrite: Bool {
    switch operation {
    case .put, .delete, .finish: true
    case .get, .head, .list, .writer, .append: false
    }
  }

  public var description: String { "\(operation.rawValue) \(path)" }
}

/// A store that fails the n-th call made to it.
///
/// Counted are all requests, with a writer's `append` and `finish` and the start of a listing.
/// `abort` is not: it must always be harmless. After the fault the store works, unless told to stay
/// down.
public final class FaultyStore: ObjectStore {
  /// How long the fault lasts.
  public enum Lasting: Hashable, Sendable {
    /// One call fails.
    case once
    /// The call fails, and every later one fails before it does anything, until `heal()`.
    case untilHealed
  }

  private struct State {
    var callCount = 0
    var fired: StoreCall?
    var isDown = false
    var isHealed = false
    var calls: [StoreCall] = []
    var lateWrites: [@Sendable () async -> Void] = []
  }

  private let base: any ObjectStore
  private let kind: FaultKind
  private let failingCall: Int
  private let lasting: Lasting
  private let error: @Sendable (StoreCall) -> StorageError
  private let matches: @Sendable (StoreCall) -> Bool
  private let state = Mutex(State())

  /// - Parameters:
  ///   - call: which call fails, from 1; 0 for none.
  ///   - error: what the fault is reported as, or wrapped in `outcomeUnknown`.
  ///   - matches: which calls count.
  public init(
    _ base: any ObjectStore, failing kind: FaultKind = .before, atCall call: Int = 0,
    lasting: Lasting = .once,
    error: @escaping @Sendable (StoreCall) -> StorageError = FaultyStore.brokenDisk,
    where matches: @escaping @Sendable (StoreCall) -> Bool = { _ in true }
  ) {
    self.base = base
    self.kind = kind
    self.failingCall = call
    self.lasting = lasting
    self.error = error
    self.matches = matches
  }

  /// An error no retry helps against.
  public static func brokenDisk(_ call: StoreCall) -> StorageError {
    .io(
      operation: call.operation.rawValue, path: call.path, reason: "injected", code: 5,
      isTransient: false)
  }

  /// An error that asks for a retry.
  public static func busyStore(_ call: StoreCall) -> StorageError {
    .unavailable(path: call.path, reason: "injected", retryAfter: nil)
  }

  /// How many calls that count were made.
  public var callCount: Int { state.withLock { $0.callCount } }
  /// All of them, in order.
  public var calls: [StoreCall] { state.withLock { $0.calls } }
  /// True once the fault happened.
  public var fired: Bool { firedCall != nil }
  /// The call that it happened to.
  public var firedCall: StoreCall? { state.withLock { $0.fired } }

  /// Ends all faults, and lets the writes that were late arrive.
  public func heal() async {
    let late = state.withLock { state in
      state.isHealed = true
      defer { state.lateWrites = [] }
      return state.lateWrites
    }
    for write in late { await write() }
  }

  /// Counts the call; what goes wrong with it, if anything.
  fileprivate func fault(_ operation: StoreCall.Operation, _ path: ObjectPath) -> Fault? {
    let call = StoreCall(operation: operation, path: path)
    guard matches(call) else { return nil }
    return state.withLock { state in
      state.callCount += 1
      state.calls.append(call)
      if state.isHealed { return nil }
      if state.isDown { return Fault(kind: .before, cause: error(call), call: call) }
      guard state.callCount == failingCall else { return nil }
      state.fired = call
      state.isDown = lasting == .untilHealed
      return Fault(kind: kind, cause: error(call), call: call)
    }
  }

  fileprivate struct Fault {
    let kind: FaultKind
    let cause: StorageError
    let call: StoreCall

    /// What the caller is told.
    var reported: StorageError {
      kind == .before || !call.isWrite ? cause : .outcomeUnknown(cause, path: call.path)
    }
  }

  /// Runs a write under a fault; always throws.
  fileprivate func fail(
    _ fault: Fault, torn: @escaping @Sendable () async -> Void,
    _ write: @escaping @Sendable () async throws(StorageError) -> Void
  ) async throws(StorageError) -> Never {
    switch fault.kind {
    case .before, .halfway: break
    case .after: try await write()  // a refused condition is an honest answer
    case .late:
      state.withLock { state in
        state.lateWrites.append { do { try await write() } catch {} }
      }
    case .torn: await torn()
    }
    throw fault.reported
  }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    if let fault = fault(.get, path) { throw fault.reported }
    return try await base.get(path, range: range, of: version)
  }

  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    if let fault = fault(.get, path) { throw fault.reported }
    return try await base.getWithVersion(path, range: range)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    if let fault = fault(.head, path) { throw fault.reported }
    return try await base.head(path)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    guard let fault = fault(.put, path) else {
      return try await base.put(bytes, to: path, if: condition)
    }
    let base = self.base
    try await fail(fault) {
      _ = try? await base.put(bytes.slice(0..<bytes.count / 2), to: path, if: condition)
    } _: { () throws(StorageError) in
      _ = try await base.put(bytes, to: path, if: condition)
    }
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    guard let fault = fault(.delete, path) else { return try await base.delete(path) }
    let base = self.base
    try await fail(fault) {
    } _: { () throws(StorageError) in
      try await base.delete(path)
    }
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    if let fault = fault(.writer, path) { throw fault.reported }
    let writer = try await base.writer(to: path, if: condition)
    return FaultyWriter(base: writer, store: self, path: path, condition: condition)
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    guard let fault = fault(.list, prefix) else { return base.list(prefix) }
    return BrokenListing(error: fault.reported)
  }

  public func removeAbandonedWrites(
    under prefix: ObjectPath, before moment: Timestamp
  ) async throws(StorageError) -> Int {
    try await base.removeAbandonedWrites(under: prefix, before: moment)
  }

  fileprivate var underlying: any ObjectStore { base }
}

/// A writer whose parts and end may fail. It keeps the parts, to be able to tear or delay them.
private final class FaultyWriter: ObjectWriter {
  private let base: any ObjectWriter
  private let store: FaultyStore
  private let path: ObjectPath
  private let condition: PutCondition
  private let parts = Mutex<[Buffer]>([])

  init(
    base: any ObjectWriter, store: FaultyStore, path: ObjectPath, condition: PutCondition
  ) {
    self.base = base
    self.store = store
    self.path = path
    self.condition = condition
  }

  func append(_ bytes: Buffer) async throws(StorageError) {
    if let fault = store.fault(.append, path) {
      await base.abort()
      throw fault.reported
    }
    parts.withLock { $0.append(bytes) }
    try await base.append(bytes)
  }

  func finish() async throws(StorageError) -> ObjectInfo {
    guard let fault = store.fault(.finish, path) else { return try await base.finish() }
    let (base, underlying, path, condition) = (self.base, store.underlying, path, condition)
    let bytes = parts.withLock { parts in Buffer(parts.flatMap { $0.array() }) }
    if fault.kind == .after {
      _ = try await base.finish()
      throw fault.reported
    }
    await base.abort()
    try await store.fail(fault) {
      _ = try? await underlying.put(bytes.slice(0..<bytes.count / 2), to: path, if: condition)
    } _: { () throws(StorageError) in
      _ = try await underlying.put(bytes, to: path, if: condition)
    }
  }

  func abort() async { await base.abort() }
}

/// A listing that fails at its first object.
private struct BrokenListing: AsyncSequence, Sendable {
  typealias Element = ObjectInfo
  typealias Failure = StorageError

  let error: StorageError

  func makeAsyncIterator() -> Iterator { Iterator(error: error) }

  struct Iterator: AsyncIteratorProtocol {
    let error: StorageError

    mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(StorageError) -> ObjectInfo? { throw error }

    mutating func next() async throws(StorageError) -> ObjectInfo? { throw error }
  }
}
