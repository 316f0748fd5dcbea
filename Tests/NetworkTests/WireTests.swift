// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Network
import SeededNumbers
import Storage
import Testing

@Suite("Network transport: bytes on the wire")
struct WireTests {
  @Test func `targets reach the server byte for byte`() async throws {
    let targets = [
      "/", "/a", "/a%2Fb", "//", "//a//b//", "/a+b", "/a*b", "/~a", "/%C3%A9", "/e%CC%81", "/./a",
      "/../a", "/a/..", "/a%20b?x=%20&y", "/?", "/?x", "/?x=", "/?a=1&a=2", "/a;b=c", "/a%2fb",
      "/%",
      "/a|b", "/{a}", "/a^b`c", "/\"q\"", "/a?b?c", "/a:b@c!$&'(),", "/%00", "/[x]", "/?x=[y]",
      "/<>",
      "/a%25b", "/\\",
    ]
    let transport = NetworkTransport(connections: 1)
    try await withServer({ connection in
      while connection.request() != nil { connection.reply() }
    }) { server in
      for target in targets { _ = try await transport.send(server.get(target)) }
      let lines = server.requests.map { $0.prefix { $0 != "\r\n" } }
      #expect(lines.map(String.init) == targets.map { "GET \($0) HTTP/1.1" })
      #expect(server.connectionCount == 1)
    }
  }

  @Test func `headers reach the server as they are, in their order, and no others do`() async throws
  {
    let headers = [
      (name: "x-b", value: "2"), (name: "x-a", value: "1  1"),
      (name: "authorization", value: "a=b, c"),
      (name: "x-amz-meta-é".replacing("é", with: "e"), value: "é"), (name: "x-empty", value: ""),
      (name: "if-none-match", value: "*"), (name: "accept-encoding", value: "identity"),
    ]
    try await withServer({ connection in
      while connection.request() != nil { connection.reply() }
    }) { server in
      var request = HTTPRequest(.put, server.origin, target: "/k", headers: headers)
      request.body = Buffer(utf8: "body")
      let transport = NetworkTransport(connections: 1)
      _ = try await transport.send(request)
      request.method = .delete
      request.body = .empty
      _ = try await transport.send(request)
      let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
      let host = "host: 127.0.0.1:\(server.port)\r\n"
      #expect(
        server.requests == [
          "PUT /k HTTP/1.1\r\n\(host)\(lines)Content-Length: 4\r\n\r\nbody",
          "DELETE /k HTTP/1.1\r\n\(host)\(lines)\r\n",
        ])
    }
  }

  @Test func `what would become another header or request is not sent`() async throws {
    try await withServer({ connection in
      while connection.request() != nil { connection.reply() }
    }) { server in
      var bad: [HTTPRequest] = [
        "", "a", "http://other/", "/a b", "/a\r\nx: y", "/é", "/a#b", "/\u{0}", "/\t",
      ].map { server.get($0) }
      for (name, value) in [
        ("x", "a\r\nb: c"), ("x", "a\nb"), ("x", "a\u{0}"), ("x", "\u{7f}"), ("x y", "a"),
        ("", "a"),
        ("x:", "a"), ("x\r\ny", "a"), ("transfer-encoding", "chunked"), ("é", "a"),
      ] {
        bad.append(HTTPRequest(.get, server.origin, target: "/", headers: [(name, value)]))
      }
      for host in ["", "a b", "a/b", "a@127.0.0.1", "a\r\nb", "a?b", "é"] {
        bad.append(HTTPRequest(.get, HTTPOrigin(isSecure: false, host: host), target: "/"))
      }
      bad.append(
        HTTPRequest(.get, HTTPOrigin(isSecure: false, host: "127.0.0.1", port: 70_000), target: "/")
      )
      let transport = NetworkTransport(connections: 1)
      for request in bad {
        let error = await outcome(of: request, by: transport).error
        guard case .invalidRequest = error else {
          Issue.record("\(request): \(String(describing: error))")
          continue
        }
        #expect(error?.isSent == false && error?.isTransient == false)
      }
      #expect(server.connectionCount == 0)
    }
  }

  @Test func `bodies of any size arrive whole, both ways`() async throws {
    try await withServer({ connection in
      while let request = connection.request() {
        let start = request.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? 0
        connection.send(
          Array("HTTP/1.1 200 OK\r\ncontent-length: \(request.count - start)\r\n\r\n".utf8)
            + request[start...])
      }
    }) { server in
      let random = SeededRandom(printing: "bodies")
      let transport = NetworkTransport(connections: 1)
      for count in [0, 1, 1000, 1 << 20 - 1, 1 << 20, 1 << 20 + 1, 5 << 20 + 7] {
        var request = HTTPRequest(.post, server.origin, target: "/")
        // A slice that begins in the midst of its memory.
        request.body = Buffer(random.bytes(count + 3)).slice(3..<count + 3)
        let reply = try await transport.send(request)
        #expect(reply.status == 200)
        #expect(reply.body == request.body, "\(count)")
      }
      #expect(server.connectionCount == 1)
    }
  }

  @Test func `a redirect is a reply, and is not followed`() async throws {
    try await withServer({ connection in
      var status = 300
      while connection.request() != nil {
        connection.reply(status, "location: http://169.254.169.254/\r\n")
        status += 1
      }
    }) { server in
      let transport = NetworkTransport(connections: 1)
      for status in 300...308 {
        let reply = try await transport.send(server.get())
        #expect(reply.status == status)
        #expect(reply.header("location") == "http://169.254.169.254/")
      }
      #expect(server.requests.count == 9)
    }
  }

  @Test func `replies without a body, in chunks, after a hint, and to the end are read`()
    async throws
  {
    let replies = [
      "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: v\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
      "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX-Two: a\r\nX-Two: b\r\nContent-Encoding: gzip\r\n\r\nto the end",
    ]
    try await withServer({ connection in
      for reply in replies where connection.request() != nil { connection.send(reply) }
    }) { server in
      let transport = NetworkTransport(connections: 1)
      var found: [String] = []
      for _ in replies {
        let reply = try await transport.send(server.get())
        found.append("\(reply.status) " + String(decoding: reply.body.array(), as: UTF8.self))
        if found.count == replies.count {
          #expect(reply.headers.map(\.name) == ["x-two", "x-two", "content-encoding"])
          #expect(reply.headers.map(\.value) == ["a", "b", "gzip"])
        }
      }
      #expect(found == ["204 ", "304 ", "200 abcde", "200 ok", "200 ", "200 to the end"])
    }
  }

  @Test func `a reply to HEAD has a length and no body`() async throws {
    try await withServer({ connection in
      while connection.request() != nil {
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
      }
    }) { server in
      let transport = NetworkTransport(connections: 1)
      for _ in 0..<3 {
        let request = HTTPRequest(.head, server.origin, target: "/", bodyLimit: 10)
        let reply = try await transport.send(request)
        #expect(reply.status == 200 && reply.body.isEmpty)
        #expect(reply.header("content-length") == "1000000000")
      }
    }
  }
  @Test(.enabled(if: Depth.isLong))
  func `64 MB go each way`() async throws {
    let count = 64 << 20
    let bytes = [UInt8](repeating: 7, count: count)
    try await withServer({ connection in
      var left = count
      while left > 0, let part = connection.receive() { left -= part.count }
      connection.reply()
      guard connection.request() != nil else { return }
      connection.send(Array("HTTP/1.1 200 OK\r\ncontent-length: \(count)\r\n\r\n".utf8))
      connection.send(bytes)
    }) { server in
      let transport = NetworkTransport(connections: 1)
      var request = HTTPRequest(.put, server.origin, target: "/")
      request.body = Buffer(bytes)
      let put = try await ContinuousClock().measure { _ = try await transport.send(request) }
      var reply: HTTPResponse?
      let get = try await ContinuousClock().measure {
        reply = try await transport.send(server.get())
      }
      #expect(reply?.body.count == count)
      print("64 MB over loopback: PUT \(put), GET \(get)")
    }
  }
}
