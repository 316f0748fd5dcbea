// SPDX-License-Identifier: Apache-2.0
public import Bytes

/// How column chunks are decoded.
public struct ReadOptions: Sendable {
  /// What memory may be spent on bytes that are not trusted.
  public var limits = DecodeLimits.standard
  /// What is done with the checksums of pages that have one.
  public var checksums = Checksums.verified

  public enum Checksums: Hashable, Sendable {
    case verified
    case ignored
  }

  public init() {}
}
