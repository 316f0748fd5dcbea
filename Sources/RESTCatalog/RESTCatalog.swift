// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import JSON
public import Storage

/// A catalog that is a service, asked by Iceberg's REST protocol.
///
///     let catalog = try await RESTCatalog.connect(
///       name: "prod", properties: ["uri": "https://host/catalog", "credential": "id:secret"], …)
///
/// Laws beside those of ``Catalog``:
/// 1. What a server sends changes neither whom the client talks to nor who it says it is: of its
///    settings only those of a short list are taken (``ignoredSettings`` has the others).
/// 2. A commit states all that its plan relied on, for a server checks nothing else.
/// 3. After an answer that leaves it open whether a request was done, nothing is cleaned up before
///    the table was looked at.
///
/// Source: Iceberg, `rest-catalog-open-api.yaml`.
public struct RESTCatalog: Catalog {
  let session: Session

  /// Opens a catalog: asks the server for its configuration.
  ///
  /// - Parameters:
  ///   - name: for errors.
  ///   - properties: `uri` and what else PyIceberg's and Iceberg's Java client read: `warehouse`,
  ///     `token`, `credential`, `scope`, `oauth2-server-uri`, `rest.sigv4-enabled`, `header.NAME`,
  ///     `scan-planning-mode`, ….
  ///   - stores: where tables' files are opened, by scheme.
  ///   - allowedLocations: where tables may have files besides their own places.
  /// - Throws: ``CatalogError/unsupported(what:instead:)`` for properties that can't be used;
  ///   ``CatalogError/storage(_:while:)`` if the server can't be reached or refuses us.
  public static func connect(
    name: String, properties: [String: String], environment: Environment = .system,
    transport: any HTTPTransport, stores: StoreRegistry,
    allowing allowedLocations: [ObjectPath] = [], manifestCache: ManifestCache = ManifestCache()
  ) async throws(CatalogError) -> RESTCatalog {
    let settings = try RESTSettings(properties)
    var client = RESTClient(
      address: settings.address, transport: transport, environment: environment,
      authorization: try authorization(settings, transport, environment),
      headers: settings.headers)
    let configuration = try await configuration(client, settings, name)
    client.offersIdempotency = configuration.offersIdempotency
    client.prefix = try prefix(configuration.value("prefix", properties))
    let separator = configuration.value("namespace-separator", properties)
    let storage = TableStorage(
      stores: stores, userWarehouse: settings.warehouse.flatMap { try? ObjectPath($0) },
      warehouse: configuration.value("warehouse", properties).flatMap { try? ObjectPath($0) },
      allowed: allowedLocations)
    return RESTCatalog(
      session: Session(
        name: name, client: client, settings: settings, configuration: configuration,
        storage: storage, manifestCache: manifestCache,
        separator: separator.flatMap(PercentEncoding.decode) ?? "\u{1F}"))
  }

  private static func authorization(
    _ settings: RESTSettings, _ transport: any HTTPTransport, _ environment: Environment
  ) throws(CatalogError) -> any Authorization {
    switch settings.authorization {
    case .none: NoAuthorization()
    case .token(let token): BearerToken(token: token)
    case .clientCredentials(let credentials):
      TokenSource(credentials, transport: transport, environment: environment)
    case .signature(let signing):
      RequestSigning(signing, transport: transport, environment: environment)
    }
  }

  private static func configuration(
    _ client: RESTClient, _ settings: RESTSettings, _ name: String
  ) async throws(CatalogError) -> ServerConfiguration {
    var call = RESTCall(.get, "config")
    call.isOutsidePrefix = true
    if let warehouse = settings.warehouse { call.query = [("warehouse", warehouse)] }
    do throws(RESTFailure) {
      let response = try await client.send(call)
      return try ServerConfiguration(try Message(response.body, "the configuration").json)
    } catch {
      if error.status == 404 {
        throw .unsupported(
          what: "the server at \(client.address) as a REST catalog",
          instead: "it has no route v1/config: check 'uri' and 'warehouse' (\(error.words))")
      }
      throw .storage(
        error.storageError("GET", at: client.place(call)), while: "opening catalog '\(name)'")
    }
  }

  /// `text` as it stands between `v1/` and a route.
  private static func prefix(_ text: String?) throws(CatalogError) -> String {
    guard let text, !text.isEmpty else { return "" }
    let parts = text.split(separator: "/")
    guard !parts.contains(where: { $0 == "." || $0 == ".." }) else {
      throw .unsupported(what: "the server's prefix '\(text)'", instead: "it leads elsewhere")
    }
    let encoded = parts.map { part in
      PercentEncoding.encode(String(part)) { byte in
        byte.isAlphanumeric || "-._~%!$&'()*+,;=:@".utf8.contains(byte)
      }
    }
    return encoded.joined(separator: "/") + "/"
  }

  public var name: String { session.name }

  /// Settings that the server sent and that are not its to make, by name.
  public var ignoredSettings: [String] { session.configuration.ignored }
}
