// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A growable run of bytes with one owner, which becomes a ``Buffer`` without a copy.
///
/// Decoders size it once and fill it through ``mutableBytes`` or ``mutableValues(as:)``; encoders
/// append. Bytes that were never written are not cleared unless asked for.
public struct MutableBuffer: ~Copyable, Sendable {
  private var storage: BufferStorage
  /// How many bytes are in use.
  public private(set) var count: Int

  /// Empty, with room for `capacity` bytes.
  public init(capacity: Int = 0) {
    storage = .allocate(byteCount: capacity)
    count = 0
  }

  /// `byteCount` bytes whose values are unspecified until written.
  public init(byteCount: Int) {
    storage = .allocate(byteCount: byteCount)
    count = byteCount
  }

  /// `byteCount` bytes, all of them zero.
  public init(zeroed byteCount: Int) {
    self.init(byteCount: byteCount)
    unsafe memset(storage.base, 0, byteCount)
  }

  private init(reusing storage: BufferStorage) {
    self.storage = storage
    count = 0
  }

  /// The memory of `buffer`, to be written anew: what it held counts as gone.
  ///
  /// For decoders that need a buffer of about the same size again and again, as memory that was
  /// not touched yet costs several times what is written to it.
  /// - Returns: nil, and `buffer` is left as it is, if something else refers to that memory, or it
  ///   was not allocated here.
  public static func reclaim(_ buffer: inout Buffer) -> MutableBuffer? {
    guard buffer.storage.isReusable, isKnownUniquelyReferenced(&buffer.storage) else {
      return nil
    }
    let storage = buffer.storage
    buffer = .empty
    return MutableBuffer(reusing: storage)
  }

  public var isEmpty: Bool { count == 0 }
  public var capacity: Int { storage.byteCount }

  /// The bytes in use, for reading.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(storage.base), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes in use, for writing.
  public var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      // A copy of the pointer: a span over what is read in place fails the optimizer's verifier
      // (6.3.1, release with testing enabled) wherever this is inlined before a `resize`.
      let start = unsafe rawBase
      let span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// The bytes in use as values of `T` (a broken one at the end is left out), for reading.
  @inlinable
  @_lifetime(borrow self)
  public func values<T: BitwiseCopyable>(as type: T.Type) -> Span<T> {
    let bytes = self.bytes
    let whole = bytes.extracting(first: count / MemoryLayout<T>.stride * MemoryLayout<T>.stride)
    let span = Span<T>(_bytes: whole)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The bytes in use as values of `T` (a broken one at the end is left out), for writing.
  @inlinable
  @_lifetime(&self)
  public mutating func mutableValues<T: BitwiseCopyable>(as type: T.Type) -> MutableSpan<T> {
    let whole = count / MemoryLayout<T>.stride
    let start = unsafe rawBase.assumingMemoryBound(to: T.self)
    let span = unsafe MutableSpan<T>(_unsafeStart: start, count: whole)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  @usableFromInline var rawBase: UnsafeMutableRawPointer { unsafe storage.base }

  /// Makes room for `extra` more bytes, growing geometrically.
  public mutating func reserve(_ extra: Int) {
    let (needed, overflow) = count.addingReportingOverflow(extra)
    precondition(extra >= 0 && !overflow, "a buffer of more bytes than there can be")
    if needed > storage.byteCount { grow(to: max(needed, storage.byteCount * 2, 64)) }
  }

  private mutating func grow(to capacity: Int) {
    let larger = BufferStorage.allocate(byteCount: capacity)
    unsafe memcpy(larger.base, storage.base, count)
    storage = larger
  }

  /// Sets how many bytes are in use; new ones are unspecified until written.
  public mutating func resize(to newCount: Int) {
    if newCount > count { reserve(newCount - count) }
    count = newCount
  }

  public mutating func removeAll() { count = 0 }

  /// Adds `bytes` at the end.
  public mutating func append(_ bytes: RawSpan) {
    reserve(bytes.byteCount)
    let end = count
    count += bytes.byteCount
    replace(at: end, with: bytes)
  }

  /// Adds one value at the end, in the machine's byte order (little-endian everywhere we run).
  @inlinable
  public mutating func append<T: BitwiseCopyable>(value: T) {
    let end = count
    resize(to: end + MemoryLayout<T>.size)
    unsafe rawBase.storeBytes(of: value, toByteOffset: end, as: T.self)
  }

  /// Writes `bytes` over the bytes from `offset` on.
  public mutating func replace(at offset: Int, with bytes: RawSpan) {
    precondition(offset >= 0 && bytes.byteCount <= count - offset, "a write outside the buffer")
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe memcpy(storage.base + offset, start, source.count)
    }
  }

  /// The bytes in use as an immutable buffer. No copy.
  public consuming func freeze() -> Buffer {
    Buffer(storage: storage, offset: 0, count: count)
  }
}
