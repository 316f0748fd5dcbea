// SPDX-License-Identifier: Apache-2.0
import Foundation
import Network
import Storage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Servers of `openssl s_server` with good and bad certificates.
@Suite("Network transport: TLS", .serialized)
struct TLSTests {
  @Test func `only a certificate of the right name, in its time, from a trusted CA will do`()
    async throws
  {
    guard let authority = try await offPool({ try TestAuthority.make() }) else { return }
    defer { authority.remove() }
    let custom = NetworkTransport(tls: TLSOptions(caFile: authority.caFile))
    let ordinary = NetworkTransport()
    let other = NetworkTransport(tls: TLSOptions(caFile: authority.otherCAFile))
    for (certificate, host, transport, isTrusted) in [
      ("good", "localhost", custom, true), ("good", "127.0.0.1", custom, true),
      ("good", "localhost", ordinary, false), ("good", "localhost", other, false),
      ("wrong-name", "localhost", custom, false), ("expired", "localhost", custom, false),
      ("self-signed", "localhost", custom, false), ("self-signed", "localhost", ordinary, false),
    ] {
      let server = try #require(try await offPool { try authority.serve(certificate) })
      defer { server.stop() }
      let request = HTTPRequest(
        .get, HTTPOrigin(isSecure: true, host: host, port: server.port), target: "/")
      let result = await outcome(of: request, by: transport)
      if isTrusted {
        #expect(try result.get().status == 200)
      } else {
        guard case .untrusted(let reason) = result.error else {
          Issue.record("\(certificate) as \(host): \(result)")
          continue
        }
        #expect(
          reason == "the certificate of localhost "
            + (certificate == "wrong-name"
              ? "is of another name" : "has expired, or is of no CA that is trusted"))
        #expect(result.error?.isSent == false && result.error?.isTransient == false)
      }
    }
  }

  @Test func `nothing older than TLS 1.2 is spoken`() async throws {
    guard let authority = try await offPool({ try TestAuthority.make() }) else { return }
    defer { authority.remove() }
    let transport = NetworkTransport(tls: TLSOptions(caFile: authority.caFile))
    for (version, isSpoken) in [("-tls1_2", true), ("-tls1_3", true), ("-tls1_1", false)] {
      let server = try #require(
        try await offPool {
          try authority.serve("good", version, "-cipher", "DEFAULT:@SECLEVEL=0")
        })
      defer { server.stop() }
      let request = HTTPRequest(
        .get, HTTPOrigin(isSecure: true, host: "localhost", port: server.port), target: "/")
      let result = await outcome(of: request, by: transport)
      if isSpoken {
        #expect(try result.get().status == 200)
      } else {
        guard case .untrusted = result.error else {
          Issue.record("\(version): \(result)")
          continue
        }
      }
    }
  }

  @Test func `a server without TLS is not spoken to over TLS`() async throws {
    try await withServer({ connection in
      _ = connection.receive()
      connection.reply()
    }) { server in
      let request = HTTPRequest(
        .get, HTTPOrigin(isSecure: true, host: "127.0.0.1", port: server.port), target: "/")
      let error = await outcome(of: request, by: NetworkTransport()).error
      #expect(error?.isSent == false, "\(String(describing: error))")
      #expect(server.requests.isEmpty)
    }
  }

  @Test func `a CA file that cannot be read trusts no one`() async throws {
    let transport = NetworkTransport(tls: TLSOptions(caFile: "/nowhere/ca.pem"))
    let request = HTTPRequest(.get, HTTPOrigin(isSecure: true, host: "localhost"), target: "/")
    guard case .untrusted(let reason) = await outcome(of: request, by: transport).error else {
      Issue.record("it was sent")
      return
    }
    #expect(reason.contains("/nowhere/ca.pem"))
  }
}

/// Certificates made for one test, in a folder of its own.
private struct TestAuthority {
  let folder: URL

  var caFile: String { folder.appending(path: "ca.pem").path }
  var otherCAFile: String { folder.appending(path: "self-signed.pem").path }

  /// Nil, and printed, where there is no `openssl`.
  static func make() throws -> TestAuthority? {
    guard ExternalTool.path(of: "openssl") != nil else {
      ExternalTool.skip("certificates", missing: "openssl")
      return nil
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-tls-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let authority = TestAuthority(folder: folder)
    try authority.selfSigned("ca", "/CN=lake test CA")
    try authority.selfSigned(
      "self-signed", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    try authority.signed("good", "DNS:localhost,IP:127.0.0.1", days: 2)
    try authority.signed("wrong-name", "DNS:other.example", days: 2)
    try authority.signed("expired", "DNS:localhost", days: -1)
    return authority
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// `openssl s_server` with a certificate, answering HTTP on a free port; nil if it does not start.
  func serve(_ certificate: String, _ more: String...) throws -> TLSServer? {
    try TLSServer(
      ["-cert", file("\(certificate).pem"), "-key", file("\(certificate).key"), "-www"] + more)
  }

  private func file(_ name: String) -> String { folder.appending(path: name).path }

  private static let newKey = [
    "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
  ]

  private func selfSigned(_ name: String, _ subject: String, _ more: String...) throws {
    try run(
      ["req", "-x509"] + Self.newKey + [
        "-keyout", file("\(name).key"), "-out", file("\(name).pem"), "-subj", subject, "-days", "2",
      ] + more)
  }

  private func signed(_ name: String, _ alternatives: String, days: Int) throws {
    try "subjectAltName=\(alternatives)\n".write(
      toFile: file("\(name).ext"), atomically: true, encoding: .utf8)
    try run(
      ["req"] + Self.newKey + [
        "-keyout", file("\(name).key"), "-out", file("\(name).csr"), "-subj", "/CN=\(name)",
      ])
    try run([
      "x509", "-req", "-in", file("\(name).csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
      "-CAcreateserial", "-days", "\(days)", "-extfile", file("\(name).ext"),
      "-out", file("\(name).pem"),
    ])
  }

  private func run(_ arguments: [String]) throws {
    let answer = try #require(ExternalTool.run("openssl", arguments))
    try #require(answer.status == 0, "openssl \(arguments)")
  }
}

private struct TLSServer: @unchecked Sendable {
  private let process = Process()
  let port: Int

  init?(_ arguments: [String]) throws {
    process.executableURL = ExternalTool.path(of: "openssl")
    process.arguments = ["s_server", "-accept", "127.0.0.1:0"] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = Pipe()
    try process.run()
    // It says `ACCEPT 127.0.0.1:port`, or ends.
    var text = ""
    while true {
      let data = output.fileHandleForReading.availableData
      if data.isEmpty {
        process.terminate()
        return nil
      }
      text += String(decoding: data, as: UTF8.self)
      if let line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        .first(where: { $0.hasPrefix("ACCEPT") })
      {
        guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else { return nil }
        self.port = port
        return
      }
    }
  }

  /// Kills it: the signal that asks politely is blocked in what a test starts.
  func stop() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
