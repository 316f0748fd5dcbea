// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension RawSpan {
  /// The little-endian integer at byte `offset`; the whole of it must lie inside.
  ///
  /// The one checked load everything else is built from.
  @inlinable
  public func loadLE<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
    precondition(offset >= 0 && MemoryLayout<T>.size <= byteCount - offset, "a load outside")
    return unsafe T(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The byte at `offset`.
  @inlinable
  public subscript(_ offset: Int) -> UInt8 { loadLE(at: offset, as: UInt8.self) }

  /// True if both hold the same bytes.
  public func hasSameBytes(as other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    return unsafe withUnsafeBytes { a in
      unsafe other.withUnsafeBytes { b in
        guard let p = a.baseAddress, let q = b.baseAddress else { return true }
        return unsafe memcmp(p, q, a.count) == 0
      }
    }
  }

  /// Orders by unsigned bytes, a prefix first: UTF-8 text in code point order.
  public func lexicographicallyPrecedes(_ other: RawSpan) -> Bool { compare(with: other) < 0 }

  /// Negative, zero or positive as these bytes sort before, with or after `other` (unsigned).
  public func compare(with other: RawSpan) -> Int {
    let common = Swift.min(byteCount, other.byteCount)
    let order: Int32 = unsafe withUnsafeBytes { a in
      unsafe other.withUnsafeBytes { b in
        guard common > 0, let p = a.baseAddress, let q = b.baseAddress else { return 0 }
        return unsafe memcmp(p, q, common)
      }
    }
    return order != 0 ? Int(order) : byteCount - other.byteCount
  }

  /// A copy of the bytes.
  public func array() -> [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
