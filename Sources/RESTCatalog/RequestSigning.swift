// SPDX-License-Identifier: Apache-2.0
internal import Network
internal import Storage

/// Signs requests with AWS keys, as catalogs behind AWS gateways want it.
struct RequestSigning: Authorization {
  let signature: SignatureV4
  let credentials: AWSCredentials
  let environment: Environment

  func authorized(_ request: HTTPRequest) async throws(RESTFailure) -> HTTPRequest {
    var request = request
    signature.sign(&request, with: credentials, at: environment.now())
    return request
  }

  func reauthorized(
    _ request: HTTPRequest, refused: HTTPRequest
  ) async throws(RESTFailure) -> HTTPRequest? { nil }
}
