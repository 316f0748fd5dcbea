// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Puts byte strings one after the other, each behind its length in four bytes.
///
/// Copies 16 bytes at a time, whatever the length, where both sides have the room; the next string
/// covers what was too much: 7.9 ns for a string of 26 bytes against 14.8 for the safe twin in the
/// tests.
public enum LengthPrefixKernel {
  /// How far behind the end of a string a copy may reach.
  private static let overrun = 16

  /// Appends the strings `bytes[offsets[i]..<offsets[i + 1]]` to `output`.
  ///
  /// Requires: offsets ascend and lie inside `bytes`.
  public static func append(
    _ offsets: Span<Int32>, _ bytes: RawSpan, to output: inout MutableBuffer
  ) {
    guard offsets.count > 1 else { return }
    check(offsets, bytes.byteCount)
    let start = output.count
    let total = Int(offsets[offsets.count - 1] - offsets[0]) + 4 * (offsets.count - 1)
    output.resize(to: start + total + overrun)
    let target = unsafe output.rawBase + start
    unsafe offsets.withUnsafeBufferPointer { offsets in
      unsafe bytes.withUnsafeBytes { source in
        unsafe interleave(offsets, source, to: target)
      }
    }
    output.resize(to: start + total)
  }

  private static func check(_ offsets: Span<Int32>, _ byteCount: Int) {
    precondition(offsets[0] >= 0 && Int(offsets[offsets.count - 1]) <= byteCount)
    let before = offsets.extracting(0..<offsets.count - 1)
    let after = offsets.extracting(1..<offsets.count)
    var isAscending = true
    for i in before.indices { isAscending = isAscending && before[i] <= after[i] }
    precondition(isAscending, "strings that end before they begin")
  }

  /// `target` has room for all strings with their lengths, and ``overrun`` bytes more.
  private static func interleave(
    _ offsets: UnsafeBufferPointer<Int32>, _ source: UnsafeRawBufferPointer,
    to target: UnsafeMutableRawPointer
  ) {
    var target = unsafe target
    for i in 0..<offsets.count &- 1 {
      let start = unsafe Int(offsets[i])
      let count = unsafe Int(offsets[i &+ 1]) &- start
      unsafe target.storeBytes(of: UInt32(truncatingIfNeeded: count).littleEndian, as: UInt32.self)
      unsafe target += 4
      if start &+ count &+ overrun <= source.count {
        var copied = 0
        repeat {
          let chunk = unsafe source.loadUnaligned(
            fromByteOffset: start &+ copied, as: SIMD16<UInt8>.self)
          unsafe target.storeBytes(of: chunk, toByteOffset: copied, as: SIMD16<UInt8>.self)
          copied &+= 16
        } while copied < count
      } else if count > 0, let base = source.baseAddress {
        unsafe memcpy(target, base + start, count)
      }
      unsafe target += count
    }
  }
}
