// SPDX-License-Identifier: Apache-2.0
internal import Bytes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Standard output, where rows and results go. Written whole buffers at a time.
enum StandardOutput {
  static var isTerminal: Bool { isatty(1) == 1 }

  /// Writes `bytes`, or ends the program: silently if the reader wants no more.
  static func write(_ bytes: borrowing RawSpan) {
    unsafe bytes.withUnsafeBytes { bytes in
      if let code = unsafe writeAll(bytes, to: 1) { end(code) }
    }
  }

  static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      if let code = unsafe writeAll(UnsafeRawBufferPointer(bytes), to: 1) { end(code) }
    }
  }

  /// Writes what a change came to. That it can't be told undoes no change, so the program goes on.
  static func writeReport(_ text: String) {
    var copy = text
    let code = copy.withUTF8 { unsafe writeAll(UnsafeRawBufferPointer($0), to: 1) }
    guard let code, code != EPIPE else { return }
    StandardError.write(
      "lake: done, but telling so failed: standard output: \(SystemText.message(code)): \(text)")
  }

  private static func end(_ code: Int32) -> Never {
    if code == EPIPE { _exit(ExitStatus.done.rawValue) }
    StandardError.write("lake: writing to standard output failed: \(SystemText.message(code))\n")
    _exit(ExitStatus.failed.rawValue)
  }

  /// Ends the program since rows can't be written in the format that was asked for.
  static func end(_ reason: String) -> Never {
    StandardError.write("lake: writing rows failed: \(reason)\n")
    _exit(ExitStatus.failed.rawValue)
  }
}

/// Standard error, where everything goes that is no result.
enum StandardError {
  static var isTerminal: Bool { isatty(2) == 1 }

  static func write(_ text: String) {
    var text = text
    // Where even this fails, there is no one left to tell.
    text.withUTF8 { _ = unsafe writeAll(UnsafeRawBufferPointer($0), to: 2) }
  }
}

/// Writes all of `bytes`; returns the number of the error that kept it from that.
private func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Int32? {
  var rest = unsafe bytes
  while let start = rest.baseAddress, rest.count > 0 {
    let written = unsafe Glibc.write(file, start, rest.count)
    if written < 0 {
      let code = errno
      if code == EINTR { continue }
      guard code == EAGAIN else { return code }
      var poller = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
      unsafe poll(&poller, 1, -1)
      continue
    }
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest[written...])
  }
  return nil
}
