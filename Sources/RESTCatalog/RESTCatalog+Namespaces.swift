// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import JSON
internal import Storage

extension RESTCatalog {
  public func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]] {
    try session.check(.listNamespaces, "listing namespaces")
    var call = RESTCall(.get, "namespaces")
    if !parent.isEmpty {
      call.query = [("parent", parent.joined(separator: session.separator))]
    }
    var found: Set<NamePath> = []
    for page in try await pages(call, "listing namespaces", missing: parent) {
      do throws(RESTFailure) {
        for element in try page.elements("namespaces") {
          found.insert(NamePath(try page.namespace(element, "namespaces")))
        }
      } catch {
        throw session.failure(error, call, "listing namespaces")
      }
    }
    return found.sorted().map(\.parts)
  }

  public func createNamespace(
    _ namespace: [String], properties: [String: String]
  ) async throws(CatalogError) {
    try session.check(.createNamespace, "making namespaces")
    let name = try Self.checked(namespace)
    let call = RESTCall("namespaces") { writer in
      writer.writeKey("namespace")
      writer.beginArray()
      for part in namespace { writer.write(part) }
      writer.endArray()
      writer.writeKey("properties")
      writer.write(strings: properties)
    }
    _ = try await session.change(
      call, "the creation of namespace \(name)",
      definite: { error in
        switch error.status {
        case 409: .namespaceExists(name)
        case 404: .namespaceNotFound(namespace.dropLast().joined(separator: "."))
        default: nil
        }
      })
  }

  public func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    try session.check(.dropNamespace, "dropping namespaces")
    let name = try Self.checked(namespace)
    let call = RESTCall(.delete, session.path(of: namespace))
    _ = try await session.change(
      call, "the drop of namespace \(name)",
      isDone: {
        do throws(CatalogError) {
          _ = try await namespaceProperties(of: namespace)
          return false
        } catch {
          if case .namespaceNotFound = error { return true }
          return nil
        }
      },
      definite: { error in
        switch error.status {
        case 404: .namespaceNotFound(name)
        // Older servers say 400 of a namespace that is not empty.
        case 409: .namespaceNotEmpty(name)
        case 400 where error.type.hasPrefix("NamespaceNotEmpty"): .namespaceNotEmpty(name)
        default: nil
        }
      })
  }

  public func namespaceProperties(
    of namespace: [String]
  ) async throws(CatalogError) -> [String: String] {
    try session.check(.loadNamespace, "looking at namespaces")
    let name = try Self.checked(namespace)
    let call = RESTCall(.get, session.path(of: namespace))
    let activity = "looking at namespace \(name)"
    let response = try await session.read(call, activity, missing: .namespaceNotFound(name))
    do throws(RESTFailure) {
      return try Message(response.body, "the answer about a namespace")
        .optionalStrings("properties") ?? [:]
    } catch {
      throw session.failure(error, call, activity)
    }
  }

  public func updateNamespaceProperties(
    of namespace: [String], setting changes: [String: String], removing removed: [String]
  ) async throws(CatalogError) {
    try session.check(.changeNamespace, "changing namespaces")
    let name = try Self.checked(namespace)
    // A server refuses a property that is both taken away and set.
    let gone = Set(removed).subtracting(changes.keys).sorted()
    let call = RESTCall(session.path(of: namespace, "/properties")) { writer in
      writer.writeKey("removals")
      writer.beginArray()
      for key in gone { writer.write(key) }
      writer.endArray()
      writer.writeKey("updates")
      writer.write(strings: changes)
    }
    _ = try await session.change(
      call, "the change of namespace \(name)",
      isDone: {
        guard let now = try? await namespaceProperties(of: namespace) else { return nil }
        let isSet = changes.allSatisfy { now[$0.key] == $0.value }
        return isSet && gone.allSatisfy { now[$0] == nil } ? true : nil
      },
      definite: { $0.status == 404 ? .namespaceNotFound(name) : nil })
  }

  /// The name of a namespace, for errors.
  private static func checked(_ namespace: [String]) throws(CatalogError) -> String {
    guard !namespace.isEmpty else {
      throw .invalidName("", reason: "the root is no namespace of its own")
    }
    for part in namespace { try TableIdentifier.check(part) }
    return namespace.joined(separator: ".")
  }
}
