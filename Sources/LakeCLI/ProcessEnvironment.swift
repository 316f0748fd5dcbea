// SPDX-License-Identifier: Apache-2.0
internal import Lake

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The variables and folder the process was started with.
enum ProcessEnvironment {
  static subscript(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// The folder that relative paths start from.
  static var workingFolder: String {
    guard let path = unsafe getcwd(nil, 0) else { return "/" }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }
}

/// The system's words for the numbers of its errors.
enum SystemText {
  static func message(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}

/// Who may do what with a local file.
enum FileMode {
  /// The permissions of what lies at `path`; nil if nothing does.
  static func of(_ path: ObjectPath) -> UInt32? {
    var status = stat()
    guard path.scheme == "file", unsafe stat(path.path, &status) == 0 else { return nil }
    return UInt32(status.st_mode)
  }

  /// Removes the folder at `path` if nothing is in it.
  static func removeEmptyFolder(_ path: ObjectPath) { _ = unsafe rmdir(path.path) }
}

/// Locations as people type them.
enum Location {
  /// The absolute location of `text`: a URI as it is, a path from the working folder, a path that
  /// starts with `~/` from the home folder.
  static func absolute(_ text: String) throws -> ObjectPath {
    if hasScheme(text) { return try ObjectPath(text) }
    var path = text
    if path.hasPrefix("~/"), let home = ProcessEnvironment["HOME"] {
      path = home + path.dropFirst()
    }
    if !path.hasPrefix("/") { path = ProcessEnvironment.workingFolder + "/" + path }
    return try ObjectPath(resolvingDots(path))
  }

  private static func hasScheme(_ text: String) -> Bool {
    guard let colon = text.firstIndex(of: ":") else { return false }
    let scheme = text[..<colon]
    return !scheme.isEmpty && scheme.allSatisfy { $0.isLetter || $0.isNumber }
  }

  /// The path without `.` and `..`, which are the shell user's, not a table's.
  private static func resolvingDots(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") {
      if part == "." { continue }
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
