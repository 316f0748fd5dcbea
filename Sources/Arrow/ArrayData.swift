// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// An array as it lies in memory: what the bodies of messages and the C interface have in common.
struct ArrayData {
  var count: Int
  /// Nil where it is not known.
  var nullCount: Int?
  /// Where the first row is in the buffers and children.
  var offset = 0
  /// As ``ArrowType/bufferCount`` has them, the validity first; nil for one that is left out.
  var buffers: [Buffer?]
  var children: [ArrayData] = []
  /// The entries that the values are codes of.
  var dictionary: Column?

  /// The row after the last.
  var end: Int { offset + count }
}

/// How much memory decoding one message may take beyond what is there in bytes.
struct Allowance {
  private(set) var left: Int
  private let total: Int

  init(_ total: Int) {
    self.total = total
    left = total
  }

  /// 64 bytes for each of `byteCount`, and 32 MiB.
  init(forBytes byteCount: Int) {
    let (product, overflow) = byteCount.multipliedReportingOverflow(by: 64)
    self.init(overflow ? .max : (32 << 20) + min(product, .max - (32 << 20)))
  }

  static let unlimited = Allowance(.max)

  mutating func take(_ byteCount: Int) throws(ArrowError) {
    guard byteCount <= left else {
      throw .limitExceeded(
        what: "memory for a batch", value: Int64(byteCount), limit: Int64(total))
    }
    left -= byteCount
  }

  /// Takes `count` times `width`, both not negative.
  mutating func take(_ count: Int, times width: Int) throws(ArrowError) {
    let (product, overflow) = count.multipliedReportingOverflow(by: width)
    try take(overflow ? .max : product)
  }
}
