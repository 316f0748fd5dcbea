// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// Where a server answers: its origin, and the path below which its routes lie.
struct ServerAddress: Hashable, Sendable {
  let origin: HTTPOrigin
  /// Percent-encoded, with a slash at its start and none at its end; empty at the root.
  let path: String

  /// Reads `http[s]://host[:port][/path]`; nil if `text` is anything else. A user, a query and a
  /// fragment are refused: the first is a secret in a place that is printed.
  init?(_ text: String) {
    guard let mark = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<mark.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else { return nil }
    let rest = text[mark.upperBound...]
    guard rest.utf8.allSatisfy(Self.isAllowed) else { return nil }
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    guard
      let origin = HTTPOrigin(authority: rest[..<end], isSecure: scheme == "https")
    else { return nil }
    var path = rest[end...]
    while path.last == "/" { path.removeLast() }
    if path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) { return nil }
    self.origin = origin
    self.path = String(path)
  }

  init(origin: HTTPOrigin, path: String) {
    self.origin = origin
    self.path = path
  }

  /// The address with `suffix`, percent-encoded, at the end of its path.
  func appending(_ suffix: String) -> ServerAddress {
    ServerAddress(origin: origin, path: path + "/" + suffix)
  }

  /// True if what is sent there can't be read on the way.
  var isPrivate: Bool { origin.isSecure || origin.isLoopback }

  /// As errors name it.
  var place: ObjectPath {
    (try? ObjectPath(description + (path.isEmpty ? "/" : ""))) ?? .machineRoot
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
      && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "@")
  }
}

extension ServerAddress: CustomStringConvertible {
  var description: String { "\(origin)\(path)" }
}

extension HTTPOrigin {
  /// Reads `host[:port]`.
  init?(authority: Substring, isSecure: Bool) {
    var host = authority
    var port: Int?
    let isBracketed = authority.first == "["
    if isBracketed {
      guard let close = authority.firstIndex(of: "]") else { return nil }
      host = authority[authority.index(after: authority.startIndex)..<close]
      let rest = authority[authority.index(after: close)...]
      guard rest.isEmpty || rest.first == ":" else { return nil }
      if !rest.isEmpty { port = Int(rest.dropFirst()) ?? -1 }
    } else if let colon = authority.firstIndex(of: ":") {
      host = authority[..<colon]
      port = Int(authority[authority.index(after: colon)...]) ?? -1
    }
    if let port, !(1...65535).contains(port) { return nil }
    let isName = host.utf8.allSatisfy {
      $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        || $0 == UInt8(ascii: "_") || (isBracketed && $0 == UInt8(ascii: ":"))
    }
    guard !host.isEmpty, isName else { return nil }
    self.init(isSecure: isSecure, host: String(host), port: port)
  }
}

extension UInt8 {
  /// True for a letter or digit of ASCII.
  var isAlphanumeric: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}

/// Percent-encoding of what is put into paths, queries and forms.
enum PercentEncoding {
  /// Every byte but the unreserved ones (RFC 3986, section 2.3) as `%XX`.
  static func encode(_ text: String) -> String {
    encode(text) { byte in
      byte.isAlphanumeric || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }
  }

  /// As ``encode(_:)``, but for `keeps`.
  static func encode(_ text: String, keeping keeps: (UInt8) -> Bool) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if keeps(byte) {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), hexadecimal(byte >> 4), hexadecimal(byte & 15)]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text that `text` encodes; nil where a `%` has no two digits after it, or what it gives is
  /// no UTF-8.
  static func decode(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst(), let low = rest.popFirst(),
        let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8 {
    digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "A") - 10)
  }
}
