// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import LakeTestSupport

/// Random batches of random types, nested ones among them, with values every engine can print.
struct RandomBatches {
  let random: SeededRandom

  static let flatTypes: [ColumnType] = [
    .null, .boolean, .int32, .int64, .float, .double, .decimal(precision: 5, scale: 2),
    .decimal(precision: 18, scale: 9), .decimal(precision: 19, scale: 4),
    .decimal(precision: 38, scale: 10), .date, .time, .timestamp(.microseconds, zoned: true),
    .timestamp(.microseconds, zoned: false), .timestamp(.nanoseconds, zoned: false),
    .timestamp(.nanoseconds, zoned: true), .string, .binary, .fixed(byteCount: 5), .uuid,
  ]

  func fields(_ count: Int, depth: Int) -> [ColumnField] {
    (0..<count).map { field("c\($0)", depth: depth) }
  }

  private func field(_ name: String, depth: Int) -> ColumnField {
    ColumnField(
      name, type(depth: depth), isNullable: true,
      fieldID: random.oneIn(3) ? nil : Int32(random.int(in: 0..<1000)))
  }

  private func type(depth: Int) -> ColumnType {
    guard depth > 0, random.chance(50) else { return random.pick(Self.flatTypes) }
    switch random.int(in: 0..<3) {
    case 0: return .structure((0..<random.int(in: 1..<4)).map { field("f\($0)", depth: depth - 1) })
    case 1: return .list(field("element", depth: depth - 1))
    default:
      let key = ColumnField("key", random.pick([.string, .int64]), isNullable: false)
      return .map(key: key, value: field("value", depth: depth - 1))
    }
  }

  /// Rows of `fields`: whole, or part of a batch in memory.
  func batch(_ fields: [ColumnField], rows: Int) -> RecordBatch {
    let nulls = random.pick([0, 10, 90])
    let all = random.oneIn(2) ? rows : rows + random.int(in: 0..<70)
    let columns = fields.map { field in
      let builder = ColumnBuilder(field.type)
      for _ in 0..<all { append(to: builder, field.type, nulls: nulls) }
      return random.oneIn(8)
        ? .nulls(field.type, count: all) : coded(builder.finish(), field.type)
    }
    let start = random.int(in: 0..<all - rows + 1)
    return RecordBatch(fields: fields, columns: columns, rowCount: all).slice(start..<start + rows)
  }

  /// Now and then, the same rows as codes into a dictionary.
  private func coded(_ column: Column, _ type: ColumnType) -> Column {
    guard !type.isNested, type != .null, type != .boolean, column.count > 0, random.oneIn(3)
    else { return column }
    let rows = (0..<Int32(column.count)).filter { !column.isNull(Int($0)) }
    guard let entries = try? column.gather(rows) else { return column }
    var codes = MutableBuffer()
    var next: Int32 = 0
    for row in 0..<column.count {
      codes.append(value: min(next, Int32(max(0, rows.count - 1))))
      if !column.isNull(row) { next += 1 }
    }
    return Column(
      type: type, count: column.count, validity: column.validity,
      values: .dictionary(codes: codes.freeze(), entries))
  }

  private func append(to builder: ColumnBuilder, _ type: ColumnType, nulls: Int) {
    if type == .null || random.chance(nulls) { return builder.appendNull() }
    switch type {
    case .structure(let fields):
      for (child, field) in zip(builder.children, fields) {
        append(to: child, field.type, nulls: nulls)
      }
      builder.endStructure()
    case .list(let element):
      for _ in 0..<random.pick([0, 0, 1, 2, 5]) {
        append(to: builder.children[0], element.type, nulls: nulls)
      }
      builder.endList()
    case .map(let key, let value):
      let entry = builder.children[0]
      for place in 0..<random.pick([0, 1, 3]) {
        if key.type == .string {
          entry.children[0].append("k\(place)")
        } else {
          entry.children[0].append(Int64(place))
        }
        append(to: entry.children[1], value.type, nulls: nulls)
        entry.endStructure()
      }
      builder.endList()
    default: appendFlat(to: builder, type)
    }
  }

  private func appendFlat(to builder: ColumnBuilder, _ type: ColumnType) {
    let bits = random.next()
    switch type {
    case .boolean: builder.append(bits & 1 == 1)
    case .float: builder.append(random.pick([.nan, -0.0, 1.5, -.infinity, Float(bits % 1000)]))
    case .double: builder.append(random.pick([.nan, -0.0, 0.1, .infinity, Double(bits) / 3]))
    case .decimal(let precision, _):
      var limit: Int128 = 1
      for _ in 0..<precision { limit *= 10 }
      builder.append(Int128(Int64(bitPattern: bits)) * 0x1_0000_0001 % limit)
    case .string:
      builder.append(String(repeating: "é", count: Int(bits % 9)) + String(bits % 1000))
    case .binary: builder.append(Buffer(random.bytes(Int(bits % 30))).bytes)
    case .fixed(let byteCount): builder.append(Buffer(random.bytes(byteCount)).bytes)
    case .uuid: builder.append(Buffer(random.bytes(16)).bytes)
    case .date: builder.append(Int32(truncatingIfNeeded: bits % 100_000) - 50_000)
    case .time: builder.append(Int64(bits % 86_400_000_000))
    case .int32: builder.append(Int32(truncatingIfNeeded: bits))
    case .int64: builder.append(Int64(bitPattern: bits))
    default: builder.append(Int64(bits % 4_000_000_000_000_000) - 1_000_000_000_000_000)
    }
  }
}
