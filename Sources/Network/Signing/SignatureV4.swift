// SPDX-License-Identifier: Apache-2.0
public import Storage

/// Signs requests with AWS Signature Version 4.
///
/// What is signed is what is sent: the target as it stands on the request line, every header but
/// those that proxies change, and the body's hash. So the target must be spelled as
/// ``PercentEncoding`` does, since that is what the server will rebuild.
///
/// For S3 the path is taken as it is: `//`, `.` and `..` are parts of a key. For other services it
/// is normalised and encoded once more, as they do.
///
/// Source: AWS IAM User Guide, "AWS Signature Version 4 for API requests".
public struct SignatureV4: Sendable {
  /// As AWS calls it for signing: `s3`, `sts`, `glue`, `s3tables`.
  public let service: String
  public let region: String

  public init(service: String, region: String) {
    self.service = service
    self.region = region
  }

  /// How a signature vouches for the body.
  public enum Payload: Hashable, Sendable {
    /// The body is hashed here.
    case hash
    /// The hash is known: 64 small hexadecimal digits.
    case sha256(String)
    /// The body is left out, as TLS guards it. Over plain HTTP this is ``hash``.
    case unsigned
  }

  /// Adds the headers that sign `request`; those of an earlier signature are replaced.
  ///
  /// Sets `x-amz-date`, `authorization`, `x-amz-security-token` for temporary credentials, and for
  /// S3 `x-amz-content-sha256`.
  ///
  /// Cost: one pass over the body for ``Payload/hash``, else some microseconds.
  public func sign(
    _ request: inout HTTPRequest, with credentials: AWSCredentials, at moment: Timestamp,
    payload: Payload = .hash
  ) {
    request.headers.removeAll { Self.ownHeaders.contains($0.name.lowercased()) }
    let time = SigningTime(moment)
    let hash = payloadHash(payload, of: request)
    request.headers.append((name: "x-amz-date", value: time.full))
    // A service other than S3 hashes the body it got; it need not be told, unless there is no hash.
    if isS3 || hash == Self.unsignedPayload {
      request.headers.append((name: "x-amz-content-sha256", value: hash))
    }
    if let token = credentials.sessionToken {
      request.headers.append((name: "x-amz-security-token", value: token.reveal()))
    }
    let headers = CanonicalHeaders(request)
    let (path, query) = Self.split(request.target)
    let signature = signature(
      of: canonicalRequest(request.method, path, query, headers, payloadHash: hash),
      at: time, with: credentials)
    request.headers.append(
      (
        name: "authorization",
        value: "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope(time)), "
          + "SignedHeaders=\(headers.names), Signature=\(signature)"
      ))
  }

  /// Signs `request` in its query, so that who has the target needs no credentials.
  ///
  /// The headers `request` has must be sent as they are; the body is not signed for S3.
  ///
  /// - Parameter expires: How long the target may be used; held within a second and seven days.
  public func presign(
    _ request: inout HTTPRequest, with credentials: AWSCredentials, at moment: Timestamp,
    expires: Duration
  ) {
    request.headers.removeAll { Self.ownHeaders.contains($0.name.lowercased()) }
    let time = SigningTime(moment)
    let headers = CanonicalHeaders(request)
    let (path, givenQuery) = Self.split(request.target)
    var items = [
      (name: "X-Amz-Algorithm", value: Self.algorithm),
      (name: "X-Amz-Credential", value: "\(credentials.accessKeyID)/\(scope(time))"),
      (name: "X-Amz-Date", value: time.full),
      (name: "X-Amz-Expires", value: String(min(max(expires.components.seconds, 1), 604_800))),
      (name: "X-Amz-SignedHeaders", value: headers.names),
    ]
    if let token = credentials.sessionToken {
      items.append((name: "X-Amz-Security-Token", value: token.reveal()))
    }
    let query = (givenQuery.isEmpty ? "" : givenQuery + "&") + PercentEncoding.query(items)
    let hash = isS3 ? Self.unsignedPayload : SHA256Hash.hexadecimal(of: request.body)
    let signature = signature(
      of: canonicalRequest(request.method, path, query, headers, payloadHash: hash),
      at: time, with: credentials)
    request.target = "\(path)?\(query)&X-Amz-Signature=\(signature)"
  }

  private static let algorithm = "AWS4-HMAC-SHA256"
  private static let unsignedPayload = "UNSIGNED-PAYLOAD"
  private static let ownHeaders: Set<String> = [
    "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
  ]

  /// S3 and what shares its rules; S3 Tables is a service like the others.
  private var isS3: Bool { service == "s3" || service.hasPrefix("s3-") || service == "s3express" }

  private func payloadHash(_ payload: Payload, of request: HTTPRequest) -> String {
    switch payload {
    case .sha256(let hash): hash
    case .unsigned where request.origin.isSecure: Self.unsignedPayload
    case .hash, .unsigned: SHA256Hash.hexadecimal(of: request.body)
    }
  }

  private func scope(_ time: SigningTime) -> String {
    "\(time.day)/\(region)/\(service)/aws4_request"
  }

  private func signature(
    of canonicalRequest: String, at time: SigningTime, with credentials: AWSCredentials
  ) -> String {
    let text = [
      Self.algorithm, time.full, scope(time),
      SHA256Hash.hexadecimal(of: Array(canonicalRequest.utf8)),
    ].joined(separator: "\n")
    var key = Array("AWS4\(credentials.secretAccessKey.reveal())".utf8)
    for part in [time.day, region, service, "aws4_request"] {
      key = SHA256Hash.authenticationCode(of: part, key: key)
    }
    return SHA256Hash.hexadecimal(SHA256Hash.authenticationCode(of: text, key: key))
  }
}

/// The canonical request.
extension SignatureV4 {
  private func canonicalRequest(
    _ method: HTTPRequest.Method, _ path: String, _ query: String, _ headers: CanonicalHeaders,
    payloadHash: String
  ) -> String {
    [
      method.rawValue, canonicalPath(path), Self.canonicalQuery(query), headers.lines,
      headers.names, payloadHash,
    ].joined(separator: "\n")
  }

  private static func split(_ target: String) -> (path: String, query: String) {
    guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (target, "") }
    return (String(target[..<mark]), String(target[target.utf8.index(after: mark)...]))
  }

  private func canonicalPath(_ path: String) -> String {
    guard !isS3 else { return path.isEmpty ? "/" : path }
    // RFC 3986, section 5.2.4, and empty components fall away too.
    var kept: [String] = []
    for component in path.utf8.split(separator: UInt8(ascii: "/")) {
      switch String(Substring(component)) {
      case ".": continue
      case "..": _ = kept.popLast()
      case let name: kept.append(name)
      }
    }
    let isFolder = !kept.isEmpty && path.utf8.last == UInt8(ascii: "/")
    return PercentEncoding.path("/" + kept.joined(separator: "/") + (isFolder ? "/" : ""))
  }

  /// The parameters by name, then value, as bytes; one without `=` has an empty value.
  private static func canonicalQuery(_ query: String) -> String {
    let items = query.utf8.split(separator: UInt8(ascii: "&")).map { item in
      let name = item.prefix { $0 != UInt8(ascii: "=") }
      return (name: Array(name), value: Array(item.dropFirst(name.count + 1)))
    }
    return items.sorted { a, b in
      a.name == b.name
        ? a.value.lexicographicallyPrecedes(b.value) : a.name.lexicographicallyPrecedes(b.name)
    }.map { String(decoding: $0.name + [UInt8(ascii: "=")] + $0.value, as: UTF8.self) }
      .joined(separator: "&")
  }
}

/// The headers that are signed.
private struct CanonicalHeaders {
  /// `name:value` and a line feed, sorted by name.
  let lines: String
  /// Joined by `;`.
  let names: String

  /// What a proxy may change, so that no one signs it.
  private static let unsigned: Set<String> = [
    "authorization", "connection", "content-length", "expect", "te", "transfer-encoding",
    "user-agent", "x-amzn-trace-id",
  ]

  init(_ request: HTTPRequest) {
    var values: [String: [String]] = ["host": [request.origin.authority]]
    for header in request.headers {
      let name = header.name.lowercased()
      guard name != "host", !Self.unsigned.contains(name) else { continue }
      values[name, default: []].append(Self.folded(header.value))
    }
    let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    lines = sorted.map { "\($0.key):\($0.value.joined(separator: ","))\n" }.joined()
    names = sorted.map(\.key).joined(separator: ";")
  }

  /// Without white space around it, and with one space for any run of it within.
  private static func folded(_ value: String) -> String {
    value.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      .map { String(Substring($0)) }.joined(separator: " ")
  }
}

/// A moment as signatures spell it.
private struct SigningTime {
  /// `20260901T083000Z`.
  let full: String
  /// `20260901`.
  let day: String

  init(_ moment: Timestamp) {
    full = moment.formatted(.seconds).filter { $0 != "-" && $0 != ":" }
    day = String(full.prefix(8))
  }
}
