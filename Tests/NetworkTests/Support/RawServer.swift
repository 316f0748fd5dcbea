// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A server of bytes on this machine, that does what a test says with each connection.
///
/// No wait of it is longer than ten seconds.
final class RawServer: Sendable {
  /// One connection, used by one thread.
  struct Connection {
    /// From 1, in the order they came.
    let number: Int
    fileprivate let socket: Int32
    fileprivate let server: RawServer

    /// The next request, head and body, as it came; nil if the client closed the connection.
    func request() -> [UInt8]? {
      var bytes: [UInt8] = []
      var length: Int?
      while true {
        if length == nil, let end = RawServer.endOfHead(bytes) {
          let head = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
          let told = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
          let count = told.flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
          length = end + count
        }
        if let length, bytes.count >= length {
          server.note(bytes)
          return bytes
        }
        guard let more = receive() else { return nil }
        bytes += more
      }
    }

    /// What is there, waiting for something; nil at the end.
    func receive() -> [UInt8]? {
      var part = [UInt8](repeating: 0, count: 256 << 10)
      let count = recv(socket, &part, part.count, 0)
      return count > 0 ? Array(part[..<count]) : nil
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes {
          Glibc.send(
            socket, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
            Int32(MSG_NOSIGNAL)
          )
        }
        guard count > 0 else { return }
        sent += count
      }
    }

    /// Answers with `body` and its length.
    func reply(_ status: Int = 200, _ headers: String = "", body: String = "") {
      send("HTTP/1.1 \(status) X\r\n\(headers)content-length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// Has the connection end in a reset, not in order.
    func reset() {
      var option = linger(l_onoff: 1, l_linger: 0)
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    func wait(_ time: Duration) {
      Thread.sleep(forTimeInterval: time / .seconds(1))
    }
  }

  private struct State {
    var requests: [[UInt8]] = []
    var connectionCount = 0
    var isStopped = false
  }

  let port: Int
  private let listener: Int32
  private let state = Mutex(State())

  /// Starts a server that runs `script` with each connection, on a thread of its own, and then
  /// closes it.
  init(_ script: @escaping @Sendable (Connection) -> Void) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isListening = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 128) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread { [self] in
      // Closed here alone: closed elsewhere, its number might be another server's by now.
      defer { Glibc.close(listener) }
      while true {
        let socket = accept(listener, nil, nil)
        guard socket >= 0 else { return }
        let number = state.withLock { state in
          state.connectionCount += 1
          return state.isStopped ? 0 : state.connectionCount
        }
        guard number > 0 else {
          Glibc.close(socket)
          return
        }
        serve(socket, number, script)
      }
    }.start()
  }

  private func serve(
    _ socket: Int32, _ number: Int, _ script: @escaping @Sendable (Connection) -> Void
  ) {
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    Thread { [self] in
      script(Connection(number: number, socket: socket, server: self))
      Glibc.close(socket)
    }.start()
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    shutdown(listener, Int32(SHUT_RDWR))
  }

  /// All requests that came in whole.
  var requests: [String] {
    state.withLock { $0.requests.map { String(decoding: $0, as: UTF8.self) } }
  }

  var connectionCount: Int { state.withLock { $0.connectionCount } }

  private func note(_ bytes: [UInt8]) { state.withLock { $0.requests.append(bytes) } }

  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    for start in 0...bytes.count - 4
    where bytes[start] == 13 && bytes[start..<start + 4].elementsEqual([13, 10, 13, 10]) {
      return start + 4
    }
    return nil
  }
}

/// Runs `body` beside a server that runs `script`.
func withServer<T>(
  _ script: @escaping @Sendable (RawServer.Connection) -> Void,
  _ body: (RawServer) async throws -> T
) async throws -> T {
  let server = try RawServer(script)
  defer { server.stop() }
  return try await body(server)
}
