// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import NIOCore
internal import NIOHTTP1
internal import Storage

/// Makes one reply of its parts, within a limit.
struct ReplyBuilder: ~Copyable {
  private let limit: Int
  private let isHead: Bool
  private var status = 0
  private var headers: [(name: String, value: String)] = []
  private var body = MutableBuffer()

  /// - Parameter request: one for HEAD has a reply that tells a length and has no body.
  init(for request: HTTPRequest) {
    limit = request.bodyLimit
    isHead = request.method == .head
  }

  /// - Throws: ``HTTPTransportError/bodyTooLarge(limit:)`` for a reply that says it has more.
  mutating func begin(_ head: HTTPResponseHead) throws(HTTPTransportError) {
    let told = isHead ? 0 : head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    guard told <= limit else { throw .bodyTooLarge(limit: limit) }
    status = Int(head.status.code)
    headers = head.headers.map { (name: $0.name.lowercased(), value: $0.value) }
    // What is told may not be true: no more than this is taken before it is there.
    body.reserve(min(max(told, 0), 64 << 20))
  }

  mutating func append(_ part: ByteBuffer) throws(HTTPTransportError) {
    guard part.readableBytes <= limit - body.count else { throw .bodyTooLarge(limit: limit) }
    unsafe part.withUnsafeReadableBytes { unsafe body.append($0.bytes) }
  }

  consuming func finish() -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, body: body.freeze())
  }
}
