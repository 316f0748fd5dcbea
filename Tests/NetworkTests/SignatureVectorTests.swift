// SPDX-License-Identifier: Apache-2.0
import Bytes
import Network
import Storage
import Testing

/// What AWS publishes: its test suite for signers, and the worked examples for S3.
@Suite("Signature V4: published vectors")
struct SignatureVectorTests {
  struct Vector: Sendable, CustomStringConvertible {
    let name: String
    var method = HTTPRequest.Method.get
    var target = "/"
    var headers: [(name: String, value: String)] = []
    var body = ""
    var names = "host;x-amz-date"
    let signature: String

    var description: String { name }
  }

  private static let unreserved =
    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

  static let suite: [Vector] = [
    Vector(
      name: "get-vanilla",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-vanilla-empty-query-key", target: "/?Param1=value1",
      signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
    Vector(
      name: "get-vanilla-query",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-vanilla-query-order-key", target: "/?Param1=value2&Param1=Value1",
      signature: "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"),
    Vector(
      name: "get-vanilla-query-order-key-case", target: "/?Param2=value2&Param1=value1",
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    Vector(
      name: "get-vanilla-query-order-value", target: "/?Param1=value2&Param1=value1",
      signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"),
    Vector(
      name: "get-vanilla-query-unreserved", target: "/?\(unreserved)=\(unreserved)",
      signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
    Vector(
      name: "get-vanilla-utf8-query", target: "/?%E1%88%B4=bar",
      signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    Vector(
      name: "get-unreserved", target: "/\(unreserved)",
      signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
    Vector(
      name: "get-header-key-duplicate",
      headers: [
        (name: "My-Header1", value: "value2"), (name: "My-Header1", value: "value2"),
        (name: "My-Header1", value: "value1"),
      ],
      names: "host;my-header1;x-amz-date",
      signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
    Vector(
      name: "get-header-value-order",
      headers: [
        (name: "My-Header1", value: "value4"), (name: "My-Header1", value: "value1"),
        (name: "My-Header1", value: "value3"), (name: "My-Header1", value: "value2"),
      ],
      names: "host;my-header1;x-amz-date",
      signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
    Vector(
      name: "get-header-value-trim",
      headers: [
        (name: "My-Header1", value: " value1"), (name: "My-Header2", value: " \"a   b   c\""),
      ],
      names: "host;my-header1;my-header2;x-amz-date",
      signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    Vector(
      name: "normalize-path/get-relative", target: "/example/..",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "normalize-path/get-relative-relative", target: "/example1/example2/../..",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "normalize-path/get-slash", target: "//",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "normalize-path/get-slash-dot-slash", target: "/./",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "normalize-path/get-slash-pointless-dot", target: "/./example",
      signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
    Vector(
      name: "normalize-path/get-slashes", target: "//example//",
      signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
    Vector(
      name: "post-vanilla", method: .post,
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
      name: "post-vanilla-query", method: .post, target: "/?Param1=value1",
      signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
    Vector(
      name: "post-header-key-case", method: .post,
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
      name: "post-header-key-sort", method: .post,
      headers: [(name: "My-Header1", value: "value1")],
      names: "host;my-header1;x-amz-date",
      signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
    Vector(
      name: "post-header-value-case", method: .post,
      headers: [(name: "My-Header1", value: "VALUE1")],
      names: "host;my-header1;x-amz-date",
      signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    Vector(
      name: "post-x-www-form-urlencoded", method: .post,
      headers: [(name: "Content-Type", value: "application/x-www-form-urlencoded")],
      body: "Param1=value1",
      names: "content-type;host;x-amz-date",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    Vector(
      name: "post-x-www-form-urlencoded-parameters", method: .post,
      headers: [(name: "Content-Type", value: "application/x-www-form-urlencoded; charset=utf8")],
      body: "Param1=value1",
      names: "content-type;host;x-amz-date",
      signature: "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"),
  ]

  @Test(arguments: suite)
  func `the signer's test suite`(vector: Vector) {
    let credentials = AWSCredentials(
      accessKeyID: "AKIDEXAMPLE",
      secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
    var request = HTTPRequest(
      vector.method, HTTPOrigin(isSecure: true, host: "example.amazonaws.com"),
      target: vector.target, headers: vector.headers, body: Buffer(utf8: vector.body))
    SignatureV4(service: "service", region: "us-east-1").sign(
      &request, with: credentials, at: moment("2015-08-30T12:36:00Z"))
    #expect(
      request.headers.last { $0.name == "authorization" }?.value
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=\(vector.names), Signature=\(vector.signature)")
  }

  // The examples of the Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version
  // 4)".
  private static let s3Credentials = AWSCredentials(
    accessKeyID: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
  private static let s3Origin = HTTPOrigin(isSecure: true, host: "examplebucket.s3.amazonaws.com")

  static let s3Examples: [Vector] = [
    Vector(
      name: "GET Object", target: "/test.txt", headers: [(name: "range", value: "bytes=0-9")],
      names: "host;range;x-amz-content-sha256;x-amz-date",
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    Vector(
      name: "PUT Object", method: .put, target: "/test%24file.text",
      headers: [
        (name: "date", value: "Fri, 24 May 2013 00:00:00 GMT"),
        (name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
      ], body: "Welcome to Amazon S3.",
      names: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    Vector(
      name: "GET Bucket Lifecycle", target: "/?lifecycle",
      names: "host;x-amz-content-sha256;x-amz-date",
      signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    Vector(
      name: "GET Bucket (List Objects)", target: "/?max-keys=2&prefix=J",
      names: "host;x-amz-content-sha256;x-amz-date",
      signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
  ]

  @Test(arguments: s3Examples)
  func `the worked examples for S3`(vector: Vector) {
    var request = HTTPRequest(
      vector.method, Self.s3Origin, target: vector.target, headers: vector.headers,
      body: Buffer(utf8: vector.body))
    SignatureV4(service: "s3", region: "us-east-1").sign(
      &request, with: Self.s3Credentials, at: moment("2013-05-24T00:00:00Z"))
    #expect(
      request.headers.last { $0.name == "authorization" }?.value
        == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        + "SignedHeaders=\(vector.names), Signature=\(vector.signature)")
  }

  @Test func `the worked example of a signed target`() {
    var request = HTTPRequest(.get, Self.s3Origin, target: "/test.txt")
    SignatureV4(service: "s3", region: "us-east-1").presign(
      &request, with: Self.s3Credentials, at: moment("2013-05-24T00:00:00Z"),
      expires: .seconds(86_400))
    #expect(
      request.target
        == "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
  }
}

func moment(_ text: String) -> Timestamp {
  Timestamp(rfc3339: text) ?? Timestamp(microseconds: 0)
}
