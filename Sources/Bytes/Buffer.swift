// SPDX-License-Identifier: Apache-2.0

/// A run of immutable bytes, shared by reference and sliced without a copy.
///
/// Used from the socket or file to the column. Memory Lake allocates is 64-byte aligned; a slice
/// may start anywhere, so typed views ask for alignment with ``isAligned(to:)``.
///
/// Cost: copying or slicing a buffer is O(1) and keeps all of the memory behind it alive.
public struct Buffer: Sendable {
  public internal(set) var storage: BufferStorage
  @usableFromInline let offset: Int
  /// How many bytes.
  public let count: Int

  /// All of `storage`.
  public init(_ storage: BufferStorage) {
    self.storage = storage
    self.offset = 0
    self.count = storage.byteCount
  }

  init(storage: BufferStorage, offset: Int, count: Int) {
    self.storage = storage
    self.offset = offset
    self.count = count
  }

  /// No bytes.
  public static let empty = Buffer(BufferStorage.allocate(byteCount: 0))

  /// A copy of `bytes`.
  public init(copying bytes: RawSpan) {
    var target = MutableBuffer(byteCount: bytes.byteCount)
    target.replace(at: 0, with: bytes)
    self = target.freeze()
  }

  /// A copy of `bytes`.
  public init(_ bytes: [UInt8]) { self.init(copying: unsafe bytes.span.bytes) }

  /// A copy of the UTF-8 of `text`.
  public init(utf8 text: String) { self.init(Array(text.utf8)) }

  public var isEmpty: Bool { count == 0 }

  /// The bytes, for reading.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let start = unsafe UnsafeRawPointer(storage.base) + offset
      let span = unsafe RawSpan(_unsafeStart: start, byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes as values of `T`, in the machine's byte order.
  ///
  /// Requires: the count is a multiple of `T`'s stride, and the start is aligned for it.
  @inlinable
  @_lifetime(borrow self)
  public func values<T: BitwiseCopyable>(as type: T.Type) -> Span<T> {
    precondition(count % MemoryLayout<T>.stride == 0, "a buffer of a broken number of values")
    precondition(isAligned(to: MemoryLayout<T>.alignment), "a buffer that is not aligned")
    let span = Span<T>(_bytes: bytes)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// True if the first byte lies on a multiple of `alignment` (a power of two).
  public func isAligned(to alignment: Int) -> Bool {
    unsafe (Int(bitPattern: storage.base) + offset) & (alignment - 1) == 0
  }

  /// The bytes in `range`, without a copy.
  public func slice(_ range: Range<Int>) -> Buffer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a slice outside the buffer")
    return Buffer(storage: storage, offset: offset + range.lowerBound, count: range.count)
  }

  /// True if both are the very same bytes of the very same memory, which costs no comparison.
  public func isSameMemory(as other: Buffer) -> Bool {
    storage === other.storage && offset == other.offset && count == other.count
  }

  /// A copy of the bytes.
  public func array() -> [UInt8] {
    let bytes = self.bytes
    return unsafe bytes.withUnsafeBytes { unsafe Array($0) }
  }

  /// How much memory is kept alive by this buffer.
  public var retainedByteCount: Int { storage.byteCount }
}

extension Buffer: Hashable {
  public static func == (a: Buffer, b: Buffer) -> Bool { a.bytes.hasSameBytes(as: b.bytes) }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}
