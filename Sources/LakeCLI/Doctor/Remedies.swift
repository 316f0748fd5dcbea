// SPDX-License-Identifier: Apache-2.0
internal import Lake

/// What to do about what went wrong.
enum Remedies {
  static func of(_ error: any Error) -> String? {
    switch error {
    case let error as StorageError: of(error)
    case let error as CatalogError:
      switch error {
      case .storage(let cause, _): of(cause)
      case .outcomeUnknown(_, let cause): of(cause)
      case .unsupported(_, let instead): instead
      default: nil
      }
    case is CommandError: "correct the entry in the configuration file"
    default: nil
    }
  }

  static func of(_ error: StorageError) -> String {
    switch error {
    case .notFound: "make it, or correct the name"
    case .permissionDenied: "give this user, or these keys, the right to do that"
    case .full: "make room, or raise the quota"
    case .refused: "name the place in allow-locations, if it is a table's"
    case .unsupported(_, _, let instead): instead
    case .invalidPath: "correct the location"
    case .unavailable: "see that the service runs and can be reached from here, and try again"
    case .notAnObject: "take away what lies there, or name another place"
    case .outcomeUnknown(let cause, _): of(cause)
    case .io(_, let path, _, let code, _):
      path.scheme == "file" && path.name.hasSuffix(".db") && code == 0
        ? "see what made it, and take it out with the sqlite3 command if it is not needed"
        : "see what the system says of the disk or the service"
    default: "try again"
    }
  }

  /// What is wrong, and what to do about it.
  static func of(
    _ problem: WarehouseProbe.Problem, of step: WarehouseProbe.Step
  ) -> (words: String, fix: String) {
    switch problem {
    case .failed(let error): ("\(error)", of(error))
    case .wrongBytes:
      ("what is read is not what was written", "see what stands between lake and the store")
    case .wrongListing:
      (
        "what was \(step == .delete ? "deleted" : "written") is \(step == .delete ? "" : "not ")listed",
        "use a store whose listings are consistent"
      )
    case .notDeleted: ("what was deleted is still there", "see what keeps objects in the store")
    case .clockSkew(let skew):
      (
        "the store's clock is \(skew < .zero ? "behind" : "ahead of") this machine's by "
          + "\(abs(skew.components.seconds)) seconds",
        "set the clocks (NTP): requests are signed, and files' ages told, by them"
      )
    }
  }
}

/// The properties of catalogs that lake or the programs it shares its configuration with know.
enum KnownProperties {
  private static let names: Set<String> = [
    "type", "uri", "warehouse", "allow-locations", "token", "credential", "scope", "audience",
    "resource", "oauth2-server-uri", "prefix", "ssl", "io-impl", "catalog-impl", "py-io-impl",
    "py-catalog-impl", "echo", "pool_pre_ping", "init_catalog_tables", "schema_version",
    "downcast-ns-timestamp-to-us-on-write", "snapshot-loading-mode", "view-endpoints-supported",
    "vended-credentials-enabled", "remote-signing-enabled", "token-expires-in-ms",
    "token-refresh-enabled", "clients", "cache-enabled", "scan-planning-mode",
  ]

  private static let prefixes = [
    "s3.", "client.", "rest.", "rest-", "header.", "oauth2.", "auth.", "http.", "jdbc.", "gcs.",
    "adls.", "hdfs.", "hf.", "ssl.", "table-default.", "table-override.", "io.", "cache.", "lake.",
  ]

  static func contains(_ key: String) -> Bool {
    names.contains(key) || prefixes.contains { key.hasPrefix($0) }
  }

  /// True if the value is one that nobody else should know.
  static func isSecret(_ key: String) -> Bool {
    let key = key.lowercased()
    return ["secret", "password", "token", "credential"].contains { key.contains($0) }
      && !key.hasPrefix("token-") && !key.hasSuffix("-enabled")
  }
}
