// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake
import LakeTestSupport

/// A table that other engines must read as we wrote it.
struct InteropTable: Sendable, CustomStringConvertible {
  let name: String
  let formatVersion: FormatVersion
  let schema: String
  var partitionedBy = ""
  /// One commit each.
  let commits: [[[Value?]]]
  /// Engines that do not read it, and why: told here, so that a change is noticed.
  var gaps: [String: String] = [:]

  var description: String { name }

  /// Writes the table under `warehouse`.
  func write(in warehouse: URL) async throws -> Table {
    let catalog = FilesystemCatalog(
      warehouse: try ObjectPath(warehouse.path), store: LocalStore(durability: .unsynced))
    var table = try await catalog.createTable(
      "interop.\(name)", schema, partitionedBy: partitionedBy, formatVersion: formatVersion)
    for rows in commits {
      let batch = Rows.batch(rows, table.metadata.currentSchema)
      if let receipt = try await table.append([batch]) { table = receipt.table }
    }
    return table
  }

  /// The rows, by the text of what was written and not of what we read of it.
  func expectedText() throws -> [String] {
    let schema = try Schema(schema)
    return try CanonicalRows.lines(of: [Rows.batch(commits.flatMap { $0 }, schema)])
  }
}

extension InteropTable {
  static let all: [InteropTable] = types + transforms

  private static let versions: [FormatVersion] = [.v2, .v3]

  // MARK: every type

  private static let types: [InteropTable] = [
    InteropTable(
      name: "types_v2", formatVersion: .v2, schema: columns + ", tm time", commits: rows(time),
      gaps: ["spark": "has no type for time", "chdb": "reads times a million times too small"]),
    InteropTable(name: "types_v2_timeless", formatVersion: .v2, schema: columns, commits: rows([])),
    InteropTable(
      name: "types_v3", formatVersion: .v3,
      schema: columns + ", tm time, tsn timestamp_ns, tzn timestamptz_ns",
      commits: rows(time, nanoseconds, nanoseconds),
      gaps: [
        "spark": "has no type for time and nanoseconds",
        "duckdb": "does not know timestamptz_ns",
        "chdb": "reads times a million times too small",
      ]),
    InteropTable(name: "types_v3_timeless", formatVersion: .v3, schema: columns, commits: rows([])),
  ]

  private static let columns = """
    id long not null, bo boolean, i int, l long, f float, d double, dec9 decimal(9,2), \
    dec18 decimal(18,4), dec38 decimal(38,10), dt date, ts timestamp, tz timestamptz, s string, \
    u uuid, fx fixed(5), b binary
    """

  private static let largest = Int128("99999999999999999999999999999999999999") ?? 0
  /// 0001-01-01 and 9999-12-31, in days since 1970-01-01.
  private static let (firstDay, lastDay) = (Int32(-719_162), Int32(2_932_896))
  private static let day = Int64(86_400_000_000)
  private static let firstMoment = Int64(firstDay) * day
  private static let lastMoment = (Int64(lastDay) + 1) * day - 1

  private static func bytes(_ byte: UInt8, _ count: Int) -> Value {
    .bytes([UInt8](repeating: byte, count: count))
  }

  /// One row a line: nothing, zeros, lowest, highest, NaN, and plain ones.
  private static let plain: [[Value?]] = [
    [.long(0)] + [Value?](repeating: nil, count: 15),
    [
      .long(1), .boolean(false), .int(0), .long(0), .float(-0.0), .double(-0.0), .decimal(0),
      .decimal(0), .decimal(0), .int(0), .long(0), .long(0), .string(""), bytes(0, 16),
      bytes(0, 5), .bytes([]),
    ],
    [
      .long(2), .boolean(true), .int(.min), .long(.min), .float(-.infinity), .double(-.infinity),
      .decimal(-999_999_999), .decimal(-999_999_999_999_999_999), .decimal(-largest),
      .int(firstDay), .long(firstMoment), .long(firstMoment), .string("日本語 é 🦆 \u{10FFFF}"),
      bytes(0xff, 16), bytes(0xff, 5), .bytes([0, 0xff, 0x80, 0]),
    ],
    [
      .long(3), .boolean(true), .int(.max), .long(.max), .float(.infinity), .double(.infinity),
      .decimal(999_999_999), .decimal(999_999_999_999_999_999), .decimal(largest), .int(lastDay),
      .long(lastMoment), .long(lastMoment), .string("\u{E000}\"\\\n\t,'"), bytes(0x80, 16),
      bytes(0x7f, 5), bytes(0x41, 100),
    ],
    [
      .long(4), .boolean(false), .int(-1), .long(-1), .float(.nan), .double(.nan), .decimal(-1),
      .decimal(-1), .decimal(-1), .int(-1), .long(-1), .long(-1), .string("NaN"),
      bytes(0x12, 16), bytes(0x20, 5), .bytes([0x30]),
    ],
    [
      .long(5), .boolean(true), .int(1), .long(1), .float(.leastNonzeroMagnitude),
      .double(.leastNonzeroMagnitude), .decimal(12345), .decimal(12345), .decimal(12345),
      .int(19_782), .long(1_709_251_199_123_456), .long(1_709_251_199_123_456),
      .string(String(repeating: "long ", count: 40)), bytes(0x01, 16), bytes(0x02, 5),
      .bytes([0x61]),
    ],
    [
      .long(6), .boolean(true), .int(2), .long(2), .float(.greatestFiniteMagnitude),
      .double(-.greatestFiniteMagnitude), .decimal(-12345), .decimal(1), .decimal(1), .int(365),
      .long(1), .long(1), .string("a"), bytes(0x03, 16), bytes(0x04, 5), .bytes([0x62, 0x00]),
    ],
  ]

  private static let time: [Value?] = [
    nil, .long(0), .long(1), .long(86_399_999_999), .long(43_200_000_000), .long(1_000_000),
    .long(999_999),
  ]

  private static let nanoseconds: [Value?] = [
    nil, .long(0), .long(-9_200_000_000_000_000_001), .long(9_200_000_000_000_000_001), .long(-1),
    .long(1), .long(1_709_251_199_123_456_789),
  ]

  /// The plain rows with more columns, in two commits.
  private static func rows(_ more: [Value?]...) -> [[[Value?]]] {
    let rows = plain.enumerated().map { index, row in
      row + more.compactMap { $0.isEmpty ? nil : .some($0[index]) }
    }
    return [Array(rows.prefix(4)), Array(rows.dropFirst(4))]
  }

  // MARK: every transform

  private static let transforms: [InteropTable] = versions.flatMap { version in
    [
      ("identity", "bo, i, l, dec9, dt, s"),
      ("identity_more", "ts, tz, b, dec38"),
      ("bucket", "bucket(4, i), bucket(5, l), bucket(6, s), bucket(7, dt)"),
      ("bucket_more", "bucket(3, dec9), bucket(4, ts), bucket(5, tz), bucket(6, u), bucket(7, b)"),
      ("truncate", "truncate(10, i), truncate(10, l), truncate(3, s)"),
      ("truncate_more", "truncate(50, dec9), truncate(100, dec38), truncate(2, b)"),
      ("year", "year(dt), year(ts), year(tz)"),
      ("month", "month(dt), month(ts), month(tz)"),
      ("day", "day(dt), day(ts), day(tz)"),
      ("hour", "hour(ts), hour(tz)"),
    ].map { name, spec in
      InteropTable(
        name: "\(name)_v\(version.rawValue)", formatVersion: version, schema: columns,
        partitionedBy: spec, commits: rows([]))
    }
  }
}
