// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Foundation
import JSON
import Lake

/// A table that the reference implementation wrote, and the rows each of its snapshots must give.
///
/// They lie beside the checkout (`shared/fixtures`); where they don't, there are none.
public struct FixtureTable: Sendable, CustomStringConvertible {
  public let name: String
  private let folder: URL
  private let facts: JSONValue

  /// All of them, by name.
  public static let all: [FixtureTable] = {
    guard let folder = SiblingFolder.shared("fixtures"),
      let text = try? String(contentsOf: folder.appending(path: "manifest.json"), encoding: .utf8),
      let tables = try? JSONValue(parsing: text)["tables"]?.members
    else { return [] }
    return tables.map { FixtureTable(name: $0.key, folder: folder, facts: $0.value) }
      .sorted { $0.name < $1.name }
  }()

  public var description: String { name }

  /// The names of the sets of rows that are known: snapshot ids and `current`.
  public var expectedSets: [String] {
    (facts["expected"]?.members ?? []).map(\.key).filter { $0 == "current" || Int64($0) != nil }
  }

  /// Those of them whose rows are known with their ids and sequence numbers too.
  public var lineageSets: [String] {
    let all = Set((facts["expected"]?.members ?? []).map(\.key))
    return expectedSets.filter { all.contains("\($0).lineage") }
  }

  /// The table's branches and tags, and the snapshots they name.
  public var references: [(name: String, snapshot: Int64)] {
    (facts["refs"]?.members ?? []).compactMap { member in
      member.value.integer.map { (member.key, $0) }
    }
  }

  /// The rows of one set, without the column `left`.
  public func expectedRows(_ set: String, without left: String? = nil) throws -> [String] {
    try CanonicalRows.lines(
      in: folder.appending(path: "expected/\(name)/\(set).jsonl"), without: left)
  }

  /// The table, in a store of its own that has its files where its metadata says they are.
  public func open() async throws -> Table {
    let store = MemoryStore()
    for (path, bytes) in try TarArchive.files(
      ofGzip: folder.appending(path: "tables/\(name).tar.gz"))
    {
      _ = try await store.put(bytes, to: ObjectPath("/tmp/lake-fixtures/\(path)"), if: .none)
    }
    return try await TableAtLocation.open(ObjectPath("/tmp/lake-fixtures/\(name)"), store: store)
  }
}

/// Reads tar archives.
enum TarArchive {
  /// The plain files of a `.tar.gz` by path.
  ///
  ///     archive := (header content padding)* 1024*0x00          all of them multiples of 512 bytes
  ///     header  := name[100] … size[12] at 124, octal … type at 156 … prefix[155] at 345
  ///     content of a header of type L := the path of the next file, if it is a long one
  ///
  /// Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar, "Basic Tar Format".
  static func files(ofGzip url: URL) throws -> [String: Buffer] {
    var decompressor = Decompressor(.gzip)
    var tar = MutableBuffer()
    let compressed = Buffer([UInt8](try Data(contentsOf: url)))
    try decompressor.decompress(compressed.bytes, into: &tar)
    let bytes = tar.freeze()
    var files: [String: Buffer] = [:]
    var longPath: String?
    var offset = 0
    while offset + 512 <= bytes.count {
      let header = bytes.slice(offset..<offset + 512).array()
      if header.allSatisfy({ $0 == 0 }) { break }
      let octal = String(
        decoding: header[124..<136].filter { (48...55).contains($0) }, as: UTF8.self)
      let size = Int(octal, radix: 8) ?? 0
      let content = bytes.slice(offset + 512..<offset + 512 + size)
      offset += 512 + (size + 511) / 512 * 512
      switch header[156] {
      case UInt8(ascii: "L"): longPath = text(content.array()[...])
      case UInt8(ascii: "0"), 0:
        let (name, prefix) = (text(header[0..<100]), text(header[345..<500]))
        files[longPath ?? (prefix.isEmpty ? name : prefix + "/" + name)] = content
        longPath = nil
      default: longPath = nil
      }
    }
    return files
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }
}
