// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import Storage
internal import Synchronization

/// The home of a table that a REST catalog keeps.
struct RESTTable: TableHome {
  let identifier: TableIdentifier
  let session: Session
  /// What the server told last, should it say that nothing has changed since.
  private let last = LastAnswer()

  init(_ identifier: TableIdentifier, _ session: Session) {
    self.identifier = identifier
    self.session = session
  }

  /// Remembers the last answer that has an `ETag`.
  private final class LastAnswer: Sendable {
    private let answer = Mutex<LoadedTable?>(nil)

    var value: LoadedTable? { answer.withLock { $0 } }

    func keep(_ loaded: LoadedTable) {
      if let etag = loaded.etag, etag.isHeaderValue { answer.withLock { $0 = loaded } }
    }
  }

  /// Remembers what came with the table when it was loaded, besides its state: servers leave it out
  /// of the answer to a commit.
  private let access = KnownAccess()

  private final class KnownAccess: Sendable {
    private let access = Mutex(TableAccess())

    var value: TableAccess { access.withLock { $0 } }

    func keep(_ new: TableAccess) { access.withLock { $0 = new } }
  }

  /// What may come with a table: keys of its own for its files, or someone who signs for them.
  static let delegation = [
    (name: "x-iceberg-access-delegation", value: "vended-credentials,remote-signing")
  ]

  /// The most bytes that are read of a table's metadata.
  static let byteCountLimit = 512 << 20

  func load() async throws(CatalogError) -> Table {
    try session.check(.loadTable, "opening tables")
    var call = RESTCall(.get, session.path(of: identifier))
    call.bodyLimit = Self.byteCountLimit
    call.headers = Self.delegation
    let known = last.value
    if let known, let etag = known.etag { call.headers.append(("if-none-match", etag)) }
    let response: HTTPResponse
    do throws(RESTFailure) {
      response = try await session.client.send(call)
    } catch {
      throw session.loadFailure(error, call, identifier)
    }
    if response.status == 304, let known { return try session.table(known, self) }
    let loaded: LoadedTable
    do throws(RESTFailure) {
      loaded = try LoadedTable(response)
    } catch {
      throw session.failure(error, call, "loading \(identifier)")
    }
    return try opened(loaded)
  }

  /// The table of an answer, which is remembered.
  func opened(_ loaded: LoadedTable) throws(CatalogError) -> Table {
    access.keep(loaded.access)
    return try remembered(loaded)
  }

  /// As ``opened(_:)``, of the answer to a commit.
  func committed(_ loaded: LoadedTable) throws(CatalogError) -> Table {
    var loaded = loaded
    if loaded.access.isEmpty { loaded.access = access.value }
    return try remembered(loaded)
  }

  private func remembered(_ loaded: LoadedTable) throws(CatalogError) -> Table {
    let table = try session.table(loaded, self)
    last.keep(loaded)
    return table
  }
}
