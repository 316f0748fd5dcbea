// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// What a server wants of its clients, as far as it is let: its answer to `GET /v1/config`.
///
/// A server may set where its tables are and how they are asked for. It may not set who we are, whom
/// we talk to or how: whatever else it sends is passed over.
struct ServerConfiguration: Sendable {
  /// Settings from the server, under the user's own where it sends them as defaults and over them
  /// where as overrides.
  private let defaults: [String: String]
  private let overrides: [String: String]
  /// Names of settings that the server sent and that are not its to set, sorted.
  let ignored: [String]
  let endpoints: Endpoints
  /// True if the server remembers the keys of requests, so that one can be sent twice.
  let offersIdempotency: Bool

  /// The settings a server may make.
  static let allowed: Set<String> = [
    "prefix", "namespace-separator", "warehouse", "s3.region", "client.region",
    "s3.path-style-access", "s3.endpoint", "s3.remote-signing-enabled", "scan-planning-mode",
  ]

  init(_ json: JSONValue) throws(RESTFailure) {
    let members = try Message(json, "the configuration")
    let defaults = try members.optionalStrings("defaults") ?? [:]
    let overrides = try members.optionalStrings("overrides") ?? [:]
    self.defaults = defaults.filter { Self.allowed.contains($0.key) }
    self.overrides = overrides.filter { Self.allowed.contains($0.key) }
    ignored = Set(defaults.keys).union(overrides.keys).subtracting(Self.allowed).sorted()
    if let list = json["endpoints"]?.elements {
      endpoints = Endpoints(list.compactMap(\.string))
    } else {
      endpoints = .standard
    }
    offersIdempotency = json["idempotency-key-lifetime"]?.string != nil
  }

  /// What `name` is set to, the user's own settings being `properties`.
  func value(_ name: String, _ properties: [String: String]) -> String? {
    overrides[name] ?? properties[name] ?? defaults[name]
  }

  /// What the server sets `name` to, whatever the user does.
  func serverOverride(_ name: String) -> String? { overrides[name] }

  /// What the server itself sets `name` to.
  func serverValue(_ name: String) -> String? { overrides[name] ?? defaults[name] }
}

/// The routes a server has.
struct Endpoints: Sendable {
  private let routes: Set<String>

  init(_ routes: [String]) { self.routes = Set(routes) }

  func contains(_ route: Route) -> Bool { routes.contains(route.rawValue) }

  /// The routes that are used if the server has them.
  enum Route: String, CaseIterable {
    case listNamespaces = "GET /v1/{prefix}/namespaces"
    case createNamespace = "POST /v1/{prefix}/namespaces"
    case loadNamespace = "GET /v1/{prefix}/namespaces/{namespace}"
    case dropNamespace = "DELETE /v1/{prefix}/namespaces/{namespace}"
    case changeNamespace = "POST /v1/{prefix}/namespaces/{namespace}/properties"
    case listTables = "GET /v1/{prefix}/namespaces/{namespace}/tables"
    case createTable = "POST /v1/{prefix}/namespaces/{namespace}/tables"
    case loadTable = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"
    case commitTable = "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}"
    case dropTable = "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}"
    case registerTable = "POST /v1/{prefix}/namespaces/{namespace}/register"
    case renameTable = "POST /v1/{prefix}/tables/rename"
    case commitTransaction = "POST /v1/{prefix}/transactions/commit"
    case listViews = "GET /v1/{prefix}/namespaces/{namespace}/views"
    case loadCredentials = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials"
    case planScan = "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan"
    case signRequest = "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign"
    case cancelPlan = "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}"
  }

  /// What servers have that do not tell.
  static let standard = Endpoints(
    Set(Route.allCases).subtracting([
      .loadCredentials, .listViews, .planScan, .cancelPlan, .signRequest,
    ]).map(\.rawValue))
}
