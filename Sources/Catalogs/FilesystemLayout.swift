// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

/// The names of files in the `metadata` folder of a table that is kept in a store alone.
///
///     v<N>.metadata.json             version N of the table's metadata, counted from 1
///     v<N>.gz.metadata.json          the same, compressed
///     version-hint.text              N of some version, in digits: the newest one or an older one
///     lake-lowest-version.text       the lowest version that has not been deleted
///
/// Source: Iceberg Java, `HadoopTableOperations`; the last file is Lake's own (SPEC.md).
struct FilesystemLayout: Sendable {
  let location: ObjectPath
  let metadataFolder: ObjectPath

  init(_ location: ObjectPath) throws(StorageError) {
    self.location = location
    metadataFolder = try location.appending("metadata")
  }

  /// The names version `version` may have, the one Lake writes by default first.
  static func names(of version: Int) -> [String] {
    ["v\(version).metadata.json", "v\(version).gz.metadata.json", "v\(version).metadata.json.gz"]
  }

  /// The version a file name stands for; nil if it is another kind of file.
  static func version(of name: String) -> Int? {
    guard name.first == "v" else { return nil }
    for ending in [".gz.metadata.json", ".metadata.json.gz", ".metadata.json"]
    where name.hasSuffix(ending) {
      let digits = name.dropFirst().dropLast(ending.count)
      guard let first = digits.utf8.first, first != UInt8(ascii: "0"),
        digits.utf8.allSatisfy({ (48...57).contains($0) })
      else { return nil }
      return Int(digits)
    }
    return nil
  }

  func path(_ name: String) throws(StorageError) -> ObjectPath {
    try metadataFolder.appending(name)
  }

  func hint() throws(StorageError) -> ObjectPath { try path("version-hint.text") }
  func lowestVersion() throws(StorageError) -> ObjectPath { try path("lake-lowest-version.text") }

  /// The number in a hint or boundary file; nil if it holds anything else.
  static func number(in bytes: Buffer) -> Int? {
    guard bytes.count <= 32, let text = String(validatingUTF8: bytes.bytes) else { return nil }
    return Int(text.trimmingWhitespace())
  }
}

extension String {
  /// The text without spaces, tabs and line ends around it.
  func trimmingWhitespace() -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    guard let first = firstIndex(where: { !isSpace($0) }),
      let last = lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(self[first...last])
  }
}
