// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Storage
import Synchronization
import XML

@testable import S3Storage

/// What S3 does with one bucket, in memory and by path: the server behind a `ScriptedTransport`.
///
/// It keeps conditions, also at the end of an upload in parts, and gives pages of `pageSize`.
final class S3Model: Sendable {
  struct Object {
    var bytes: Buffer
    var etag: String
    var writeID: String?
  }

  private struct Upload {
    var key: String
    var writeID: String?
    var parts: [Int: Buffer] = [:]
    var started: Timestamp
  }

  private struct State {
    var objects: [String: Object] = [:]
    var uploads: [String: Upload] = [:]
    var count = 0

    mutating func store(_ bytes: Buffer, _ key: String, id: String?) -> String {
      count += 1
      let etag = "etag-\(count)"
      objects[key] = Object(bytes: bytes, etag: etag, writeID: id)
      return etag
    }
  }

  private let state = Mutex(State())
  private let environment: Environment
  let pageSize: Int
  /// False for a server that takes conditions of writes and ignores them.
  private let keepsConditions: Bool

  init(_ environment: Environment, pageSize: Int = 1000, keepsConditions: Bool = true) {
    self.environment = environment
    self.pageSize = pageSize
    self.keepsConditions = keepsConditions
  }

  /// The keys there are.
  var keys: [String] { state.withLock { $0.objects.keys.sorted() } }
  var uploadCount: Int { state.withLock { $0.uploads.count } }

  func object(_ key: String) -> Object? { state.withLock { $0.objects[key] } }

  /// Writes as someone else does.
  func set(_ key: String, _ text: String) {
    state.withLock { _ = $0.store(Buffer(utf8: text), key, id: nil) }
  }

  func remove(_ key: String) { state.withLock { $0.objects[key] = nil } }

  /// A transport to it.
  func transport() -> ScriptedTransport {
    ScriptedTransport { request throws(HTTPTransportError) in self.reply(to: request) }
  }

  /// A store over `transport`, whose pauses take no time.
  func store(
    _ transport: ScriptedTransport, _ change: (inout S3Options) -> Void = { _ in }
  ) -> S3Store {
    var options = S3Options()
    options.endpoint = HTTPOrigin(isSecure: false, host: "localhost", port: 1)
    options.addressing = .path
    options.bodyCheck = .signature
    change(&options)
    return S3Store(
      options, signing: Anonymous(), transport: transport, environment: environment)
  }

  private var date: (name: String, value: String) {
    (name: "date", value: HTTPDateText.of(environment.now()))
  }

  private func reply(to request: HTTPRequest) -> HTTPResponse {
    let parts = request.path.dropFirst().split(separator: "/", maxSplits: 1)
    let key = parts.count > 1 ? Self.decoded(String(parts[1])) : ""
    let query = Dictionary(
      request.query.split(separator: "&").map { item in
        let pair = item.split(separator: "=", maxSplits: 1)
        return (String(pair[0]), pair.count > 1 ? Self.decoded(String(pair[1])) : "")
      }, uniquingKeysWith: { $1 })
    return state.withLock { state in
      switch (request.method, query["uploadId"]) {
      case (.get, _) where key.isEmpty && query["uploads"] != nil: uploads(state)
      case (.get, _) where key.isEmpty: listing(state, query)
      case (.get, _), (.head, _): read(state, key, request)
      case (.post, _) where query["uploads"] != nil: open(&state, key, request)
      case (.post, nil) where query["delete"] != nil: deleteMany(&state, request)
      case (.post, let id?): complete(&state, id, request)
      case (.put, let id?): addPart(&state, id, Int(query["partNumber"] ?? "") ?? 0, request)
      case (.put, _): put(&state, key, request)
      case (.delete, let id?): abort(&state, id)
      case (.delete, _): delete(&state, key)
      default: .reply(400)
      }
    }
  }

  private static func decoded(_ text: String) -> String {
    S3Listing.decoded(text.replacing("+", with: "%2B")) ?? ""
  }

  static func error(
    _ status: Int, _ code: String, headers: [(name: String, value: String)] = []
  ) -> HTTPResponse {
    .reply(
      status, body: "<Error><Code>\(code)</Code><Message>as scripted</Message></Error>",
      headers: headers)
  }

  /// An error if the conditions of `request` do not hold.
  private func refusal(_ state: State, _ key: String, _ request: HTTPRequest) -> HTTPResponse? {
    let there = state.objects[key]?.etag
    if !keepsConditions, request.method == .put { return nil }
    if request.header("if-none-match") == "*", there != nil {
      return Self.error(412, "PreconditionFailed")
    }
    if let tag = request.header("if-match") {
      guard let there else { return Self.error(404, "NoSuchKey") }
      if tag != "\"\(there)\"" { return Self.error(412, "PreconditionFailed") }
    }
    return nil
  }

  private func read(_ state: State, _ key: String, _ request: HTTPRequest) -> HTTPResponse {
    guard let object = state.objects[key] else { return Self.error(404, "NoSuchKey") }
    if let refusal = refusal(state, key, request) { return refusal }
    var bytes = object.bytes
    var headers = [
      (name: "etag", value: "\"\(object.etag)\""),
      (name: "last-modified", value: HTTPDateText.of(environment.now())), date,
    ]
    if let id = object.writeID { headers.append((name: "x-amz-meta-lake-write", value: id)) }
    var status = 200
    if let range = request.header("range")?.dropFirst(6).split(separator: "-") {
      let total = bytes.count
      guard let first = Int(range[0]), first < total else {
        return Self.error(416, "InvalidRange")
      }
      let last = min(Int(range[1]) ?? .max, total - 1)
      bytes = bytes.slice(first..<last + 1)
      status = 206
      headers.append((name: "content-range", value: "bytes \(first)-\(last)/\(total)"))
    }
    headers.append((name: "content-length", value: "\(bytes.count)"))
    return HTTPResponse(
      status: status, headers: headers, body: request.method == .head ? .empty : bytes)
  }

  private func put(
    _ state: inout State, _ key: String, _ request: HTTPRequest
  ) -> HTTPResponse {
    if let refusal = refusal(state, key, request) { return refusal }
    let etag = state.store(
      request.body, key, id: request.header("x-amz-meta-lake-write"))
    return .reply(200, headers: [(name: "etag", value: "\"\(etag)\""), date])
  }

  private func delete(_ state: inout State, _ key: String) -> HTTPResponse {
    state.objects[key] = nil
    return .reply(204)
  }

  private func deleteMany(_ state: inout State, _ request: HTTPRequest) -> HTTPResponse {
    guard let root = try? XMLReader.read(request.body), root.name == "Delete",
      root.all("Object").count <= 1000, request.header("content-md5")?.count == 24
    else { return Self.error(400, "MalformedXML") }
    for object in root.all("Object") { state.objects[object.text(of: "Key") ?? ""] = nil }
    return .reply(200, body: "<DeleteResult/>")
  }

  private func listing(_ state: State, _ query: [String: String]) -> HTTPResponse {
    let prefix = query["prefix"] ?? ""
    let after = query["continuation-token"]
    let keys = state.objects.keys
      .filter { $0.utf8.starts(with: prefix.utf8) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      .filter { key in after.map { $0.utf8.lexicographicallyPrecedes(key.utf8) } ?? true }
    var body = "<ListBucketResult>"
    for key in keys.prefix(pageSize) {
      body += "<Contents><Key>\(XMLText.escaped(key))</Key>"
      body += "<LastModified>2026-09-01T08:30:00.000Z</LastModified>"
      body += "<ETag>&quot;\(state.objects[key]?.etag ?? "")&quot;</ETag>"
      body += "<Size>\(state.objects[key]?.bytes.count ?? 0)</Size></Contents>"
    }
    let isTruncated = keys.count > pageSize
    body += "<IsTruncated>\(isTruncated)</IsTruncated>"
    if isTruncated {
      body += "<NextContinuationToken>\(XMLText.escaped(keys[pageSize - 1]))"
      body += "</NextContinuationToken>"
    }
    return .reply(200, body: body + "</ListBucketResult>")
  }

  private func open(
    _ state: inout State, _ key: String, _ request: HTTPRequest
  ) -> HTTPResponse {
    state.count += 1
    let id = "upload-\(state.count)"
    state.uploads[id] = Upload(
      key: key, writeID: request.header("x-amz-meta-lake-write"), started: environment.now())
    return .reply(
      200,
      body: "<InitiateMultipartUploadResult><UploadId>\(id)</UploadId>"
        + "</InitiateMultipartUploadResult>")
  }

  private func addPart(
    _ state: inout State, _ id: String, _ number: Int, _ request: HTTPRequest
  ) -> HTTPResponse {
    guard state.uploads[id] != nil else { return Self.error(404, "NoSuchUpload") }
    state.uploads[id]?.parts[number] = request.body
    return .reply(200, headers: [(name: "etag", value: "\"part-\(number)\"")])
  }

  private func complete(
    _ state: inout State, _ id: String, _ request: HTTPRequest
  ) -> HTTPResponse {
    guard let upload = state.uploads[id] else { return Self.error(404, "NoSuchUpload") }
    if let refusal = refusal(state, upload.key, request) { return refusal }
    let bytes = upload.parts.sorted { $0.key < $1.key }.flatMap { $0.value.array() }
    state.uploads[id] = nil
    let etag = state.store(Buffer(bytes), upload.key, id: upload.writeID)
    return .reply(
      200,
      body: "<CompleteMultipartUploadResult><ETag>&quot;\(etag)&quot;</ETag>"
        + "</CompleteMultipartUploadResult>", headers: [date])
  }

  private func abort(_ state: inout State, _ id: String) -> HTTPResponse {
    state.uploads.removeValue(forKey: id) == nil
      ? Self.error(404, "NoSuchUpload") : .reply(204)
  }

  private func uploads(_ state: State) -> HTTPResponse {
    var body = "<ListMultipartUploadsResult>"
    for (id, upload) in state.uploads.sorted(by: { $0.key < $1.key }) {
      body += "<Upload><Key>\(upload.key)</Key><UploadId>\(id)</UploadId>"
      body += "<Initiated>\(upload.started.formatted(.milliseconds))</Initiated></Upload>"
    }
    return .reply(
      200, body: body + "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
  }
}

/// Moments as HTTP's headers have them.
enum HTTPDateText {
  static func of(_ moment: Timestamp) -> String {
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let text = Array(moment.formatted(.seconds))
    let month = months[(Int(String(text[5..<7])) ?? 1) - 1]
    return "Tue, \(String(text[8..<10])) \(month) \(String(text[0..<4])) "
      + "\(String(text[11..<19])) GMT"
  }
}
