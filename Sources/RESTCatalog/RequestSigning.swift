// SPDX-License-Identifier: Apache-2.0
internal import Network
internal import Storage

/// Signs requests with AWS keys, as catalogs behind AWS gateways want it.
struct RequestSigning: Authorization {
  private let signature: SignatureV4
  private let provider: any CredentialsProvider
  private let environment: Environment

  /// - Parameter transport: what the keys are looked for with, where the settings have none.
  init(
    _ settings: RESTSettings.Signing, transport: any HTTPTransport, environment: Environment
  ) {
    signature = settings.signature
    self.environment = environment
    if let keys = settings.keys {
      provider = FixedCredentials(keys)
    } else {
      provider = RefreshingCredentials.chain(
        .ofProcess(properties: [:], transport: transport, environment: environment))
    }
  }

  func authorized(_ request: HTTPRequest) async throws(RESTFailure) -> HTTPRequest {
    let credentials: AWSCredentials
    do throws(CredentialsError) {
      credentials = try await provider.credentials()
    } catch {
      throw .unauthorized("\(error)")
    }
    var request = request
    signature.sign(&request, with: credentials, at: environment.now())
    return request
  }

  func reauthorized(
    _ request: HTTPRequest, refused: HTTPRequest
  ) async throws(RESTFailure) -> HTTPRequest? {
    let before = try? await provider.credentials()
    guard let before else { return nil }
    await provider.discard(before)
    guard let after = try? await provider.credentials(), after != before else { return nil }
    return try await authorized(request)
  }
}
