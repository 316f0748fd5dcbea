// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers

/// Random columns of random types, nested ones among them.
struct RandomColumns {
  var random: Seeded
  /// Which types there are besides nested ones.
  var flatTypes: [ColumnType]

  static let flatTypes: [ColumnType] = [
    .boolean, .int32, .int64, .float, .double, .decimal(precision: 5, scale: 2),
    .decimal(precision: 9, scale: 0), .decimal(precision: 18, scale: 9),
    .decimal(precision: 19, scale: 4), .decimal(precision: 38, scale: 10), .date, .time,
    .timestamp(.microseconds, zoned: true), .timestamp(.nanoseconds, zoned: false), .string,
    .binary, .fixed(byteCount: 5), .uuid,
  ]

  /// All that there are, the rarer ones of each kind too.
  static let allFlatTypes: [ColumnType] =
    flatTypes + [
      .null, .decimal(precision: 1, scale: 1), .decimal(precision: 10, scale: 10),
      .decimal(precision: 38, scale: 38), .decimal(precision: 38, scale: 0),
      .timestamp(.microseconds, zoned: false), .timestamp(.nanoseconds, zoned: true),
      .fixed(byteCount: 1), .fixed(byteCount: 12), .fixed(byteCount: 33),
    ]

  private var nextID: Int32 = 1

  init(_ random: Seeded, flatTypes: [ColumnType] = RandomColumns.flatTypes) {
    self.random = random
    self.flatTypes = flatTypes
  }

  mutating func field(_ name: String, depth: Int) -> ColumnField {
    let id = nextID
    nextID += 1
    let type = type(depth: depth)
    return ColumnField(name, type, isNullable: type == .null || random.chance(60), fieldID: id)
  }

  private mutating func type(depth: Int) -> ColumnType {
    guard depth > 0, random.chance(45) else { return random.pick(flatTypes) }
    switch random.below(3) {
    case 0:
      let count = random.below(3) + 1
      return .structure((0..<count).map { field("f\($0)", depth: depth - 1) })
    case 1: return .list(field("element", depth: depth - 1))
    default:
      var key = field("key", depth: 0)
      key.isNullable = false
      key.type = random.pick([.string, .int32, .int64, .date, .uuid, .binary])
      return .map(key: key, value: field("value", depth: depth - 1))
    }
  }

  /// A column for `field`; now and then all null, without nulls, sorted, or of few values.
  mutating func column(_ field: ColumnField, rows: Int) -> Column {
    let builder = ColumnBuilder(field.type)
    let nulls = random.pick([0, 1, 20, 90, 100])
    let cardinality = random.pick([1, 4, 100, 1 << 40])
    for _ in 0..<rows { append(to: builder, field, nulls: nulls, cardinality: cardinality) }
    let column = builder.finish()
    return random.chance(25) ? Self.encoded(column) : column
  }

  private mutating func append(
    to builder: ColumnBuilder, _ field: ColumnField, nulls: Int, cardinality: Int
  ) {
    if field.isNullable, field.type == .null || random.chance(nulls) {
      return builder.appendNull()
    }
    switch field.type {
    case .structure(let fields):
      for (child, field) in zip(builder.children, fields) {
        append(to: child, field, nulls: nulls, cardinality: cardinality)
      }
      builder.endStructure()
    case .list(let element):
      for _ in 0..<random.pick([0, 0, 1, 2, 5]) {
        append(to: builder.children[0], element, nulls: nulls, cardinality: cardinality)
      }
      builder.endList()
    case .map(let key, let value):
      // Keys of a map differ: some engines hold readers to that.
      let first = UInt64(random.below(cardinality))
      for step in 0..<random.pick([0, 1, 3]) {
        let entry = builder.children[0]
        appendFlat(to: entry.children[0], key.type, first + UInt64(step), distinct: true)
        append(to: entry.children[1], value, nulls: nulls, cardinality: cardinality)
        entry.endStructure()
      }
      builder.endList()
    default: appendFlat(to: builder, field.type, UInt64(random.below(cardinality)))
    }
  }

  /// The value that `choice` stands for, always the same one; another one for another choice if
  /// `distinct`.
  private func appendFlat(
    to builder: ColumnBuilder, _ type: ColumnType, _ choice: UInt64, distinct: Bool = false
  ) {
    let bits = distinct ? choice : XXHash64.hash(choice)
    switch type {
    case .boolean: builder.append(bits & 1 == 1)
    case .float: builder.append(Self.float(bits))
    case .double: builder.append(Self.double(bits))
    case .decimal(let precision, _):
      var limit: Int128 = 1
      for _ in 0..<precision { limit *= 10 }
      if bits % 11 == 0 { return builder.append(bits % 2 == 0 ? limit - 1 : 1 - limit) }
      let value = Int128(Int64(bitPattern: bits)) * (bits % 3 == 0 ? 1 : 0x1_0000_0001)
      builder.append(value % limit)
    case .string where distinct: builder.append(String(bits))
    case .string: builder.append(String(repeating: "é", count: Int(bits % 9)) + String(bits % 1000))
    case .binary where distinct: builder.append(bytes(bits, count: 8).bytes)
    case .binary:
      let count = bits % 50 == 0 ? 700 : Int(bits % 100)
      builder.append(bytes(bits, count: count).bytes)
    case .fixed(let byteCount): builder.append(bytes(bits, count: byteCount).bytes)
    case .uuid: builder.append(bytes(bits, count: 16).bytes)
    case .date: builder.append(Int32(truncatingIfNeeded: bits) % 700_000)
    case .time: builder.append(Int64(bits % 86_400_000_000))
    case .timestamp(let unit, _):
      // Within what other engines have for a moment.
      let scale: Int64 = unit == .nanoseconds ? 4_000_000_000_000_000_000 : 200_000_000_000_000_000
      builder.append(Int64(bitPattern: bits) % scale >> Int64(bits % 40))
    default:
      if case .fixed(width: 4) = type.layout {
        builder.append(Int32(truncatingIfNeeded: bits) >> Int32(distinct ? 0 : bits % 30))
      } else {
        builder.append(Int64(bitPattern: bits) >> Int64(distinct ? 0 : bits % 60))
      }
    }
  }

  private static func float(_ bits: UInt64) -> Float {
    switch bits % 13 {
    case 0: .nan
    case 1: -0.0
    case 2: 0
    case 3: bits & 64 == 0 ? .infinity : -.infinity
    case 4: .leastNonzeroMagnitude
    default: Float(Int32(truncatingIfNeeded: bits))
    }
  }

  private static func double(_ bits: UInt64) -> Double {
    switch bits % 13 {
    case 0: .nan
    case 1: -0.0
    case 2: 0
    case 3: bits & 64 == 0 ? .infinity : -.infinity
    case 4: .leastNonzeroMagnitude
    default: Double(Int64(bitPattern: bits)) / 3
    }
  }

  private func bytes(_ bits: UInt64, count: Int) -> Buffer {
    Buffer(
      (0..<count).map {
        UInt8(truncatingIfNeeded: bits >> UInt64($0 % 8 * 8)) | UInt8(truncatingIfNeeded: $0 / 8)
      })
  }

  /// The same rows as codes into a dictionary; nested columns and those without values as they are.
  private static func encoded(_ column: Column) -> Column {
    guard !column.type.isNested, column.nullCount < column.count else { return column }
    let entries = ColumnBuilder(column.type)
    var codes = MutableBuffer()
    var last: Int32 = 0
    for row in 0..<column.count {
      if !column.isNull(row) {
        if case .boolean = column.type {
          entries.append(column.boolean(row))
        } else {
          switch column.type.layout {
          case .fixed(width: 4) where column.type != .fixed(byteCount: 4):
            entries.append(column.bytes(row).bytes.loadLE(at: 0, as: Int32.self))
          case .fixed(width: 8) where column.type != .fixed(byteCount: 8):
            entries.append(column.bytes(row).bytes.loadLE(at: 0, as: Int64.self))
          default: appendBytes(column, row, to: entries)
          }
        }
        last = Int32(entries.count - 1)
      }
      codes.append(value: last)
    }
    return Column(
      type: column.type, count: column.count, validity: column.validity,
      values: .dictionary(codes: codes.freeze(), entries.finish()))
  }

  private static func appendBytes(_ column: Column, _ row: Int, to entries: ColumnBuilder) {
    if case .decimal = column.type { return entries.append(column.unscaled(row)) }
    let bytes = column.bytes(row)
    entries.append(bytes.bytes)
  }
}
