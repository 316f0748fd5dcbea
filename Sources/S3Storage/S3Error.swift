// SPDX-License-Identifier: Apache-2.0

/// What can go wrong before a store of S3 is there, and while its requests are signed.
///
/// Whatever happens to a request itself is a `StorageError`.
@nonexhaustive
public enum S3Error: Error, Hashable, Sendable {
  /// The value of the property `name` makes no sense.
  case invalidProperty(name: String, value: String, reason: String)
  /// There is no way to prove who asks; `isTransient` if there may be one a little later.
  case noCredentials(reason: String, isTransient: Bool)
}

extension S3Error: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidProperty(let name, let value, let reason):
      "the property \(name) is '\(value)': \(reason)"
    case .noCredentials(let reason, _): "no credentials for S3: \(reason)"
    }
  }
}
