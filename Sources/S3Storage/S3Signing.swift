// SPDX-License-Identifier: Apache-2.0
public import Network
public import Storage

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

/// Signs with keys that do not change.
public struct FixedKeys: S3Signing {
  private let credentials: AWSCredentials

  public init(_ credentials: AWSCredentials) { self.credentials = credentials }

  public func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest {
    var request = request
    SignatureV4(service: "s3", region: region)
      .sign(&request, with: credentials, at: moment, payload: payload)
    return request
  }

  public func renew() async -> Bool { false }
}

/// Signs nothing: for what everyone may read.
public struct Anonymous: S3Signing {
  public init() {}

  public func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest { request }

  public func renew() async -> Bool { false }
}
