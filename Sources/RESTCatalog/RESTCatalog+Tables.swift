// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import Iceberg
internal import JSON
public import Storage

/// Making, naming and taking away tables.
///
/// An answer to one of these that leaves open whether it was done is resolved by looking, where what
/// is there can tell; else it is ``CatalogError/outcomeUnknown(what:cause:)``, and nothing was
/// cleaned up.
extension RESTCatalog {
  public func createTable(
    _ identifier: TableIdentifier, _ definition: TableDefinition
  ) async throws(CatalogError) -> Table {
    try session.check(.createTable, "making tables")
    try check(definition)
    let call = creation(identifier, definition, isStaged: false)
    let response = try await session.change(
      call, "the creation of \(identifier)", definite: { Self.creationError($0, identifier) })
    return try await opened(response, identifier)
  }

  /// Throws if there can be no such table, which servers tell each in a way of its own, or if it would
  /// lie, or have files, where none of this catalog may.
  func check(_ definition: TableDefinition) throws(CatalogError) {
    let place = definition.location ?? session.client.address.place
    _ = try definition.metadata(at: place, session.environment)
    do throws(StorageError) {
      if let location = definition.location { try session.storage.check(location) }
    } catch {
      throw .storage(error, while: "choosing a place for a table")
    }
  }

  /// The request that makes a table, or has the server choose what it will be.
  func creation(
    _ identifier: TableIdentifier, _ definition: TableDefinition, isStaged: Bool
  ) -> RESTCall {
    var properties = definition.properties
    properties["format-version"] = "\(definition.formatVersion.rawValue)"
    var call = RESTCall(session.path(of: identifier.namespace, "/tables")) { writer in
      writer.writeKey("name")
      writer.write(identifier.name)
      if let location = definition.location {
        writer.writeKey("location")
        writer.write(location.text)
      }
      writer.writeKey("schema")
      definition.schema.write(to: &writer)
      writer.writeKey("partition-spec")
      definition.partitionSpec.write(to: &writer)
      if !definition.sortOrder.fields.isEmpty {
        writer.writeKey("write-order")
        definition.sortOrder.write(to: &writer)
      }
      writer.writeKey("stage-create")
      writer.write(isStaged)
      writer.writeKey("properties")
      writer.write(strings: properties)
    }
    call.headers += RESTTable.delegation
    call.bodyLimit = RESTTable.byteCountLimit
    return call
  }

  private static func creationError(
    _ error: ServerError, _ identifier: TableIdentifier
  ) -> CatalogError? {
    switch error.status {
    case 409: .tableExists(identifier.description)
    case 404: .namespaceNotFound(identifier.namespace.joined(separator: "."))
    case 400, 422:
      .rejected(.invalid("the creation of \(identifier)", reason: "\(error)"))
    default: nil
    }
  }

  /// The table that an answer tells of; where there was none that could be understood, the one that
  /// is there.
  private func opened(
    _ response: HTTPResponse?, _ identifier: TableIdentifier
  ) async throws(CatalogError) -> Table {
    let home = RESTTable(identifier, session)
    if let response, let loaded = try? LoadedTable(response) { return try home.opened(loaded) }
    return try await home.load()
  }

  public func registerTable(
    _ identifier: TableIdentifier, metadataLocation: ObjectPath
  ) async throws(CatalogError) -> Table {
    try session.check(.registerTable, "registering tables")
    try await session.storage.checkThere(metadataLocation)
    var call = RESTCall(session.path(of: identifier.namespace, "/register")) { writer in
      writer.writeKey("name")
      writer.write(identifier.name)
      writer.writeKey("metadata-location")
      writer.write(metadataLocation.text)
    }
    call.headers += RESTTable.delegation
    call.bodyLimit = RESTTable.byteCountLimit
    let home = RESTTable(identifier, session)
    let response = try await session.change(
      call, "the registration of \(identifier)",
      isDone: { (try? await home.load())?.metadataLocation == metadataLocation },
      definite: { error in
        if error.status == 404, !error.type.hasPrefix("NoSuchNamespace") {
          return .tableNotFound(metadataLocation.text)
        }
        if error.status == 400 || error.status == 422 {
          return .invalidMetadata(
            file: metadataLocation,
            .invalid("the registration of \(identifier)", reason: "\(error)"))
        }
        return Self.creationError(error, identifier)
      })
    return try await opened(response, identifier)
  }

  public func dropTable(
    _ identifier: TableIdentifier, _ mode: DropMode
  ) async throws(CatalogError) {
    try session.check(.dropTable, "dropping tables")
    var call = RESTCall(.delete, session.path(of: identifier))
    call.query = [("purgeRequested", mode == .purge ? "true" : "false")]
    let home = RESTTable(identifier, session)
    _ = try await session.change(
      call, "the drop of \(identifier)", isDone: { await home.isGone() },
      definite: { $0.status == 404 ? .tableNotFound(identifier.description) : nil })
  }

  public func renameTable(
    _ identifier: TableIdentifier, to newName: TableIdentifier
  ) async throws(CatalogError) {
    try session.check(.renameTable, "renaming tables")
    let call = RESTCall("tables/rename") { writer in
      writer.writeKey("source")
      identifier.write(to: &writer)
      writer.writeKey("destination")
      newName.write(to: &writer)
    }
    let old = RESTTable(identifier, session)
    let new = RESTTable(newName, session)
    _ = try await session.change(
      call, "the renaming of \(identifier) to \(newName)",
      isDone: {
        guard await old.isGone() == true else { return nil }
        return (try? await new.load()) == nil ? nil : true
      },
      definite: { error in
        switch error.status {
        case 409: .tableExists(newName.description)
        case 404:
          error.type.hasPrefix("NoSuchNamespace")
            ? .namespaceNotFound(newName.namespace.joined(separator: "."))
            : .tableNotFound(identifier.description)
        default: nil
        }
      })
  }
}

extension RESTTable {
  /// Whether there is no such table; nil if no one can tell.
  func isGone() async -> Bool? {
    do throws(CatalogError) {
      _ = try await load()
      return false
    } catch {
      switch error {
      case .tableNotFound, .namespaceNotFound: return true
      default: return nil
      }
    }
  }
}

extension JSONWriter {
  /// Writes an object of texts, by name.
  mutating func write(strings: [String: String]) {
    beginObject()
    for (key, value) in strings.sorted(by: { $0.key < $1.key }) {
      writeKey(key)
      write(value)
    }
    endObject()
  }
}
