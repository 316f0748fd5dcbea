// SPDX-License-Identifier: Apache-2.0

/// The name of a metadata file: what version it is of, and how it is compressed.
///
///     00012-8d736a5e-….metadata.json        a catalog's: version and UUID
///     v12.metadata.json                     a file-system table's: version alone
///     v12.gz.metadata.json                  compressed; v12.metadata.json.gz is read too
///
/// Names lie: whether a file is compressed is seen by its first bytes.
///
/// Source: Iceberg spec, "File System Tables", "Metastore Tables" and Appendix F.
public struct MetadataFileName: Hashable, Sendable {
  public enum Compression: Hashable, Sendable { case none, gzip }

  public let version: Int
  /// What makes a catalog's name unique; nil of file-system tables.
  public let uuid: String?
  public let compression: Compression
  /// `.metadata.json.gz`, which old writers had.
  public let hasLegacyEnding: Bool

  /// Requires: `version` is not negative.
  public init(version: Int, uuid: String? = nil, compression: Compression = .none) {
    precondition(version >= 0, "a negative version")
    self.version = version
    self.uuid = uuid
    self.compression = compression
    hasLegacyEnding = false
  }

  /// The parts of `name`, the last component of a path; nil if it is no metadata file's.
  public init?(_ name: String) {
    let endings: [(String, Compression, Bool)] = [
      (".gz.metadata.json", .gzip, false), (".metadata.json.gz", .gzip, true),
      (".metadata.json", .none, false),
    ]
    guard let (ending, compression, isLegacy) = endings.first(where: { name.hasSuffix($0.0) })
    else { return nil }
    let stem = name.dropLast(ending.count)
    self.compression = compression
    self.hasLegacyEnding = isLegacy
    if stem.hasPrefix("v"), let version = Self.number(stem.dropFirst()) {
      self.version = version
      uuid = nil
    } else if let dash = stem.firstIndex(of: "-"), let version = Self.number(stem[..<dash]),
      stem.index(after: dash) < stem.endIndex
    {
      self.version = version
      uuid = String(stem[stem.index(after: dash)...])
    } else {
      return nil
    }
  }

  private static func number(_ digits: Substring) -> Int? {
    guard digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(digits)
  }

  /// The name itself; versions past 99999 get more digits.
  public var name: String {
    let ending =
      switch (compression, hasLegacyEnding) {
      case (.none, _): ".metadata.json"
      case (.gzip, false): ".gz.metadata.json"
      case (.gzip, true): ".metadata.json.gz"
      }
    guard let uuid else { return "v\(version)\(ending)" }
    let digits = String(version)
    let zeros = String(repeating: "0", count: max(0, 5 - digits.count))
    return "\(zeros)\(digits)-\(uuid)\(ending)"
  }
}
