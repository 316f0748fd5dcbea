// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// What keeps one text from becoming two headers, or two requests.
enum RequestCheck {
  /// - Throws: ``HTTPTransportError/invalidRequest(reason:)``; values are not told.
  static func check(_ request: HTTPRequest) throws(HTTPTransportError) {
    guard !request.origin.host.isEmpty, request.origin.host.utf8.allSatisfy(isOfHost),
      (1...65_535).contains(request.origin.port)
    else { throw .invalidRequest(reason: "the host or port is none") }
    // Nothing but printable ASCII; a fragment is never sent.
    guard request.target.utf8.first == UInt8(ascii: "/"),
      request.target.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") })
    else { throw .invalidRequest(reason: "the target is not a percent-encoded path") }
    for header in request.headers {
      guard !header.name.isEmpty, header.name.utf8.allSatisfy(isOfToken) else {
        throw .invalidRequest(reason: "a header's name is none")
      }
      guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
        throw .invalidRequest(reason: "the header \(header.name) has a control character in it")
      }
      if header.name.lowercased() == "transfer-encoding" {
        throw .invalidRequest(reason: "bodies are sent with their length")
      }
    }
  }

  private static func isOfHost(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "-._:%".utf8.contains(byte)
  }

  /// Source: RFC 9110, section 5.6.2.
  private static func isOfToken(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
