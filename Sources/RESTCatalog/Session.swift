// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import JSON
internal import Storage

/// What the parts of one open catalog share.
struct Session: Sendable {
  let name: String
  let client: RESTClient
  let settings: RESTSettings
  let configuration: ServerConfiguration
  let storage: TableStorage
  let manifestCache: ManifestCache
  /// Between the parts of a namespace, in paths and queries.
  let separator: String

  var environment: Environment { client.environment }

  // MARK: routes

  func namespace(_ parts: [String]) -> String {
    PercentEncoding.encode(parts.joined(separator: separator))
  }

  func path(of namespace: [String], _ rest: String = "") -> String {
    "namespaces/\(self.namespace(namespace))\(rest)"
  }

  func path(of table: TableIdentifier, _ rest: String = "") -> String {
    path(of: table.namespace, "/tables/\(PercentEncoding.encode(table.name))\(rest)")
  }

  /// Throws if the server has no such route.
  func check(_ route: Endpoints.Route, _ what: String) throws(CatalogError) {
    guard configuration.endpoints.contains(route) else {
      throw .unsupported(what: what, instead: "the server of catalog '\(name)' has no such route")
    }
  }

  // MARK: tables

  /// The state that a server told of, as `home` has it.
  func table(_ loaded: LoadedTable, _ home: RESTTable) throws(CatalogError) -> Table {
    let place = loaded.metadataLocation.flatMap { try? ObjectPath($0) }
    let metadata: TableMetadata
    do throws(IcebergError) {
      metadata = try loaded.decoded()
    } catch {
      throw .invalidMetadata(file: place ?? client.address.place, error)
    }
    do throws(StorageError) {
      let folder = try ObjectPath(metadata.location).appending("metadata")
      return Table(
        name: home.identifier.description, metadata: metadata, metadataLocation: place ?? folder,
        store: try storage.store(for: metadata, loaded.access, of: home), environment: environment,
        home: home, manifestCache: manifestCache
      ).planned(by: ServerPlanning(home, loaded.access))
    } catch {
      throw .storage(error, while: "opening \(home.identifier)")
    }
  }

  // MARK: sending

  /// The answer to a request that reads.
  ///
  /// - Parameter missing: what it means that the server does not find it.
  func read(
    _ call: RESTCall, _ activity: String, missing: CatalogError
  ) async throws(CatalogError) -> HTTPResponse {
    do throws(RESTFailure) {
      return try await client.send(call)
    } catch {
      if error.status == 404 { throw missing }
      throw failure(error, call, activity)
    }
  }

  /// Sends a request that changes something, which is no commit to a table.
  ///
  /// - Parameters:
  ///   - isDone: looks whether what was asked for is so now, in case of doubt; nil if no one can
  ///     tell.
  ///   - definite: the error that a definite refusal means; nil for any other.
  func change(
    _ call: RESTCall, _ what: String,
    isDone: () async -> Bool? = { nil }, definite: (ServerError) -> CatalogError? = { _ in nil }
  ) async throws(CatalogError) -> HTTPResponse? {
    var call = call
    call.headers += client.idempotencyHeaders()
    call.isRepeatable = client.offersIdempotency
    do throws(RESTFailure) {
      return try await client.send(call)
    } catch {
      if error.isOutcomeUnknown {
        if await isDone() == true { return nil }
        let place = client.place(call)
        throw .outcomeUnknown(
          what: what, cause: error.storageError(call.method.rawValue, at: place))
      }
      if case .answered(let error) = error, let meant = definite(error) { throw meant }
      throw failure(error, call, what)
    }
  }

  /// `failure` of `call` as an error of the catalog.
  func failure(_ failure: RESTFailure, _ call: RESTCall, _ activity: String) -> CatalogError {
    .storage(
      failure.storageError(call.method.rawValue, at: client.place(call)), while: activity)
  }
}

extension Session {
  /// Why a table could not be loaded.
  func loadFailure(
    _ failure: RESTFailure, _ call: RESTCall, _ identifier: TableIdentifier
  ) -> CatalogError {
    if failure.status == 404 {
      return failure.isAboutNamespace
        ? .namespaceNotFound(identifier.namespace.joined(separator: "."))
        : .tableNotFound(identifier.description)
    }
    return self.failure(failure, call, "loading \(identifier)")
  }
}
