// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Network
import Storage
import Synchronization
import Testing

@testable import S3Storage

/// What goes over the wire, and what is made of what comes back.
@Suite("S3 on the wire")
struct S3WireTests {
  private let clock = TestClock()
  private let model: S3Model
  private let transport: ScriptedTransport
  private let store: S3Store
  private let path: ObjectPath

  init() throws {
    model = S3Model(.deterministic(seed: 7, clock: clock))
    transport = model.transport()
    store = model.store(transport)
    path = try ObjectPath("s3://b/t/object")
    model.set("t/object", "0123456789")
  }

  private func read(_ range: Range<Int64> = 2..<5) async -> Result<Buffer, StorageError> {
    do throws(StorageError) {
      return .success(try await store.get(path, range: range))
    } catch {
      return .failure(error)
    }
  }

  // MARK: reading

  @Test func `a read asks for its range and its version in one request`() async throws {
    let version = try await store.head(path).version
    transport.forgetRequests()
    let bytes = try await store.get(path, range: 2..<5, of: version)
    #expect(bytes == Buffer(utf8: "234"))
    let request = try #require(transport.requests.first)
    #expect(transport.requestCount == 1)
    #expect(request.header("range") == "bytes=2-4")
    #expect(request.header("if-match") == "\"\(version)\"")
    #expect(request.target == "/b/t/object")
    let both = try await store.getWithVersion(path, range: 0..<100)
    #expect(both == VersionedBytes(bytes: Buffer(utf8: "0123456789"), version: version))
    #expect(transport.requestCount == 2)
  }

  /// Replies to a read of bytes 2 to 4 that are not them.
  static let wrong: [(Int, String, [(name: String, value: String)])] = [
    (206, "234", []),
    (206, "234", [(name: "content-range", value: "bytes 0-2/10")]),
    (206, "23", [(name: "content-range", value: "bytes 2-4/10")]),
    (206, "23", [(name: "content-range", value: "bytes 2-3/10")]),
    (206, "2345", [(name: "content-range", value: "bytes 2-5/10")]),
    (206, "234", [(name: "content-range", value: "bytes 2-4/3")]),
    (206, "234", [(name: "content-range", value: "2-4/10")]),
    (206, "234", [(name: "content-range", value: "bytes -2-4/10")]),
    (206, "", [(name: "content-range", value: "bytes 4-2/10")]),
    (200, "0123456789", [(name: "content-length", value: "11")]),
  ]

  @Test(arguments: wrong.indices)
  func `a body that is not what was asked for is never handed out`(index: Int) async {
    let (status, body, headers) = Self.wrong[index]
    transport.failing { _, _ in .reply(.reply(status, body: body, headers: headers)) }
    guard case .failure(.io) = await read() else {
      Issue.record("\(headers)")
      return
    }
  }

  @Test func `a server that knows no ranges is understood`() async throws {
    transport.failing { _, _ in .reply(.reply(200, body: "0123456789")) }
    #expect(await read() == .success(Buffer(utf8: "234")))
    #expect(await read(8..<20) == .success(Buffer(utf8: "89")))
    #expect(await read(20..<30) == .success(.empty))
  }

  @Test(arguments: S3AmbiguityTests.lost.indices)
  func `a read or look that fails for now is repeated`(index: Int) async throws {
    transport.fail(S3AmbiguityTests.lost[index].1, atRequest: 1)
    #expect(await read() == .success(Buffer(utf8: "234")))
    transport.fail(S3AmbiguityTests.lost[index].1, atRequest: 3)
    #expect(try await store.head(path).byteCount == 10)
    transport.fail(S3AmbiguityTests.lost[index].1, atRequest: 5)
    #expect(try await store.listAll(ObjectPath("s3://b/t")).count == 1)
    #expect(transport.requestCount == 6)
    #expect(store.counts.retries == 3)
  }

  @Test func `a store that is busy is left alone as long as it says`() async {
    transport.fail(
      .reply(S3Model.error(503, "SlowDown", headers: [(name: "retry-after", value: "7")])),
      atRequest: 1)
    #expect(await read() == .success(Buffer(utf8: "234")))
    #expect(clock.sleeps == [.seconds(7)])
  }

  @Test func `what fails for good is not repeated without end`() async {
    transport.failing { _, _ in .refuse }
    guard case .failure(.io(_, _, _, _, let isTransient)) = await read() else {
      Issue.record("no error")
      return
    }
    #expect(isTransient)
    #expect(transport.requestCount == RetryPolicy().attemptLimit)
  }

  @Test func `a slow read is asked for twice, if that is wanted`() async throws {
    let slow = model.transport()
    let store = model.store(slow) { $0.hedgeDelay = .milliseconds(50) }
    slow.fail(.delay(.seconds(3600), .system), atRequest: 1)
    #expect(try await store.get(path, range: 2..<5) == Buffer(utf8: "234"))
    #expect(slow.requestCount == 2)
    #expect(store.counts.hedges == 1)
  }

  @Test func `no more requests are under way than are allowed`() async throws {
    let slow = model.transport()
    slow.failing { _, _ in .delay(.milliseconds(2), .system) }
    let store = model.store(slow) { $0.concurrency = 3 }
    let path = self.path
    _ = try await withThrowingTaskGroup(of: Buffer.self) { group in
      for _ in 0..<40 { group.addTask { try await store.get(path, range: 0..<4) } }
      return try await group.reduce(into: 0) { $0 += $1.count }
    }
    #expect(slow.mostInFlight == 3)
    #expect(slow.requestCount == 40)
  }

  // MARK: refusals

  static let refusals: [(Int, String, String)] = [
    (403, "SignatureDoesNotMatch", "secret access key is wrong"),
    (403, "InvalidAccessKeyId", "access key id is unknown"),
    (400, "ExpiredToken", "session token has expired"),
    (403, "AccessDenied", "AccessDenied"),
    (403, "RequestTimeTooSkewed", "clock"),
  ]

  @Test(arguments: refusals.indices)
  func `a refusal says what is wrong with what was shown`(index: Int) async {
    let (status, code, words) = Self.refusals[index]
    transport.failing { _, _ in .reply(S3Model.error(status, code)) }
    guard case .failure(.permissionDenied(_, let reason)) = await read() else {
      Issue.record("\(code)")
      return
    }
    #expect(reason.contains(words), "\(reason)")
    #expect(transport.requestCount == 1)
  }

  @Test func `a clock that is wrong is put right by the server's, once`() async throws {
    let signing = NotedSigning()
    let store = S3Store(
      Self.options, signing: signing, transport: transport,
      environment: .deterministic(seed: 1, clock: clock))
    let theirs = try #require(Timestamp(rfc3339: "2030-01-02T03:04:05Z"))
    transport.fail(
      .reply(
        S3Model.error(
          403, "RequestTimeTooSkewed",
          headers: [(name: "date", value: HTTPDateText.of(theirs))])), atRequest: 1)
    _ = try await store.get(path, range: 0..<1)
    _ = try await store.get(path, range: 0..<1)
    #expect(signing.moments.count == 3)
    #expect(signing.moments[0] == clock.now())
    #expect(signing.moments[1...].allSatisfy { $0 == theirs })
  }

  @Test func `the region of a bucket is taken from the server, and no host`() async throws {
    let signing = NotedSigning()
    let store = S3Store(
      Self.options, signing: signing, transport: transport,
      environment: .deterministic(seed: 1, clock: clock))
    transport.fail(
      .reply(
        .reply(
          301,
          body: "<Error><Code>PermanentRedirect</Code><Endpoint>evil.example</Endpoint></Error>",
          headers: [
            (name: "x-amz-bucket-region", value: "eu-west-1"),
            (name: "location", value: "http://evil.example/b/t/object"),
          ])), atRequest: 1)
    _ = try await store.get(path, range: 0..<1)
    #expect(signing.regions == ["us-east-1", "eu-west-1"])
    #expect(Set(transport.requests.map(\.origin)).count == 1)
    // What is no region, or comes again and again, is an error.
    for told in ["evil.example/", "a.b", "", "ap-1"] {
      transport.failing { _, _ in
        .reply(.reply(307, headers: [(name: "x-amz-bucket-region", value: told)]))
      }
      let before = transport.requestCount
      await #expect(throws: StorageError.self) { try await store.get(path, range: 0..<1) }
      #expect(transport.requestCount - before <= 2)
      #expect(Set(transport.requests.map(\.origin)).count == 1)
    }
  }

  @Test func `keys that have ended are renewed once`() async throws {
    let signing = NotedSigning()
    let store = S3Store(
      Self.options, signing: signing, transport: transport,
      environment: .deterministic(seed: 1, clock: clock))
    transport.fail(.reply(S3Model.error(400, "ExpiredToken")), atRequest: 1)
    _ = try await store.get(path, range: 0..<1)
    #expect(signing.renewals == 1)
    transport.failing { _, _ in .reply(S3Model.error(400, "ExpiredToken")) }
    await #expect(throws: StorageError.self) { try await store.get(path, range: 0..<1) }
    #expect(signing.renewals == 2)
  }

  @Test func `a bucket that is not there is said to be, and is no absent object`() async {
    transport.failing { _, _ in .reply(S3Model.error(404, "NoSuchBucket")) }
    guard case .failure(.refused(_, let reason)) = await read() else {
      Issue.record("no refusal")
      return
    }
    #expect(reason.contains("no bucket 'b'"))
  }

  @Test func `a wrong secret is told by the server, and shown by no one`() async throws {
    guard let server = try await S3Server.running(.seaweedfs) else { return }
    var properties = server.properties
    properties["s3.secret-access-key"] = "canary-7c1f9d"
    let wrong = try S3Store.make(
      properties: properties, transport: S3StoreContractTests.transport)
    do throws(StorageError) {
      _ = try await wrong.get(ObjectPath("s3://\(server.bucket)/x"), range: 0..<1)
      Issue.record("a wrong secret was taken")
    } catch {
      guard case .permissionDenied(_, let reason) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(reason.contains("secret access key is wrong"), "\(reason)")
      #expect(!"\(error)".contains("canary"))
    }
  }

  // MARK: listings

  @Test func `a listing goes on over all pages, in order, and names what a path can`()
    async throws
  {
    let model = S3Model(.deterministic(seed: 1), pageSize: 7)
    var names: [String] = []
    for number in 0..<50 { names.append("p/\(number % 5)/a b+\(number)&<é>") }
    for name in names + ["p/folder/", "p/../up", "pp/other", "p/a//b"] { model.set(name, "x") }
    for isOrdered in [true, false] {
      let transport = model.transport()
      let store = model.store(transport) { $0.listsInOrder = isOrdered }
      let found = try await store.listAll(ObjectPath("s3a://b/p/")).map(\.path.text)
      let expected = (names + ["p/a//b"]).map { "s3a://b/\($0)" }
      #expect(found == expected.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
      #expect(transport.requestCount == 8)
    }
  }

  @Test func `a listing that makes no sense is an error`() async throws {
    for body in [
      "", "<html/>", "<ListBucketResult><Contents><Key>p/a</Key></Contents></ListBucketResult>",
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
      "<ListBucketResult><Contents>", "<Error><Code>x</Code></Error>",
    ] {
      transport.failing { _, _ in .reply(.reply(200, body: body)) }
      await #expect(throws: StorageError.self, "\(body)") {
        try await store.listAll(ObjectPath("s3://b/p"))
      }
    }
  }

  // MARK: options

  static let options: S3Options = {
    var options = S3Options()
    options.endpoint = HTTPOrigin(isSecure: false, host: "localhost", port: 1)
    options.addressing = .path
    return options
  }()

  @Test func `addresses are spelled by bucket, region and endpoint`() throws {
    func address(_ bucket: String, _ properties: [String: String]) throws -> String {
      let options = try S3Options(properties: properties)
      let address = S3Address(bucket: bucket, region: options.region, options)
      return "\(address.origin)" + address.target(key: "a b/ü+~", query: [("x", "1/2")])
    }
    let key = "a%20b/%C3%BC%2B~?x=1%2F2"
    #expect(
      try address("bucket", ["s3.region": "eu-west-1"])
        == "https://bucket.s3.eu-west-1.amazonaws.com/\(key)")
    #expect(
      try address("with.dot", ["client.region": "cn-north-1"])
        == "https://s3.cn-north-1.amazonaws.com.cn/with.dot/\(key)")
    #expect(
      try address("b", ["s3.endpoint": "http://localhost:9000/"])
        == "http://localhost:9000/b/\(key)")
    #expect(
      try address(
        "bucket", ["s3.endpoint": "https://[::1]:9000", "s3.path-style-access": "true"])
        == "https://[::1]:9000/bucket/\(key)")
    #expect(
      try address(
        "bucket", ["s3.endpoint": "minio.example", "s3.path-style-access": "false"])
        == "https://bucket.minio.example/\(key)")
  }

  @Test(arguments: [
    ("s3.endpoint", "ftp://x"), ("s3.endpoint", "http://a/b"), ("s3.endpoint", "http://u:p@h"),
    ("s3.endpoint", "http://h:99999"), ("s3.endpoint", "http://"), ("s3.endpoint", "http://[::1"),
    ("s3.endpoint", "http://h\r\nx"), ("s3.region", "evil.example/"), ("s3.region", "a b"),
    ("s3.path-style-access", "perhaps"), ("s3.multipart.part-size-bytes", "5"),
    ("s3.request-timeout", "-1"), ("s3.max-connections", "many"),
  ])
  func `a property that makes no sense is refused by its name`(name: String, value: String) {
    #expect {
      try S3Options(properties: [name: value])
    } throws: {
      if case S3Error.invalidProperty(name, value, _) = $0 { true } else { false }
    }
  }

  @Test func `sums are spelled as the service wants them`() {
    // RFC 3720, B.4: 32 bytes of zeros have the CRC-32C 8a9136aa.
    let zeros = Buffer([UInt8](repeating: 0, count: 32))
    #expect(S3Client.checksum(of: zeros) == "ipE2qg==")
    // RFC 1321, A.5.
    #expect(MD5Hash.base64(of: Buffer(utf8: "abc")) == "kAFQmDzST7DWlj99KOF/cg==")
    #expect(Base64Text.encoded(Array("foob".utf8)) == "Zm9vYg==")
  }
}

/// Signs nothing, and notes what it was asked.
private final class NotedSigning: S3Signing {
  private let state = Mutex((moments: [Timestamp](), regions: [String](), renewals: 0))

  var moments: [Timestamp] { state.withLock(\.moments) }
  var regions: [String] { state.withLock(\.regions) }
  var renewals: Int { state.withLock(\.renewals) }

  func signed(
    _ request: HTTPRequest, region: String, at moment: Timestamp, payload: SignatureV4.Payload
  ) async throws(S3Error) -> HTTPRequest {
    state.withLock {
      $0.moments.append(moment)
      $0.regions.append(region)
    }
    return request
  }

  func renew() async -> Bool {
    state.withLock { $0.renewals += 1 }
    return true
  }
}
