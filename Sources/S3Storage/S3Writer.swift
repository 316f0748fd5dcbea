// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage
internal import Synchronization
internal import XML

/// Writes one object: in one request if it is small, else in parts.
///
/// Bytes are gathered until there are as many parts as are sent at a time; they are sent together,
/// while whoever appends waits. So the writer holds at most that many parts, and an object that is
/// no larger costs one request.
///
/// Parts have one size for the first thousand, as some stores want it; then it doubles with every
/// thousand, so that 10,000 parts hold the largest object there may be.
final class S3Writer: ObjectWriter {
  private struct State: ~Copyable {
    var pending = MutableBuffer()
    var byteCount: Int64 = 0
    var isEnded = false
    /// What the server calls the upload in parts, once there is one.
    var upload: String?
    var parts: [Part] = []
  }

  /// A part that was sent.
  private struct Part: Sendable {
    let number: Int
    let etag: String
    /// As the header has it; nil if none was sent.
    let checksum: String?
  }

  private let store: S3Store
  private let path: ObjectPath
  private let condition: PutCondition
  private let writeID: String
  private let state = Mutex(State())

  init(_ store: S3Store, _ path: ObjectPath, _ condition: PutCondition) {
    self.store = store
    self.path = path
    self.condition = condition
    writeID = store.client.environment.uuid()
  }

  func append(_ bytes: Buffer) async throws(StorageError) {
    var rest = bytes
    while !rest.isEmpty {
      let (taken, isFull) = state.withLock { state in
        precondition(!state.isEnded, "a writer is used after its end")
        let room = batchByteCount(after: state.parts.count) - state.pending.count
        let taken = min(room, rest.count)
        state.pending.append(rest.slice(0..<taken).bytes)
        state.byteCount += Int64(taken)
        return (taken, taken == room && taken < rest.count)
      }
      rest = rest.slice(taken..<rest.count)
      // A full batch waits for a byte more: it may be all there is.
      if isFull { try await sendPending() }
    }
  }

  func finish() async throws(StorageError) -> ObjectInfo {
    let (upload, byteCount) = state.withLock { state in
      precondition(!state.isEnded, "a writer is finished twice")
      return (state.upload, state.byteCount)
    }
    let written: S3Store.Written
    if upload == nil {
      written = try await store.write(take(), to: path, if: condition)
    } else {
      try await sendPending()
      written = try await complete()
    }
    state.withLock { state in
      state.isEnded = true
      state.upload = nil
    }
    let modified = written.moment ?? store.client.environment.now()
    return ObjectInfo(
      path: path, byteCount: byteCount, modified: modified, version: written.version)
  }

  func abort() async {
    let upload = state.withLock { state -> String? in
      state.isEnded = true
      state.pending = MutableBuffer()
      defer { state.upload = nil }
      return state.upload
    }
    guard let upload else { return }
    await store.abort(upload, at: path)
  }

  // MARK: parts

  /// The bytes of part number `number` (from 0).
  private func partByteCount(_ number: Int) -> Int {
    let base = max(store.client.options.partByteCount, 5 << 20)
    return min(base << min(number / 1000, 10), 5 << 30)
  }

  /// The bytes that are sent at a time, after `count` parts.
  private func batchByteCount(after count: Int) -> Int {
    let part = partByteCount(count)
    // Large parts go one by one, so that memory does not grow with both.
    return part * max(1, min(store.client.options.partConcurrency, (512 << 20) / part))
  }

  private func take() -> Buffer {
    state.withLock { state in
      var bytes = MutableBuffer()
      swap(&bytes, &state.pending)
      return bytes.freeze()
    }
  }

  /// Sends what was gathered as the next parts.
  private func sendPending() async throws(StorageError) {
    let upload = try await openUpload()
    let sent = state.withLock { $0.parts.count }
    let bytes = take()
    var tasks: [(number: Int, bytes: Buffer)] = []
    var start = 0
    while start < bytes.count {
      let end = min(start + partByteCount(sent), bytes.count)
      tasks.append((sent + tasks.count + 1, bytes.slice(start..<end)))
      start = end
    }
    guard sent + tasks.count <= 10_000 else {
      throw .full(path: path, reason: "S3 takes at most 10,000 parts")
    }
    let (store, path) = (store, path)
    let parts = try await mapConcurrently(tasks, limit: store.client.options.partConcurrency) {
      task throws(StorageError) in
      try await Self.send(task.bytes, number: task.number, of: upload, to: path, store)
    }
    state.withLock { $0.parts += parts }
  }

  private static func send(
    _ bytes: Buffer, number: Int, of upload: String, to path: ObjectPath, _ store: S3Store
  ) async throws(StorageError) -> Part {
    var call = S3Call(.uploadPart, .put, path)
    call.query = [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload)]
    call.body = bytes
    let response = try await store.send(call, path, isWrite: false)
    guard let etag = response.header("etag"), !etag.isEmpty else {
      throw S3Store.malformed(.uploadPart, path, "a part without ETag")
    }
    let isChecked = store.client.options.bodyCheck == .crc32c
    return Part(
      number: number, etag: etag, checksum: isChecked ? S3Client.checksum(of: bytes) : nil)
  }

  private func openUpload() async throws(StorageError) -> String {
    if let upload = state.withLock({ $0.upload }) { return upload }
    var call = S3Call(.createUpload, .post, path)
    call.query = [(name: "uploads", value: "")]
    call.headers = [(name: S3Store.writeIDHeader, value: writeID)]
    if store.client.options.bodyCheck == .crc32c {
      call.headers.append((name: "x-amz-checksum-algorithm", value: "CRC32C"))
    }
    call.canFailLate = true
    let response = try await store.send(call, path, isWrite: false)
    guard let root = try? XMLReader.read(response.body), let id = root.text(of: "UploadId"),
      !id.isEmpty
    else { throw S3Store.malformed(.createUpload, path, "an upload without an id") }
    state.withLock { $0.upload = id }
    return id
  }

  private func complete() async throws(StorageError) -> S3Store.Written {
    let (upload, parts) = state.withLock { ($0.upload ?? "", $0.parts) }
    var call = S3Call(.completeUpload, .post, path)
    call.query = [(name: "uploadId", value: upload)]
    call.headers = [(name: "content-type", value: "application/xml")]
    if let header = condition.header { call.headers.append(header) }
    call.body = Buffer(utf8: Self.document(of: parts))
    call.canFailLate = true
    return try await store.settling(call, path, writeID, condition) { response throws(S3Failure) in
      guard let root = try? XMLReader.read(response.body),
        let version = ObjectVersion(etag: root.text(of: "ETag"))
      else {
        throw S3Failure(malformed: "the end of an upload without ETag", status: response.status)
      }
      return S3Store.Written(
        version: version, moment: response.header("date").flatMap(HTTPDate.parse))
    }
  }

  private static func document(of parts: [Part]) -> String {
    var text = #"<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">"#
    for part in parts {
      text += "<Part>"
      if let checksum = part.checksum {
        text += "<ChecksumCRC32C>\(checksum)</ChecksumCRC32C>"
      }
      text += "<ETag>\(XMLText.escaped(part.etag))</ETag>"
      text += "<PartNumber>\(part.number)</PartNumber></Part>"
    }
    return text + "</CompleteMultipartUpload>"
  }
}
