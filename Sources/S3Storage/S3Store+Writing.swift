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
    guard let header = condition.header else {
      return try written(try await send(call, path, isWrite: true), path)
    }
    let id = client.environment.uuid()
    call.headers = [header, (name: Self.writeIDHeader, value: id)]
    call.isRepeatable = false
    return try await settling(call, path, id, condition) { response throws(S3Failure) in
      try written(of: response)
    }
  }

  /// Sends a write that has a condition until it is certain what it came to.
  ///
  /// Where a reply was lost, that the object is not there proves nothing, as the request may yet
  /// arrive. So it is sent again under the same condition, which at most one of the two can meet;
  /// if it no longer holds, the mark of who made it fail tells whether that was ours.
  func settling(
    _ call: S3Call, _ path: ObjectPath, _ id: String, _ condition: PutCondition,
    _ outcome: (HTTPResponse) throws(S3Failure) -> Written
  ) async throws(StorageError) -> Written {
    var pauses = Pauses(client)
    var doubt: S3Failure?
    while true {
      var failure: S3Failure
      do throws(S3Failure) {
        return try outcome(try await client.send(call))
      } catch {
        failure = error
      }
      // A condition on an object that is gone does not hold either; and where an upload is gone,
      // it may have been ended by the request whose reply was lost.
      let isGone = failure.isNotFound && (condition.isMatch || doubt != nil)
      if failure.isConditionFailed || isGone {
        guard let doubt else { throw .conditionFailed(path: path) }
        let found = try? await look(at: path, nil)
        if let found, found.writeID == id {
          return Written(version: found.info.version, moment: found.info.modified)
        }
        // Whoever creates has lost to what is there. Whoever replaces may have won and been
        // replaced since.
        if found != nil, failure.isConditionFailed, condition.isOnAbsence {
          throw .conditionFailed(path: path)
        }
        throw doubt.storageError(call.verb.rawValue, path, isWrite: true)
      }
      if failure.effect == .possible { doubt = failure }
      guard failure.isTransient, doubt != nil, await pauses.pause(after: failure) else {
        // What is left of a lost reply is a doubt, whatever came later.
        if doubt != nil { failure.effect = .possible }
        throw failure.storageError(call.verb.rawValue, path, isWrite: true)
      }
    }
  }

  private func written(
    _ response: HTTPResponse, _ path: ObjectPath
  ) throws(StorageError) -> Written {
    do throws(S3Failure) {
      return try written(of: response)
    } catch {
      throw error.storageError(S3Call.Verb.put.rawValue, path, isWrite: true)
    }
  }

  func written(of response: HTTPResponse) throws(S3Failure) -> Written {
    guard let version = ObjectVersion(etag: response.header("etag")) else {
      throw S3Failure(malformed: "a write without ETag", status: response.status)
    }
    return Written(
      version: version, moment: response.header("date").flatMap(HTTPDate.parse))
  }
}
