// SPDX-License-Identifier: Apache-2.0
public import Storage

/// Knows credentials that work now.
public protocol CredentialsProvider: Sendable {
  /// Credentials that do not expire within the next moments.
  ///
  /// - Throws: ``CredentialsError``.
  func credentials() async throws(CredentialsError) -> AWSCredentials

  /// Says that a server did not accept `credentials` any more, so that others are fetched.
  func discard(_ credentials: AWSCredentials) async
}

/// Credentials that stay as they are.
public struct FixedCredentials: CredentialsProvider {
  private let fixed: AWSCredentials

  public init(_ credentials: AWSCredentials) { fixed = credentials }

  public func credentials() async throws(CredentialsError) -> AWSCredentials { fixed }

  /// Does nothing: there are no others.
  public func discard(_ credentials: AWSCredentials) async {}
}

/// A place where credentials may be.
public protocol CredentialsSource: Sendable {
  /// What an error calls the place.
  var name: String { get }

  /// The credentials there; nil if the place is not used here.
  ///
  /// - Throws: ``CredentialsError`` if the place is meant to be used, and has none that work.
  func load() async throws(CredentialsError) -> AWSCredentials?
}

/// Keeps the credentials of the first of several places that has some, and fetches them again
/// before they expire.
///
/// Laws:
/// 1. There is one request for them at a time: who asks meanwhile waits for it, or is given the old
///    ones while they last.
/// 2. Five minutes before they expire others are fetched. If that fails, the old ones are used as
///    long as they last, and it is tried again after half a minute.
/// 3. A place that is meant to be used and fails is an error: a place further down is not asked, as
///    its credentials may be another's.
public actor RefreshingCredentials: CredentialsProvider {
  private let sources: [any CredentialsSource]
  private let environment: Environment

  private var current: AWSCredentials?
  private var isRefreshing = false
  private var notBefore: Timestamp?
  private var waiting: [CheckedContinuation<Result<AWSCredentials, CredentialsError>, Never>] = []

  /// How long before they expire credentials are fetched again.
  public static let margin = Duration.seconds(300)
  /// How long nothing is fetched after that failed, while the old ones last.
  public static let pause = Duration.seconds(30)
  /// Credentials that expire this soon are taken as expired: a request takes time.
  private static let leastLife = Duration.seconds(10)

  /// - Parameter sources: in the order they are asked.
  public init(_ sources: [any CredentialsSource], environment: Environment) {
    self.sources = sources
    self.environment = environment
  }

  public func credentials() async throws(CredentialsError) -> AWSCredentials {
    while true {
      let now = environment.now()
      if let current, isUsable(current, at: now) {
        let isDue = current.expiration.map { now.adding(Self.margin) >= $0 } ?? false
        if !isDue || isRefreshing || notBefore.map({ now < $0 }) ?? false { return current }
      }
      if !isRefreshing { return try await refresh() }
      let result = await withCheckedContinuation { waiting.append($0) }
      // That another's task was cancelled says nothing about ours.
      if case .failure(.cancelled) = result, !Task.isCancelled { continue }
      return try result.get()
    }
  }

  public func discard(_ credentials: AWSCredentials) {
    if current == credentials {
      current = nil
      notBefore = nil
    }
  }

  private func refresh() async throws(CredentialsError) -> AWSCredentials {
    isRefreshing = true
    let result = await fetch()
    isRefreshing = false
    defer {
      for waiter in waiting { waiter.resume(returning: result) }
      waiting = []
    }
    switch result {
    case .success(let fetched):
      current = fetched
      notBefore = nil
      return fetched
    case .failure(let error):
      let now = environment.now()
      guard let current, isUsable(current, at: now) else { throw error }
      if error != .cancelled { notBefore = now.adding(Self.pause) }
      return current
    }
  }

  private func fetch() async -> Result<AWSCredentials, CredentialsError> {
    do throws(CredentialsError) {
      for source in sources {
        guard let found = try await source.load() else { continue }
        if let expiration = found.expiration, !isUsable(found, at: environment.now()) {
          throw .expired(source: source.name, at: expiration)
        }
        return .success(found)
      }
      throw .notFound(tried: sources.map(\.name))
    } catch {
      return .failure(error)
    }
  }

  private func isUsable(_ credentials: AWSCredentials, at now: Timestamp) -> Bool {
    credentials.expiration.map { now.adding(Self.leastLife) < $0 } ?? true
  }
}

extension RefreshingCredentials: CustomReflectable {
  /// The places, and nothing that was found there.
  public nonisolated var customMirror: Mirror {
    Mirror(self, children: ["sources": sources.map(\.name)])
  }
}
