// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Makes the cells of one column.
struct TextCellWriter: ~Copyable {
  private let form: TextForm
  private let rowCount: Int
  private var bytes = MutableBuffer()
  private var offsets: MutableBuffer

  init(form: TextForm, rowCount: Int) {
    self.form = form
    self.rowCount = rowCount
    offsets = MutableBuffer(capacity: (rowCount + 1) * 4)
    offsets.append(value: Int32(0))
  }

  consuming func finish() -> TextCells {
    let rows = rowCount
    return TextCells(
      offsets: offsets.freeze(), bytes: bytes.freeze(), codes: nil, rowCount: rows)
  }

  private mutating func endCell() {
    precondition(bytes.count <= Int(Int32.max), "more than 2 GiB of text in one batch")
    offsets.append(value: Int32(truncatingIfNeeded: bytes.count))
  }

  private mutating func appendNull() {
    switch form {
    case .json: append("null")
    case .csv: break
    case .plain: append("NULL")
    }
  }

  private mutating func append(_ text: StaticString) {
    for i in 0..<text.utf8CodeUnitCount { bytes.append(value: unsafe text.utf8Start[i]) }
  }

  /// Writes the cell of each row of `column`.
  mutating func write(_ column: Column, isVariant: Bool) {
    switch column.type {
    case .structure where isVariant && column.type.fitsVariants: writeVariants(column)
    case .null:
      for _ in 0..<column.count {
        appendNull()
        endCell()
      }
    case .int32, .int64: writeNumbers(column, as: .integer, quoted: false)
    case .decimal(let precision, let scale) where precision <= 18 && scale >= 0:
      writeNumbers(column, as: .decimal(scale: scale), quoted: true)
    case .date: writeNumbers(column, as: .date, quoted: true)
    case .time: writeNumbers(column, as: .time, quoted: true)
    case .timestamp(let unit, let zoned):
      writeNumbers(column, as: .moment(unit, zoned: zoned), quoted: true)
    default: writeEach(column)
    }
  }

  /// Numbers of 4 or 8 bytes.
  private mutating func writeNumbers(_ column: Column, as spelling: NumberText, quoted: Bool) {
    guard case .fixed(let width) = column.type.layout,
      case .fixed(let values) = (try? column.materialized())?.values
    else {
      // Nothing but nulls.
      for _ in 0..<column.count {
        appendNull()
        endCell()
      }
      return
    }
    let null: [UInt8]
    switch form {
    case .json: null = Array("null".utf8)
    case .csv: null = []
    case .plain: null = Array("NULL".utf8)
    }
    spelling.append(
      values, width: width, validity: column.validity, null: null,
      quoted: quoted && form == .json, to: &bytes, &offsets)
  }

  private mutating func writeEach(_ column: Column) {
    let children = Self.cells(ofPartsOf: column)
    for row in 0..<column.count {
      if column.isNull(row) { appendNull() } else { append(row, of: column, children) }
      endCell()
    }
  }

  /// The cells of a structure's fields, of a list's elements, or of a map's keys and values.
  private static func cells(ofPartsOf column: Column) -> [TextCells] {
    var columns = column.children
    if case .map = column.type { columns = columns.flatMap(\.children) }
    return zip(columns, column.type.children).map { $0.textCells(.json, isVariant: $1.isVariant) }
  }

  /// Variants as what they stand for; those that can't be read, as the two binaries they are.
  private mutating func writeVariants(_ column: Column) {
    var variants = VariantText()
    var json = MutableBuffer()
    let binaries = column.children.map { $0.textCells(.json) }
    guard case .structure(let fields) = column.type else { return }
    for row in 0..<column.count {
      if column.isNull(row) {
        appendNull()
      } else {
        json.removeAll()
        do throws(VariantText.Malformed) {
          let (metadata, value) = (column.children[0], column.children[1])
          if metadata.isNull(row) || value.isNull(row) { throw VariantText.Malformed() }
          try variants.append(
            metadata: metadata.bytes(row), value: value.bytes(row), to: &json)
          if form == .csv {
            JSONText.appendCSV(json.bytes, to: &bytes)
          } else {
            bytes.append(json.bytes)
          }
        } catch {
          appendStructure(row, fields, binaries)
        }
      }
      endCell()
    }
  }

  private mutating func append(_ row: Int, of column: Column, _ children: [TextCells]) {
    switch column.type {
    case .boolean: if column.boolean(row) { append("true") } else { append("false") }
    case .float, .double: append(column.floatingPoint(row))
    case .decimal(_, let scale): append(quoted: Column.text(column.unscaled(row), scale: scale))
    case .string: append(text: column.bytes(row).bytes)
    case .binary, .fixed:
      let bytes = column.bytes(row)
      append(quoted: "0x" + bytes.array().hexadecimal)
    case .uuid: append(quoted: Column.uuidText(column.bytes(row).array()))
    case .structure(let fields): appendStructure(row, fields, children)
    case .list: appendList(column.elementRange(row), children[0])
    case .map: appendMap(column.elementRange(row), keys: children[0], values: children[1])
    default: preconditionFailure("\(column.type) is written elsewhere")
    }
  }

  private mutating func append(_ value: Double) {
    if value.isFinite { return append(plain: value.description) }
    append(quoted: value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
  }

  private mutating func append(plain text: String) {
    for byte in text.utf8 { bytes.append(value: byte) }
  }

  /// Text that needs no escapes, in quotes where the form wants them.
  private mutating func append(quoted text: String) {
    if form == .json { bytes.append(value: UInt8(ascii: "\"")) }
    append(plain: text)
    if form == .json { bytes.append(value: UInt8(ascii: "\"")) }
  }

  private mutating func append(text: RawSpan) {
    switch form {
    case .json: JSONText.append(text, to: &bytes)
    case .csv: JSONText.appendCSV(text, to: &bytes)
    case .plain: bytes.append(text)
    }
  }

  // MARK: nested values, which are JSON in every form

  private mutating func closing(_ body: (inout MutableBuffer) -> Void) {
    guard form == .csv else { return body(&bytes) }
    var json = MutableBuffer()
    body(&json)
    JSONText.appendCSV(json.bytes, to: &bytes)
  }

  private mutating func appendStructure(_ row: Int, _ fields: [ColumnField], _ cells: [TextCells]) {
    closing { output in
      output.append(value: UInt8(ascii: "{"))
      for (index, field) in fields.enumerated() {
        if index > 0 { output.append(value: UInt8(ascii: ",")) }
        JSONText.append(Buffer(utf8: field.name).bytes, to: &output)
        output.append(value: UInt8(ascii: ":"))
        cells[index].append(row, to: &output)
      }
      output.append(value: UInt8(ascii: "}"))
    }
  }

  private mutating func appendList(_ rows: Range<Int>, _ cells: TextCells) {
    closing { output in
      output.append(value: UInt8(ascii: "["))
      for row in rows {
        if row > rows.lowerBound { output.append(value: UInt8(ascii: ",")) }
        cells.append(row, to: &output)
      }
      output.append(value: UInt8(ascii: "]"))
    }
  }

  /// Pairs sorted by the text of their keys, so that equal maps have one text.
  private mutating func appendMap(_ rows: Range<Int>, keys: TextCells, values: TextCells) {
    let sorted = rows.map { (keys.text($0), $0) }.sorted {
      $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
    }
    closing { output in
      output.append(value: UInt8(ascii: "["))
      for (index, (_, row)) in sorted.enumerated() {
        if index > 0 { output.append(value: UInt8(ascii: ",")) }
        output.append(value: UInt8(ascii: "["))
        keys.append(row, to: &output)
        output.append(value: UInt8(ascii: ","))
        values.append(row, to: &output)
        output.append(value: UInt8(ascii: "]"))
      }
      output.append(value: UInt8(ascii: "]"))
    }
  }
}

extension Column {
  /// A decimal's text: all its digits, `scale` of them after the point.
  package static func text(_ unscaled: Int128, scale: Int) -> String {
    var digits = String(unscaled.magnitude)
    let sign = unscaled < 0 ? "-" : ""
    if scale <= 0 {
      return sign + digits + String(repeating: "0", count: unscaled == 0 ? 0 : -scale)
    }
    if digits.utf8.count <= scale {
      digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
    }
    let point = digits.index(digits.endIndex, offsetBy: -scale)
    return sign + digits[..<point] + "." + digits[point...]
  }

  /// The 16 bytes of a UUID as lower-case text with hyphens.
  package static func uuidText(_ bytes: [UInt8]) -> String {
    let hex = Array(bytes.hexadecimal.utf8)
    var text: [UInt8] = []
    for (index, byte) in hex.enumerated() {
      if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
      text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
