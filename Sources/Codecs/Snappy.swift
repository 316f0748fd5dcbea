// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Snappy's raw format: the size as a varint, then the elements the kernels know.
///
/// Source: snappy, format_description.txt.
enum Snappy {
  /// The most bytes one block may hold.
  static let inputLimit = Int(UInt32.max)

  /// What the block says it holds, and how many bytes say it.
  static func preamble(
    of input: RawSpan
  ) throws(CodecError) -> (uncompressedByteCount: Int, byteCount: Int) {
    var reader = ByteReader(input)
    let size: UInt64
    do throws(ByteError) {
      size = try reader.readULEB128(maxBytes: 5)
    } catch {
      if case .truncated = error { throw .truncated(.snappy) }
      throw .corrupt(.snappy, offset: 0)
    }
    guard size <= inputLimit else { throw .corrupt(.snappy, offset: 0) }
    return (Int(size), reader.offset)
  }

  /// Fills `output` from byte `start` on.
  static func decompress(
    _ input: RawSpan, into output: inout MutableRawSpan, from start: Int
  ) throws(CodecError) {
    let preamble = try preamble(of: input)
    let room = output.byteCount - start
    guard preamble.uncompressedByteCount == room else {
      throw .sizeMismatch(.snappy, declared: room, found: preamble.uncompressedByteCount)
    }
    let elements = input.extracting(preamble.byteCount..<input.byteCount)
    let wrong = unsafe elements.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        unsafe SnappyDecodeKernel.decode(source, into: .init(rebasing: target[start...]))
      }
    }
    guard let wrong else { return }
    guard wrong < elements.byteCount else { throw .truncated(.snappy) }
    throw .corrupt(.snappy, offset: preamble.byteCount + wrong)
  }

  /// Appends the block of `input` to `output`.
  static func compress(
    _ input: RawSpan, into output: inout MutableBuffer, table: inout [UInt16]
  ) throws(CodecError) {
    guard input.byteCount <= inputLimit else {
      throw .inputTooLarge(.snappy, byteCount: input.byteCount, limit: inputLimit)
    }
    if table.isEmpty { table = [UInt16](repeating: 0, count: SnappyEncodeKernel.tableCount) }
    var preamble = ByteWriter(capacity: 8)
    preamble.writeULEB128(UInt64(input.byteCount))
    output.append(preamble.bytes)
    let start = output.count
    output.resize(to: start + SnappyEncodeKernel.bound(input.byteCount))
    var target = output.mutableBytes
    let written = unsafe input.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe table.withUnsafeMutableBufferPointer { table in
          unsafe SnappyEncodeKernel.encode(
            source, into: .init(rebasing: target[start...]), table: table)
        }
      }
    }
    output.resize(to: start + written)
  }
}
