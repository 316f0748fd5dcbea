// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Takes the values of a column chunk and makes the value part of its pages.
///
/// The chunk encoder appends values, ends a page when it is full, and asks for the dictionary once
/// all pages are made. Calls are per piece of a page, never per value.
protocol PageEncoder: AnyObject {
  /// Adds the values in `range` to the page.
  func append(_ values: LeafValues, _ range: Range<Int>)
  /// About how many bytes the page's values take so far.
  var pendingByteCount: Int { get }
  /// Writes the values of the page to `body`, and starts the next one.
  func finishPage(
    _ context: inout PageContext, into body: inout MutableBuffer
  ) throws(ParquetError) -> EncodedValues
  /// The dictionary that pages of this chunk refer to; nil if none does. Starts the next chunk.
  func finishChunk(_ context: inout PageContext) throws(ParquetError) -> EncodedDictionary?
}

/// What a page encoder needs to know when a page ends.
struct PageContext: ~Copyable, Sendable {
  /// Measures candidates.
  var compressor: PageCompressor
  /// True if no more values of the column chunk will come.
  var isLastPage = false
  /// Where hashes for the Bloom filter go; nil if there is none.
  var hashes: [UInt64]?

  init(compressor: consuming PageCompressor) { self.compressor = compressor }

  /// Columns of fewer values are not compressed on trial: a file of few rows should take no longer
  /// to try out than to write.
  private static let leastValuesToCompress = 512

  /// How many bytes a candidate for a page of `valueCount` values takes, compressed, or about so.
  mutating func measure(_ candidate: RawSpan, valueCount: Int) throws(ParquetError) -> Int {
    if isLastPage, valueCount < Self.leastValuesToCompress { return candidate.byteCount }
    return try compressor.measure(candidate)
  }
}

/// The value part of a page.
struct EncodedValues {
  var encoding: Encoding
  var count: Int
  /// Nil if there is no value, or only NaNs.
  var bounds: ValueBounds?
  var nanCount = 0
  /// Bytes of the byte arrays alone; 0 for other types.
  var byteArrayByteCount = 0
}

/// The values that codes refer to, in the PLAIN encoding.
struct EncodedDictionary {
  let plain: Buffer
  let count: Int
}

/// The codes of a page: dictionary indices with their bit width.
enum CodePage {
  /// Appends the bit width and the codes, which are below `entryCount`.
  static func encode(
    _ codes: Span<UInt32>, entryCount: Int, into body: inout MutableBuffer
  ) {
    let width = RLEBitPackedEncoder.bitWidth(of: max(0, entryCount - 1))
    body.append(value: UInt8(width))
    RLEBitPackedEncoder.encode(codes, bitWidth: width, into: &body)
  }
}
