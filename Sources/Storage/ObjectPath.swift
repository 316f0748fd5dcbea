// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Where an object is: a scheme, an authority and an absolute path, as Iceberg tables store it.
///
///     location := scheme ":" ["//" authority] path  |  path
///     path     := "/" component ("/" component)*
///
/// The text means what Hadoop's `Path` and the engines' own file layers take it to mean:
/// - No scheme is `file`. `s3a` and `s3n` are other spellings of `s3`.
/// - The path is literal: `%`, `?` and `#` are characters of a name like any other, and nothing is
///   percent-decoded. `a%2Fb` is one component.
/// - Under `file`, repeated slashes are one. Elsewhere an empty component belongs to the key.
/// - Slashes at the end are dropped: a directory and its name are the same place.
///
/// Laws:
/// 1. Two paths are equal, and hash alike, if they name the same place: `/t/a`, `file:/t/a` and
///    `file:///t/a` are. Bytes are compared, so differently composed letters differ.
/// 2. ``text`` is what was parsed, to the byte: position deletes and manifests are matched by it.
/// 3. No path has a `.` or `..` component, a control character or a backslash, so nothing can
///    climb out of a prefix, and ``contains(_:)`` can be trusted.
public struct ObjectPath: Sendable {
  /// In lower case; `file` if the text had none.
  public let scheme: String
  /// The bucket or host; empty for local files.
  public let authority: String
  /// Starts with `/`, which is all of it at the root; has none at its end elsewhere.
  public let path: String
  /// The location as it was written.
  public let text: String

  /// The most bytes a location may have.
  public static let byteCountLimit = 4096

  /// Reads a location.
  ///
  /// - Throws: ``StorageError/invalidPath(_:reason:)`` for a relative path, a `.` or `..`
  ///   component, a control character or backslash, a password, or more than 4096 bytes.
  public init(_ text: String) throws(StorageError) {
    let bytes = Array(text.utf8)
    try Self.check(bytes, of: text)
    let parts = Self.split(bytes)
    let scheme = String(decoding: parts.scheme, as: UTF8.self).lowercased()
    guard parts.path.first == slash || (parts.path.isEmpty && !parts.authority.isEmpty) else {
      throw .invalidPath(text, reason: "it is not absolute")
    }
    self.scheme = Self.canonicalScheme(scheme)
    self.authority = try Self.authority(parts.authority, scheme: self.scheme, of: text)
    self.path = try Self.normalise(parts.path, scheme: self.scheme, of: text)
    self.text = text
  }

  private init(scheme: String, authority: String, path: String, text: String) {
    self.scheme = scheme
    self.authority = authority
    self.path = path
    self.text = text
  }

  /// All files of this machine.
  public static let machineRoot = ObjectPath(scheme: "file", authority: "", path: "/", text: "/")

  /// True for the place that has no parent.
  public var isRoot: Bool { path.utf8.count == 1 }

  /// The last component; empty at the root.
  public var name: String {
    guard let cut = path.utf8.lastIndex(of: slash) else { return "" }
    return String(path[path.utf8.index(after: cut)...])
  }

  /// The components from the root down.
  public var components: [String] {
    guard !isRoot else { return [] }
    return path.utf8.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
  }

  /// The place this one lies in, spelled alike; nil at the root.
  public var parent: ObjectPath? {
    guard !isRoot, let cut = path.utf8.lastIndex(of: slash) else { return nil }
    let kept = path[..<cut]
    let shorter = Self.withoutSlashesAtEnd(kept)
    var spelled = Self.withoutSlashesAtEnd(text[...])
    let nameStart = spelled.utf8.index(spelled.utf8.endIndex, offsetBy: -name.utf8.count)
    spelled = spelled[..<nameStart]
    return ObjectPath(
      scheme: scheme, authority: authority, path: shorter.isEmpty ? "/" : String(shorter),
      text: shorter.isEmpty ? String(spelled) : String(Self.withoutSlashesAtEnd(spelled)))
  }

  /// The place called `component` in this one, spelled alike: `file:/t` gives `file:/t/a`.
  ///
  /// - Throws: ``StorageError/invalidPath(_:reason:)`` if `component` is empty, `.`, `..`, or has a
  ///   slash, backslash or control character in it.
  public func appending(_ component: String) throws(StorageError) -> ObjectPath {
    guard !component.utf8.contains(slash) else {
      throw .invalidPath(component, reason: "a name has a slash in it")
    }
    return try appending(relativePath: component)
  }

  /// The place that `relativePath` (components joined by `/`) leads to from this one.
  ///
  /// - Throws: ``StorageError/invalidPath(_:reason:)`` if a component is empty, `.`, `..`, or has a
  ///   backslash or control character in it.
  public func appending(relativePath: String) throws(StorageError) -> ObjectPath {
    let added = Array(relativePath.utf8)
    try Self.check(added, of: relativePath)
    for component in added.split(separator: slash, omittingEmptySubsequences: false) {
      if component.isEmpty { throw .invalidPath(relativePath, reason: "a component is empty") }
      try Self.check(component: component, of: relativePath)
    }
    let start = text.utf8.last == slash ? textWithoutSlashesAtEnd : text
    let spelled = start + "/" + relativePath
    guard spelled.utf8.count <= Self.byteCountLimit else {
      throw .invalidPath(spelled, reason: "it is longer than \(Self.byteCountLimit) bytes")
    }
    return ObjectPath(
      scheme: scheme, authority: authority,
      path: (isRoot ? "/" : path + "/") + relativePath, text: spelled)
  }

  /// True if `other` is this place or lies in it, component by component: `/a/b` contains
  /// `/a/b/c`, not `/a/bc`.
  public func contains(_ other: ObjectPath) -> Bool { relativePath(of: other) != nil }

  /// How to get from here to `other`: empty for the same place, nil if `other` lies elsewhere.
  public func relativePath(of other: ObjectPath) -> String? {
    guard hasSameRoot(as: other) else { return nil }
    let here = path.utf8
    let there = other.path.utf8
    if isRoot { return String(Substring(there.dropFirst())) }
    guard there.starts(with: here) else { return nil }
    let rest = there.dropFirst(here.count)
    guard let first = rest.first else { return "" }
    return first == slash ? String(Substring(rest.dropFirst())) : nil
  }

  /// True if both have the same scheme and authority.
  public func hasSameRoot(as other: ObjectPath) -> Bool {
    scheme.utf8.elementsEqual(other.scheme.utf8)
      && authority.utf8.elementsEqual(other.authority.utf8)
  }
}

extension ObjectPath: Hashable, Comparable {
  public static func == (a: ObjectPath, b: ObjectPath) -> Bool {
    let areAlike = unsafe a.path.utf8Span.span.bytes.hasSameBytes(as: b.path.utf8Span.span.bytes)
    return areAlike && a.hasSameRoot(as: b)
  }

  public func hash(into hasher: inout Hasher) {
    let bytes = unsafe path.utf8Span.span.bytes
    unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    hasher.combine(authority.utf8.count)
  }

  /// Orders by the UTF-8 of scheme, authority and path.
  public static func < (a: ObjectPath, b: ObjectPath) -> Bool {
    if !a.hasSameRoot(as: b) {
      if !a.scheme.utf8.elementsEqual(b.scheme.utf8) {
        return a.scheme.utf8.lexicographicallyPrecedes(b.scheme.utf8)
      }
      return a.authority.utf8.lexicographicallyPrecedes(b.authority.utf8)
    }
    return unsafe a.path.utf8Span.span.bytes.lexicographicallyPrecedes(b.path.utf8Span.span.bytes)
  }
}

extension ObjectPath: CustomStringConvertible {
  public var description: String { text }
}

private let slash = UInt8(ascii: "/")

/// Parsing.
extension ObjectPath {
  /// ``text``, but without slashes at the end of its path; those of `file://` stay.
  private var textWithoutSlashesAtEnd: String {
    let pathByteCount = Self.split(Array(text.utf8)).path.count
    return String(
      Self.withoutSlashesAtEnd(text[...], downTo: text.utf8.count - pathByteCount))
  }

  private static func check(_ bytes: [UInt8], of text: String) throws(StorageError) {
    if bytes.count > byteCountLimit {
      throw .invalidPath(
        String(decoding: bytes.prefix(64), as: UTF8.self) + "…",
        reason: "it is longer than \(byteCountLimit) bytes")
    }
    for byte in bytes where byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "\\") {
      throw .invalidPath(text, reason: "it has a control character or backslash in it")
    }
  }

  private static func check(component: ArraySlice<UInt8>, of text: String) throws(StorageError) {
    let dot = UInt8(ascii: ".")
    if component.elementsEqual([dot]) || component.elementsEqual([dot, dot]) {
      throw .invalidPath(text, reason: "it has a '.' or '..' component")
    }
  }

  private static func split(
    _ bytes: [UInt8]
  ) -> (scheme: ArraySlice<UInt8>, authority: ArraySlice<UInt8>, path: ArraySlice<UInt8>) {
    let head = bytes.prefix { $0 != slash }
    guard let colon = head.firstIndex(of: UInt8(ascii: ":")) else { return ([], [], bytes[...]) }
    let rest = bytes[(colon + 1)...]
    guard rest.starts(with: [slash, slash]) else { return (bytes[..<colon], [], rest) }
    let start = colon + 3
    let end = bytes[start...].firstIndex(of: slash) ?? bytes.endIndex
    return (bytes[..<colon], bytes[start..<end], bytes[end...])
  }

  private static func canonicalScheme(_ scheme: String) -> String {
    switch scheme {
    case "": "file"
    case "s3a", "s3n": "s3"
    default: scheme
    }
  }

  private static func authority(
    _ bytes: ArraySlice<UInt8>, scheme: String, of text: String
  ) throws(StorageError) -> String {
    if let at = bytes.firstIndex(of: UInt8(ascii: "@")),
      bytes[..<at].contains(UInt8(ascii: ":"))
    {
      // The text is left out: errors end up in logs.
      throw .invalidPath("\(scheme)://…", reason: "it has a password in it")
    }
    let authority = String(decoding: bytes, as: UTF8.self)
    return scheme == "file" && authority == "localhost" ? "" : authority
  }

  private static func normalise(
    _ path: ArraySlice<UInt8>, scheme: String, of text: String
  ) throws(StorageError) -> String {
    var normal: [UInt8] = []
    normal.reserveCapacity(path.count)
    for component in path.split(separator: slash, omittingEmptySubsequences: scheme == "file") {
      try check(component: component, of: text)
      normal.append(slash)
      normal.append(contentsOf: component)
    }
    // The text before the first slash is an empty piece where empty ones are kept.
    if scheme != "file", normal.first == slash { normal.removeFirst() }
    while normal.last == slash { normal.removeLast() }
    return normal.isEmpty ? "/" : String(decoding: normal, as: UTF8.self)
  }

  private static func withoutSlashesAtEnd(
    _ text: Substring, downTo byteCount: Int = 0
  ) -> Substring {
    var utf8 = text.utf8
    while utf8.count > byteCount, utf8.last == slash { utf8.removeLast() }
    return Substring(utf8)
  }
}
