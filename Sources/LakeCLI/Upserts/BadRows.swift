// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What becomes of rows that are refused, as `--on-error` says it.
final class BadRows {
  enum Policy: Hashable {
    case fail
    case skip
    case quarantine(String)
  }

  let policy: Policy
  private let isQuiet: Bool
  private var file: Int32 = -1
  private var isEmptyFile = false
  private var pending = MutableBuffer()
  /// How many rows were refused.
  private(set) var count = 0

  /// How many of them are told one by one.
  private static let toldCount = 10

  init(_ policy: Policy, isQuiet: Bool) throws {
    self.policy = policy
    self.isQuiet = isQuiet
    guard case .quarantine(let path) = policy else { return }
    file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw Self.failure(path) }
    isEmptyFile = lseek(file, 0, SEEK_END) == 0
  }

  deinit { if file >= 0 { close(file) } }

  private static func failure(_ path: String) -> CommandError {
    let code = errno
    let reason = SystemText.message(code)
    return .failed("\(path): \(reason)")
  }

  /// Takes a row that is refused.
  ///
  /// - Parameter header: the names that a CSV file has in its first line.
  func take(_ error: InputError, _ text: Buffer, header: [String]?) {
    count += 1
    if !isQuiet, count <= Self.toldCount {
      let what = policy == .skip ? "skipped" : "put aside"
      StandardError.write("lake: upsert: \(error) (\(what))\n")
    }
    guard case .quarantine = policy else { return }
    if isEmptyFile, let header {
      let fields = header.map { ColumnField($0, .string) }
      pending.append(Buffer(utf8: RowRenderer.csvHeader(fields)).bytes)
    }
    isEmptyFile = false
    pending.append(text.bytes)
    pending.append(value: UInt8(ascii: "\n"))
  }

  /// Makes what was taken durable; before the offsets behind it are committed.
  func flush() throws {
    guard case .quarantine(let path) = policy, !pending.isEmpty else { return }
    let bytes = exchange(&pending, with: MutableBuffer()).freeze()
    var at = 0
    while at < bytes.count {
      let rest = bytes.bytes.extracting(at..<bytes.count)
      let written = unsafe rest.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written >= 0 else { throw Self.failure(path) }
      at += written
    }
    guard fsync(file) == 0 || errno == EINVAL else { throw Self.failure(path) }
  }

  /// Says how many there were.
  func tell() {
    guard count > Self.toldCount, !isQuiet else { return }
    StandardError.write("lake: upsert: \(count) rows were refused in all\n")
  }
}
