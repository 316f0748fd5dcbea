// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import JSON
internal import Network
internal import S3Storage
internal import Storage
internal import Synchronization

/// Has the catalog sign each request for a table's files, whose keys it keeps to itself.
///
/// Laws: what is sent to the store is what was asked for: of what the catalog answers only what
/// proves who asks is taken, and no other place, condition or object. A signature is used again only
/// for the same request to read, as long as the catalog allows.
///
/// Source: Iceberg, `s3-signer-open-api.yaml`; `rest-catalog-open-api.yaml`, `RemoteSignRequest`.
final class RemoteSigning: S3Signing {
  private let client: RESTClient
  private let signer: SignerAddress
  private let known = Mutex<[Question: Signature]>([:])

  /// How long a signature is used at the most where the catalog tells no time. It holds for fifteen
  /// minutes from when it was made, by the store's clock.
  private static let standardAge: Duration = .seconds(30)
  private static let longestAge: Duration = .seconds(300)
  private static let knownLimit = 1000

  /// What is to be signed, as far as the answer hangs on it.
  private struct Question: Hashable {
    let method: String
    let uri: String
    let region: String
    let headers: [String]
  }

  private struct Signature {
    let headers: [(name: String, value: String)]
    /// Behind the query of the request; empty for none.
    let query: String
    /// When it is not to be used any more.
    let end: Duration
  }

  init(_ client: RESTClient, _ signer: SignerAddress) {
    self.client = client
    self.signer = signer
  }

  func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest {
    var request = request
    request.headers.removeAll { Self.proofs.contains($0.name) }
    request.headers.append(
      (name: "x-amz-content-sha256", value: Self.hash(payload, of: request)))
    let question = Question(
      method: request.method.rawValue, uri: "\(request.origin)\(request.target)", region: region,
      headers: Self.signed(request).flatMap { [$0.name, $0.value] })
    let now = client.environment.uptime()
    if let signature = known.withLock({ $0[question] }), now < signature.end {
      return request.with(signature.headers, signature.query)
    }
    let signature = try await fetch(request, region: region, now: now)
    if signature.end > now {
      known.withLock { known in
        if known.count >= Self.knownLimit { known = known.filter { $0.value.end > now } }
        if known.count < Self.knownLimit { known[question] = signature }
      }
    }
    return request.with(signature.headers, signature.query)
  }

  func renew() async -> Bool {
    known.withLock { known in
      defer { known = [:] }
      return !known.isEmpty
    }
  }

  // MARK: asking

  private static func hash(_ payload: SignatureV4.Payload, of request: HTTPRequest) -> String {
    switch payload {
    case .sha256(let hash): hash
    case .unsigned where request.origin.isSecure: "UNSIGNED-PAYLOAD"
    case .hash, .unsigned: SHA256Hash.hexadecimal(of: request.body)
    }
  }

  /// The headers that are signed: all but those that change from one read of an object to the next,
  /// which S3 takes unsigned.
  private static func signed(_ request: HTTPRequest) -> [(name: String, value: String)] {
    request.headers.filter { $0.name != "range" && $0.name != "user-agent" }
  }

  private func fetch(
    _ request: HTTPRequest, region: String, now: Duration
  ) async throws(S3Error) -> Signature {
    var call = RESTCall("") { writer in
      writer.writeKey("region")
      writer.write(region)
      writer.writeKey("uri")
      writer.write("\(request.origin)\(request.target)")
      writer.writeKey("method")
      writer.write(request.method.rawValue)
      writer.writeKey("headers")
      writer.beginObject()
      for (name, value) in Self.signed(request) {
        writer.writeKey(name)
        writer.beginArray()
        writer.write(value)
        writer.endArray()
      }
      writer.endObject()
      if signer.namesProvider {
        writer.writeKey("provider")
        writer.write("s3")
      }
      // Which objects a delete of many is about stands in its body alone.
      if request.method == .post, Self.queryNames(request.target).contains("delete") {
        writer.writeKey("body")
        writer.write(String(decoding: request.body.array(), as: UTF8.self))
      }
    }
    call.address = signer.address
    call.isRepeatable = true
    call.bodyLimit = 1 << 20
    do throws(RESTFailure) {
      let response = try await client.send(call)
      return try signature(response, of: request, now: now)
    } catch {
      var isTransient = error.isTransient
      // What is no signature now will be none later.
      if case .unreadable = error { isTransient = false }
      throw .noCredentials(
        reason: "the catalog does not sign the request: \(error.words)", isTransient: isTransient)
    }
  }

  private static func queryNames(_ target: String) -> [Substring] {
    guard let mark = target.firstIndex(of: "?") else { return [] }
    return target[target.index(after: mark)...].split(separator: "&").map { pair in
      pair.prefix { $0 != "=" }
    }
  }

  // MARK: the answer

  private func signature(
    _ response: HTTPResponse, of request: HTTPRequest, now: Duration
  ) throws(RESTFailure) -> Signature {
    let message = try Message(response.body, "a signature")
    let query = try extraQuery(try message.string("uri"), request)
    var headers: [(name: String, value: String)] = []
    for member in message.json["headers"]?.members ?? [] {
      let name = member.key.lowercased()
      let isNew = !request.headers.contains { $0.name == name }
      guard Self.proofs.contains(name) || (isNew && Self.mayBeAdded(name)) else { continue }
      let values = (member.value.elements ?? [member.value]).compactMap(\.string)
      let value = values.joined(separator: ",")
      guard !value.isEmpty, value.isHeaderValue, !headers.contains(where: { $0.name == name })
      else { throw .unreadable("the header '\(name)' of a signature can't be sent") }
      headers.append((name, value))
    }
    guard headers.contains(where: { $0.name == "authorization" }) || query.contains("X-Amz-Sig")
    else { throw .unreadable("the signature has none") }
    let isRead = request.method == .get || request.method == .head
    let age = isRead ? Self.age(response) : .zero
    return Signature(headers: headers, query: query, end: now + age)
  }

  /// What proves who asks, and what is proved to be the body.
  private static let proofs: Set<String> = [
    "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
  ]

  /// True of headers that say how an object is kept or who pays, and not which one it is or who may
  /// read it.
  private static func mayBeAdded(_ name: String) -> Bool {
    name == "x-amz-request-payer" || name.hasPrefix("x-amz-server-side-encryption")
  }

  /// What the signed address has behind the query of `request`.
  ///
  /// - Throws: ``RESTFailure/unreadable(_:)`` if it is the address of something else.
  private func extraQuery(
    _ uri: String, _ request: HTTPRequest
  ) throws(RESTFailure) -> String {
    let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let own = request.target.split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = Self.path(parts[0], at: request.origin),
      let decoded = PercentEncoding.decode(path),
      decoded == PercentEncoding.decode(String(own[0]))
    else { throw .unreadable("what the catalog signed is another place than was asked for") }
    var rest = own.count > 1 ? Self.items(own[1]) : []
    var extra: [Substring] = []
    for item in parts.count > 1 ? Self.items(parts[1]) : [] {
      if let index = rest.firstIndex(where: { Self.isSame($0, item) }) {
        rest.remove(at: index)
      } else if item.lowercased().hasPrefix("x-amz-"), String(item).isHeaderValue {
        extra.append(item)
      } else {
        throw .unreadable("what the catalog signed is another request than was asked for")
      }
    }
    guard rest.isEmpty else {
      throw .unreadable("what the catalog signed is another request than was asked for")
    }
    return extra.joined(separator: "&")
  }

  private static func items(_ query: Substring) -> [Substring] { query.split(separator: "&") }

  /// True if both are the same item, however they are encoded; `a` is `a=`.
  private static func isSame(_ a: Substring, _ b: Substring) -> Bool {
    func plain(_ item: Substring) -> String? {
      let text = item.last == "=" ? item.dropLast() : item
      return PercentEncoding.decode(String(text))
    }
    return plain(a) != nil && plain(a) == plain(b)
  }

  /// The path of `address`, if that is at `origin`.
  private static func path(_ address: Substring, at origin: HTTPOrigin) -> String? {
    guard let mark = address.firstRange(of: "://") else { return nil }
    let rest = address[mark.upperBound...]
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    let isSecure = address[..<mark.lowerBound].lowercased() == "https"
    guard isSecure || address[..<mark.lowerBound].lowercased() == "http",
      HTTPOrigin(authority: rest[..<end], isSecure: isSecure) == origin
    else { return nil }
    return end == rest.endIndex ? "/" : String(rest[end...])
  }

  /// How long the answer may be used.
  private static func age(_ response: HTTPResponse) -> Duration {
    let rules = (response.header("cache-control") ?? "").lowercased().split(separator: ",")
      .map { $0.trimmingWhitespace() }
    guard rules.contains("private") || rules.contains(where: { $0.hasPrefix("max-age=") }),
      !rules.contains("no-cache"), !rules.contains("no-store")
    else { return .zero }
    guard let told = rules.first(where: { $0.hasPrefix("max-age=") }) else { return standardAge }
    let seconds = Int64(told.dropFirst("max-age=".count)) ?? 0
    return min(.seconds(max(0, min(seconds, 3600))), longestAge)
  }
}

extension HTTPRequest {
  /// This request with what proves who asks.
  fileprivate func with(
    _ proof: [(name: String, value: String)], _ query: String
  ) -> HTTPRequest {
    var request = self
    request.headers.removeAll { header in proof.contains { $0.name == header.name } }
    request.headers += proof
    if !query.isEmpty { request.target += (request.target.contains("?") ? "&" : "?") + query }
    return request
  }
}

/// Where a catalog signs requests for a table's files.
struct SignerAddress {
  let address: ServerAddress
  /// True of the route that signs for every kind of store, and is told which.
  let namesProvider: Bool

  /// Nil unless the catalog wants requests for the table's files signed by it.
  ///
  /// - Throws: ``StorageError/refused(path:reason:)`` if it names another server than itself, which
  ///   would be shown who we are, and the user does not.
  init?(
    _ access: TableAccess, of table: RESTTable, at location: ObjectPath
  ) throws(StorageError) {
    let session = table.session
    func setting(_ name: String) -> String? {
      access.settings[name]?.reveal() ?? session.configuration.serverValue(name)
    }
    let isAsked = setting("s3.remote-signing-enabled") ?? setting("remote-signing-enabled")
    guard isAsked?.lowercased() == "true" else { return nil }
    let own = session.settings.storeProperties
    let client = session.client
    let route = setting("signer.endpoint") ?? setting("s3.signer.endpoint")
    let hasRoute = session.configuration.endpoints.contains(.signRequest)
    namesProvider = route.map { $0.hasSuffix("/sign") && $0.contains("/tables/") } ?? hasRoute
    let standard =
      hasRoute
      ? "v1/\(client.prefix)\(session.path(of: table.identifier, "/sign"))" : "v1/aws/s3/sign"
    let server: ServerAddress?
    let isOwn = own["s3.signer.uri"] != nil
    if let text = own["s3.signer.uri"]?.reveal() ?? setting("signer.uri")
      ?? setting("s3.signer.uri")
    {
      server = ServerAddress(text)
    } else {
      server = client.address
    }
    guard let server, let place = Self.place(route ?? standard, at: server) else {
      throw .refused(path: location, reason: "the catalog names no address that signs requests")
    }
    guard place.origin == client.address.origin || isOwn, place.isPrivate else {
      throw .refused(
        path: location,
        reason: "the catalog has requests signed at \(place.origin): set 's3.signer.uri' if that "
          + "is meant")
    }
    address = place
  }

  /// The address `route`, or what it is below `server`.
  private static func place(_ route: String, at server: ServerAddress) -> ServerAddress? {
    if route.contains("://") { return ServerAddress(route) }
    return ServerAddress("\(server)/\(route.drop { $0 == "/" })")
  }
}
