// SPDX-License-Identifier: Apache-2.0
public import Network
public import Storage
internal import Synchronization

/// Proves to the server who asks.
public protocol S3Signing: Sendable {
  /// `request` with what proves it, all else as it was.
  ///
  /// - Parameters:
  ///   - moment: by the server's clock, as far as it is known.
  ///   - payload: how the body is vouched for.
  func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest

  /// The server says that what was used has ended. True if a new try has a chance.
  func renew() async -> Bool
}

/// Signs with the keys that a provider knows.
public final class ProvidedKeys: S3Signing {
  private let provider: any CredentialsProvider
  private let lastUsed = Mutex<AWSCredentials?>(nil)

  public init(_ provider: any CredentialsProvider) { self.provider = provider }

  public func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest {
    let credentials: AWSCredentials
    do throws(CredentialsError) {
      credentials = try await provider.credentials()
    } catch {
      throw .noCredentials(reason: "\(error)", isTransient: error.remedy == .retry)
    }
    lastUsed.withLock { $0 = credentials }
    var request = request
    SignatureV4(service: "s3", region: region)
      .sign(&request, with: credentials, at: moment, payload: payload)
    return request
  }

  public func renew() async -> Bool {
    guard let used = lastUsed.withLock(\.self) else { return false }
    await provider.discard(used)
    // Those that do not change are as bad as before.
    return (try? await provider.credentials()) != used
  }
}

/// Signs nothing: for what everyone may read.
public struct Anonymous: S3Signing {
  public init() {}

  public func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest { request }

  public func renew() async -> Bool { false }
}
