// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar
import Foundation
import SeededNumbers
import Testing

@testable import Parquet

/// Schemas that Lake reads and does not write: lists, maps and annotations of older and other
/// writers, held to what pyarrow and DuckDB read of the same bytes.
@Suite("Shapes of other writers")
struct LegacyShapesTests {
  /// A file Lake wrote, its schema declared anew.
  private struct Case: Sendable {
    var name: String
    var type: ColumnType
    var isNullable = true
    /// What is read; nil: what was written.
    var readType: ColumnType?
    /// An engine that does not read it, or otherwise: its word for `roundtrip.py`.
    var refusal = ""
    var change: @Sendable (inout [SchemaElement]) -> Void
  }

  private static func required(_ name: String, _ type: ColumnType) -> ColumnField {
    ColumnField(name, type, isNullable: false)
  }

  private static func annotate(
    _ converted: ConvertedType?, _ logical: LogicalType?
  ) -> @Sendable (inout [SchemaElement]) -> Void {
    return { nodes in
      nodes[1].convertedType = converted
      nodes[1].logicalType = logical
    }
  }

  private static let lists: [Case] = [
    // root, c0, list, element
    Case(name: "list of two levels", type: .list(required("element", .int32))) { nodes in
      nodes.remove(at: 2)
      nodes[2].name = "item"
      nodes[2].repetition = .repeated
      nodes[1].logicalType = nil
    },
    Case(
      name: "list of two levels of structures",
      type: .list(required("element", .structure([required("a", .int32), required("b", .string)])))
    ) { nodes in
      nodes.remove(at: 2)
      nodes[2].name = "array"
      nodes[2].repetition = .repeated
    },
    Case(
      name: "tuples of one field",
      type: .list(required("element", .structure([required("a", .int32)])))
    ) { nodes in
      nodes.remove(at: 2)
      nodes[2].name = "c0_tuple"
      nodes[2].repetition = .repeated
    },
    Case(
      name: "repeated leaf", type: .list(required("element", .int64)), isNullable: false
    ) { nodes in
      nodes.removeSubrange(1...2)
      nodes[1].name = "c0"
      nodes[1].repetition = .repeated
    },
    Case(
      name: "repeated group",
      type: .list(
        required("element", .structure([required("a", .int32), required("b", .string)]))),
      isNullable: false
    ) { nodes in
      nodes.removeSubrange(1...2)
      nodes[1].name = "c0"
      nodes[1].repetition = .repeated
    },
  ]

  private static let maps: [Case] = [
    // root, c0, list, element; DuckDB wants a value in a map
    Case(
      name: "map without values", type: .list(required("element", .string)), refusal: "no-duckdb"
    ) { nodes in
      nodes[1].logicalType = .map
      nodes[1].convertedType = .map
      nodes[2].name = "key_value"
      nodes[3].name = "key"
    },
    Case(
      name: "MAP_KEY_VALUE around",
      type: .map(key: required("k", .int32), value: .init("v", .date)),
      refusal: "no-duckdb"
    ) { nodes in
      nodes[1].logicalType = nil
      nodes[1].convertedType = .mapKeyValue
    },
    Case(
      name: "MAP_KEY_VALUE within", type: .map(key: required("k", .int32), value: .init("v", .date))
    ) { nodes in
      nodes[1].logicalType = nil
      nodes[1].convertedType = .map
      nodes[2].name = "map"
      nodes[2].convertedType = .mapKeyValue
    },
    Case(
      name: "optional keys", type: .map(key: .init("k", .int32), value: .init("v", .date)),
      refusal: "no-pyarrow"
    ) { $0[3].repetition = .optional },
  ]

  private static let leaves: [Case] = [
    Case(name: "ENUM", type: .string, change: annotate(.enumeration, .enumeration)),
    Case(name: "JSON", type: .string, change: annotate(.json, .json)),
    Case(name: "BSON", type: .binary, refusal: "no-duckdb", change: annotate(.bson, .bson)),
    Case(
      name: "INTERVAL", type: .fixed(byteCount: 12), refusal: "no-duckdb",
      change: annotate(.interval, nil)),
    Case(
      name: "float16", type: .fixed(byteCount: 2), readType: .float, change: annotate(nil, .float16)
    ),
    Case(name: "uuid", type: .fixed(byteCount: 16), readType: .uuid, change: annotate(nil, .uuid)),
    Case(
      name: "uint32", type: .int32, readType: .int64,
      change: annotate(.uint32, .integer(bitWidth: 32, isSigned: false))),
    Case(
      name: "uint64", type: .int64, readType: .decimal(precision: 20, scale: 0),
      change: annotate(.uint64, .integer(bitWidth: 64, isSigned: false))),
    Case(
      name: "uint64, older annotation", type: .int64, readType: .decimal(precision: 20, scale: 0),
      change: annotate(.uint64, nil)),
    Case(
      name: "TIMESTAMP_MILLIS", type: .int64, readType: .timestamp(.microseconds, zoned: true),
      change: annotate(.timestampMillis, nil)),
    Case(name: "UTF8", type: .string, change: annotate(.utf8, nil)),
    Case(
      name: "decimal of bytes", type: .binary, readType: .decimal(precision: 38, scale: 3)
    ) { nodes in
      nodes[1].convertedType = .decimal
      nodes[1].precision = 38
      nodes[1].scale = 3
    },
    Case(
      name: "INT96", type: .fixed(byteCount: 12),
      readType: .timestamp(.microseconds, zoned: true), refusal: "no-duckdb"
    ) { nodes in
      nodes[1].type = .int96
      nodes[1].typeLength = nil
    },
    Case(
      name: "GEOMETRY", type: .binary, refusal: "no-duckdb",
      change: annotate(nil, .geometry(crs: nil))),
    Case(
      name: "GEOGRAPHY", type: .binary, refusal: "no-duckdb",
      change: annotate(nil, .geography(crs: "OGC:CRS84", algorithm: 1))),
  ]

  private static func file(_ test: Case, _ random: inout Seeded) throws -> Buffer {
    var columns = RandomColumns(random)
    random = columns.random
    let field = ColumnField("c0", test.type, isNullable: test.isNullable)
    var column = columns.column(field, rows: 40)
    if test.name == "decimal of bytes" { column = shortBytes(column.count) }
    if test.name == "TIMESTAMP_MILLIS" { column = smallIntegers(column.count) }
    if test.name == "INT96" { column = moments(column.count) }
    var options = WriterOptions()
    options.encodings = .widest
    options.codec = .snappy
    options.columns = [:]
    if test.name == "INT96" { options.columns["c0"] = ColumnOptions() }
    options.columns["c0"]?.dictionary = .never
    options.columns["c0"]?.encoding = .plain
    let batch = RecordBatch(fields: [field], columns: [column], rowCount: 40)
    let written = try Written.file([batch], options).bytes
    return try Redeclared.file(written) { nodes in
      test.change(&nodes)
      if test.name == "INT96" { nodes[1].typeLength = nil }
    }
  }

  private static func shortBytes(_ count: Int) -> Column {
    let builder = ColumnBuilder(.binary)
    for row in 0..<count {
      builder.append(Buffer((0...row % 16).map { UInt8(truncatingIfNeeded: row * 37 + $0) }).bytes)
    }
    return builder.finish()
  }

  private static func smallIntegers(_ count: Int) -> Column {
    let builder = ColumnBuilder(.int64)
    for row in 0..<count { builder.append(Int64(row - 20) * 86_400_123) }
    return builder.finish()
  }

  /// Nanoseconds of a day, and Julian days around 1970.
  private static func moments(_ count: Int) -> Column {
    let builder = ColumnBuilder(.fixed(byteCount: 12))
    for row in 0..<count {
      var writer = ByteWriter()
      writer.writeLE(UInt64(row * 1_000_000_007))
      writer.writeLE(UInt32(2_440_570 + row))
      builder.append(writer.finish().bytes)
    }
    return builder.finish()
  }

  @Test func `they have the types and values that other engines read`() throws {
    guard OtherEngines.areThere() else { return }
    var random = Seeded(91)
    try OtherEngines.withFolder { folder in
      var expected = ""
      let cases = Self.lists + Self.maps + Self.leaves
      for (number, test) in cases.enumerated() {
        let bytes = try Self.file(test, &random)
        try Data(bytes.array()).write(to: folder.appending(path: "\(number).parquet"))
        let field = try ParquetFooter.parse(wholeFile: bytes).schema.fields[0]
        if let type = test.readType ?? (test.type.isNested ? nil : test.type) {
          #expect(field.type == type, "\(test.name)")
        } else if case .list = test.type {
          guard case .list = field.type else {
            Issue.record("\(test.name): \(field.type)")
            continue
          }
        } else {
          guard case .map = field.type else {
            Issue.record("\(test.name): \(field.type)")
            continue
          }
        }
        let parts = try WholeFile.description(bytes)[0].split(separator: "\t")
        expected += "\(number).parquet\t\(parts[0])\t0\t\(parts[2])"
        expected += "\t\(test.refusal)\n"
      }
      try expected.write(
        to: folder.appending(path: "expected.tsv"), atomically: false, encoding: .utf8)
      let lines = try OtherEngines.lines(["check", folder.path])
      for line in lines.dropLast() {
        let number = line[0].split(separator: ".").first.flatMap { Int($0) } ?? 0
        Issue.record("\(cases[number].name): \(line.joined(separator: " "))")
      }
      #expect(lines.last?.first == "checked")
    }
  }
}
