// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import JSON

/// The Avro schemas of manifests and manifest lists, as they are written.
///
/// Fields, their order and their types are the reference implementation's, so that records can be
/// copied between its files and ours.
///
/// Source: Iceberg spec, "Manifests", "Manifest Lists" and "Appendix A: Avro".
enum ManifestAvroSchema {
  static func entry(_ version: FormatVersion, _ layout: PartitionLayout) -> AvroSchema {
    var fields = [
      AvroField("status", .int, id: 0),
      version == .v1
        ? AvroField("snapshot_id", .long, id: 1) : .optional("snapshot_id", .long, id: 1),
    ]
    if version > .v1 {
      fields.append(.optional("sequence_number", .long, id: 3))
      fields.append(.optional("file_sequence_number", .long, id: 4))
    }
    fields.append(AvroField("data_file", .record("r2", dataFile(version, layout)), id: 2))
    return .record("manifest_entry", fields)
  }

  private static func dataFile(_ version: FormatVersion, _ layout: PartitionLayout) -> [AvroField] {
    var fields: [AvroField] = []
    if version > .v1 { fields.append(AvroField("content", .int, id: 134)) }
    fields += [
      AvroField("file_path", .string, id: 100), AvroField("file_format", .string, id: 101),
      AvroField("partition", partition(layout), id: 102),
      AvroField("record_count", .long, id: 103), AvroField("file_size_in_bytes", .long, id: 104),
    ]
    if version == .v1 { fields.append(AvroField("block_size_in_bytes", .long, id: 105)) }
    fields += [
      .optional("column_sizes", map(.long, 117, 118), id: 108),
      .optional("value_counts", map(.long, 119, 120), id: 109),
      .optional("null_value_counts", map(.long, 121, 122), id: 110),
      .optional("nan_value_counts", map(.long, 138, 139), id: 137),
      .optional("lower_bounds", map(.bytes, 126, 127), id: 125),
      .optional("upper_bounds", map(.bytes, 129, 130), id: 128),
      .optional("key_metadata", .bytes, id: 131),
      .optional("split_offsets", .array(.long, elementID: 133), id: 132),
    ]
    if version > .v1 {
      fields.append(.optional("equality_ids", .array(.int, elementID: 136), id: 135))
    }
    fields.append(.optional("sort_order_id", .int, id: 140))
    if version >= .v3 { fields.append(.optional("first_row_id", .long, id: 142)) }
    if version > .v1 { fields.append(.optional("referenced_data_file", .string, id: 143)) }
    if version >= .v3 {
      fields.append(.optional("content_offset", .long, id: 144))
      fields.append(.optional("content_size_in_bytes", .long, id: 145))
    }
    return fields
  }

  /// A map with int keys: Avro has none, so it is an array of keys and values.
  private static func map(_ value: AvroSchema, _ keyID: Int32, _ valueID: Int32) -> AvroSchema {
    let pair = AvroSchema.record(
      "k\(keyID)_v\(valueID)",
      [AvroField("key", .int, id: keyID), AvroField("value", value, id: valueID)])
    return AvroSchema.array(pair).with("logicalType", .string("map"))
  }

  private static func partition(_ layout: PartitionLayout) -> AvroSchema {
    .record(
      "r102",
      zip(layout.spec.fields, layout.types).map { field, type in
        .optional(sanitized(field.name), type.avroSchema, id: field.fieldID.rawValue)
      })
  }

  /// A name Avro allows: letters, digits and `_`, no digit first; anything else as `_x` and hex.
  static func sanitized(_ name: String) -> String {
    var result = ""
    for (i, unit) in name.utf16.enumerated() {
      switch unit {
      case 0x41...0x5a, 0x61...0x7a, 0x5f: result.unicodeScalars.append(UnicodeScalar(UInt8(unit)))
      case 0x30...0x39:
        if i == 0 { result += "_" }
        result.unicodeScalars.append(UnicodeScalar(UInt8(unit)))
      default: result += "_x" + String(unit, radix: 16, uppercase: true)
      }
    }
    return result
  }

  static func manifestFile(_ version: FormatVersion) -> AvroSchema {
    var fields = [
      AvroField("manifest_path", .string, id: 500), AvroField("manifest_length", .long, id: 501),
      AvroField("partition_spec_id", .int, id: 502),
    ]
    if version > .v1 {
      fields += [
        AvroField("content", .int, id: 517), AvroField("sequence_number", .long, id: 515),
        AvroField("min_sequence_number", .long, id: 516),
      ]
    }
    fields.append(AvroField("added_snapshot_id", .long, id: 503))
    let counts: [(String, AvroSchema, Int32)] = [
      ("added_files_count", .int, 504), ("existing_files_count", .int, 505),
      ("deleted_files_count", .int, 506), ("added_rows_count", .long, 512),
      ("existing_rows_count", .long, 513), ("deleted_rows_count", .long, 514),
    ]
    for (name, type, id) in counts {
      fields.append(
        version > .v1 ? AvroField(name, type, id: id) : .optional(name, type, id: id))
    }
    let summary = AvroSchema.record(
      "r508",
      [
        AvroField("contains_null", .boolean, id: 509),
        .optional("contains_nan", .boolean, id: 518), .optional("lower_bound", .bytes, id: 510),
        .optional("upper_bound", .bytes, id: 511),
      ])
    fields.append(.optional("partitions", .array(summary, elementID: 508), id: 507))
    fields.append(.optional("key_metadata", .bytes, id: 519))
    if version >= .v3 { fields.append(.optional("first_row_id", .long, id: 520)) }
    return .record("manifest_file", fields)
  }
}

extension PrimitiveType {
  /// The Avro type of partition values of this type.
  ///
  /// Source: Iceberg spec, "Appendix A: Avro", "Data Type Mappings".
  var avroSchema: AvroSchema {
    func logical(_ schema: AvroSchema, _ name: String) -> AvroSchema {
      schema.with("logicalType", .string(name))
    }
    func time(_ name: String, utc: Bool) -> AvroSchema {
      logical(.long, name).with("adjust-to-utc", .boolean(utc))
    }
    switch self {
    case .boolean: return .boolean
    case .int: return .int
    case .long: return .long
    case .float: return .float
    case .double: return .double
    case .date: return logical(.int, "date")
    case .time: return logical(.long, "time-micros")
    case .timestamp: return time("timestamp-micros", utc: false)
    case .timestamptz: return time("timestamp-micros", utc: true)
    case .timestampNs: return time("timestamp-nanos", utc: false)
    case .timestamptzNs: return time("timestamp-nanos", utc: true)
    case .string: return .string
    case .uuid: return logical(.fixed("uuid_fixed", byteCount: 16), "uuid")
    case .fixed(let count): return .fixed("fixed_\(count)", byteCount: count)
    case .decimal(let precision, let scale):
      let count = TwosComplement.byteCount(precision: precision)
      return logical(.fixed("decimal_\(precision)_\(scale)", byteCount: count), "decimal")
        .with("precision", .integer(Int64(precision))).with("scale", .integer(Int64(scale)))
    case .binary, .variant, .geometry, .geography: return .bytes
    case .unknown: return .int
    }
  }
}

extension AvroSchema {
  /// True if a record of one is, byte for byte, a record of the other with the same field ids.
  func hasSameEncoding(as other: AvroSchema) -> Bool {
    switch (kind, other.kind) {
    case (.record(let a), .record(let b)):
      a.fields.count == b.fields.count
        && zip(a.fields, b.fields).allSatisfy {
          $0.fieldID == $1.fieldID && $0.schema.hasSameEncoding(as: $1.schema)
        }
    case (.array(let a), .array(let b)), (.map(let a), .map(let b)): a.hasSameEncoding(as: b)
    case (.union(let a), .union(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.hasSameEncoding(as: $1) }
    case (.fixed(let a), .fixed(let b)): a.byteCount == b.byteCount
    case (.enumeration(let a), .enumeration(let b)): a.symbols == b.symbols
    default: typeName == other.typeName
    }
  }
}
