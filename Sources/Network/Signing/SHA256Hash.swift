// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Crypto

/// SHA-256 and what is built on it, as signatures want them spelled.
public enum SHA256Hash {
  /// The hash of no bytes.
  public static let ofNothing = hexadecimal(of: [])

  /// The hash of `bytes` in 64 small hexadecimal digits.
  public static func hexadecimal(of bytes: Buffer) -> String {
    var hash = SHA256()
    unsafe bytes.bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    return hexadecimal(Array(hash.finalize()))
  }

  static func hexadecimal(of bytes: [UInt8]) -> String {
    hexadecimal(Array(SHA256.hash(data: bytes)))
  }

  /// The keyed hash (HMAC, RFC 2104) of `text`.
  static func authenticationCode(of text: String, key: [UInt8]) -> [UInt8] {
    Array(
      HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      for digit in [byte >> 4, byte & 15] { digits.append(digit + (digit < 10 ? 48 : 87)) }
    }
    return String(decoding: digits, as: UTF8.self)
  }
}
