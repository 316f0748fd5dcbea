// SPDX-License-Identifier: Apache-2.0
public import Storage

/// A URL as configuration names servers: where requests go, and the path and query they begin with.
///
///     url := ("http" | "https") "://" host [":" port] [path] ["?" query]
///
/// Nothing in it is decoded or encoded.
public struct HTTPURL: Hashable, Sendable {
  public let origin: HTTPOrigin
  /// Path and query; empty, or begins with a slash.
  public let target: String

  /// - Parameter text: Nil is returned for anything else than a URL of that form: another scheme,
  ///   a user or password, a fragment, characters that are not printable ASCII.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\\") }),
      !bytes.contains(UInt8(ascii: "#"))
    else { return nil }
    let isSecure: Bool
    let rest: ArraySlice<UInt8>
    let lower = text.lowercased()
    if lower.hasPrefix("https://") {
      (isSecure, rest) = (true, bytes[8...])
    } else if lower.hasPrefix("http://") {
      (isSecure, rest) = (false, bytes[7...])
    } else {
      return nil
    }
    let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    guard let (host, port) = Self.split(authority) else { return nil }
    origin = HTTPOrigin(isSecure: isSecure, host: host, port: port)
    let target = String(decoding: rest.dropFirst(authority.count), as: UTF8.self)
    self.target = target.utf8.first == UInt8(ascii: "?") ? "/" + target : target
  }

  /// The path without its query and without slashes at its end, so that `/` and a path follow it.
  public var basePath: String {
    var path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
    while path.last == UInt8(ascii: "/") { path.removeLast() }
    return String(Substring(path))
  }

  private static func split(_ authority: ArraySlice<UInt8>) -> (host: String, port: Int?)? {
    var host = authority
    var portText: ArraySlice<UInt8>?
    let isAddress = authority.first == UInt8(ascii: "[")
    if isAddress {
      guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      host = authority[(authority.startIndex + 1)..<end]
      let after = authority[(end + 1)...]
      if !after.isEmpty {
        guard after.first == UInt8(ascii: ":") else { return nil }
        portText = after.dropFirst()
      }
    } else if let colon = authority.firstIndex(of: UInt8(ascii: ":")) {
      host = authority[..<colon]
      portText = authority[(colon + 1)...]
    }
    guard !host.isEmpty, host.allSatisfy({ isOfHost($0, isAddress: isAddress) }) else { return nil }
    let name = String(decoding: host, as: UTF8.self)
    // An empty port is the scheme's own.
    guard let portText, !portText.isEmpty else { return (name, nil) }
    guard portText.allSatisfy({ (48...57).contains($0) }),
      let port = Int(String(decoding: portText, as: UTF8.self)), (1...65_535).contains(port)
    else { return nil }
    return (name, port)
  }

  private static func isOfHost(_ byte: UInt8, isAddress: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."):
      true
    case UInt8(ascii: "g")...UInt8(ascii: "z"), UInt8(ascii: "G")...UInt8(ascii: "Z"),
      UInt8(ascii: "-"), UInt8(ascii: "_"):
      !isAddress
    case UInt8(ascii: ":"): isAddress
    default: false
    }
  }
}

extension HTTPURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Without its query, in which there may be secrets.
  public var description: String {
    let hasQuery = target.utf8.contains(UInt8(ascii: "?"))
    return "\(origin)\(basePath)\(hasQuery ? "?…" : "")"
  }
  public var debugDescription: String { description }

  public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}
