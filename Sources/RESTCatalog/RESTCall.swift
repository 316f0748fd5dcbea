// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import JSON
internal import Storage

/// A request to the catalog, before anyone's address or authorization is in it.
struct RESTCall: Sendable {
  let method: HTTPRequest.Method
  /// Percent-encoded, below `v1/` and the prefix.
  let path: String
  var query: [(name: String, value: String)] = []
  var headers: [(name: String, value: String)] = []
  var body: Buffer = .empty
  var bodyLimit = 64 << 20
  /// Where it goes, if that is no route of the catalog's.
  var address: ServerAddress?
  /// True for `config` alone, which is how the prefix is learned.
  var isOutsidePrefix = false
  /// True if it can be sent again, whatever became of it: it reads, or the server remembers its key.
  var isRepeatable: Bool

  init(
    _ method: HTTPRequest.Method, _ path: String, query: [(name: String, value: String)] = []
  ) {
    self.method = method
    self.path = path
    self.query = query
    isRepeatable = method == .get || method == .head
  }

  /// One that sends a JSON object, whose members `write` writes.
  init(_ path: String, _ write: (inout JSONWriter) -> Void) {
    self.init(.post, path)
    var writer = JSONWriter()
    writer.beginObject()
    write(&writer)
    writer.endObject()
    body = writer.finish()
    headers = [("content-type", "application/json")]
  }

  /// `?name=value&…`; empty if there is none.
  var queryText: String {
    query.isEmpty
      ? ""
      : "?"
        + query.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
        .joined(separator: "&")
  }
}
