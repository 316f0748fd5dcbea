// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import LakeTestSupport
import Network
import SeededNumbers
import Storage
import Testing

/// Our signatures beside those of botocore, over requests that were made to be signed wrongly.
@Suite("Signature V4: as botocore signs")
struct SignatureDifferentialTests {

  @Test func `random requests have botocore's signature`() async throws {
    let random = SeededRandom(printing: "signatures")
    let count = Depth.isLong ? 200_000 : 10_000
    let requests = (0..<count).map { _ in RandomRequest(random) }
    let lines = try await offPool { try Self.signedByBotocore(requests) }
    guard let lines else { return }
    try #require(lines.count == count)
    for (request, theirs) in zip(requests, lines) {
      let ours = request.signature()
      #expect(ours == theirs, "\(request.forPython)")
      if ours != theirs { break }
    }
  }

  /// What botocore says of each request; nil, and printed, where it is not installed.
  private static func signedByBotocore(_ requests: [RandomRequest]) throws -> [String]? {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-sign-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "requests.json")
    let data = try JSONSerialization.data(withJSONObject: requests.map(\.forPython))
    try data.write(to: input)
    guard let answer = ExternalTool.run("python3", ["-c", script, input.path]), answer.status == 0
    else {
      ExternalTool.skip("signatures beside botocore's", missing: "python3 with botocore")
      return nil
    }
    return answer.output.split(separator: "\n").map(String.init)
  }

  private static let script = """
    import sys, json, base64, datetime
    import botocore.auth as auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from urllib.parse import quote

    class Context(object):
        def __init__(self, s3): self.s3 = s3

    for r in json.load(open(sys.argv[1])):
        moment = datetime.datetime.strptime(r['time'], '%Y%m%dT%H%M%SZ')
        auth.get_current_datetime = lambda *a, **k: moment
        credentials = Credentials(r['id'], r['secret'], r['token'] or None)
        url = r['origin'] + quote(r['path'], safe='/~')
        if r['query']:
            url += '?' + '&'.join(quote(k, safe='-_.~') + '=' + quote(v, safe='-_.~') for k, v in r['query'])
        request = AWSRequest(method=r['method'], url=url, data=base64.b64decode(r['body']))
        for name, value in r['headers']: request.headers.add_header(name, value)
        s3, query = r['service'] == 's3', r['expires'] > 0
        if r['payload'] == 'unsigned':
            request.context['client_config'] = Context({'payload_signing_enabled': not r['origin'].startswith('https')})
            if not s3 and r['origin'].startswith('https'): request.context['payload_signing_enabled'] = False
        kinds = {(True, False): auth.S3SigV4Auth, (False, False): auth.SigV4Auth,
                 (True, True): auth.S3SigV4QueryAuth, (False, True): auth.SigV4QueryAuth}
        more = {'expires': r['expires']} if query else {}
        kinds[(s3, query)](credentials, r['service'], r['region'], **more).add_auth(request)
        print(request.url.split('X-Amz-Signature=')[1] if query else request.headers['Authorization'])
    """
}

/// A request with all that signers get wrong in it.
private struct RandomRequest {
  let method: HTTPRequest.Method
  let origin: HTTPOrigin
  let path: String
  let query: [(name: String, value: String)]
  let headers: [(name: String, value: String)]
  let body: [UInt8]
  let credentials: AWSCredentials
  let time: Timestamp
  let service: String
  let region: String
  let isUnsigned: Bool
  /// In seconds; nil for a signature in headers.
  let expires: Int?

  private static let methods: [HTTPRequest.Method] = [.get, .put, .head, .delete, .post]
  // The two spellings of é are one grapheme each, and different keys.
  private static let pieces = [
    "a", "Z", "0", "~", "@", ":", "*", "=", "+", ",", "%", " ", "-", "_", ".", "..", "/", "//", "&",
    "?", "#", "%2F", "%20", "\u{e9}", "e\u{301}", "ሴ", "😀", "\"", "'", "(", ")", "[", "!", "$", ";",
    "<", "|", "`", "{", "^", "\\", "year=2024", "\u{7f}", "\u{1}", "\t",
  ]

  init(_ random: SeededRandom) {
    func pick<T>(_ values: [T]) -> T { values[random.int(in: 0..<values.count)] }
    func text(_ limit: Int) -> String {
      (0..<random.int(in: 0..<limit)).map { _ in pick(Self.pieces) }.joined()
    }
    func word(_ count: Int) -> String {
      let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
      return String((0..<count).map { _ in pick(alphabet) })
    }
    method = pick(Self.methods)
    service = pick(["s3", "s3", "s3", "sts", "glue", "s3tables"])
    let isPresigned = random.oneIn(4)
    expires = isPresigned ? random.int(in: 1..<604_801) : nil
    origin = HTTPOrigin(
      isSecure: !random.oneIn(3),
      host: pick(["bucket.s3.amazonaws.com", "localhost", "127.0.0.1", "my-bucket.example.org"]),
      port: pick([nil, nil, 9000, 80, 443]))
    path = "/" + text(8)
    // botocore makes a signed target from a dictionary: no name twice there, and none empty.
    var seen: Set<String> = []
    query = (0..<random.int(in: 0..<4)).compactMap { _ in
      let item = (name: text(4), value: random.oneIn(4) ? "" : text(4))
      return !isPresigned || seen.insert(item.name).inserted ? item : nil
    }
    var names = ["content-type", "range", "x-amz-meta-a", "x-amz-meta-b", "if-none-match", "date2"]
    headers = (0..<random.int(in: 0..<5)).map { _ in
      let name = names.remove(at: random.int(in: 0..<names.count))
      return (
        name: name,
        value: pick(["", " ", "\t"]) + pick(["v", "a  b", "*", "\"etag\"", "a \t b   c", "é~"])
          + pick(["", "  "])
      )
    }
    body = random.oneIn(2) || isPresigned ? [] : random.bytes(random.int(in: 1..<60))
    credentials = AWSCredentials(
      accessKeyID: word(20), secretAccessKey: Secret(word(40)),
      sessionToken: random.oneIn(2) ? Secret(word(60)) : nil)
    time = Timestamp(microseconds: Int64(random.int(in: 0..<4_000_000_000)) * 1_000_000)
    region = pick(["us-east-1", "eu-central-2", "auto", ""])
    isUnsigned = random.oneIn(3) && !isPresigned
  }

  /// The signature, or all of the header `authorization`.
  func signature() -> String {
    var target = PercentEncoding.path(path)
    if !query.isEmpty { target += "?" + PercentEncoding.query(query) }
    var request = HTTPRequest(
      method, origin, target: target, headers: headers, body: Buffer(body))
    let signer = SignatureV4(service: service, region: region)
    if let expires {
      signer.presign(&request, with: credentials, at: time, expires: .seconds(expires))
      return request.target.components(separatedBy: "X-Amz-Signature=").last ?? ""
    }
    signer.sign(
      &request, with: credentials, at: time, payload: isUnsigned ? .unsigned : .hash)
    return request.header("authorization") ?? ""
  }

  var forPython: [String: Any] {
    [
      "method": method.rawValue, "origin": origin.description, "path": path,
      "query": query.map { [$0.name, $0.value] },
      "headers": headers.map { [$0.name, $0.value] }, "body": Data(body).base64EncodedString(),
      "id": credentials.accessKeyID, "secret": credentials.secretAccessKey.reveal(),
      "token": credentials.sessionToken?.reveal() ?? "", "region": region, "service": service,
      "time": time.formatted(.seconds).filter { $0 != "-" && $0 != ":" },
      "payload": isUnsigned ? "unsigned" : "hash", "expires": expires ?? 0,
    ]
  }
}
