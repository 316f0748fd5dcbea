// SPDX-License-Identifier: Apache-2.0
import Network
import Storage

extension RawServer {
  var origin: HTTPOrigin { HTTPOrigin(isSecure: false, host: "127.0.0.1", port: port) }

  func get(_ target: String = "/", timeout: Duration = .seconds(10)) -> HTTPRequest {
    HTTPRequest(.get, origin, target: target, timeout: timeout)
  }
}

/// How a request ended.
func outcome(
  of request: HTTPRequest, by transport: any HTTPTransport
) async -> Result<HTTPResponse, HTTPTransportError> {
  do throws(HTTPTransportError) {
    return .success(try await transport.send(request))
  } catch {
    return .failure(error)
  }
}

extension Result where Failure == HTTPTransportError {
  var error: HTTPTransportError? {
    if case .failure(let error) = self { error } else { nil }
  }
}
