// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Network
import Storage
import Testing

@Suite("Network: secrets stay secret")
struct SecretTests {
  private static let marker = "CANARY-5up3r-s3cr3t"

  /// All the ways a value ends up in a log.
  private static func outputs(of value: Any) -> String {
    var text = "\(value)" + String(reflecting: value) + String(describing: value)
    dump(value, to: &text)
    func walk(_ value: Any, _ depth: Int) {
      guard depth < 8 else { return }
      text += "\(value)"
      for child in Mirror(reflecting: value).children {
        text += (child.label ?? "")
        walk(child.value, depth + 1)
      }
    }
    walk(value, 0)
    return text
  }

  @Test func `no type that holds a secret prints, dumps or reflects it`() async throws {
    let secret = Secret(Self.marker)
    let credentials = AWSCredentials(
      accessKeyID: "AKID", secretAccessKey: secret, sessionToken: secret)
    let origin = HTTPOrigin(isSecure: true, host: "h")
    var signed = HTTPRequest(
      .post, origin, target: "/k",
      headers: [(name: "authorization", value: "Bearer \(Self.marker)")],
      body: Buffer(utf8: "client_secret=\(Self.marker)"))
    var presigned = HTTPRequest(.get, origin, target: "/k?token=\(Self.marker)")
    let signer = SignatureV4(service: "s3", region: "r")
    signer.sign(&signed, with: credentials, at: .epoch)
    signer.presign(&presigned, with: credentials, at: .epoch, expires: .seconds(60))
    #expect(presigned.target.contains(Self.marker))
    let machine = FakeMachine()
    let refreshing = RefreshingCredentials.chain(
      machine.context(["s3.access-key-id": "A", "s3.secret-access-key": Self.marker]))
    _ = try await refreshing.credentials()
    let values: [Any] = [
      secret, [secret], Optional(secret) as Any, ["k": secret], credentials, [credentials],
      FixedCredentials(credentials), signer, signed, presigned, refreshing,
      HTTPResponse(
        status: 200, headers: [(name: "set-cookie", value: Self.marker)],
        body: Buffer(utf8: Self.marker)),
      machine.context(["s3.secret-access-key": Self.marker]),
      HTTPURL("https://h/p?\(Self.marker)") as Any,
      Result<AWSCredentials, CredentialsError>.success(credentials),
    ]
    for value in values {
      let text = Self.outputs(of: value)
      #expect(!text.contains(Self.marker), "\(type(of: value))")
      #expect(!text.isEmpty)
    }
  }

  @Test func `no error of a search for credentials tells what was found`() async {
    let marker = Self.marker
    let files = [
      "/h/.aws/credentials": "[default]\naws_secret_access_key=\(marker)\n",
      "/token": "\(marker)\u{1}",
    ]
    let machines = [
      FakeMachine(variables: ["AWS_SECRET_ACCESS_KEY": marker]),
      FakeMachine(variables: ["HOME": "/h"], files: files),
      FakeMachine(
        variables: [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://h/?\(marker)",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "\(marker)\r\n",
        ]),
      FakeMachine(
        variables: [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://h/",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
        ], files: files),
      FakeMachine(variables: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/"]) { _ in
        .reply(200, body: #"{"SecretAccessKey": "\#(marker)", "AccessKeyId": "", "Token": "}"#)
      },
      FakeMachine(variables: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/"]) { _ in
        .reply(200, body: #"{"SecretAccessKey": "\#(marker)"}"#)
      },
      FakeMachine(
        variables: ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "r"], files: files
      ) { _ in .reply(200, body: "<SecretAccessKey>\(marker)</SecretAccessKey>") },
    ]
    for machine in machines {
      guard let error = await machine.find().error else {
        Issue.record("found")
        continue
      }
      #expect(!Self.outputs(of: error).contains(marker), "\(error.remedy)")
    }
  }

  @Test func `URLs are taken apart as they are, and others than http's are none`() {
    for (text, origin, target) in [
      ("https://h", "https://h", ""), ("http://h:80/", "http://h", "/"),
      ("HTTPS://H:8443/a/b/?c=d", "https://h:8443", "/a/b/?c=d"), ("http://h?x", "http://h", "/?x"),
      ("http://[::1]:9000/a", "http://[::1]:9000", "/a"), ("https://h:", "https://h", ""),
      ("http://h//a%2Fb", "http://h", "//a%2Fb"),
    ] {
      let url = HTTPURL(text)
      #expect(url?.origin.description == origin && url?.target == target, "\(text)")
    }
    #expect(HTTPURL("http://h/a/b//?c")?.basePath == "/a/b")
    for text in [
      "", "h", "ftp://h", "http:/h", "http://", "http:///a", "http://u@h", "http://u:p@h/",
      "http://h#f",
      "http://h /", "http://h:x", "http://h:0", "http://h:65536", "http://h:-1", "http://h:1:2",
      "http://[::1", "http://[::1]x", "http://[g]", "http://é", "http://h\\a", "http://h\n/",
      " http://h",
      "http://h:٣", "http://a%20b", "http://[::1]:x",
    ] {
      #expect(HTTPURL(text) == nil, "\(text)")
    }
  }
}
