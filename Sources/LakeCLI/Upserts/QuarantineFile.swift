// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file that rows are put aside in.
///
/// Laws: rows are durable before the offsets behind them are committed. Those of a writer whose
/// commit did not follow, as the command was killed, are cut off before the writer's sources are
/// read again, which give them again: so each row is there once.
///
/// A note beside the file (`FILE.uncommitted`, see ``QuarantineNote``) tells which rows these are. A
/// stream with a writer has the file for itself meanwhile; others share it.
final class QuarantineFile {
  let path: String
  private let file: Int32
  private let identity: UInt64
  /// Nil for what is no plain file, of which nothing can be cut off.
  private let notePath: String?
  private var owner: QuarantineNote.Owner?
  /// The note that lies there; nil if there is none.
  private var note: QuarantineNote?

  /// How long one waits for another command to end.
  private let patience: Duration
  private static let pause = Duration.milliseconds(50)

  init(_ path: String, patience: Duration = .seconds(60)) throws(CommandError) {
    self.path = path
    self.patience = patience
    file = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    let code = errno
    var status = stat()
    guard file >= 0, unsafe fstat(file, &status) == 0 else {
      identity = 0
      notePath = nil
      throw Self.failure(path, file < 0 ? code : errno)
    }
    identity = UInt64(status.st_ino)
    notePath = status.st_mode & S_IFMT == S_IFREG ? path + ".uncommitted" : nil
  }

  deinit { if file >= 0 { close(file) } }

  private static func failure(_ path: String, _ code: Int32 = errno) -> CommandError {
    .failed("\(path): \(SystemText.message(code))")
  }

  var isEmpty: Bool { lseek(file, 0, SEEK_END) <= 0 }

  // MARK: whose it is

  /// Takes the file for a stream, and cuts off what the stream did not commit.
  ///
  /// - Parameters:
  ///   - owner: nil for a stream that knows no offsets: nothing is known of its rows.
  ///   - epoch: how often the owner has committed.
  /// - Returns: how many bytes were cut off.
  func claim(
    for owner: QuarantineNote.Owner?, committed epoch: Int64, _ environment: Environment
  ) async throws(CommandError) -> Int64 {
    guard let notePath else { return 0 }
    try await lock(owner == nil ? LOCK_SH : LOCK_EX, environment)
    self.owner = owner
    guard let note = try readNote(notePath) else { return 0 }
    guard note.owner == owner else {
      throw .failed(
        "\(path): writer '\(note.owner.writer)' of table \(note.owner.table) was ended before it "
          + "committed what goes with its last rows there; start it again first, or put rows aside "
          + "in another file, or remove \(notePath), so that the rows stay")
    }
    let cut = note.epoch > epoch ? try cutOff(note) : 0
    try removeNote(notePath)
    return cut
  }

  private func lock(
    _ kind: Int32, _ environment: Environment
  ) async throws(CommandError) {
    let start = environment.uptime()
    while flock(file, kind | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      // Where files can't be locked, one relies on no one else writing to it.
      guard code == EWOULDBLOCK else { return }
      guard environment.uptime() - start < patience, Interruption.exitCode == nil else {
        throw .failed("\(path): another command that runs puts rows aside there")
      }
      do { try await environment.sleep(for: Self.pause) } catch {
        throw .failed("\(path): another command that runs puts rows aside there")
      }
    }
  }

  /// Cuts off the rows that `note` is about, if they are the file's last ones.
  private func cutOff(_ note: QuarantineNote) throws(CommandError) -> Int64 {
    let end = Int64(lseek(file, 0, SEEK_END))
    guard note.file == identity, end > note.start else { return 0 }
    guard end <= note.end else {
      StandardError.write(
        "lake: upsert: \(path): others wrote to it meanwhile, so rows put aside but not committed "
          + "stay there, and are put aside again\n")
      return 0
    }
    guard ftruncate(file, off_t(note.start)) == 0, fsync(file) == 0 else {
      throw Self.failure(path)
    }
    return end - note.start
  }

  // MARK: rows

  /// Makes rows durable that go with the owner's commit of `epoch`.
  func append(_ rows: Buffer, epoch: Int64) throws(CommandError) {
    if let notePath, let owner {
      let start = Int64(lseek(file, 0, SEEK_END))
      let note = QuarantineNote(
        owner, epoch: epoch, file: identity, start: start, end: start + Int64(rows.count))
      try leave(note, notePath)
      self.note = note
    }
    try Self.put(rows, into: file, path)
    guard fsync(file) == 0 || errno == EINVAL else { throw Self.failure(path) }
  }

  /// Ends it for an owner that has committed so often.
  func end(committed epoch: Int64) throws(CommandError) {
    guard let notePath, let note, note.epoch <= epoch else { return }
    try removeNote(notePath)
  }

  private static func put(
    _ bytes: Buffer, into file: Int32, _ path: String
  ) throws(CommandError) {
    var at = 0
    while at < bytes.count {
      let rest = bytes.bytes.extracting(at..<bytes.count)
      let written = unsafe rest.withUnsafeBytes {
        unsafe write(file, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written >= 0 else { throw failure(path) }
      at += written
    }
  }

  // MARK: the note

  /// Puts `note` in the place of the one before, which is settled.
  private func leave(_ note: QuarantineNote, _ path: String) throws(CommandError) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw Self.failure(path) }
    defer { close(file) }
    try Self.put(Buffer(utf8: note.text), into: file, path)
    guard fsync(file) == 0 else { throw Self.failure(path) }
    // The names of both are to be there when their bytes are.
    if self.note == nil { Self.syncFolder(of: path) }
  }

  private static func syncFolder(of path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let folder = parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
    let file = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { return }
    fsync(file)
    close(file)
  }

  /// The note that lies there; nil if none does, or no whole one.
  private func readNote(_ path: String) throws(CommandError) -> QuarantineNote? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      guard errno == ENOENT else { throw Self.failure(path) }
      return nil
    }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: Self.noteLimit)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(file, $0.baseAddress, $0.count)
    }
    guard count >= 0 else { throw Self.failure(path) }
    return QuarantineNote(parsing: String(decoding: bytes.prefix(count), as: UTF8.self))
  }

  private static let noteLimit = 1 << 16

  private func removeNote(_ path: String) throws(CommandError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw Self.failure(path) }
    note = nil
  }
}
