// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Network
import Storage

@testable import S3Storage

/// Signs with the keys it has.
struct FixedKeys: S3Signing {
  let keys: AWSCredentials

  func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest {
    var request = request
    SignatureV4(service: "s3", region: region)
      .sign(&request, with: keys, at: moment, payload: payload)
    return request
  }

  func renew() async -> Bool { false }
}

/// Asks a server what no store asks.
struct DirectServer: ObjectServer {
  let transport: any HTTPTransport
  let options: S3Options
  let keys: AWSCredentials

  private func request(
    _ method: HTTPRequest.Method, _ path: ObjectPath,
    _ query: [(name: String, value: String)] = [], _ body: String = ""
  ) -> HTTPRequest {
    let address = S3Address(bucket: path.bucket, region: options.region, options)
    return HTTPRequest(
      method, address.origin, target: address.target(key: path.key, query: query),
      body: Buffer(utf8: body))
  }

  private func send(_ given: HTTPRequest) async throws -> HTTPResponse {
    var request = given
    SignatureV4(service: "s3", region: options.region)
      .sign(&request, with: keys, at: Environment.system.now())
    return try await transport.send(request)
  }

  func attributes(of path: ObjectPath) async throws -> [String: String] {
    let response = try await send(request(.head, path))
    return Dictionary(
      response.headers.filter { $0.name.hasPrefix("x-amz-meta-") }.map { ($0.name, $0.value) }
    ) { first, _ in first }
  }

  func tag(_ path: ObjectPath, name: String, value: String) async throws -> Bool {
    let document =
      "<Tagging><TagSet><Tag><Key>\(name)</Key><Value>\(value)</Value></Tag></TagSet></Tagging>"
    return try await send(request(.put, path, [(name: "tagging", value: "")], document))
      .status / 100 == 2
  }

  func tags(of path: ObjectPath) async throws -> String {
    let response = try await send(request(.get, path, [(name: "tagging", value: "")]))
    return String(decoding: response.body.array(), as: UTF8.self)
  }

  func readSigned(
    _ path: ObjectPath, isChanged: Bool
  ) async throws -> (status: Int, bytes: [UInt8]) {
    var signed = request(.get, path)
    SignatureV4(service: "s3", region: options.region).presign(
      &signed, with: keys, at: Environment.system.now(), expires: .seconds(60))
    if isChanged {
      let last = signed.target.last == "0" ? "1" : "0"
      signed.target = String(signed.target.dropLast()) + last
    }
    let response = try await transport.send(signed)
    return (response.status, response.body.array())
  }
}
