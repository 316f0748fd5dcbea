// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage
internal import XML

/// A request for something S3 can do, before it is spelled for the wire and signed.
///
/// Each may be sent again where it may have been done: doing it twice is as good as once, or it has a
/// condition that only one of the two can meet.
struct S3Call: Sendable {
  /// What is asked for; the names are those that errors show.
  enum Verb: String, Sendable, CaseIterable {
    case get = "read"
    case head = "look-up"
    case put = "write"
    case delete = "delete"
    case deleteMany = "delete of many"
    case list = "listing"
    case createUpload = "start of an upload"
    case uploadPart = "upload of a part"
    case completeUpload = "end of an upload"
    case abortUpload = "abort of an upload"
    case listUploads = "listing of uploads"

    /// True if the body is checked by a sum in a header; at the end of an upload such a header would
    /// mean the object's.
    var hasObjectBytes: Bool { self == .put || self == .uploadPart || self == .deleteMany }
  }

  var verb: Verb
  var method: HTTPRequest.Method
  var bucket: String
  /// Nil for the bucket itself.
  var key: String?
  var query: [(name: String, value: String)] = []
  var headers: [(name: String, value: String)] = []
  var body = Buffer.empty
  /// The most bytes the reply's body may have.
  var bodyLimit = XMLReader.byteCountLimit
  /// The bytes of the object that are asked for, as far as it has them.
  var expectedByteCount: Int64 = 0
  /// Told when the request is first sent.
  var departure: Departure?
  /// True if a reply of success may carry an error in its body all the same.
  var canFailLate = false

  init(_ verb: Verb, _ method: HTTPRequest.Method, _ path: ObjectPath) {
    self.verb = verb
    self.method = method
    bucket = path.bucket
    key = path.key
  }
}
