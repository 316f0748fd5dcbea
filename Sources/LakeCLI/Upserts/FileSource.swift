// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The bytes of a file that may still be written to.
///
/// Law: what is read is one file from its start on; one that becomes shorter than what was read of
/// it, or whose name another file takes, is an error.
struct FileSource: SeekableByteSource {
  let name: String
  private let file: OpenedFile
  private let end: End
  private var offset: Int64 = 0
  /// How often in a row there was nothing.
  private var pauses = 0

  /// What the end of the file means.
  enum End {
    case ends
    /// More may come: there is nothing for now.
    case waits
  }

  private static let chunkByteCount = 4 << 20
  /// How long one waits for more before looking again.
  private static let pause = Duration.milliseconds(20)

  /// - Parameter path: absolute.
  init(_ path: String, _ end: End) throws(InputError) {
    name = path
    file = try OpenedFile(path)
    self.end = end
  }

  func byteCount() async throws(InputError) -> Int64 { try file.status().byteCount }

  mutating func seek(to offset: Int64) { self.offset = offset }

  mutating func read() async throws(InputError) -> Buffer? {
    if pauses > 1 { try? await Environment.system.sleep(for: Self.pause) }
    if Interruption.exitCode != nil { throw .interrupted(file: name) }
    let chunk = try file.read(at: offset, limit: Self.chunkByteCount)
    offset += Int64(chunk.count)
    guard chunk.isEmpty else {
      pauses = 0
      return chunk
    }
    try checkSame()
    guard end == .waits else { return nil }
    pauses += 1
    return .empty
  }

  private func checkSame() throws(InputError) {
    let status = try file.status()
    guard status.byteCount >= offset else {
      throw .truncated(file: name, read: offset, left: status.byteCount)
    }
    // A file that was only removed can be read to its end.
    if let there = OpenedFile.identity(of: name), there != status.identity {
      throw .replaced(file: name)
    }
  }

  /// How many lines end within the first `byteCount` bytes.
  func lineCount(before byteCount: Int64) throws(InputError) -> Int {
    var count = 0
    var at: Int64 = 0
    while at < byteCount {
      let chunk = try file.read(at: at, limit: Int(min(byteCount - at, 1 << 20)))
      if chunk.isEmpty { break }
      let bytes = chunk.bytes
      for index in bytes.byteOffsets where bytes.loadLE(at: index, as: UInt8.self) == 10 {
        count &+= 1
      }
      at += Int64(chunk.count)
    }
    return count
  }
}

/// A file that is open for reading, closed when the last one who has it lets go.
private final class OpenedFile: Sendable {
  private let path: String
  private let descriptor: Int32

  struct Identity: Equatable {
    var device: UInt64
    var number: UInt64
  }

  init(_ path: String) throws(InputError) {
    self.path = path
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw Self.failure(path, errno) }
  }

  deinit { close(descriptor) }

  private static func failure(_ path: String, _ code: Int32) -> InputError {
    let place: ObjectPath
    do { place = try ObjectPath(path) } catch { return .storage(error) }
    let reason = SystemText.message(code)
    switch code {
    case ENOENT, ENOTDIR: return .storage(.notFound(path: place))
    case EACCES, EPERM: return .storage(.permissionDenied(path: place, reason: reason))
    case EISDIR: return .storage(.notAnObject(path: place, found: "a directory"))
    default:
      return .storage(
        .io(operation: "read", path: place, reason: reason, code: code, isTransient: false))
    }
  }

  func status() throws(InputError) -> (byteCount: Int64, identity: Identity) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw Self.failure(path, errno) }
    return (
      Int64(status.st_size), Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    )
  }

  static func identity(of path: String) -> Identity? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
  }

  /// The bytes from `offset` on, at most `limit`; none at the end.
  func read(at offset: Int64, limit: Int) throws(InputError) -> Buffer {
    var chunk = MutableBuffer(byteCount: limit)
    while true {
      var room = chunk.mutableBytes
      let count = unsafe room.withUnsafeMutableBytes {
        unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure(path, errno) }
      chunk.resize(to: count)
      return chunk.freeze()
    }
  }
}
