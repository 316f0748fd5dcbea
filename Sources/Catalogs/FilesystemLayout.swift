// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Storage

/// The names of files in the `metadata` folder of a table that is kept in a store alone.
///
///     v<N>.metadata.json             version N of the table's metadata, counted from 1
///     v<N>.gz.metadata.json          the same, compressed
///     version-hint.text              N of some version, in digits: the newest one or an older one
///     lake-lowest-version.text       what ``LowestVersion`` tells
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

  /// The name Lake gives version `version`.
  static func name(of version: Int, compressed: Bool) -> String {
    compressed ? "v\(version).gz.metadata.json" : "v\(version).metadata.json"
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

  /// The number in a hint; nil if it holds anything else.
  static func number(in bytes: Buffer) -> Int? {
    guard bytes.count <= 32, let text = String(validatingUTF8: bytes.bytes) else { return nil }
    return Int(text.trimmingWhitespace())
  }
}

/// The note that says from where on versions count: all below it are gone, and whoever creates one
/// there has created nothing.
///
///     note := number [' dropping']
///
/// It outlives the table: a successor of the same name begins at the number it says, so that no
/// slot that a writer of the old table may still aim at is one of the new table's.
struct LowestVersion: Equatable, Sendable {
  var number: Int
  /// The table is being dropped: no commit counts any more.
  var isDropping = false

  init(_ number: Int, isDropping: Bool = false) {
    self.number = number
    self.isDropping = isDropping
  }

  /// The note that `bytes` are; nil if they are none.
  init?(_ bytes: Buffer) {
    guard bytes.count <= 48, let text = String(validatingUTF8: bytes.bytes) else { return nil }
    let words = text.trimmingWhitespace().split(separator: " ")
    guard let first = words.first, let number = Int(first), number > 0 else { return nil }
    guard words.count == 1 || (words.count == 2 && words[1] == "dropping") else { return nil }
    self.init(number, isDropping: words.count == 2)
  }

  var bytes: Buffer { Buffer(utf8: isDropping ? "\(number) dropping" : "\(number)") }
}

extension StringProtocol {
  /// The text without spaces, tabs and line ends around it.
  package func trimmingWhitespace() -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    guard let first = firstIndex(where: { !isSpace($0) }),
      let last = lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(self[first...last])
  }
}
