// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Crypto

/// MD5, which guards against nothing but damage on the way; some requests of S3 must have it.
public enum MD5Hash {
  /// The hash of `bytes`, as the header `Content-MD5` has it.
  public static func base64(of bytes: Buffer) -> String {
    Base64Text.encoded(Array(Insecure.MD5.hash(data: bytes.array())))
  }
}

/// Bytes as text in base 64, with padding.
///
/// Source: RFC 4648, section 4.
public enum Base64Text {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  public static func encoded(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for (index, byte) in group.enumerated() { word |= UInt32(byte) << UInt32(16 - 8 * index) }
      for index in 0..<4 {
        text.append(
          index <= group.count
            ? letters[Int(word >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
