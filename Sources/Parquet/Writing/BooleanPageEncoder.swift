// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Pages of booleans: PLAIN bits, or RLE where asked for.
final class BooleanPageEncoder: PageEncoder {
  private let encoding: Encoding
  private var bits = BitmapBuilder()

  init(encoding: Encoding) { self.encoding = encoding }

  var pendingByteCount: Int { bits.count / 8 }

  func append(_ values: LeafValues, _ range: Range<Int>) {
    switch values {
    case .bits(let source):
      for i in range { bits.append(source[i]) }
    case .dictionary(let codes, .bits(let entries), _):
      let codes = codes.values(as: Int32.self)
      for i in range { bits.append(entries[Int(codes[i])]) }
    default: preconditionFailure("values of another layout than booleans")
    }
  }

  func finishPage(
    _ context: inout PageContext, into body: inout MutableBuffer
  ) throws(ParquetError) -> EncodedValues {
    let page = exchange(&bits, with: BitmapBuilder()).finish()
    var values = EncodedValues(encoding: encoding, count: page.count)
    let ones = page.countOfOnes
    if page.count > 0 {
      values.bounds = ValueBounds(
        least: .integer(ones == page.count ? 1 : 0), greatest: .integer(ones > 0 ? 1 : 0))
    }
    if encoding == .rle {
      encodeRuns(page, into: &body)
    } else {
      body.append(page.buffer.bytes.extracting(0..<(page.count + 7) / 8))
    }
    return values
  }

  /// The length in 4 bytes, then the hybrid.
  private func encodeRuns(_ page: Bitmap, into body: inout MutableBuffer) {
    var wide = MutableBuffer(byteCount: page.count * 4)
    var target = wide.mutableValues(as: UInt32.self)
    for i in target.indices { target[i] = page[i] ? 1 : 0 }
    var runs = MutableBuffer()
    RLEBitPackedEncoder.encode(wide.values(as: UInt32.self), bitWidth: 1, into: &runs)
    body.append(value: UInt32(truncatingIfNeeded: runs.count))
    body.append(runs.bytes)
  }

  func finishChunk(_ context: inout PageContext) throws(ParquetError) -> EncodedDictionary? { nil }
}
