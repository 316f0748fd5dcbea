// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Foundation
import JSON
import Lake

/// Rows as text that is the same whichever engine read them: a line of JSON each, keys sorted,
/// numbers by value, lines sorted.
public enum CanonicalRows {
  /// The rows of `batches`.
  public static func lines(of batches: [RecordBatch]) throws -> [String] {
    var text = MutableBuffer()
    for batch in batches { batch.appendLines(.json, to: &text) }
    return try lines(String(decoding: text.freeze().array(), as: UTF8.self))
  }

  /// The rows of `text`, which has one JSON object a line; the column `left` is left out.
  public static func lines(_ text: String, without left: String? = nil) throws -> [String] {
    try text.utf8.split(separator: UInt8(ascii: "\n")).map { try line(String($0) ?? "", left) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The rows of the file at `url`.
  public static func lines(in url: URL, without left: String? = nil) throws -> [String] {
    try lines(String(contentsOf: url, encoding: .utf8), without: left)
  }

  private static func line(_ text: String, _ left: String?) throws -> String {
    var row = sorted(try JSONValue(parsing: text))
    if case .object(let members) = row { row = .object(members.filter { $0.key != left }) }
    return String(decoding: try row.text(.compact).array(), as: UTF8.self)
  }

  /// `value` with the members of its objects by key.
  private static func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): .array(elements.map(sorted))
    case .object(let members):
      .object(
        members.map { JSONMember($0.key, sorted($0.value)) }
          .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    default: value
    }
  }

  /// The first lines that only one of two sorted lists has: what to show where they differ.
  public static func difference(_ found: [String], _ expected: [String]) -> String {
    let extra = Set(found).subtracting(expected).sorted().prefix(3)
    let missing = Set(expected).subtracting(found).sorted().prefix(3)
    return "\(found.count) rows, expected \(expected.count)"
      + extra.map { "\n  + \($0)" }.joined() + missing.map { "\n  - \($0)" }.joined()
  }
}

extension TableScan {
  /// All batches.
  public func readAll() async throws -> [RecordBatch] {
    var batches: [RecordBatch] = []
    for try await batch in self.batches() { batches.append(batch) }
    return batches
  }

  /// All rows, as ``CanonicalRows`` has them.
  public func canonicalRows() async throws -> [String] {
    try CanonicalRows.lines(of: try await readAll())
  }
}
