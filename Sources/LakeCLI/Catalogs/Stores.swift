// SPDX-License-Identifier: Apache-2.0
internal import Lake

#if Network
  internal import Network
  internal import S3Storage
#endif

/// The stores the command can reach: the disk, and S3 where it was built with the trait `Network`.
enum Stores {
  /// The disk, which the configuration file is read from too.
  static let local: any ObjectStore = LocalStore()

  #if Network
    /// One for the process, so that connections are used again.
    static let transport: any HTTPTransport = DeferredTransport()
  #endif

  /// Stores that reach `location`, and others if the settings allow: those of `properties` (by
  /// Iceberg's names), and what they leave out, of the environment.
  ///
  /// `cache-folder` (or `$LAKE_CACHE`) names a local folder where parts of S3's immutable files are
  /// kept for the next time, up to `cache-size` (or `$LAKE_CACHE_SIZE`), 10 GB by default.
  static func reaching(
    _ location: ObjectPath, _ properties: [String: String] = [:]
  ) async throws -> StoreRegistry {
    let stores = StoreRegistry(["file": local])
    #if Network
      do {
        let s3 = try S3Store.make(properties: filled(properties), transport: transport)
        return stores.adding(try await cached(s3, properties), for: "s3")
      } catch {
        // An environment that makes no sense to S3 is no matter to a table on a disk.
        let isAsked = properties.keys.contains { $0.hasPrefix("s3.") }
        guard location.scheme == "file", !isAsked else { throw error }
      }
    #endif
    return stores
  }

  #if Network
    /// `store`, with the cache that the settings name.
    private static func cached(
      _ store: S3Store, _ properties: [String: String]
    ) async throws -> any ObjectStore {
      guard let folder = properties["cache-folder"] ?? ProcessEnvironment["LAKE_CACHE"] else {
        return store
      }
      let size = properties["cache-size"] ?? ProcessEnvironment["LAKE_CACHE_SIZE"] ?? "10GB"
      guard let byteLimit = MaintenancePolicy.byteCount(size) else {
        throw CommandError.failed("cache-size: expected a size such as 10GB, found '\(size)'")
      }
      return try await CachingStore(
        store, keepingIn: Location.absolute(folder), byteLimit: byteLimit)
    }

    /// The properties of S3 that variables stand for, as other tools have them.
    private static let variables = [
      ("s3.endpoint", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]),
      ("s3.region", ["AWS_REGION", "AWS_DEFAULT_REGION"]),
    ]

    /// `properties`, and what they leave out that the environment tells.
    private static func filled(_ properties: [String: String]) -> [String: String] {
      var filled = properties
      for (key, names) in variables where filled[key] == nil {
        filled[key] = names.lazy.compactMap { ProcessEnvironment[$0] }.first
      }
      return filled
    }
  #endif
}

#if Network
  /// The network, whose threads and certificates are there from the first request on: a table on a
  /// disk costs none of it.
  private struct DeferredTransport: HTTPTransport {
    private static let network = NetworkTransport()

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
      try await Self.network.send(request)
    }
  }
#endif
