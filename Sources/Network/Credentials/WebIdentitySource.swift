// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

/// A role that an identity token in a file stands for, named by the variables of the process.
struct WebIdentitySource: CredentialsSource {
  let context: CredentialsContext
  var name: String { "the variables AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN" }

  func load() async throws(CredentialsError) -> AWSCredentials? {
    guard let file = context.setVariable("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
    guard let role = context.setVariable("AWS_ROLE_ARN") else {
      throw .incomplete(source: "the variables", missing: "AWS_ROLE_ARN")
    }
    return try await WebIdentity(
      context: context, tokenFile: file, role: role,
      session: context.setVariable("AWS_ROLE_SESSION_NAME")
    ).credentials()
  }
}

/// Credentials that the security token service gives for an identity token.
///
/// Source: AWS STS API Reference, "AssumeRoleWithWebIdentity".
struct WebIdentity {
  let context: CredentialsContext
  let tokenFile: String
  let role: String
  let session: String?

  private static let name = "the security token service"

  func credentials() async throws(CredentialsError) -> AWSCredentials {
    // The file is read each time: who put it there replaces it before the token expires.
    guard let text = context.text(ofFile: tokenFile) else {
      throw .invalid(source: Self.name, reason: "the token file \(tokenFile) cannot be read")
    }
    let token = text.filter { !$0.isWhitespace }
    guard !token.isEmpty else {
      throw .invalid(source: Self.name, reason: "the token file \(tokenFile) is empty")
    }
    let service = CredentialsService(name: Self.name, transport: context.transport)
    let reply = try await service.send(try request(token: token))
    guard let text = String(validating: reply.body.array(), as: UTF8.self) else {
      throw .invalid(source: Self.name, reason: "the reply is not text")
    }
    guard reply.status == 200 else {
      throw service.error(reply, reason: XMLText.value(of: "Code", in: text) ?? "no reason given")
    }
    return try service.credentials(
      id: XMLText.value(of: "AccessKeyId", in: text),
      secret: XMLText.value(of: "SecretAccessKey", in: text),
      token: XMLText.value(of: "SessionToken", in: text),
      expiration: XMLText.value(of: "Expiration", in: text))
  }

  private func request(token: String) throws(CredentialsError) -> HTTPRequest {
    let (origin, path) = try endpoint()
    // In the body, not in the target, which ends up in logs.
    let form = PercentEncoding.query([
      (name: "Action", value: "AssumeRoleWithWebIdentity"),
      (name: "Version", value: "2011-06-15"),
      (name: "RoleArn", value: role),
      (name: "RoleSessionName", value: session ?? "lake-\(context.environment.uuid())"),
      (name: "WebIdentityToken", value: token),
    ])
    return HTTPRequest(
      .post, origin, target: path,
      headers: [
        (name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8")
      ],
      body: Buffer(utf8: form), timeout: .seconds(20), bodyLimit: CredentialsService.bodyLimit)
  }

  private func endpoint() throws(CredentialsError) -> (HTTPOrigin, path: String) {
    if let given = context.setVariable("AWS_ENDPOINT_URL_STS") {
      guard let url = HTTPURL(given), url.origin.isSecure || url.origin.isLoopback else {
        throw .invalid(
          source: "AWS_ENDPOINT_URL_STS", reason: "an https URL is needed, as a token is sent")
      }
      return (url.origin, url.basePath + "/")
    }
    let region = AWSRegion.resolve(context)
    let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    return (HTTPOrigin(isSecure: true, host: "sts.\(region).\(domain)"), "/")
  }
}

/// The text of elements in a small XML reply of known shape.
enum XMLText {
  /// The text of the first element called `name` that has no attributes and no elements in it.
  static func value(of name: String, in text: String) -> String? {
    let bytes = Array(text.utf8)
    guard let start = end(of: "<\(name)>", in: bytes, from: 0) else { return nil }
    let content = bytes[start...].prefix { $0 != UInt8(ascii: "<") }
    guard bytes[content.endIndex...].starts(with: "</\(name)>".utf8) else { return nil }
    return unescaped(String(decoding: content, as: UTF8.self))
  }

  private static func end(of pattern: String, in bytes: [UInt8], from: Int) -> Int? {
    let pattern = Array(pattern.utf8)
    guard bytes.count >= pattern.count else { return nil }
    for start in from...(bytes.count - pattern.count)
    where bytes[start] == pattern[0] && bytes[start...].starts(with: pattern) {
      return start + pattern.count
    }
    return nil
  }

  private static let entities = [
    "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&apos;": "'", "&amp;": "&",
  ]

  /// Nil for an entity that is not one of XML's five.
  private static func unescaped(_ text: String) -> String? {
    var result = ""
    var rest = text[...]
    while let start = rest.firstIndex(of: "&") {
      guard let end = rest[start...].firstIndex(of: ";"),
        let character = entities[String(rest[start...end])]
      else { return nil }
      result += rest[..<start] + character
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }
}
