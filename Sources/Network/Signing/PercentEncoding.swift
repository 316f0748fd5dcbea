// SPDX-License-Identifier: Apache-2.0

/// How texts become parts of a request target, in the one spelling that signatures are made over.
///
/// Letters, digits and `-`, `_`, `.`, `~` stand for themselves; every other byte of the UTF-8 is
/// `%` and two capital hexadecimal digits. Nothing is composed or decomposed: two spellings of `é`
/// are two texts.
///
/// Source: RFC 3986, section 2.3; AWS "Create a signed AWS API request", "UriEncode".
public enum PercentEncoding {
  /// A name or value of a query, or one component of a path: a slash is encoded too.
  public static func component(_ text: String) -> String { encoded(text, keepsSlash: false) }

  /// The key of an object as a path: slashes stay, empty and dotted components as well.
  public static func path(_ text: String) -> String { encoded(text, keepsSlash: true) }

  /// `items` as `name=value` joined by `&`, in their order; nothing for none.
  public static func query(_ items: [(name: String, value: String)]) -> String {
    items.map { component($0.name) + "=" + component($0.value) }.joined(separator: "&")
  }

  private static func encoded(_ text: String, keepsSlash: Bool) -> String {
    let stays = { (byte: UInt8) in
      isUnreserved(byte) || (keepsSlash && byte == UInt8(ascii: "/"))
    }
    if text.utf8.allSatisfy(stays) { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count * 3 / 2)
    for byte in text.utf8 {
      if stays(byte) {
        bytes.append(byte)
      } else {
        bytes.append(UInt8(ascii: "%"))
        bytes.append(upperHexadecimal(byte >> 4))
        bytes.append(upperHexadecimal(byte & 15))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "."), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  private static func upperHexadecimal(_ digit: UInt8) -> UInt8 {
    digit + (digit < 10 ? 48 : 55)
  }
}
