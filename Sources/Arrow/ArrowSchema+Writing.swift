// SPDX-License-Identifier: Apache-2.0
internal import Bytes

// What messages say of fields and types, as FlatBuffers.
// Source: Arrow, format/Schema.fbs.

extension ArrowSchema {
  /// The table of a Schema with `fields`.
  static func flat(_ fields: [ArrowField]) -> [FlatField] {
    [FlatField(0, .short(0)), FlatField(1, .vector(fields.map { .table($0.flat) }))]
  }
}

extension ArrowField {
  fileprivate var flat: [FlatField] {
    let (kind, details) = type.flat
    var fields = [
      FlatField(0, .string(name)), FlatField(1, .byte(isNullable ? 1 : 0)),
      FlatField(2, .byte(kind)), FlatField(3, .table(details)),
      FlatField(5, .vector(children.map { .table($0.flat) })),
    ]
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { key, value in
        FlatValue.table([FlatField(0, .string(key)), FlatField(1, .string(value))])
      }
      fields.append(FlatField(6, .vector(pairs)))
    }
    return fields
  }
}

extension ArrowType {
  /// The member of the union Type, and its table.
  fileprivate var flat: (kind: UInt8, details: [FlatField]) {
    switch self {
    case .null: (1, [])
    case .integer(let bitWidth, let isSigned):
      (2, [FlatField(0, .int(Int32(bitWidth))), FlatField(1, .byte(isSigned ? 1 : 0))])
    case .floatingPoint(let bitWidth): (3, [FlatField(0, .short(Int16(bitWidth / 32)))])
    case .binary: (4, [])
    case .utf8: (5, [])
    case .boolean: (6, [])
    case .decimal(let precision, let scale, let bitWidth):
      (
        7,
        [
          FlatField(0, .int(Int32(precision))), FlatField(1, .int(Int32(scale))),
          FlatField(2, .int(Int32(bitWidth))),
        ]
      )
    case .dateDays: (8, [FlatField(0, .short(0))])
    case .dateMilliseconds: (8, [FlatField(0, .short(1))])
    case .time(let unit, let bitWidth):
      (9, [FlatField(0, .short(Int16(unit.rawValue))), FlatField(1, .int(Int32(bitWidth)))])
    case .timestamp(let unit, let zone):
      (
        10,
        [FlatField(0, .short(Int16(unit.rawValue)))]
          + (zone.isEmpty ? [] : [FlatField(1, .string(zone))])
      )
    case .list: (12, [])
    case .structure: (13, [])
    case .fixedSizeBinary(let byteCount): (15, [FlatField(0, .int(Int32(byteCount)))])
    case .fixedSizeList(let count): (16, [FlatField(0, .int(Int32(count)))])
    case .map: (17, [FlatField(0, .byte(0))])
    case .largeBinary: (19, [])
    case .largeUtf8: (20, [])
    case .largeList: (21, [])
    case .runEndEncoded: (22, [])
    case .binaryView: (23, [])
    case .utf8View: (24, [])
    case .listView: (25, [])
    case .largeListView: (26, [])
    }
  }
}
