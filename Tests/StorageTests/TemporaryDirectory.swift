// SPDX-License-Identifier: Apache-2.0
import Storage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A fresh directory of the machine, removed with all in it when the last reference is gone.
final class TemporaryDirectory: Sendable {
  let name: String
  let path: ObjectPath

  init() throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/lake-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Failure(code: errno) }
    name = String(cString: made)
    path = try ObjectPath(name)
  }

  deinit {
    for entry in (try? entries()) ?? [] {
      let full = name + "/" + entry
      if unlink(full) != 0 { rmdir(full) }
    }
    rmdir(name)
  }

  struct Failure: Error { let code: Int32 }

  /// Everything below, deepest first, relative.
  func entries(below inner: String = "") throws -> [String] {
    guard let stream = opendir(name + "/" + inner) else { throw Failure(code: errno) }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let entryName = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if entryName == "." || entryName == ".." { continue }
      let relative = inner.isEmpty ? entryName : inner + "/" + entryName
      var status = stat()
      lstat(name + "/" + relative, &status)
      if status.st_mode & S_IFMT == S_IFDIR { found += try entries(below: relative) }
      found.append(relative)
    }
    return found
  }

  /// Puts a file with `text` there, past every store.
  func write(_ text: String, to relative: String) throws {
    guard let file = fopen(name + "/" + relative, "w") else { throw Failure(code: errno) }
    fputs(text, file)
    fclose(file)
  }
}
