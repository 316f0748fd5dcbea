// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Network
import Storage
import Testing

@Suite("Credentials: services that give them out")
struct CredentialsServiceTests {
  private static let later = "2033-05-18T03:33:20Z"

  private static func json(_ id: String, expiration: String = later) -> HTTPResponse {
    .reply(
      200,
      body: """
        {"Code": "Success", "AccessKeyId": "\(id)", "SecretAccessKey": "s", "Token": "t",
         "Expiration": "\(expiration)", "Type": "AWS-HMAC", "Unknown": [1]}
        """)
  }

  private static func xml(_ id: String) -> HTTPResponse {
    .reply(
      200,
      body: """
        <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>t&amp;t</SessionToken>
        <SecretAccessKey>s</SecretAccessKey><Expiration>\(later)</Expiration>
        <AccessKeyId>\(id)</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>
        </AssumeRoleWithWebIdentityResponse>
        """)
  }

  private static let web = [
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/a+b",
    "AWS_ROLE_SESSION_NAME": "me", "AWS_REGION": "eu-west-3",
  ]

  @Test func `a web identity becomes credentials by way of the token service`() async throws {
    let machine = FakeMachine(variables: Self.web, files: ["/token": " e.y-J_\n"]) {
      _ in Self.xml("I")
    }
    let found = try await machine.find().get()
    #expect(found.accessKeyID == "I" && found.sessionToken?.reveal() == "t&t")
    #expect(found.expiration == moment(Self.later))
    let request = try #require(machine.transport.requests.first)
    #expect(machine.transport.requestCount == 1)
    #expect(request.origin == HTTPOrigin(isSecure: true, host: "sts.eu-west-3.amazonaws.com"))
    // The token is in the body alone.
    #expect(request.method == .post && request.target == "/")
    #expect(
      String(decoding: request.body.array(), as: UTF8.self)
        == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
        + "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%2Bb&RoleSessionName=me"
        + "&WebIdentityToken=e.y-J_")
  }

  @Test func `the token service is where it is said to be, if that is safe`() async throws {
    var variables = Self.web
    variables["AWS_REGION"] = "cn-north-1"
    for (endpoint, origin) in [
      (nil, HTTPOrigin(isSecure: true, host: "sts.cn-north-1.amazonaws.com.cn")),
      ("https://sts.example", HTTPOrigin(isSecure: true, host: "sts.example")),
      ("http://localhost:1", HTTPOrigin(isSecure: false, host: "localhost", port: 1)),
    ] {
      variables["AWS_ENDPOINT_URL_STS"] = endpoint
      let machine = FakeMachine(variables: variables, files: ["/token": "x"]) {
        _ in Self.xml("I")
      }
      #expect(await machine.find().id == "I")
      #expect(machine.transport.requests.map(\.origin) == [origin])
    }
    for endpoint in ["http://sts.example", "ftp://x", "sts.example", "http://127.0.0.1.evil.net"] {
      variables["AWS_ENDPOINT_URL_STS"] = endpoint
      let machine = FakeMachine(variables: variables, files: ["/token": "x"])
      guard case .invalid = await machine.find().error else {
        Issue.record("\(endpoint)")
        continue
      }
      #expect(machine.transport.requestCount == 0)
    }
  }

  @Test func `what a token service says instead of credentials is told apart`() async {
    let replies: [(HTTPResponse, CredentialsError)] = [
      (
        .reply(400, body: "<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error>"),
        .refused(source: "the security token service", status: 400, reason: "ExpiredTokenException")
      ),
      (
        .reply(503, body: "busy"),
        .unavailable(source: "the security token service", reason: "no reason given (503)")
      ),
      (
        .reply(200, body: "<AccessKeyId>a</AccessKeyId>"),
        .incomplete(source: "the security token service", missing: "SecretAccessKey")
      ),
      (
        .reply(200, body: ""),
        .incomplete(source: "the security token service", missing: "AccessKeyId")
      ),
      (
        .reply(200, body: "<AccessKeyId>a&evil;</AccessKeyId>"),
        .incomplete(source: "the security token service", missing: "AccessKeyId")
      ),
    ]
    for (reply, error) in replies {
      let machine = FakeMachine(variables: Self.web, files: ["/token": "x"]) {
        _ in reply
      }
      #expect(await machine.find().error == error)
    }
    let noFile = FakeMachine(variables: Self.web)
    guard case .invalid = await noFile.find().error else {
      Issue.record("without a file")
      return
    }
  }

  @Test func `a profile's web identity is used`() async {
    let machine = FakeMachine(
      variables: ["HOME": "/h", "AWS_PROFILE": "web"],
      files: [
        "/token": "x",
        "/h/.aws/config": """
        [profile web]
        region = us-west-2
        role_arn = arn:r
        web_identity_token_file = /token
        """,
      ]
    ) { _ in Self.xml("W") }
    #expect(await machine.find().id == "W")
    #expect(machine.transport.requests.map(\.origin.host) == ["sts.us-west-2.amazonaws.com"])
  }

  @Test func `a container's agent is asked with its token`() async throws {
    for (variables, url, token) in [
      (
        ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x?y=1"], "http://169.254.170.2/v2/x?y=1",
        nil
      ),
      (
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://agent.example/c"],
        "https://agent.example/c", nil
      ),
      (
        [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/agent-token",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "not this",
        ], "http://169.254.170.23/v1/credentials", "from the file"
      ),
      (
        [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/v1",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "abc",
        ], "http://[fd00:ec2::23]/v1", "abc"
      ),
      (
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost:8080"], "http://localhost:8080/",
        nil
      ),
    ] as [([String: String], String, String?)] {
      let machine = FakeMachine(variables: variables, files: ["/agent-token": "from the file\n"]) {
        _ in Self.json("A")
      }
      let found = try await machine.find().get()
      #expect(found.accessKeyID == "A" && found.sessionToken?.reveal() == "t")
      let request = try #require(machine.transport.requests.first)
      #expect("\(request.origin)\(request.target)" == url)
      #expect(request.header("authorization") == token)
    }
  }

  @Test func `an agent elsewhere, or a token of two lines, is not spoken to`() async {
    for variables in [
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://agent.example/c"],
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.169.254/latest"],
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1.evil.net/"],
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost@evil.net/"],
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "file:///etc/passwd"],
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.net/"],
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ".evil.net/"],
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://a/",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nx: y",
      ],
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://a/",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/gone",
      ],
    ] {
      let machine = FakeMachine(variables: variables)
      guard case .invalid = await machine.find().error else {
        Issue.record("\(variables)")
        continue
      }
      #expect(machine.transport.requestCount == 0)
    }
  }

  @Test func `what an agent says that is no credentials is told apart`() async {
    for (reply, isTransient) in [
      (.reply(200, body: "{"), false), (.reply(200, body: "[]"), false), (.reply(404), false),
      (.reply(200, body: #"{"AccessKeyId": 5}"#), false), (.reply(500), true),
      (.reply(200, body: #"{"Code": "Failed", "AccessKeyId": "a"}"#), false), (.reply(429), true),
      (Self.json("A", expiration: "tomorrow"), false), (Self.json(""), false),
      (Self.json("A", expiration: "2001-01-01T00:00:00Z"), false),
    ] as [(HTTPResponse, Bool)] {
      let machine = FakeMachine(
        variables: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"]
      ) { _ in reply }
      let error = await machine.find().error
      #expect(error.map { $0.remedy == .retry } == isTransient, "\(String(describing: error))")
    }
  }

  @Test func `an instance's metadata is read with a token, in three requests`() async throws {
    let machine = FakeMachine { request in
      switch (request.method, request.target) {
      case (.put, "/latest/api/token"): .reply(200, body: "the-token")
      case (.get, "/latest/meta-data/iam/security-credentials/"): .reply(200, body: "my role\nx")
      case (.get, "/latest/meta-data/iam/security-credentials/my%20role"): Self.json("M")
      default: .reply(404)
      }
    }
    #expect(try await machine.find().get().accessKeyID == "M")
    let requests = machine.transport.requests
    #expect(requests.count == 3)
    #expect(requests[0].header("x-aws-ec2-metadata-token-ttl-seconds") == "21600")
    for request in requests {
      #expect(request.origin == HTTPOrigin(isSecure: false, host: "169.254.169.254"))
      #expect(request.timeout <= .seconds(1))
    }
    #expect(
      requests.dropFirst().allSatisfy { $0.header("x-aws-ec2-metadata-token") == "the-token" })
  }

  @Test func `an instance without a role, or none at all, has no credentials`() async {
    let handlers: [ScriptedTransport.Handler] = [
      { _ in .reply(404) },
      { request in
        request.method == .put ? .reply(200, body: "t") : .reply(404)
      },
      { request in
        request.method == .put ? .reply(200, body: "t") : .reply(200, body: "")
      },
      { _ in .reply(200, body: "\u{1}\u{2}") },
      { request in
        throw HTTPTransportError.timedOut(after: request.timeout, isSent: false)
      },
    ]
    for handler in handlers {
      guard case .notFound = await FakeMachine(network: handler).find().error else {
        Issue.record("found")
        continue
      }
    }
    // One that gives tokens, names a role and then fails is one: it may have them later.
    let machine = FakeMachine { request in
      request.method == .put ? .reply(200, body: "t") : .reply(503)
    }
    #expect(await machine.find().error?.remedy == .retry)
  }
}
