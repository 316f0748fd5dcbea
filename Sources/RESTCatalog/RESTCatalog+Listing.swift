// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import JSON
internal import Storage

extension RESTCatalog {
  public func loadTable(_ identifier: TableIdentifier) async throws(CatalogError) -> Table {
    try await RESTTable(identifier, session).load()
  }

  public func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    try session.check(.listTables, "listing tables")
    return try await identifiers("tables", of: namespace)
  }

  /// The views right in `namespace`, by name.
  public func listViews(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    try session.check(.listViews, "listing views")
    return try await identifiers("views", of: namespace)
  }

  private func identifiers(
    _ kind: String, of namespace: [String]
  ) async throws(CatalogError) -> [TableIdentifier] {
    // No table lies at the root, which no request can name.
    guard !namespace.isEmpty else { return [] }
    let call = RESTCall(.get, session.path(of: namespace, "/\(kind)"))
    var found: [TableIdentifier] = []
    for page in try await pages(call, "listing \(kind)", missing: namespace) {
      do throws(RESTFailure) {
        for element in try page.elements("identifiers") {
          let name = try Message(element, "a table's identifier")
          // A name that is no name to us is of no table that we could open.
          guard
            let identifier = try? TableIdentifier(
              namespace: try name.namespace(element["namespace"], "namespace"),
              name: try name.string("name"))
          else { continue }
          found.append(identifier)
        }
      } catch {
        throw session.failure(error, call, "listing \(kind)")
      }
    }
    return found.sorted { NamePath([$0.name]) < NamePath([$1.name]) }
  }

  /// All pages of a listing.
  func pages(
    _ call: RESTCall, _ activity: String, missing namespace: [String]
  ) async throws(CatalogError) -> [Message] {
    var pages: [Message] = []
    var seen: Set<String> = []
    var token = session.settings.pageSize == nil ? nil : ""
    repeat {
      var call = call
      if let token { call.query.append(("pageToken", token)) }
      if let size = session.settings.pageSize { call.query.append(("pageSize", "\(size)")) }
      let response = try await session.read(
        call, activity, missing: .namespaceNotFound(namespace.joined(separator: ".")))
      do throws(RESTFailure) {
        let page = try Message(response.body, "a page of a listing")
        pages.append(page)
        token = try page.optionalString("next-page-token")
        if let token, !token.isEmpty, !seen.insert(token).inserted {
          throw .unreadable("the listing has no end: a page's token comes again")
        }
      } catch {
        throw session.failure(error, call, activity)
      }
    } while token?.isEmpty == false
    return pages
  }
}
