// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Encodes BYTE_STREAM_SPLIT: the first bytes of all values, then the second bytes, and so on.
///
/// Source: parquet-format Encodings.md, "Byte Stream Split (BYTE_STREAM_SPLIT = 9)".
enum ByteStreamSplitEncoder {
  /// Appends the page of values that lie in `bytes`, `width` bytes each.
  static func encode(_ bytes: RawSpan, width: Int, into output: inout MutableBuffer) {
    precondition(width > 0 && bytes.byteCount % width == 0, "values of another width")
    let count = bytes.byteCount / width
    let start = output.count
    output.resize(to: start + bytes.byteCount)
    var target = output.mutableBytes
    for stream in 0..<width {
      var from = stream
      for i in 0..<count {
        target.storeBytes(
          of: bytes[from], toByteOffset: start &+ stream &* count &+ i, as: UInt8.self)
        from &+= width
      }
    }
  }
}
