// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Network
internal import S3Storage
internal import Storage
internal import Synchronization

/// Keys of a store that the catalog hands out for one table, and for no other.
struct VendedKeys: CredentialsSource {
  let name = "the catalog"
  private let table: RESTTable
  /// Of which of the table's places.
  private let prefix: String
  /// Of which plan; nil: of the table.
  private let planID: String?
  /// Those that came with the table, until they were handed on.
  private let first: Once

  private final class Once: Sendable {
    private let keys: Mutex<AWSCredentials?>
    init(_ keys: AWSCredentials) { self.keys = Mutex(keys) }
    func take() -> AWSCredentials? {
      keys.withLock { keys in
        defer { keys = nil }
        return keys
      }
    }
  }

  init(_ keys: AWSCredentials, of table: RESTTable, prefix: String, planID: String?) {
    first = Once(keys)
    self.planID = planID
    self.table = table
    self.prefix = prefix
  }

  func load() async throws(CredentialsError) -> AWSCredentials? {
    let soon = table.session.environment.now().adding(.seconds(60))
    if let keys = first.take(), keys.expiration.map({ $0 > soon }) ?? true { return keys }
    do throws(CatalogError) {
      let credentials = try await table.newCredentials(of: planID)
      if let found = credentials.first(where: { $0.prefix == prefix })?.settings.keys {
        return found
      }
    } catch {
      throw .unavailable(source: name, reason: "\(error)")
    }
    throw .refused(source: name, status: 200, reason: "it has none for \(prefix) any more")
  }
}

/// Signs with keys that are fetched again before they end.
struct VendedSigning: S3Signing {
  let provider: RefreshingCredentials

  func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest {
    let keys: AWSCredentials
    do throws(CredentialsError) {
      keys = try await provider.credentials()
    } catch {
      throw .noCredentials(reason: "\(error)", isTransient: error.remedy == .retry)
    }
    var request = request
    SignatureV4(service: "s3", region: region)
      .sign(&request, with: keys, at: moment, payload: payload)
    return request
  }

  func renew() async -> Bool {
    guard let keys = try? await provider.credentials() else { return false }
    await provider.discard(keys)
    return true
  }
}

extension [String: Secret] {
  /// The keys of S3 among these settings; nil if there are none.
  var keys: AWSCredentials? {
    guard let id = self["s3.access-key-id"], let secret = self["s3.secret-access-key"],
      !id.isEmpty, !secret.isEmpty
    else { return nil }
    let token = self["s3.session-token"].flatMap { $0.isEmpty ? nil : $0 }
    let end = self["s3.session-token-expires-at-ms"].flatMap { Int64($0.reveal()) }
    return AWSCredentials(
      accessKeyID: id.reveal(), secretAccessKey: secret, sessionToken: token,
      expiration: end.map { Timestamp(milliseconds: $0) })
  }
}

extension RESTTable {
  /// The keys that the catalog has for the table's files now.
  ///
  /// - Parameter planID: the plan whose files they are for; nil for all files.
  func newCredentials(
    of planID: String?
  ) async throws(CatalogError) -> [TableAccess.PlacedCredential] {
    if session.configuration.endpoints.contains(.loadCredentials) {
      var call = RESTCall(.get, session.path(of: identifier, "/credentials"))
      if let planID { call.query = [("planId", planID)] }
      do throws(RESTFailure) {
        let response = try await session.client.send(call)
        return try TableAccess.credentials(try Message(response.body, "the table's credentials"))
      } catch {
        throw session.loadFailure(error, call, identifier)
      }
    }
    var call = RESTCall(.get, session.path(of: identifier))
    call.bodyLimit = Self.byteCountLimit
    call.headers = Self.delegation
    do throws(RESTFailure) {
      return try LoadedTable(try await session.client.send(call)).access.grants
    } catch {
      throw session.loadFailure(error, call, identifier)
    }
  }
}
