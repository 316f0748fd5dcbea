// SPDX-License-Identifier: Apache-2.0

/// The name of a table in a catalog: a namespace of one or more levels, and a name.
///
///     identifier := level ("." level)* "." name
///
/// No part is empty, is `.` or `..`, or has a slash, backslash or control character in it: parts
/// become folders in the filesystem catalog, and nothing may climb out of the warehouse.
/// Two are equal if their bytes are: letters that are composed in different ways are other names.
public struct TableIdentifier: Sendable {
  public let namespace: [String]
  public let name: String

  /// - Throws: ``CatalogError/invalidName(_:reason:)``.
  public init(namespace: [String], name: String) throws(CatalogError) {
    guard !namespace.isEmpty else {
      throw .invalidName(name, reason: "expected namespace.table")
    }
    for part in namespace + [name] { try Self.check(part) }
    self.namespace = namespace
    self.name = name
  }

  /// Reads `namespace.table`.
  ///
  /// - Throws: ``CatalogError/invalidName(_:reason:)``.
  public init(_ text: String) throws(CatalogError) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1, let name = parts.last else {
      throw .invalidName(text, reason: "expected namespace.table")
    }
    try self.init(namespace: Array(parts.dropLast()), name: name)
  }

  /// Throws unless `part` can be a level of a namespace or the name of a table.
  package static func check(_ part: String) throws(CatalogError) {
    if part.isEmpty { throw .invalidName(part, reason: "a part of the name is empty") }
    if part == "." || part == ".." {
      throw .invalidName(part, reason: "'.' and '..' are no names")
    }
    for byte in part.utf8
    where byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") {
      throw .invalidName(part, reason: "it has a slash, backslash or control character in it")
    }
    if part.utf8.count > 255 { throw .invalidName(part, reason: "it is longer than 255 bytes") }
  }
}

extension TableIdentifier: CustomStringConvertible {
  public var description: String { (namespace + [name]).joined(separator: ".") }
}

extension TableIdentifier: Hashable {
  public static func == (a: TableIdentifier, b: TableIdentifier) -> Bool {
    NamePath(a.namespace + [a.name]) == NamePath(b.namespace + [b.name])
  }

  public func hash(into hasher: inout Hasher) { NamePath(namespace + [name]).hash(into: &hasher) }
}

/// The names that lead from a catalog's root to a namespace or table, compared by their bytes.
package struct NamePath: Hashable, Comparable, Sendable {
  package let parts: [String]

  package init(_ parts: [String]) { self.parts = parts }

  package static func == (a: NamePath, b: NamePath) -> Bool {
    a.parts.elementsEqual(b.parts) { $0.utf8.elementsEqual($1.utf8) }
  }

  package func hash(into hasher: inout Hasher) {
    for part in parts {
      for byte in part.utf8 { hasher.combine(byte) }
      hasher.combine(UInt8(0))
    }
  }

  package static func < (a: NamePath, b: NamePath) -> Bool {
    a.parts.lexicographicallyPrecedes(b.parts) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
