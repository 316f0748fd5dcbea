// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

/// The agent that gives a container its credentials (ECS, EKS Pod Identity).
///
/// A URL over plain HTTP is asked only on this machine and at the agents' own addresses: it is sent
/// a token.
struct ContainerSource: CredentialsSource {
  let context: CredentialsContext
  var name: String { "the container's agent (AWS_CONTAINER_CREDENTIALS_…)" }

  private static let source = "the container's agent"
  private static let agents: Set<String> = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]

  func load() async throws(CredentialsError) -> AWSCredentials? {
    guard let url = try url() else { return nil }
    let service = CredentialsService(name: Self.source, transport: context.transport)
    var headers = [(name: "accept", value: "application/json")]
    if let token = try token() { headers.append((name: "authorization", value: token)) }
    let reply = try await service.send(
      HTTPRequest(
        .get, url.origin, target: url.target.isEmpty ? "/" : url.target, headers: headers,
        timeout: .seconds(5), bodyLimit: CredentialsService.bodyLimit))
    guard reply.status == 200 else {
      throw service.error(reply, reason: "the agent has none for us")
    }
    return try service.credentials(json: reply)
  }

  private func url() throws(CredentialsError) -> HTTPURL? {
    if let path = context.setVariable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      // Without the slash it would go on with the address, and end up anywhere.
      guard path.hasPrefix("/"), let url = HTTPURL("http://169.254.170.2" + path) else {
        throw .invalid(
          source: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", reason: "it is no path of a URL")
      }
      return url
    }
    let variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    guard let full = context.setVariable(variable) else { return nil }
    guard let url = HTTPURL(full) else { throw .invalid(source: variable, reason: "it is no URL") }
    guard
      url.origin.isSecure || url.origin.isLoopback || Self.agents.contains(url.origin.host)
    else {
      throw .invalid(
        source: variable,
        reason: "\(url.origin) is neither https, nor this machine, nor a known agent")
    }
    return url
  }

  private func token() throws(CredentialsError) -> String? {
    if let file = context.setVariable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      guard let text = context.text(ofFile: file) else {
        throw .invalid(source: Self.source, reason: "the token file \(file) cannot be read")
      }
      // A line feed at the end of a file is not part of what is in it.
      return try checked(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
    return try context.setVariable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(checked)
  }

  private func checked(_ token: String) throws(CredentialsError) -> String {
    guard token.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw .invalid(source: Self.source, reason: "its token has a control character in it")
    }
    return token
  }
}

/// The metadata service of the instance we run on, version 2: every question needs a token.
///
/// It is the last place asked. Where nothing answers within a second, this is no such instance.
struct InstanceSource: CredentialsSource {
  let context: CredentialsContext
  var name: String { "the instance's metadata" }

  private static let timeout = Duration.seconds(1)
  private static let path = "/latest/meta-data/iam/security-credentials/"

  func load() async throws(CredentialsError) -> AWSCredentials? {
    if context.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return nil }
    let service = CredentialsService(name: name, transport: context.transport)
    let (origin, base) = try endpoint()
    guard let token = try await token(service, origin, base) else { return nil }
    let headers = [(name: "x-aws-ec2-metadata-token", value: token)]
    func ask(_ path: String) async throws(CredentialsError) -> HTTPResponse {
      try await service.send(
        HTTPRequest(
          .get, origin, target: base + path, headers: headers, timeout: Self.timeout,
          bodyLimit: CredentialsService.bodyLimit))
    }
    let roles = try await ask(Self.path)
    // An instance without a role has no such page.
    if roles.status == 404 { return nil }
    guard roles.status == 200 else { throw service.error(roles, reason: "it does not name a role") }
    let role = Self.line(roles.body).flatMap { $0.isEmpty ? nil : $0 }
    guard let role else { return nil }
    let reply = try await ask(Self.path + PercentEncoding.component(role))
    guard reply.status == 200 else {
      throw service.error(reply, reason: "it has none for the role")
    }
    return try service.credentials(json: reply)
  }

  /// Nil if nothing that gives tokens is there.
  private func token(
    _ service: CredentialsService, _ origin: HTTPOrigin, _ base: String
  ) async throws(CredentialsError) -> String? {
    do throws(CredentialsError) {
      let reply = try await service.send(
        HTTPRequest(
          .put, origin, target: base + "/latest/api/token",
          headers: [(name: "x-aws-ec2-metadata-token-ttl-seconds", value: "21600")],
          timeout: Self.timeout, bodyLimit: CredentialsService.bodyLimit))
      guard reply.status == 200, let token = Self.line(reply.body), !token.isEmpty else {
        return nil
      }
      return token
    } catch {
      if case .unavailable = error { return nil }
      throw error
    }
  }

  private func endpoint() throws(CredentialsError) -> (HTTPOrigin, base: String) {
    let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    if let given = context.setVariable(variable) {
      guard let url = HTTPURL(given) else {
        throw .invalid(source: variable, reason: "it is no URL")
      }
      return (url.origin, url.basePath)
    }
    let mode = context.setVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased()
    let host = mode == "ipv6" ? "fd00:ec2::254" : "169.254.169.254"
    return (HTTPOrigin(isSecure: false, host: host), "")
  }

  /// The first line, if it has nothing but printable ASCII in it.
  private static func line(_ body: Buffer) -> String? {
    let bytes = body.array().prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    return bytes.allSatisfy { (0x20...0x7e).contains($0) }
      ? String(decoding: bytes, as: UTF8.self) : nil
  }
}
