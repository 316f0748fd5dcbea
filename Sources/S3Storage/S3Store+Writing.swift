// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

extension PutCondition {
  /// True for one on what is there.
  var isMatch: Bool {
    if case .matches = self { true } else { false }
  }

  /// The header that says it; nil for none.
  var header: (name: String, value: String)? {
    switch self {
    case .none: nil
    case .absent, .unclaimed: (name: "if-none-match", value: "*")
    case .matches(let version): (name: "if-match", value: version.quoted)
    }
  }
}

extension S3Store {
  /// What a write came to.
  struct Written {
    let version: ObjectVersion
    /// By the server's clock; nil if it did not say.
    let moment: Timestamp?
  }

  /// Writes `bytes` in one request.
  func write(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> Written {
    guard Int64(bytes.count) <= 5 << 30 else {
      throw .full(path: path, reason: "one request writes at most 5 GiB: use a writer")
    }
    var call = S3Call(.put, .put, path)
    call.body = bytes
    let id = client.environment.uuid()
    if let header = condition.header {
      call.headers = [header, (name: Self.writeIDHeader, value: id)]
    }
    return try await settling(call, path, id, condition, written)
  }

  /// Sends a write until it is certain what it came to.
  ///
  /// Where a reply was lost, that the object is not there proves nothing, as the request may yet
  /// arrive. So it is sent again under the same condition, which at most one of the two can meet;
  /// if it no longer holds, the mark of who made it fail tells whether that was ours.
  func settling(
    _ call: S3Call, _ path: ObjectPath, _ id: String, _ condition: PutCondition,
    _ read: (HTTPResponse) throws(S3Failure) -> Written
  ) async throws(StorageError) -> Written {
    var attempts = client.attempts()
    do throws(S3Failure) {
      return try await client.send(call, &attempts, read)
    } catch {
      let doubt = attempts.doubt
      // A condition on an object that is gone does not hold either; and where an upload is gone,
      // it may have been ended by the request whose reply was lost.
      guard error.isConditionFailed || error.isNotFound && (condition.isMatch || doubt != nil)
      else { throw error.storageError(call.verb.rawValue, path, isWrite: true) }
      guard let doubt else { throw .conditionFailed(path: path) }
      let found = try? await look(at: path, nil)
      if let found, found.writeID == id {
        return Written(version: found.info.version, moment: found.info.modified)
      }
      // Whoever creates has lost to what is there. Whoever replaces may have won and been replaced
      // since.
      if found != nil, error.isConditionFailed, condition.isOnAbsence {
        throw .conditionFailed(path: path)
      }
      throw doubt.storageError(call.verb.rawValue, path, isWrite: true)
    }
  }

  private func written(_ response: HTTPResponse) throws(S3Failure) -> Written {
    guard let version = ObjectVersion(etag: response.header("etag")) else {
      throw S3Failure(malformed: "a write without ETag", status: response.status)
    }
    return Written(
      version: version, moment: response.header("date").flatMap(HTTPDate.parse))
  }
}
