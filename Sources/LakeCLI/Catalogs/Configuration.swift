// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Lake
internal import Yams

/// The configuration file, which has PyIceberg's layout:
///
///     catalog:
///       NAME:
///         type: filesystem
///         warehouse: /data/warehouse
///
/// `${NAME}` in a value stands for the variable NAME of the environment.
struct Configuration {
  private let catalogs: [String: [String: String]]
  /// Where it was read.
  let path: String

  /// Reads the first file there is of `$LAKE_CONFIG`, `./lake.yaml`, `~/.config/lake/config.yaml`
  /// and `~/.pyiceberg.yaml`.
  static func load() async throws -> Configuration {
    var candidates: [String] = []
    if let path = ProcessEnvironment["LAKE_CONFIG"] {
      candidates = [path]
    } else {
      candidates = ["./lake.yaml", "~/.config/lake/config.yaml", "~/.pyiceberg.yaml"]
    }
    for candidate in candidates {
      let path = try Location.absolute(candidate)
      guard try await Stores.local.headIfPresent(path) != nil else { continue }
      let bytes = try await Stores.local.get(path, limit: 1 << 20)
      return try Configuration(String(decoding: bytes.array(), as: UTF8.self), path: path.text)
    }
    throw CommandError.notFound(
      "no configuration file: looked for \(candidates.joined(separator: ", "))")
  }

  private init(_ text: String, path: String) throws {
    self.path = path
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw CommandError.failed("\(path): not YAML: \(error)")
    }
    var catalogs: [String: [String: String]] = [:]
    for (name, node) in root?.mapping?["catalog"]?.mapping ?? [:] {
      var properties: [String: String] = [:]
      for (key, value) in node.mapping ?? [:] {
        guard let key = key.string, let value = value.scalar?.string else { continue }
        properties[key] = try Self.expanded(value, path: path)
      }
      if let name = name.string { catalogs[name] = properties }
    }
    self.catalogs = catalogs
  }

  /// The text with variables of the environment put in.
  private static func expanded(_ text: String, path: String) throws -> String {
    var result = ""
    var rest = Substring(text)
    while let start = rest.firstRange(of: "${") {
      result += rest[..<start.lowerBound]
      let after = rest[start.upperBound...]
      guard let end = after.firstIndex(of: "}") else { break }
      let name = String(after[..<end])
      guard let value = ProcessEnvironment[name] else {
        throw CommandError.failed("\(path): the environment has no variable \(name)")
      }
      result += value
      rest = after[after.index(after: end)...]
    }
    return result + rest
  }

  /// The catalog called `name`.
  func catalog(named name: String) throws -> CatalogConfiguration {
    guard let properties = catalogs[name] else {
      let known = catalogs.keys.sorted().joined(separator: ", ")
      throw CommandError.notFound(
        "no catalog '\(name)' in \(path)" + (known.isEmpty ? "" : "; there are: \(known)"))
    }
    return CatalogConfiguration(name: name, properties: properties, file: path)
  }
}

/// What the configuration file says of one catalog.
struct CatalogConfiguration {
  let name: String
  /// By Iceberg's names. Values may be secret: none is ever printed.
  let properties: [String: String]
  /// Where they were read.
  let file: String

  /// The value of `key`.
  func required(_ key: String) throws -> String {
    guard let value = properties[key] else {
      throw CommandError.failed("\(file): catalog '\(name)' has no \(key)")
    }
    return value
  }

  /// Where tables may have files besides their own folders, as `allow-locations` names by comma.
  func allowedLocations() throws -> [ObjectPath] {
    try (properties["allow-locations"] ?? "").split(separator: ",").map {
      try Location.absolute(String($0).trimmed)
    }
  }
}
