// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON
internal import Storage

/// Namespaces are folders. Stores know no empty ones, so that one which was made has a note in it,
/// with its properties; folders with tables in them are namespaces without one.
///
///     <warehouse>/<level>/…/lake-namespace.json      { "<property>": "<value>", … }
///
/// The note is Lake's own: other engines list the folders.
extension FilesystemCatalog {
  static let noteName = "lake-namespace.json"
  private static let noteByteCountLimit: Int64 = 16 << 20

  public func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    guard !namespace.isEmpty else { return [] }
    var found: [TableIdentifier] = []
    for path in try await contents(of: namespace).tables.sorted()
    where path.parts.count == namespace.count + 1 {
      guard let name = path.parts.last else { continue }
      found.append(try TableIdentifier(namespace: namespace, name: name))
    }
    return found
  }

  public func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]] {
    let contents = try await contents(of: parent)
    var found: Set<NamePath> = []
    for path in contents.tables where path.parts.count > parent.count + 1 {
      found.insert(NamePath(Array(path.parts.prefix(parent.count + 1))))
    }
    for path in contents.namespaces where path.parts.count > parent.count {
      found.insert(NamePath(Array(path.parts.prefix(parent.count + 1))))
    }
    return found.sorted().map(\.parts)
  }

  public func createNamespace(
    _ namespace: [String], properties: [String: String]
  ) async throws(CatalogError) {
    let name = namespace.joined(separator: ".")
    guard !namespace.isEmpty else { throw .invalidName(name, reason: "a namespace has a name") }
    try await checkNoTable(namespace)
    do throws(CatalogError) {
      _ = try await contents(of: namespace)
      throw .namespaceExists(name)
    } catch {
      guard case .namespaceNotFound = error else { throw error }
    }
    guard try await write(properties, as: try note(of: namespace), if: .absent) else {
      throw .namespaceExists(name)
    }
  }

  public func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    let contents = try await contents(of: namespace)
    guard contents.tables.isEmpty, contents.namespaces.allSatisfy({ $0 == NamePath(namespace) })
    else {
      throw .namespaceNotEmpty(namespace.joined(separator: "."))
    }
    let note = try note(of: namespace)
    do throws(StorageError) {
      try await store.delete(note)
    } catch {
      throw .storage(error, while: "dropping namespace \(namespace.joined(separator: "."))")
    }
  }

  public func namespaceProperties(
    of namespace: [String]
  ) async throws(CatalogError) -> [String: String] {
    if let (properties, _) = try await readNote(of: namespace) { return properties }
    _ = try await contents(of: namespace)
    return [:]
  }

  public func updateNamespaceProperties(
    of namespace: [String], setting changes: [String: String], removing removed: [String]
  ) async throws(CatalogError) {
    let path = try note(of: namespace)
    for _ in 1...100 {
      let found = try await readNote(of: namespace)
      if found == nil { _ = try await contents(of: namespace) }
      var properties = found?.properties ?? [:]
      for name in removed { properties[name] = nil }
      properties.merge(changes) { $1 }
      let condition = found.map { PutCondition.matches($0.version) } ?? .absent
      if try await write(properties, as: path, if: condition) { return }
    }
    throw .storage(
      .conditionFailed(path: path), while: "changing a namespace that others change all the time")
  }

  private func note(of namespace: [String]) throws(CatalogError) -> ObjectPath {
    let folder = try folder(namespace)
    do throws(StorageError) {
      return try folder.appending(Self.noteName)
    } catch {
      throw .storage(error, while: "naming the note of \(namespace.joined(separator: "."))")
    }
  }

  /// False if `condition` does not hold.
  private func write(
    _ properties: [String: String], as note: ObjectPath, if condition: PutCondition
  ) async throws(CatalogError) -> Bool {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
      writer.writeKey(name)
      writer.write(value)
    }
    writer.endObject()
    do throws(StorageError) {
      _ = try await store.put(writer.finish(), to: note, if: condition)
      return true
    } catch {
      if case .conditionFailed = error { return false }
      if error.isOutcomeUnknown { throw .outcomeUnknown(what: "writing \(note)", cause: error) }
      throw .storage(error, while: "writing the note of a namespace")
    }
  }

  /// What the note of `namespace` says, and which one it is; nil if there is none.
  private func readNote(
    of namespace: [String]
  ) async throws(CatalogError) -> (properties: [String: String], version: ObjectVersion)? {
    let path = try note(of: namespace)
    let bytes: Buffer
    let info: ObjectInfo
    do throws(StorageError) {
      guard let found = try await store.headIfPresent(path) else { return nil }
      info = found
      bytes = try await store.get(path, limit: Self.noteByteCountLimit)
    } catch {
      if error.isNotFound { return nil }
      throw .storage(error, while: "reading the note of a namespace")
    }
    do throws(JSONError) {
      return (try Self.properties(in: bytes), info.version)
    } catch {
      throw .storage(
        .notAnObject(path: path, found: "what is no object of texts in JSON (\(error))"),
        while: "reading the note of a namespace")
    }
  }

  private static func properties(in bytes: Buffer) throws(JSONError) -> [String: String] {
    var properties: [String: String] = [:]
    var reader = JSONReader(bytes.bytes)
    try reader.beginObject()
    while let key = try reader.nextKey() {
      let name = key.string
      properties[name] = try reader.readString()
    }
    try reader.finish()
    return properties
  }

  /// Throws if a namespace of this name would lie in the folder of a table.
  private func checkNoTable(_ namespace: [String]) async throws(CatalogError) {
    for count in 2..<max(2, namespace.count + 1) {
      guard let name = namespace[..<count].last else { continue }
      let table = try TableIdentifier(namespace: Array(namespace[..<(count - 1)]), name: name)
      let home = try home(of: table)
      let newest = try await home.reaching("looking for \(table)") {
        () async throws(StorageError) in try await home.newestVersion()
      }
      if newest != nil { throw .tableExists(table.description) }
    }
  }

  /// What is in a namespace, at any depth, by names from the root.
  private struct Contents {
    var tables: Set<NamePath> = []
    /// Those with a note, the namespace itself among them.
    var namespaces: Set<NamePath> = []
  }

  /// - Throws: ``CatalogError/namespaceNotFound(_:)``.
  private func contents(of namespace: [String]) async throws(CatalogError) -> Contents {
    let folder = try self.folder(namespace)
    var contents = Contents()
    do throws(StorageError) {
      for try await object in store.list(folder) {
        guard let parent = object.path.parent else { continue }
        if object.path.name == Self.noteName {
          if let names = Self.names(from: folder, to: parent) {
            contents.namespaces.insert(NamePath(namespace + names))
          }
        } else if FilesystemLayout.version(of: object.path.name) != nil,
          parent.name == "metadata", let table = parent.parent,
          let names = Self.names(from: folder, to: table), !names.isEmpty
        {
          contents.tables.insert(NamePath(namespace + names))
        }
      }
    } catch {
      throw .storage(error, while: "listing \(folder)")
    }
    if !namespace.isEmpty, contents.tables.isEmpty, contents.namespaces.isEmpty {
      throw .namespaceNotFound(namespace.joined(separator: "."))
    }
    return contents
  }

  private static func names(from folder: ObjectPath, to other: ObjectPath) -> [String]? {
    folder.relativePath(of: other).map { $0.split(separator: "/").map(String.init) }
  }
}
