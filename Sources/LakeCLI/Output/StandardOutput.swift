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

  /// Writes `bytes`. A reader that went away ends the program as it would any other in a pipe.
  static func write(_ bytes: borrowing MutableBuffer) {
    let span = bytes.bytes
    unsafe span.withUnsafeBytes { unsafe writeAll($0, to: 1) }
  }

  static func write(_ text: String) {
    var text = text
    text.withUTF8 { unsafe writeAll(UnsafeRawBufferPointer($0), to: 1) }
  }
}

/// Standard error, where everything goes that is no result.
enum StandardError {
  static var isTerminal: Bool { isatty(2) == 1 }

  static func write(_ text: String) {
    var text = text
    text.withUTF8 { unsafe writeAll(UnsafeRawBufferPointer($0), to: 2) }
  }
}

private func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) {
  var rest = unsafe bytes
  while let start = rest.baseAddress, rest.count > 0 {
    let written = unsafe Glibc.write(file, start, rest.count)
    if written < 0 {
      if errno == EINTR { continue }
      if errno == EAGAIN {
        var poller = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&poller, 1, -1)
        continue
      }
      // No one hears what could be said of it.
      _exit(1)
    }
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest[written...])
  }
}
