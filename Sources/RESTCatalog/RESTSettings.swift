// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Network
internal import Storage

/// What a catalog is opened with, read from its properties; the names are those that PyIceberg and
/// Iceberg Java read.
struct RESTSettings: Sendable {
  let address: ServerAddress
  let authorization: Kind
  /// Sent with every request, as the user wants it; a header may well be a key.
  let headers: [(name: String, value: Secret)]
  /// What the server knows the warehouse by; nil if it has but one.
  let warehouse: String?
  /// How many names a page of a listing has; nil: as many as the server likes.
  let pageSize: Int?
  /// What the user set for the stores of tables: `s3.…` and `client.…`. Keys are among them.
  let storeProperties: [String: Secret]

  /// Who plans scans, as the user wants it: `client` or `server`; nil: as the server likes.
  let planningMode: String?

  enum Kind: Sendable {
    case none
    case token(Secret)
    case clientCredentials(ClientCredentials)
    case signature(Signing)
  }

  /// How a token is got.
  struct ClientCredentials: Sendable {
    let server: ServerAddress
    /// Nil where the credential is the secret alone.
    let clientID: String?
    let secret: Secret
    /// `scope`, `audience` and `resource`, those that are set.
    let parameters: [(name: String, value: String)]
  }

  /// For which service requests are signed, and with which keys; nil: those the process has.
  struct Signing: Sendable {
    let signature: SignatureV4
    let keys: AWSCredentials?
  }

  /// - Throws: ``CatalogError/unsupported(what:instead:)`` for settings that can't be used: never
  ///   with the text of one that may be a secret.
  init(_ properties: [String: String]) throws(CatalogError) {
    guard let uri = properties["uri"], let address = ServerAddress(uri) else {
      throw Self.wrong(
        "a REST catalog without an address", "set 'uri' to one such as https://host/path")
    }
    self.address = address
    warehouse = properties["warehouse"]
    pageSize = try Self.pageSize(properties["rest-page-size"])
    headers = try Self.headers(properties)
    planningMode = try Self.planningMode(properties["scan-planning-mode"])
    authorization = try Self.kind(properties, address)
    storeProperties = properties.filter {
      $0.key.hasPrefix("s3.") || $0.key.hasPrefix("client.")
    }.mapValues { Secret($0) }
    try checkPrivacy()
  }

  private static func pageSize(_ text: String?) throws(CatalogError) -> Int? {
    guard let text else { return nil }
    guard let size = Int(text), (1...100_000).contains(size) else {
      throw wrong("'rest-page-size' = '\(text)'", "set a number from 1 to 100000")
    }
    return size
  }

  private static func planningMode(_ text: String?) throws(CatalogError) -> String? {
    guard let text else { return nil }
    guard ["client", "server"].contains(text.lowercased()) else {
      throw wrong("'scan-planning-mode' = '\(text)'", "set 'client' or 'server'")
    }
    return text
  }

  /// What `header.NAME` sets. Names are told apart without case, as HTTP has it.
  private static func headers(
    _ properties: [String: String]
  ) throws(CatalogError) -> [(name: String, value: Secret)] {
    var headers: [(name: String, value: Secret)] = []
    for (key, value) in properties.sorted(by: { $0.key < $1.key }) where key.hasPrefix("header.") {
      let name = key.dropFirst("header.".count).lowercased()
      let isName =
        !name.isEmpty && name.utf8.allSatisfy { $0.isAlphanumeric || $0 == 0x2d || $0 == 0x5f }
      guard isName, !["host", "content-length", "transfer-encoding", "connection"].contains(name),
        !headers.contains(where: { $0.name == name })
      else { throw wrong("'\(key)'", "name a header that may be set, once") }
      guard value.isHeaderValue else {
        throw wrong("the value of '\(key)'", "leave line ends and control characters out")
      }
      headers.append((name, Secret(value)))
    }
    return headers
  }

  private static func kind(
    _ properties: [String: String], _ address: ServerAddress
  ) throws(CatalogError) -> Kind {
    if properties["rest.sigv4-enabled"]?.lowercased() == "true" {
      guard let region = properties["rest.signing-region"] ?? properties["client.region"] else {
        throw wrong("signing without a region", "set 'rest.signing-region'")
      }
      let service = properties["rest.signing-name"] ?? "execute-api"
      return .signature(
        Signing(
          signature: SignatureV4(service: service, region: region),
          keys: Self.keys(properties, "rest.") ?? Self.keys(properties, "client.")))
    }
    if let token = properties["token"] {
      guard !token.isEmpty, token.isHeaderValue else {
        throw wrong("the value of 'token'", "set the token alone, on one line")
      }
      return .token(Secret(token))
    }
    if let credential = properties["credential"] {
      return .clientCredentials(try clientCredentials(credential, properties, address))
    }
    return .none
  }

  /// The keys in `PREFIXaccess-key-id` and its like; nil if there are none.
  private static func keys(_ properties: [String: String], _ prefix: String) -> AWSCredentials? {
    guard let id = properties[prefix + "access-key-id"], !id.isEmpty,
      let secret = properties[prefix + "secret-access-key"], !secret.isEmpty
    else { return nil }
    let token = properties[prefix + "session-token"].flatMap { $0.isEmpty ? nil : Secret($0) }
    return AWSCredentials(accessKeyID: id, secretAccessKey: Secret(secret), sessionToken: token)
  }

  private static func clientCredentials(
    _ credential: String, _ properties: [String: String], _ address: ServerAddress
  ) throws(CatalogError) -> ClientCredentials {
    var server = address.appending("v1/oauth/tokens")
    if let text = properties["oauth2-server-uri"] {
      guard let told = ServerAddress(text) else {
        throw wrong("'oauth2-server-uri' = '\(text)'", "set one such as https://host/path")
      }
      server = told
    }
    guard server.isPrivate else {
      throw wrong(
        "sending a credential to \(server), where it can be read on the way", "use https")
    }
    let colon = credential.firstIndex(of: ":")
    let secret = colon.map { credential[credential.index(after: $0)...] } ?? credential[...]
    guard !secret.isEmpty else {
      throw wrong("the value of 'credential'", "set it to CLIENT_ID:SECRET or to the secret")
    }
    var parameters = [(name: "scope", value: properties["scope"] ?? "catalog")]
    for name in ["audience", "resource"] {
      if let value = properties[name] { parameters.append((name, value)) }
    }
    return ClientCredentials(
      server: server, clientID: colon.map { String(credential[..<$0]) },
      secret: Secret(String(secret)), parameters: parameters)
  }

  /// Throws if a secret would be sent where it can be read on the way.
  private func checkPrivacy() throws(CatalogError) {
    var hasSecret = headers.contains { $0.name == "authorization" || $0.name == "cookie" }
    switch authorization {
    case .none, .signature: break
    case .token, .clientCredentials: hasSecret = true
    }
    guard hasSecret, !address.isPrivate else { return }
    throw Self.wrong("sending a token to \(address), where it can be read on the way", "use https")
  }

  private static func wrong(_ what: String, _ instead: String) -> CatalogError {
    .unsupported(what: what, instead: instead)
  }
}

extension String {
  /// True if the text can be the value of a header.
  var isHeaderValue: Bool { utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 } }
}
