// SPDX-License-Identifier: Apache-2.0
public import Bytes
internal import Network
public import Storage

/// Objects in S3, or in a store that speaks its protocol: `s3://bucket/key`.
///
/// One store reaches all buckets of an account. Requests are signed, counted, held to a limit, and
/// repeated on any failure that may pass: reads, listings, deletes and unconditional writes, since
/// twice is as good as once; conditional writes under the same condition, which of two at most one
/// can have met, and a mark in the object's metadata tells whether the winner was ours.
///
/// A version is the object's ETag. The region of a bucket that is elsewhere is taken from what the
/// server says, once; no request is ever sent to a host that a reply named.
///
/// Laws: those of `ObjectStore`. A body is handed out only if its length and place are those asked
/// for.
///
/// Cost: one request for each call, but for objects written in parts, listings of more than 1,000
/// objects, and what a lost reply makes necessary.
///
/// Source: Amazon S3 API Reference.
public struct S3Store: ObjectStore {
  let client: S3Client

  public init(
    _ options: S3Options, signing: any S3Signing, transport: any HTTPTransport,
    environment: Environment
  ) {
    client = S3Client(options, signing: signing, transport: transport, environment: environment)
  }

  /// The requests that were sent until now.
  public var counts: S3Counts { client.counts }

  // MARK: reading

  public func get(
    _ path: ObjectPath, range: Range<Int64>, of version: ObjectVersion?
  ) async throws(StorageError) -> Buffer {
    try checkKey(path)
    let range = range.clamped(to: 0..<Int64.max)
    guard !range.isEmpty else {
      _ = try await look(at: path, version)
      return .empty
    }
    return try await reading(path, range, version)
  }

  public func head(_ path: ObjectPath) async throws(StorageError) -> ObjectInfo {
    try checkKey(path)
    return try await look(at: path, nil).info
  }

  /// What a store tells of an object without its bytes.
  struct Look {
    let info: ObjectInfo
    /// Of the write that made the object, if it was one of ours that had a condition.
    let writeID: String?
  }

  func look(
    at path: ObjectPath, _ version: ObjectVersion?
  ) async throws(StorageError) -> Look {
    var call = S3Call(.head, .head, path)
    if let version { call.headers.append((name: "if-match", value: version.quoted)) }
    let response = try await send(call, path, isWrite: false)
    guard let byteCount = response.header("content-length").flatMap({ Int64($0) }), byteCount >= 0,
      let modified = response.header("last-modified").flatMap(HTTPDate.parse),
      let found = ObjectVersion(etag: response.header("etag"))
    else { throw Self.malformed(.head, path, "a look-up without length, date or ETag") }
    return Look(
      info: ObjectInfo(path: path, byteCount: byteCount, modified: modified, version: found),
      writeID: response.header(Self.writeIDHeader))
  }

  // MARK: writing

  public func put(
    _ bytes: Buffer, to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> ObjectVersion {
    try checkKey(path)
    if condition == .unclaimed { try await makeSureOfConditions(for: path) }
    return try await write(bytes, to: path, if: condition).version
  }

  public func writer(
    to path: ObjectPath, if condition: PutCondition
  ) async throws(StorageError) -> any ObjectWriter {
    try checkKey(path)
    if condition == .unclaimed { try await makeSureOfConditions(for: path) }
    return S3Writer(self, path, condition)
  }

  public func delete(_ path: ObjectPath) async throws(StorageError) {
    try checkKey(path)
    do throws(S3Failure) {
      _ = try await client.send(S3Call(.delete, .delete, path))
    } catch {
      if error.isNotFound { return }
      throw error.storageError(S3Call.Verb.delete.rawValue, path, isWrite: true)
    }
  }

  public func list(
    _ prefix: ObjectPath
  ) -> any AsyncSequence<ObjectInfo, StorageError> & Sendable {
    S3Listing(store: self, prefix: prefix)
  }

  // MARK: helpers

  /// The mark that tells who wrote an object.
  static let writeIDHeader = "x-amz-meta-lake-write"

  func send(
    _ call: S3Call, _ path: ObjectPath, isWrite: Bool
  ) async throws(StorageError) -> HTTPResponse {
    do throws(S3Failure) {
      return try await client.send(call)
    } catch {
      throw error.storageError(call.verb.rawValue, path, isWrite: isWrite)
    }
  }

  /// Throws unless an object can be at `path`.
  func checkKey(_ path: ObjectPath) throws(StorageError) {
    if Task.isCancelled { throw .cancelled(path: path) }
    guard !path.bucket.isEmpty else { throw .invalidPath(path.text, reason: "it has no bucket") }
    if path.isRoot { throw .notAnObject(path: path, found: "the bucket") }
    if path.path.utf8.count > 1025 {
      throw .invalidPath(path.text, reason: "S3's keys have at most 1,024 bytes")
    }
  }

  static func malformed(
    _ verb: S3Call.Verb, _ path: ObjectPath, _ reason: String
  ) -> StorageError {
    .io(
      operation: verb.rawValue, path: path, reason: "the store's reply is \(reason)", code: 0,
      isTransient: true)
  }
}

extension ObjectVersion {
  /// Nil for a reply that has no ETag; a version is it without its quotes.
  init?(etag: String?) {
    guard let etag, !etag.isEmpty, etag.utf8.count <= 1024 else { return nil }
    let isQuoted = etag.utf8.count >= 2 && etag.hasPrefix("\"") && etag.hasSuffix("\"")
    self.init(token: isQuoted ? String(etag.dropFirst().dropLast()) : etag)
  }

  /// As a condition wants it.
  var quoted: String { token.hasPrefix("W/") ? token : "\"\(token)\"" }
}
