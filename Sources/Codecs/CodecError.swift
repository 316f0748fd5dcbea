// SPDX-License-Identifier: Apache-2.0

/// What can go wrong when a block is compressed or decompressed.
///
/// Offsets count from the first compressed byte.
@nonexhaustive
public enum CodecError: Error, Hashable, Sendable {
  /// The compressed bytes end before what they hold does.
  case truncated(Codec)
  /// The compressed bytes are not what the codec writes; `offset` is where, as far as is known.
  case corrupt(Codec, offset: Int?)
  /// The bytes were decompressed and are not those that were compressed.
  case checksumMismatch(Codec)
  /// The block was said to hold `declared` bytes and holds `found`: nil for more than were declared.
  case sizeMismatch(Codec, declared: Int, found: Int?)
  /// Decompressing takes more memory than the `DecodeLimits` allow.
  case limitExceeded(Codec, byteCount: Int64, limit: Int64)
  /// The frame asks for a window of more than `limit` bytes to be kept.
  case windowTooLarge(Codec, limit: Int)
  /// The frame was compressed with a dictionary, which no format that Lake reads has.
  case dictionaryNeeded(Codec)
  /// There are more bytes to compress than a block of this codec can hold.
  case inputTooLarge(Codec, byteCount: Int, limit: Int)
  /// The codec has no such level.
  case levelOutOfRange(Codec, level: Int, allowed: ClosedRange<Int>)
  /// The C library could not get its working memory.
  case outOfMemory(Codec)
}

extension CodecError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let codec):
      "\(codec) data ends early"
    case .corrupt(let codec, let offset):
      "\(codec) data is corrupt" + (offset.map { " at byte \($0)" } ?? "")
    case .checksumMismatch(let codec):
      "\(codec) data has another checksum than was stored with it"
    case .sizeMismatch(let codec, let declared, let found):
      "\(codec) data: expected \(declared) bytes, found \(found.map { "\($0)" } ?? "more")"
    case .limitExceeded(let codec, let byteCount, let limit):
      "\(codec) data inflates to \(byteCount) bytes or more, over the limit of \(limit)"
    case .windowTooLarge(let codec, let limit):
      "\(codec) data asks for a window over the limit of \(limit) bytes"
    case .dictionaryNeeded(let codec):
      "\(codec) data needs a dictionary that is not known"
    case .inputTooLarge(let codec, let byteCount, let limit):
      "\(byteCount) bytes are more than the \(limit) that one \(codec) block can hold"
    case .levelOutOfRange(let codec, let level, let allowed):
      "\(codec) level \(level) is not one of \(allowed.lowerBound)...\(allowed.upperBound)"
    case .outOfMemory(let codec):
      "\(codec) could not get its working memory"
    }
  }
}
