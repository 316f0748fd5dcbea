// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Storage

extension S3Store {
  public func getWithVersion(
    _ path: ObjectPath, range: Range<Int64>
  ) async throws(StorageError) -> VersionedBytes {
    try checkKey(path)
    let range = range.clamped(to: 0..<Int64.max)
    if !range.isEmpty, let response = try await response(path, range, nil) {
      guard let version = ObjectVersion(etag: response.header("etag")) else {
        throw Self.malformed(.get, path, "bytes without ETag")
      }
      return VersionedBytes(bytes: try body(of: response, range, path), version: version)
    }
    return VersionedBytes(bytes: .empty, version: try await head(path).version)
  }

  /// The bytes of the object in `range`, which is not empty.
  func reading(
    _ path: ObjectPath, _ range: Range<Int64>, _ version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    guard let response = try await response(path, range, version) else { return .empty }
    return try body(of: response, range, path)
  }

  /// The reply to a read; nil if the object ends before `range` begins.
  private func response(
    _ path: ObjectPath, _ range: Range<Int64>, _ version: ObjectVersion?
  ) async throws(StorageError) -> HTTPResponse? {
    var call = S3Call(.get, .get, path)
    let isWhole = range == 0..<Int64.max
    if !isWhole {
      call.headers.append(
        (name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
    }
    if let version { call.headers.append((name: "if-match", value: version.quoted)) }
    // A refusal needs room for its words.
    call.expectedByteCount = Int64(range.count)
    call.bodyLimit = Int(clamping: max(Int64(range.count), 1 << 20))
    do throws(S3Failure) {
      return try await hedged(call)
    } catch {
      // An object of no bytes has no range at all.
      if error.status == 416 { return nil }
      throw error.storageError(call.verb.rawValue, path, isWrite: false)
    }
  }

  /// The bytes `response` has of `range`, if they are all that there can be.
  private func body(
    of response: HTTPResponse, _ range: Range<Int64>, _ path: ObjectPath
  ) throws(StorageError) -> Buffer {
    let bytes = response.body
    if let text = response.header("content-length"), text != String(bytes.count) {
      throw Self.malformed(.get, path, "\(bytes.count) bytes where it says \(text)")
    }
    guard response.status == 206 else {
      // All of it, as was asked for, or by a server that knows no ranges.
      let start = Int(min(range.lowerBound, Int64(bytes.count)))
      return bytes.slice(start..<Int(min(range.upperBound, Int64(bytes.count))))
    }
    guard let told = ContentRange(response.header("content-range")) else {
      throw Self.malformed(.get, path, "a part, but does not say which")
    }
    let expectedEnd = told.byteCount.map { min($0, range.upperBound) } ?? told.range.upperBound
    guard told.range.lowerBound == range.lowerBound, told.range.upperBound == expectedEnd,
      Int64(bytes.count) == Int64(told.range.count)
    else {
      throw Self.malformed(
        .get, path, "bytes \(told.range) in \(bytes.count) where \(range) was asked for")
    }
    return bytes
  }

  /// The reply to a read; where it lets itself be waited for, the first of two.
  private func hedged(_ call: S3Call) async throws(S3Failure) -> HTTPResponse {
    guard let delay = client.options.hedgeDelay else { return try await client.send(call) }
    let client = self.client
    let result = await withTaskGroup(
      of: Result<HTTPResponse, S3Failure>?.self, returning: Result<HTTPResponse, S3Failure>.self
    ) { group in
      // How long it waits for its turn here says nothing of the store.
      let departure = Departure()
      var first = call
      first.departure = departure
      group.addTask { [first] in await Self.result(client, first) }
      group.addTask {
        guard await departure.wait() else { return nil }
        do { try await client.environment.sleep(for: delay) } catch { return nil }
        return nil
      }
      var failure: S3Failure?
      var isHedged = false
      while let answer = await group.next() {
        switch answer {
        case .success(let response):
          group.cancelAll()
          return .success(response)
        case .failure(let error):
          if failure != nil || !isHedged {
            group.cancelAll()
            return .failure(failure ?? error)
          }
          failure = error
        case nil:
          guard !isHedged, !Task.isCancelled else { continue }
          isHedged = true
          client.countHedge()
          group.addTask { await Self.result(client, call) }
        }
      }
      return .failure(failure ?? S3Failure(.cancelled(isSent: false)))
    }
    return try result.get()
  }

  private static func result(
    _ client: S3Client, _ call: S3Call
  ) async -> Result<HTTPResponse, S3Failure> {
    do throws(S3Failure) {
      return .success(try await client.send(call))
    } catch {
      return .failure(error)
    }
  }
}

/// What a reply says of the part it carries: `bytes 0-99/1000`.
struct ContentRange: Hashable {
  let range: Range<Int64>
  /// Of the whole object; nil if the server does not know.
  let byteCount: Int64?

  init?(_ text: String?) {
    guard let text, text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0,
      last >= first, last < .max
    else { return nil }
    range = first..<last + 1
    if parts[1] == "*" {
      byteCount = nil
    } else {
      guard let count = Int64(parts[1]), count > last else { return nil }
      byteCount = count
    }
  }
}
