// SPDX-License-Identifier: Apache-2.0
public import Storage

/// What proves to AWS, or to a store that speaks its protocol, who is asking.
public struct AWSCredentials: Hashable, Sendable {
  /// Names the secret; itself not secret, though of no concern to others.
  public var accessKeyID: String
  public var secretAccessKey: Secret
  /// Sent along with temporary credentials.
  public var sessionToken: Secret?
  /// When they end; nil if they do not.
  public var expiration: Timestamp?

  public init(
    accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil,
    expiration: Timestamp? = nil
  ) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
  }
}
