// SPDX-License-Identifier: Apache-2.0
internal import Storage

/// Puts into requests what shows who we are. Each catalog has its own, so that nothing of one is
/// ever sent to another.
protocol Authorization: Sendable {
  func authorized(_ request: HTTPRequest) async throws(RESTFailure) -> HTTPRequest

  /// The request with something newer than `refused` had, which the server did not take; nil if
  /// there is nothing newer to be had.
  func reauthorized(
    _ request: HTTPRequest, refused: HTTPRequest
  ) async throws(RESTFailure) -> HTTPRequest?
}

/// Nothing, or what the user's own headers say.
struct NoAuthorization: Authorization {
  func authorized(_ request: HTTPRequest) async throws(RESTFailure) -> HTTPRequest { request }

  func reauthorized(
    _ request: HTTPRequest, refused: HTTPRequest
  ) async throws(RESTFailure) -> HTTPRequest? { nil }
}

/// A token that the user has.
struct BearerToken: Authorization {
  let token: Secret

  func authorized(_ request: HTTPRequest) async throws(RESTFailure) -> HTTPRequest {
    request.with(token)
  }

  func reauthorized(
    _ request: HTTPRequest, refused: HTTPRequest
  ) async throws(RESTFailure) -> HTTPRequest? { nil }
}

extension HTTPRequest {
  func with(_ token: Secret) -> HTTPRequest {
    var request = self
    request.headers.removeAll { $0.name == "authorization" }
    request.headers.append(("authorization", "Bearer " + token.reveal()))
    return request
  }
}
