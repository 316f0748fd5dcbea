// SPDX-License-Identifier: Apache-2.0

/// What can be wrong with bytes that came from outside.
///
/// Offsets count from the start of the span that was being read; whoever knows the file and the
/// part of it adds them when it wraps this error.
@nonexhaustive
public enum ByteError: Error, Hashable, Sendable {
  /// `needed` bytes were to be read at `offset`, and `available` were left.
  case truncated(offset: Int, needed: Int, available: Int)
  /// The variable-length integer at `offset` is longer than its type, or overflows it.
  case overlongInteger(offset: Int)
  /// The bytes at `offset` are not the expected ones: a magic, a marker, a fixed field.
  case unexpected(offset: Int, expected: String, found: String)
  /// A number at `offset` is outside what its place allows.
  case outOfRange(offset: Int, what: String, value: Int64)
  /// The bytes at `offset` are not UTF-8.
  case notUTF8(offset: Int)
  /// More memory would be needed than the ``DecodeLimits`` allow.
  case limitExceeded(what: String, value: Int64, limit: Int64)
}

extension ByteError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let offset, let needed, let available):
      "ends early at byte \(offset): expected \(needed) more, found \(available)"
    case .overlongInteger(let offset):
      "integer at byte \(offset) is longer than its type allows"
    case .unexpected(let offset, let expected, let found):
      "at byte \(offset): expected \(expected), found \(found)"
    case .outOfRange(let offset, let what, let value):
      "\(what) at byte \(offset) is out of range: found \(value)"
    case .notUTF8(let offset):
      "text at byte \(offset) is not UTF-8"
    case .limitExceeded(let what, let value, let limit):
      "\(what) of \(value) is over the limit of \(limit)"
    }
  }
}
