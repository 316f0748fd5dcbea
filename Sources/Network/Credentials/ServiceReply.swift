// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON
internal import Storage

/// Asks a service that gives out credentials, and reads what it says.
struct CredentialsService {
  let name: String
  let transport: any HTTPTransport

  /// The most that any of them says.
  static let bodyLimit = 1 << 20

  func send(_ request: HTTPRequest) async throws(CredentialsError) -> HTTPResponse {
    do throws(HTTPTransportError) {
      return try await transport.send(request)
    } catch {
      if case .cancelled = error { throw .cancelled }
      throw .unavailable(source: name, reason: "\(error)")
    }
  }

  /// What to throw for a reply that is no success: a busy service is asked again, a refusal stays.
  func error(_ reply: HTTPResponse, reason: String) -> CredentialsError {
    reply.status >= 500 || reply.status == 429
      ? .unavailable(source: name, reason: "\(reason) (\(reply.status))")
      : .refused(source: name, status: reply.status, reason: reason)
  }

  /// The credentials in a JSON object, as container agents and the instance's metadata have them.
  ///
  /// What is wrong is told without the text, in which there may be secrets.
  func credentials(json reply: HTTPResponse) throws(CredentialsError) -> AWSCredentials {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: reply.body.bytes)
    } catch {
      throw .invalid(source: name, reason: "the reply is not JSON")
    }
    if let code = value["Code"]?.string, code != "Success" {
      throw .refused(source: name, status: reply.status, reason: code)
    }
    return try credentials(
      id: value["AccessKeyId"]?.string, secret: value["SecretAccessKey"]?.string,
      token: value["Token"]?.string, expiration: value["Expiration"]?.string)
  }

  /// Credentials of parts that a reply should have.
  func credentials(
    id: String?, secret: String?, token: String?, expiration: String?
  ) throws(CredentialsError) -> AWSCredentials {
    guard let id, !id.isEmpty else { throw .incomplete(source: name, missing: "AccessKeyId") }
    guard let secret, !secret.isEmpty else {
      throw .incomplete(source: name, missing: "SecretAccessKey")
    }
    guard let token, !token.isEmpty else { throw .incomplete(source: name, missing: "a token") }
    guard let moment = expiration.flatMap({ Timestamp(rfc3339: $0) }) else {
      throw .incomplete(source: name, missing: "Expiration")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: Secret(secret), sessionToken: Secret(token),
      expiration: moment)
  }
}
