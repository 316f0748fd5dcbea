// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The memory behind one or more buffers, given back when the last of them is gone.
///
/// This class is where ownership of raw memory lives; nothing outside it frees any. The bytes do
/// not change once a ``Buffer`` refers to them, which is what makes it `Sendable`.
@safe
public final class BufferStorage: Sendable {
  nonisolated(unsafe) let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let release: @Sendable () -> Void
  /// True for memory of ours, which may be written again once nothing refers to it.
  let isReusable: Bool

  /// How allocations are aligned; Arrow recommends it, and it is a cache line.
  static let alignment = 64

  /// Fresh memory for `byteCount` bytes, not cleared, and some readable ones after them.
  static func allocate(byteCount: Int) -> BufferStorage {
    precondition(byteCount >= 0)
    let capacity = (byteCount + 2 * alignment - 1) / alignment * alignment
    nonisolated(unsafe) let base = UnsafeMutableRawPointer.allocate(
      byteCount: capacity, alignment: alignment)
    return unsafe BufferStorage(base, byteCount, isReusable: true) { unsafe base.deallocate() }
  }

  @unsafe
  private init(
    _ base: UnsafeMutableRawPointer, _ byteCount: Int, isReusable: Bool,
    _ release: @escaping @Sendable () -> Void
  ) {
    precondition(byteCount >= 0)
    unsafe self.base = unsafe base
    self.byteCount = byteCount
    self.isReusable = isReusable
    self.release = release
  }

  /// Memory that someone else owns: a mapped file, an array of another library.
  ///
  /// - Parameter release: called once, when the last buffer over it is gone.
  @unsafe
  public convenience init(
    adopting base: UnsafeMutableRawPointer, byteCount: Int, release: @escaping @Sendable () -> Void
  ) {
    unsafe self.init(base, byteCount, isReusable: false, release)
  }

  deinit { release() }
}
