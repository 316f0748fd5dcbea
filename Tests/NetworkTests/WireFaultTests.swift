// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import LakeTestSupport
import Network
import Storage
import Synchronization
import Testing

@Suite("Network transport: what goes wrong on the way")
struct WireFaultTests {
  @Test func `without a connection nothing was sent`() async throws {
    let closed = try RawServer { _ in }
    closed.stop()
    while await outcome(of: closed.get(), by: NetworkTransport()).error?.isSent == true {}
    let origins = [
      closed.origin, HTTPOrigin(isSecure: true, host: "127.0.0.1", port: closed.port),
      HTTPOrigin(isSecure: false, host: "no..such..host"),
    ]
    let transport = NetworkTransport()
    for origin in origins {
      let error = await outcome(of: HTTPRequest(.put, origin, target: "/"), by: transport).error
      guard case .notConnected = error else {
        Issue.record("\(origin): \(String(describing: error))")
        continue
      }
      #expect(error?.isSent == false && error?.isTransient == true)
    }
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\nconte", "H"], [false, true])
  func `a connection that ends before the head of a reply is there leaves it open what was done`(
    sent: String, isReset: Bool
  ) async throws {
    try await withServer({ connection in
      _ = connection.request()
      connection.send(sent)
      if isReset { connection.reset() }
    }) { server in
      let error = await outcome(of: server.get(), by: NetworkTransport()).error
      #expect(error?.isSent == true && error?.isTransient == true, "\(String(describing: error))")
      if sent.isEmpty {
        guard case .interrupted = error else {
          Issue.record("\(String(describing: error))")
          return
        }
      }
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
  ])
  func `a reply that ends before its length is none`(reply: String) async throws {
    try await withServer({ connection in
      _ = connection.request()
      connection.send(reply)
    }) { server in
      let error = await outcome(of: server.get(), by: NetworkTransport()).error
      guard case .malformedReply = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(error?.isSent == true)
    }
  }

  @Test(arguments: [
    "HELLO\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n",
    "\u{0}\u{1}\u{2}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc", "SSH-2.0-OpenSSH_9.2\r\n",
  ])
  func `what is not HTTP is no reply`(reply: String) async throws {
    try await withServer({ connection in
      _ = connection.request()
      connection.send(reply)
      connection.wait(.milliseconds(20))
    }) { server in
      let error = await outcome(of: server.get(), by: NetworkTransport()).error
      guard case .malformedReply = error else {
        Issue.record("\(reply.debugDescription): \(String(describing: error))")
        return
      }
      #expect(error?.isSent == true)
    }
  }

  @Test func `a body past its limit is not taken, one of exactly the limit is`() async throws {
    let replies = [
      "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
    ]
    for reply in replies {
      try await withServer({ connection in
        while connection.request() != nil { connection.send(reply) }
      }) { server in
        let transport = NetworkTransport()
        for (limit, isTaken) in [(10, true), (9, false), (0, false), (11, true)] {
          var request = server.get()
          request.bodyLimit = limit
          let result = await outcome(of: request, by: transport)
          if isTaken {
            let reply = try result.get()
            #expect(reply.body.count == 10)
          } else {
            #expect(result.error == .bodyTooLarge(limit: limit))
          }
        }
      }
    }
  }

  @Test func `a reply that is late, or slow byte by byte, is given up in time`() async throws {
    let limit = Duration.milliseconds(300)
    for isSilent in [true, false] {
      let gate = Gate()
      defer { gate.open() }
      try await withServer({ connection in
        _ = connection.request()
        if isSilent { return gate.wait() }
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while !gate.isOpen {
          connection.send("x")
          connection.wait(.milliseconds(50))
        }
      }) { server in
        let transport = NetworkTransport()
        var isSent = false
        for _ in 0..<20 where !isSent {
          let error = await outcome(of: server.get(timeout: limit), by: transport).error
          isSent = error?.isSent == true
          #expect(error == .timedOut(after: limit, isSent: isSent))
        }
        #expect(isSent, "it never got a connection in time")
      }
    }
  }

  @Test func `no connection in time, or none to be had, means not sent`() async throws {
    let limit = Duration.milliseconds(200)
    let gate = Gate()
    defer { gate.open() }
    // It accepts, and never says what TLS asks for.
    try await withServer({ _ in gate.wait() }) { server in
      let request = HTTPRequest(
        .put, HTTPOrigin(isSecure: true, host: "127.0.0.1", port: server.port), target: "/")
      let transport = NetworkTransport(connectTimeout: limit)
      #expect(
        await outcome(of: request, by: transport).error == .timedOut(after: limit, isSent: false))
    }
    try await withServer({ connection in
      while connection.request() != nil {
        gate.wait()
        connection.reply()
      }
    }) { server in
      let transport = NetworkTransport(connections: 1)
      async let first = outcome(of: server.get("/first"), by: transport)
      while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      let second = await outcome(of: server.get("/second", timeout: limit), by: transport)
      #expect(second.error == .timedOut(after: limit, isSent: false))
      gate.open()
      let reply = try await first.get()
      #expect(reply.status == 200)
      #expect(server.requests.count == 1)
    }
  }

  @Test func `a task that is cancelled stops waiting, and knows whether it had sent`() async throws
  {
    let gate = Gate()
    defer { gate.open() }
    try await withServer({ connection in
      while connection.request() != nil { gate.wait() }
    }) { server in
      let transport = NetworkTransport(connections: 1)
      let sent = Task { await outcome(of: server.get("/sent"), by: transport) }
      while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      let queued = Task { await outcome(of: server.get("/queued"), by: transport) }
      try await Task.sleep(for: .milliseconds(30))
      queued.cancel()
      #expect(await queued.value.error == .cancelled(isSent: false))
      sent.cancel()
      #expect(await sent.value.error == .cancelled(isSent: true))
      let late = Task {
        while !Task.isCancelled { await Task.yield() }
        return await outcome(of: server.get("/late"), by: transport)
      }
      late.cancel()
      #expect(await late.value.error == .cancelled(isSent: false))
      #expect(server.requests.count == 1)
    }
  }

  @Test func `what is said not to be sent never arrives, whenever it is given up`() async throws {
    let seen = Mutex<Set<String>>([])
    try await withServer({ connection in
      while let request = connection.request() {
        let line = String(decoding: request.prefix { $0 != 13 }, as: UTF8.self)
        seen.withLock { _ = $0.insert(line) }
        connection.reply()
      }
    }) { server in
      let random = SeededRandom(printing: "given up")
      let transport = NetworkTransport(connections: 3)
      var unsent: [String] = []
      // In waves: all at once would be given up in the queue.
      for wave in 0..<60 {
        let delays = (0..<10).map { _ in random.int(in: 0..<30_000) }
        unsent += await withTaskGroup(of: String?.self) { group in
          for (number, delay) in delays.enumerated() {
            let target = "/\(wave)-\(number)"
            group.addTask {
              let result = await Self.givenUp(
                server.get(target), after: .microseconds(delay), transport,
                byDeadline: number % 2 == 0)
              return result.error?.isSent == false ? "GET \(target) HTTP/1.1" : nil
            }
          }
          return await group.reduce(into: [String]()) { if let line = $1 { $0.append(line) } }
        }
      }
      // What is on its way has time to arrive.
      try await Task.sleep(for: .milliseconds(200))
      let arrived = seen.withLock { $0 }
      print("given up: of 600, \(unsent.count) were not sent, \(arrived.count) arrived")
      #expect(unsent.filter { arrived.contains($0) } == [])
    }
  }

  /// How a request ends that gets `time`, be it a deadline or the task's cancellation.
  private static func givenUp(
    _ request: HTTPRequest, after time: Duration, _ transport: NetworkTransport, byDeadline: Bool
  ) async -> Result<HTTPResponse, HTTPTransportError> {
    var request = request
    if byDeadline {
      request.timeout = time
      return await outcome(of: request, by: transport)
    }
    let task = Task { [request] in await outcome(of: request, by: transport) }
    try? await Task.sleep(for: time)
    task.cancel()
    return await task.value
  }

  @Test func `a connection that was closed while it was idle is not used again`() async throws {
    try await withServer({ connection in
      if connection.request() != nil { connection.reply() }
    }) { server in
      let transport = NetworkTransport(connections: 1)
      var replies = 0
      for _ in 0..<500 where replies < 10 {
        switch await outcome(of: server.get(), by: transport) {
        case .success: replies += 1
        case .failure(let error):
          // The request met the end of the connection: no one can tell what was done.
          #expect(error.isTransient)
        }
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(replies == 10)
    }
  }

  @Test func `a connection that breaks under a second request is not tried again by itself`()
    async throws
  {
    try await withServer({ connection in
      guard connection.request() != nil else { return }
      connection.reply()
      if connection.request() != nil { connection.reset() }
    }) { server in
      let transport = NetworkTransport(connections: 1)
      let reply1 = try await transport.send(server.get("/1"))
      #expect(reply1.status == 200)
      let error = await outcome(of: server.get("/2"), by: transport).error
      #expect(error?.isSent == true)
      let reply3 = try await transport.send(server.get("/3"))
      #expect(reply3.status == 200)
      #expect(server.requests.count == 3)
    }
  }

  @Test func `an early refusal of a large body is a reply`() async throws {
    try await withServer({ connection in
      guard connection.receive() != nil else { return }
      connection.send("HTTP/1.1 412 X\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno")
      while connection.receive() != nil {}
    }) { server in
      let transport = NetworkTransport(connections: 1)
      var request = HTTPRequest(.put, server.origin, target: "/")
      request.body = Buffer([UInt8](repeating: 1, count: 16 << 20))
      for limit in [2, 1, 2] {
        request.bodyLimit = limit
        let result = await outcome(of: request, by: transport)
        if limit == 1 {
          #expect(result.error == .bodyTooLarge(limit: 1))
        } else {
          let reply = try result.get()
          #expect(reply.status == 412 && reply.body == Buffer(utf8: "no"))
        }
      }
    }
  }
}

/// What threads of servers wait for, ten seconds at most.
private final class Gate: Sendable {
  private let state = Mutex(false)

  var isOpen: Bool { state.withLock { $0 } }

  func open() { state.withLock { $0 = true } }

  func wait() {
    for _ in 0..<1000 where !isOpen { Thread.sleep(forTimeInterval: 0.01) }
  }
}
