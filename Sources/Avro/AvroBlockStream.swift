// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Codecs

/// Reads a container file block by block from bytes that come in any pieces: for files that are
/// not, or should not be, in memory whole.
///
///     var blocks = AvroBlockStream()
///     while let chunk = … {
///       blocks.feed(chunk)
///       while let block = try blocks.next() { … }
///     }
///     try blocks.finish()
///
/// Laws: as ``AvroFileReader``; besides the block that is not whole yet, one block is in memory.
/// Source: Avro 1.12 specification, "Object Container Files".
public struct AvroBlockStream: ~Copyable, Sendable {
  /// What stands at the beginning; nil until all of it was fed and ``next()`` was called.
  public private(set) var header: AvroFileHeader?
  private let limits: DecodeLimits
  private var reader: AvroFileReader?
  private var unread = Buffer.empty
  /// Where `unread` begins in the file.
  private var offset = 0
  /// How many bytes there have to be before trying again is worth it.
  private var wanted = 0

  /// The most bytes of a header.
  private static let headerByteLimit = 64 << 20

  public init(limits: DecodeLimits = .standard) { self.limits = limits }

  /// Takes the next bytes of the file.
  public mutating func feed(_ bytes: Buffer) {
    if unread.isEmpty {
      unread = bytes
      return
    }
    var joined = MutableBuffer(capacity: unread.count + bytes.count)
    joined.append(unread.bytes)
    joined.append(bytes.bytes)
    unread = joined.freeze()
  }

  /// The next block, inflated; nil if more bytes are needed for it, or at the end.
  public mutating func next() throws(AvroError) -> AvroBlock? {
    if unread.isEmpty || unread.count < wanted { return nil }
    do throws(AvroError) {
      if header == nil { try readHeader() }
      guard let block = try reader?.block(of: unread, at: offset) else { return nil }
      take(block.byteCount)
      return try reader?.inflate(block.raw)
    } catch {
      wanted = unread.count + (try missingByteCount(error))
      return nil
    }
  }

  /// How many more bytes there have to be, at least, for what failed to go on.
  ///
  /// - Throws: `error`, if more bytes would not change it.
  private func missingByteCount(_ error: AvroError) throws(AvroError) -> Int {
    switch error {
    case .truncated(_, let needed, let available):
      guard header != nil || unread.count < Self.headerByteLimit else {
        throw .limitExceeded(
          what: "header size", value: Int64(unread.count), limit: Int64(Self.headerByteLimit))
      }
      return max(1, needed - available)
    // A count of entries is held against the bytes there are, of which there may come more.
    case .malformed(let offset, _, _)
    where header == nil && offset > 0 && unread.count < 64 << 10:
      return 1
    default: throw error
    }
  }

  private mutating func readHeader() throws(AvroError) {
    let header = try AvroFileHeader(unread.bytes)
    self.header = header
    reader = AvroFileReader(header, limits: limits)
    take(header.byteCount)
  }

  private mutating func take(_ byteCount: Int) {
    unread = unread.slice(byteCount..<unread.count)
    offset += byteCount
    wanted = 0
  }

  /// Throws unless the file, of which all bytes were fed and read, ends between two blocks.
  public func finish() throws(AvroError) {
    if header != nil, unread.isEmpty { return }
    if header == nil { _ = try AvroFileHeader(unread.bytes) }
    throw .truncated(offset: offset, needed: max(1, wanted - unread.count), available: unread.count)
  }
}
