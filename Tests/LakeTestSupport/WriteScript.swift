// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage
import Synchronization

/// Says what becomes of each request that writes, on a way to a store that loses some.
public final class WriteScript: Sendable {
  /// What becomes of one request.
  public enum Fate: Sendable {
    /// It is never acted on, and no one says so.
    case loseRequest
    /// It is acted on, and no one says so.
    case loseReply
    /// It is acted on when ``WriteScript/releaseHeld()`` is called, and its sender hears nothing.
    case hold
    /// It is refused, for now.
    case busy
    /// It is refused, as another writes there.
    case conflict
    /// It is refused for good.
    case forbid
  }

  private struct State {
    var count = 0
    var held: [@Sendable () async -> Void] = []
  }

  private let decide: @Sendable (Int) async throws -> Fate?
  private let losesReads: Bool
  private let state = Mutex(State())

  /// - Parameters:
  ///   - losesReads: true if reads have no answers once a write had none.
  ///   - decide: the fate of write number n, from 1; nil to let it pass. What others do meanwhile,
  ///     it does itself.
  public init(
    losesReads: Bool = false, _ decide: @escaping @Sendable (Int) async throws -> Fate?
  ) {
    self.losesReads = losesReads
    self.decide = decide
  }

  /// How many writes were sent.
  public var count: Int { state.withLock(\.count) }

  /// Counts a write; what becomes of it.
  public func fateOfWrite() async -> Fate? {
    let number = state.withLock { state in
      state.count += 1
      return state.count
    }
    do {
      return try await decide(number)
    } catch {
      return .forbid
    }
  }

  public var isReadLost: Bool { losesReads && count > 0 }

  public func hold(_ write: @escaping @Sendable () async -> Void) {
    state.withLock { $0.held.append(write) }
  }

  /// Delivers what was held back, in order.
  public func releaseHeld() async {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for write in held { await write() }
  }
}

/// A store on the way to which a ``WriteScript`` is played: for stores that no wire leads to.
public struct ScriptedStore: ObjectStore {
  private let base: any ObjectStore
  private let script: WriteScript

  public init(_ base: any ObjectStore, _ script: WriteScript) {
    self.base = base
    self.script = script
  }

  private static func lost(_ path: ObjectPath) -> StorageError {
    .outcomeUnknown(
      .io(operation: "write", path: path, reason: "scripted", code: 5, isTransient: true),
      path: path)
  }

  fileprivate static func play<T: Sendable>(
    _ script: WriteScript, _ path: ObjectPath,
    _ write: @escaping @Sendable () async throws(StorageError) -> T
  ) async throws(StorageError) -> T {
    switch await script.fateOfWrite() {
    case nil: return try await write()
    case .loseRequest: throw lost(path)
    case .loseReply:
      _ = try await write()
      throw lost(path)
    case .hold:
      script.hold { _ = try? await write() }
      throw lost(path)
    case .busy, .conflict:
      throw .unavailable(path: path, reason: "scripted", retryAfter: nil)
    case .forbid: throw .permissionDenied(path: path, reason: "scripted")
    }
  }

  private func checkRead(_ path: ObjectPath) throws(StorageError) {
    if script.isReadLost { throw .unavailable(path: path, reason: "scripted", retryAfter: nil) }
  }

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try checkRead(path)
    return try await base.get(path, range: range, of: version)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try checkRead(path)
    return try await base.head(path)
  }

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    let base = self.base
    return try await Self.play(script, path) { () throws(StorageError) in
      try await base.put(bytes, to: path, if: condition)
    }
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    Writer(base: try await base.writer(to: path, if: condition), script: script, path: path)
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    let base = self.base
    try await Self.play(script, path) { () throws(StorageError) in try await base.delete(path) }
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    base.list(prefix)
  }

  private struct Writer: ObjectWriter {
    let base: any ObjectWriter
    let script: WriteScript
    let path: ObjectPath

    func append(_ bytes: Buffer) async throws(StorageError) { try await base.append(bytes) }

    func finish() async throws(StorageError) -> ObjectInfo {
      let base = self.base
      return try await ScriptedStore.play(script, path) { () throws(StorageError) in
        try await base.finish()
      }
    }

    func abort() async { await base.abort() }
  }
}

/// A wire on which a ``WriteScript`` is played: to a server that speaks S3.
public struct ScriptedWire: HTTPTransport {
  private let base: any HTTPTransport
  private let script: WriteScript

  public init(_ base: any HTTPTransport, _ script: WriteScript) {
    self.base = base
    self.script = script
  }

  public func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    if request.method == .get || request.method == .head {
      if script.isReadLost { throw .interrupted(reason: "scripted") }
      return try await base.send(request)
    }
    switch await script.fateOfWrite() {
    case nil: return try await base.send(request)
    case .loseRequest: throw .interrupted(reason: "scripted")
    case .loseReply:
      _ = try await base.send(request)
      throw .interrupted(reason: "scripted")
    case .hold:
      let base = self.base
      script.hold { _ = try? await base.send(request) }
      throw .interrupted(reason: "scripted")
    case .busy: return Self.refusal(503, "SlowDown")
    case .conflict: return Self.refusal(409, "ConditionalRequestConflict")
    case .forbid: return Self.refusal(403, "AccessDenied")
    }
  }

  private static func refusal(_ status: Int, _ code: String) -> HTTPResponse {
    .reply(status, body: "<Error><Code>\(code)</Code><Message>scripted</Message></Error>")
  }
}
