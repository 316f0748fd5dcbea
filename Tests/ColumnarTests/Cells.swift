// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers

/// A single value, as slow and obvious as can be: what columns are checked against.
indirect enum Cell: Hashable {
  case null
  case boolean(Bool)
  case integer(Int128)
  /// By its bits, so that NaNs and zeros are told apart.
  case number(UInt64)
  case bytes([UInt8])
  case list([Cell])
  case structure([Cell])

  static func number(_ value: Double) -> Cell { .number(value.bitPattern) }
  static func text(_ value: String) -> Cell { .bytes(Array(value.utf8)) }

  var isNull: Bool { self == .null }
}

extension ColumnBuilder {
  func append(_ cell: Cell) {
    switch cell {
    case .null: appendNull()
    case .boolean(let value): append(value)
    case .integer(let value):
      switch type.layout {
      case .fixed(width: 4): append(Int32(value))
      case .fixed(width: 8): append(Int64(value))
      default: append(value)
      }
    case .number(let bits):
      if type == .float {
        append(Float(Double(bitPattern: bits)))
      } else {
        append(Double(bitPattern: bits))
      }
    case .bytes(let bytes): append(bytes.span.bytes)
    case .list(let cells):
      for cell in cells { children[0].append(cell) }
      endList()
    case .structure(let cells):
      for (child, cell) in zip(children, cells) { child.append(cell) }
      endStructure()
    }
  }
}

extension Column {
  /// The column of `cells`, built one by one.
  init(_ type: ColumnType, _ cells: [Cell]) {
    let builder = ColumnBuilder(type)
    for cell in cells { builder.append(cell) }
    self = builder.finish()
  }

  /// What is in `row`, read by the accessors for single values.
  func cell(_ row: Int) -> Cell {
    if isNull(row) { return .null }
    switch type {
    case .null: return .null
    case .boolean: return .boolean(boolean(row))
    case .int32, .int64, .date, .time, .timestamp: return .integer(Int128(integer(row)))
    case .decimal: return .integer(unscaled(row))
    case .float, .double: return .number(floatingPoint(row))
    case .string, .binary, .fixed, .uuid: return .bytes(bytes(row).array())
    case .structure: return .structure(children.map { $0.cell(row) })
    case .list, .map: return .list(elementRange(row).map { children[0].cell($0) })
    }
  }

  var cells: [Cell] { (0..<count).map { cell($0) } }
}

/// How a column of given cells may lie in memory.
enum Shape: CaseIterable {
  case plain
  /// Cut out of a longer column, so that bits start inside a byte and offsets above 0.
  case sliced
  case dictionary
  case slicedDictionary
}

extension Column {
  init(_ type: ColumnType, _ cells: [Cell], shape: Shape, using random: inout Seeded) {
    let shape = type.isNested || type == .null ? (shape == .plain ? .plain : .sliced) : shape
    switch shape {
    case .plain: self.init(type, cells)
    case .dictionary: self = Column.dictionary(type, cells, using: &random)
    case .sliced, .slicedDictionary:
      let before = Int.random(in: 0...13, using: &random)
      let after = Int.random(in: 0...13, using: &random)
      let padding = (0..<before + after).map { _ in Cell.random(type, nullOneIn: 3, using: &random)
      }
      let all = padding.prefix(before) + cells + padding.suffix(after)
      let whole: Column =
        shape == .sliced
        ? Column(type, Array(all)) : Column.dictionary(type, Array(all), using: &random)
      self = whole.slice(before..<before + cells.count)
    }
  }

  /// A dictionary in random order, with entries that are not used and some twice.
  private static func dictionary(
    _ type: ColumnType, _ cells: [Cell], using random: inout Seeded
  ) -> Column {
    var entries = Array(Set(cells.filter { !$0.isNull })).shuffled(using: &random)
    if let again = entries.randomElement(using: &random) { entries.append(again) }
    if random.oneIn(2) { entries.append(.random(type, nullOneIn: 0, using: &random)) }
    var codes = MutableBuffer()
    var validity = BitmapBuilder()
    for cell in cells {
      let choices = entries.indices.filter { entries[$0] == cell }
      codes.append(value: Int32(choices.randomElement(using: &random) ?? 0))
      validity.append(!cell.isNull)
    }
    return Column(
      type: type, count: cells.count, validity: validity.finish(),
      values: .dictionary(codes: codes.freeze(), Column(type, entries)))
  }
}

extension Cell {
  /// A value of `type` out of few enough that some are equal, with the odd ones among them.
  static func random(
    _ type: ColumnType, nullOneIn n: Int, using random: inout Seeded
  ) -> Cell {
    if n > 0, random.oneIn(n) { return .null }
    switch type {
    case .null: return .null
    case .boolean: return .boolean(.random(using: &random))
    case .int32, .date: return .integer(Int128(Int32(truncatingIfNeeded: integer(&random))))
    case .int64, .time, .timestamp: return .integer(Int128(integer(&random)))
    case .decimal(let precision, _): return .integer(decimal(precision, &random))
    case .float: return .number(Double(Float(number(&random))))
    case .double: return .number(number(&random))
    case .string: return .bytes(text(&random))
    case .binary: return .bytes(bytes(Int.random(in: 0...20, using: &random), &random))
    case .fixed(let byteCount): return .bytes(bytes(byteCount, &random))
    case .uuid: return .bytes(bytes(16, &random))
    case .structure(let fields):
      return .structure(fields.map { .random($0.type, nullOneIn: n, using: &random) })
    case .list(let element):
      let length = Int.random(in: 0...4, using: &random)
      return .list((0..<length).map { _ in .random(element.type, nullOneIn: n, using: &random) })
    case .map(let key, let value):
      let length = Int.random(in: 0...3, using: &random)
      return .list(
        (0..<length).map { _ in
          .structure([
            .random(key.type, nullOneIn: 0, using: &random),
            .random(value.type, nullOneIn: n, using: &random),
          ])
        })
    }
  }

  private static func integer(_ random: inout Seeded) -> Int64 {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: [.min, .max, -1, 0, Int64(Int32.min), Int64(Int32.max)].randomElement(using: &random)!
    case 1: Int64(bitPattern: random.next())
    default: Int64.random(in: -9...9, using: &random)
    }
  }

  private static func decimal(_ precision: Int, _ random: inout Seeded) -> Int128 {
    var limit: Int128 = 1
    for _ in 0..<precision { limit *= 10 }
    switch Int.random(in: 0..<5, using: &random) {
    case 0: return [-(limit - 1), limit - 1, 0, -1].randomElement(using: &random)!
    case 1: return Int128.random(in: -(limit - 1)...limit - 1, using: &random)
    default: return Int128(Int64.random(in: -9...9, using: &random))
    }
  }

  private static func number(_ random: inout Seeded) -> Double {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: [0.0, -0.0, .infinity, -.infinity].randomElement(using: &random)!
    case 1: random.oneIn(2) ? .nan : -.nan
    case 2: Double.random(in: -1e10...1e10, using: &random)
    default: Double(Int.random(in: -6...6, using: &random)) / 2
    }
  }

  private static func text(_ random: inout Seeded) -> [UInt8] {
    let prefix = ["", "", "a common prefix of 23 b", "été"].randomElement(using: &random)!
    let length = Int.random(in: 0...3, using: &random)
    let letters = (0..<length).map { _ in ["a", "b", "\0", "é", "z"].randomElement(using: &random)!
    }
    return Array((prefix + letters.joined()).utf8)
  }

  private static func bytes(_ count: Int, _ random: inout Seeded) -> [UInt8] {
    let letters: [UInt8] = [0, 1, 0x7f, 0x80, 0xff]
    let start = random.oneIn(2) ? count : min(count, 1)
    return (0..<count).map { $0 < start ? letters.randomElement(using: &random)! : 0 }
  }
}

/// A type of every layout and width.
let leafTypes: [ColumnType] = [
  .boolean, .int32, .int64, .float, .double, .decimal(precision: 9, scale: 2),
  .decimal(precision: 38, scale: 3), .date, .time, .timestamp(.microseconds, zoned: true), .string,
  .binary, .fixed(byteCount: 5), .fixed(byteCount: 2), .fixed(byteCount: 0), .uuid,
]
let nestedTypes: [ColumnType] = [
  .structure([ColumnField("a", .int32), ColumnField("b", .string)]),
  .list(ColumnField("element", .int64)),
  .list(ColumnField("element", .list(ColumnField("element", .string)))),
  .map(key: ColumnField("key", .string, isNullable: false), value: ColumnField("value", .boolean)),
  .structure([
    ColumnField("s", .structure([ColumnField("x", .double), ColumnField("none", .null)])),
    ColumnField("l", .list(ColumnField("element", .structure([ColumnField("y", .uuid)])))),
  ]),
]
let allTypes = leafTypes + nestedTypes + [.null]

func randomCells(
  _ type: ColumnType, count: Int, nullOneIn n: Int, using random: inout Seeded
) -> [Cell] {
  (0..<count).map { _ in .random(type, nullOneIn: n, using: &random) }
}
