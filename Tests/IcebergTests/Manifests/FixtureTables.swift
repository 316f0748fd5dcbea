// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Foundation
import Testing

@testable import Iceberg

/// The files of tables that the reference implementation wrote, by their paths in the table.
///
/// They lie beside the project where it is developed; where they don't, there are none.
struct FixtureTable: CustomTestStringConvertible, Sendable {
  let name: String
  private let archive: URL

  static let all: [FixtureTable] = {
    guard let folder = Corpus.folder("fixtures/tables"),
      let files = try? FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
    else { return [] }
    return files.filter { $0.path.hasSuffix(".tar.gz") }
      .map {
        FixtureTable(
          name: $0.lastPathComponent.replacingOccurrences(of: ".tar.gz", with: ""), archive: $0)
      }
      .sorted { $0.name < $1.name }
  }()

  var testDescription: String { name }

  private static func inflate(_ file: Buffer) throws -> Buffer {
    var decompressor = Decompressor(.gzip)
    var tar = MutableBuffer()
    try decompressor.decompress(file.bytes, into: &tar)
    return tar.freeze()
  }

  /// All files by path, as in `/tmp/lake-fixtures/refs/metadata/v1.metadata.json`.
  func files() throws -> [String: Buffer] {
    let bytes = try Self.inflate(try Corpus.read(archive))
    var files: [String: Buffer] = [:]
    var offset = 0
    while offset + 512 <= bytes.count {
      let header = bytes.slice(offset..<offset + 512).array()
      if header.allSatisfy({ $0 == 0 }) { break }
      let path = String(decoding: header[0..<100].prefix { $0 != 0 }, as: UTF8.self)
      let prefix = String(decoding: header[345..<500].prefix { $0 != 0 }, as: UTF8.self)
      let digits = header[124..<136].filter { (48...55).contains($0) }
      let size = Int(String(decoding: digits, as: UTF8.self), radix: 8) ?? 0
      offset += 512
      if header[156] == UInt8(ascii: "0") || header[156] == 0 {
        let whole = prefix.isEmpty ? path : prefix + "/" + path
        files["/tmp/lake-fixtures/" + whole] = bytes.slice(offset..<offset + size)
      }
      offset += (size + 511) / 512 * 512
    }
    return files
  }
}
