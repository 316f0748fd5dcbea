// SPDX-License-Identifier: Apache-2.0

/// How much memory and depth a decoder may spend on bytes it does not trust.
///
/// A number from a file never sizes an allocation before it was held against one of these, or
/// against the bytes that are really there.
public struct DecodeLimits: Hashable, Sendable {
  /// The most bytes one compressed block may inflate to.
  public var blockByteCount = 256 << 20
  /// Past 32 MiB, the most output bytes for an input byte of a compressed block.
  public var compressionRatio = 1000
  /// The most bytes of a document that is parsed whole (table metadata, a Parquet footer).
  public var documentByteCount = 512 << 20
  /// How deep structures may nest.
  public var depth = 64
  /// The most elements a list of a header or footer may declare.
  public var listCount = 10_000_000

  public init() {}

  public static let standard = DecodeLimits()

  /// The most bytes that a block of `compressed` bytes may inflate to.
  public func inflatedByteCount(of compressed: Int) -> Int {
    let (byRatio, overflow) = compressed.multipliedReportingOverflow(by: compressionRatio)
    return overflow ? blockByteCount : min(blockByteCount, max(32 << 20, byRatio))
  }

  /// Checks what a block says it inflates to, before memory is taken for it.
  public func checkBlock(inflated: Int64, compressed: Int) throws(ByteError) {
    guard inflated >= 0 else {
      throw .outOfRange(offset: 0, what: "uncompressed size", value: inflated)
    }
    let limit = Int64(inflatedByteCount(of: compressed))
    guard inflated <= limit else {
      throw .limitExceeded(what: "uncompressed size", value: inflated, limit: limit)
    }
  }
}
