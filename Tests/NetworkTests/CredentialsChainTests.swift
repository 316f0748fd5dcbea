// SPDX-License-Identifier: Apache-2.0
import LakeTestSupport
import Network
import Storage
import Testing

@Suite("Credentials: where they are looked for")
struct CredentialsChainTests {
  private static let properties = [
    "s3.access-key-id": "P", "s3.secret-access-key": "ps", "s3.session-token": "pt",
  ]
  private static let variables = [
    "AWS_ACCESS_KEY_ID": "V", "AWS_SECRET_ACCESS_KEY": "vs", "AWS_SESSION_TOKEN": "vt",
  ]
  private static let files = [
    "/h/.aws/credentials": """
    # a comment
    [default]
    aws_access_key_id = D
    aws_secret_access_key = d=s/+ ; a comment
    region = credentials-region

    [ work ]
    AWS_ACCESS_KEY_ID=W
    aws_secret_access_key = ws#no comment
    aws_session_token=wt
    """,
    "/h/.aws/config": """
    [default]
    region = eu-north-1
    aws_access_key_id = C
    s3 =
      aws_access_key_id = nested
    [profile work]
    region=ap-south-1
    [profile web]
    role_arn = arn:aws:iam::1:role/web
    web_identity_token_file = /token
    [profile process]
    credential_process = /bin/cat
    [profile sso]
    sso_session = x
    [profile chained]
    role_arn = arn:aws:iam::1:role/other
    source_profile = default
    [profile empty]
    [profile half]
    aws_access_key_id = H
    """,
  ]

  @Test func `properties come before variables, variables before the profile`() async throws {
    var variables = Self.variables
    variables["HOME"] = "/h"
    let machine = FakeMachine(variables: variables, files: Self.files)
    let first = try await machine.find(Self.properties).get()
    #expect(first.accessKeyID == "P" && first.secretAccessKey.reveal() == "ps")
    #expect(first.sessionToken?.reveal() == "pt" && first.expiration == nil)
    let second = try await machine.find().get()
    #expect(second.accessKeyID == "V" && second.secretAccessKey.reveal() == "vs")
    #expect(second.sessionToken?.reveal() == "vt")
    let third = try await FakeMachine(variables: ["HOME": "/h"], files: Self.files).find().get()
    #expect(third.accessKeyID == "D" && third.secretAccessKey.reveal() == "d=s/+")
    #expect(third.sessionToken == nil)
    #expect(machine.transport.requestCount == 0)
  }

  @Test func `a profile is found by name, in both files, wherever they are`() async throws {
    let byVariable = FakeMachine(
      variables: ["HOME": "/h", "AWS_PROFILE": "work"], files: Self.files)
    let found = try await byVariable.find().get()
    #expect(found.accessKeyID == "W" && found.secretAccessKey.reveal() == "ws#no comment")
    #expect(found.sessionToken?.reveal() == "wt")
    // A property that names a profile comes before the variables that hold keys.
    var variables = Self.variables
    variables["HOME"] = "/h"
    let machine = FakeMachine(variables: variables, files: Self.files)
    #expect(await machine.find(["s3.profile-name": "work"]).id == "W")
    let elsewhere = FakeMachine(
      variables: ["HOME": "/x", "AWS_SHARED_CREDENTIALS_FILE": "~/keys"],
      files: ["/x/keys": "[default]\r\naws_access_key_id=X\r\naws_secret_access_key=xs\r\n"])
    #expect(try await elsewhere.find().get().secretAccessKey.reveal() == "xs")
  }

  @Test func `what is there in part, or not as it should be, is an error of its own`() async {
    func error(
      _ variables: [String: String], _ properties: [String: String] = [:],
      files: [String: String] = Self.files
    ) async -> CredentialsError? {
      let machine = FakeMachine(
        variables: variables.merging(["HOME": "/h"]) { $1 }, files: files)
      return await machine.find(properties).error
    }
    #expect(
      await error([:], ["s3.access-key-id": "P"])
        == .incomplete(source: "the properties", missing: "s3.secret-access-key"))
    #expect(
      await error([:], ["s3.secret-access-key": "P"])
        == .incomplete(source: "the properties", missing: "s3.access-key-id"))
    #expect(
      await error(["AWS_ACCESS_KEY_ID": "V"])
        == .incomplete(source: "the variables", missing: "AWS_SECRET_ACCESS_KEY"))
    #expect(
      await error(["AWS_PROFILE": "gone"])
        == .invalid(source: "profile 'gone'", reason: "there is no such profile"))
    #expect(
      await error(["AWS_PROFILE": "half"])
        == .incomplete(source: "profile 'half'", missing: "aws_secret_access_key"))
    #expect(
      await error(["AWS_PROFILE": "empty"])
        == .incomplete(source: "profile 'empty'", missing: "aws_access_key_id"))
    for (profile, what) in [
      ("process", "credential_process"), ("sso", "sso_session"), ("chained", "source_profile"),
    ] {
      guard case .unsupported(_, let found, let instead) = await error(["AWS_PROFILE": profile])
      else {
        Issue.record("\(profile)")
        continue
      }
      #expect(found.contains(what) && instead.contains("export-credentials"))
    }
    #expect(
      await error(["AWS_WEB_IDENTITY_TOKEN_FILE": "/token"])
        == .incomplete(source: "the variables", missing: "AWS_ROLE_ARN"))
  }

  @Test func `where nothing is, the error says where it looked`() async {
    let machine = FakeMachine(variables: ["HOME": "/h"])
    guard case .notFound(let tried) = await machine.find().error else {
      Issue.record("found")
      return
    }
    #expect(tried.count == 6)
    #expect(tried[2].contains("AWS_WEB_IDENTITY_TOKEN_FILE") && tried[3].contains("default"))
    // Only the instance's metadata was asked, and once.
    #expect(machine.transport.requests.map(\.target) == ["/latest/api/token"])
    let disabled = FakeMachine(variables: ["AWS_EC2_METADATA_DISABLED": "TRUE"])
    #expect(await disabled.find().error != nil)
    #expect(disabled.transport.requestCount == 0)
  }

  @Test func `files of any bytes are no profile, or one`() async {
    let random = SeededRandom(printing: "profiles")
    let pieces = [
      "[default]", "[", "]", "\n", "\r\n", "=", "aws_access_key_id", "aws_secret_access_key", " ",
      "\t", "#", ";", "x", "é", "\u{0}", "profile", "[profile default]",
    ]
    for _ in 0..<500 {
      let text = (0..<random.int(in: 0..<20)).map { _ in pieces[random.int(in: 0..<pieces.count)] }
        .joined()
      let machine = FakeMachine(
        variables: ["HOME": "/h", "AWS_EC2_METADATA_DISABLED": "true"],
        files: ["/h/.aws/config": text, "/h/.aws/credentials": text])
      let result = await machine.find()
      #expect(result.error != nil || result.id?.isEmpty == false, "\(text.debugDescription)")
    }
  }

  @Test func `the region is the first that is named`() {
    let machine = FakeMachine(
      variables: ["AWS_REGION": "r", "AWS_DEFAULT_REGION": "d", "HOME": "/h"], files: Self.files)
    #expect(
      AWSRegion.resolve(machine.context(["s3.region": "s", "client.region": "c"])) == "s")
    #expect(AWSRegion.resolve(machine.context(["client.region": "c"])) == "c")
    #expect(AWSRegion.resolve(machine.context()) == "r")
    let byDefault = FakeMachine(variables: ["AWS_REGION": "", "AWS_DEFAULT_REGION": "d"])
    #expect(AWSRegion.resolve(byDefault.context()) == "d")
    let work = FakeMachine(variables: ["HOME": "/h", "AWS_PROFILE": "work"], files: Self.files)
    #expect(AWSRegion.resolve(work.context()) == "ap-south-1")
    let plain = FakeMachine(variables: ["HOME": "/h"], files: Self.files)
    // A setting of both files is that of the credentials.
    #expect(AWSRegion.resolve(plain.context()) == "credentials-region")
    #expect(AWSRegion.resolve(FakeMachine().context()) == "us-east-1")
    #expect(AWSRegion.named(FakeMachine().context()) == nil)
  }
}
