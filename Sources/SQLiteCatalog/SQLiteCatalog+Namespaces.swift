// SPDX-License-Identifier: Apache-2.0
public import Catalogs

/// A namespace that was made has a property `exists`, which Java's catalog knows as well and which is
/// not told of; one that tables are in needs none.
extension SQLiteCatalog {
  private static let marker = "exists"

  public func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    guard !namespace.isEmpty else { return [] }
    let key = try key(of: namespace)
    let names = try await access.read("listing \(key)", missing: nil as [String]?) {
      [self] connection throws(SQLFailure) -> [String]? in
      let rows = try rows(connection)
      guard try exists(namespace, in: rows) else { return nil }
      return try rows.tableNames(in: key)
    }
    guard let names else { throw .namespaceNotFound(key) }
    // Names that can't be asked for by Lake are left out: a program that made them knows them.
    return NamePath.sorted(names).compactMap {
      try? TableIdentifier(namespace: namespace, name: $0)
    }
  }

  public func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]] {
    let key = try key(of: parent)
    let names = try await access.read("listing namespaces", missing: [String]()) {
      [self] connection throws(SQLFailure) in try rows(connection).namespaces()
    }
    let paths = names.map(Self.levels)
    guard parent.isEmpty || paths.contains(where: { Self.lies($0, in: parent) }) else {
      throw .namespaceNotFound(key)
    }
    var found: Set<NamePath> = []
    for path in paths where path.count > parent.count && Self.lies(path, in: parent) {
      let child = Array(path.prefix(parent.count + 1))
      if (try? self.key(of: child)) != nil { found.insert(NamePath(child)) }
    }
    return found.sorted().map(\.parts)
  }

  public func createNamespace(
    _ namespace: [String], properties: [String: String]
  ) async throws(CatalogError) {
    let key = try key(of: namespace)
    guard !namespace.isEmpty else { throw .invalidName(key, reason: "a namespace has a name") }
    try Self.check(properties.keys)
    let noted = properties.merging([Self.marker: "true"]) { $1 }
    let isMade = try await access.write("making namespace \(key)", missing: .isMade) {
      [self] connection, isRepeated throws(SQLFailure) in
      let rows = try CatalogRows(making: connection, catalog: name)
      if try exists(namespace, in: rows) {
        return isRepeated ? try rows.properties(of: key) == noted : false
      }
      for (property, value) in noted { try rows.setProperty(property, value, of: key) }
      return true
    }
    guard isMade else { throw .namespaceExists(key) }
  }

  public func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    let key = try key(of: namespace)
    let answer = try await access.write("dropping namespace \(key)", absent: .notFound) {
      [self] connection, isRepeated throws(SQLFailure) -> DropAnswer in
      let rows = try rows(connection)
      guard !namespace.isEmpty, try exists(namespace, in: rows) else {
        return isRepeated ? .isDropped : .notFound
      }
      let children = try rows.namespaces().map(Self.levels)
        .contains { $0.count > namespace.count && Self.lies($0, in: namespace) }
      let hasEntries = try rows.hasEntries(in: key)
      if children || hasEntries { return .isNotEmpty }
      try rows.removeProperties(of: key)
      return .isDropped
    }
    switch answer {
    case .isDropped: return
    case .isNotEmpty: throw .namespaceNotEmpty(key)
    case .notFound: throw .namespaceNotFound(key)
    }
  }

  private enum DropAnswer { case isDropped, isNotEmpty, notFound }

  public func namespaceProperties(
    of namespace: [String]
  ) async throws(CatalogError) -> [String: String] {
    let key = try key(of: namespace)
    let found = try await access.read("reading namespace \(key)", missing: nil as [String: String]?)
    {
      [self] connection throws(SQLFailure) -> [String: String]? in
      let rows = try rows(connection)
      return try exists(namespace, in: rows) ? rows.properties(of: key) : nil
    }
    guard var found else { throw .namespaceNotFound(key) }
    found[Self.marker] = nil
    return found
  }

  public func updateNamespaceProperties(
    of namespace: [String], setting changes: [String: String], removing removed: [String]
  ) async throws(CatalogError) {
    let key = try key(of: namespace)
    try Self.check(changes.keys)
    let isThere = try await access.write("changing namespace \(key)", absent: false) {
      [self] connection, _ throws(SQLFailure) in
      let rows = try rows(connection)
      guard try exists(namespace, in: rows) else { return false }
      for property in removed where property != Self.marker {
        try rows.removeProperty(property, of: key)
      }
      for (property, value) in changes { try rows.setProperty(property, value, of: key) }
      // One that PyIceberg made has no other property that would keep it.
      try rows.setProperty(Self.marker, "true", of: key)
      return true
    }
    guard isThere else { throw .namespaceNotFound(key) }
  }

  /// Throws for a property that has a meaning in the file.
  private static func check(_ names: some Sequence<String>) throws(CatalogError) {
    guard names.contains(marker) else { return }
    throw .unsupported(
      what: "a property '\(marker)' of a namespace", instead: "it tells that there is one")
  }

  private func exists(
    _ namespace: [String], in rows: CatalogRows
  ) throws(SQLFailure) -> Bool {
    try rows.namespaces().map(Self.levels).contains { Self.lies($0, in: namespace) }
  }

  private static func levels(_ text: String) -> [String] {
    text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }

  /// True if `path` is `parent` or lies in it.
  private static func lies(_ path: [String], in parent: [String]) -> Bool {
    path.count >= parent.count && NamePath(Array(path.prefix(parent.count))) == NamePath(parent)
  }
}

extension NamePath {
  /// `names` by their bytes.
  fileprivate static func sorted(_ names: [String]) -> [String] {
    names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
