// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// Which spelling values get.
package enum TextForm: Hashable, Sendable {
  /// JSON, in the canonical form of SPEC.md: decimals, dates and moments as strings, binary as
  /// 0x-hex, maps as pairs, variants as what they hold.
  case json
  /// A CSV field: quoted where RFC 4180 needs it; a null is nothing, an empty text is `""`.
  case csv
  /// For people: nothing is quoted, a null is `NULL`.
  case plain
}

/// The text of each row of a column, made a column at a time: far cheaper than row by row, and a
/// dictionary's texts are made once.
package struct TextCells: Sendable {
  /// Cell c is `bytes[offsets[c]..<offsets[c + 1]]`.
  let offsets: Buffer
  let bytes: Buffer
  /// Which cell a row has; nil if row i has cell i.
  let codes: Buffer?
  package let rowCount: Int

  init(offsets: Buffer, bytes: Buffer, codes: Buffer?, rowCount: Int) {
    self.offsets = offsets
    self.bytes = bytes
    self.codes = codes
    self.rowCount = rowCount
    checkBounds()
  }

  /// Proves what the kernels rely on: every cell lies inside, every code names a cell.
  private func checkBounds() {
    let ends = offsets.values(as: Int32.self)
    precondition(ends.count > 0 && ends[0] >= 0)
    var ascending = true
    for i in 1..<max(ends.count, 1) { ascending = ascending && ends[i] >= ends[i - 1] }
    precondition(ascending && Int(ends[ends.count - 1]) <= bytes.count)
    guard let codes else { return precondition(rowCount <= ends.count - 1) }
    let rows = codes.values(as: Int32.self)
    precondition(rows.count == rowCount)
    var inside = true
    for i in rows.indices { inside = inside && rows[i] >= 0 && rows[i] < ends.count - 1 }
    precondition(inside, "a code without a cell")
  }

  /// How many bytes the cells of all rows have.
  var totalByteCount: Int {
    let ends = offsets.values(as: Int32.self)
    guard let codes else { return Int(ends[rowCount] - ends[0]) }
    let rows = codes.values(as: Int32.self)
    var total = 0
    for i in rows.indices {
      let code = Int(rows[i])
      total &+= Int(ends[code + 1] &- ends[code])
    }
    return total
  }

  /// The text of `row`.
  package func text(_ row: Int) -> String {
    let ends = offsets.values(as: Int32.self)
    let cell = codes.map { Int($0.values(as: Int32.self)[row]) } ?? row
    let span = bytes.bytes.extracting(Int(ends[cell])..<Int(ends[cell + 1]))
    return String(decoding: span.array(), as: UTF8.self)
  }

  /// Appends the text of `row`.
  func append(_ row: Int, to output: inout MutableBuffer) {
    let ends = offsets.values(as: Int32.self)
    let cell = codes.map { Int($0.values(as: Int32.self)[row]) } ?? row
    output.append(bytes.bytes.extracting(Int(ends[cell])..<Int(ends[cell + 1])))
  }
}

extension Column {
  /// The text of each row.
  ///
  /// - Parameter isVariant: as ``ColumnField/isVariant`` of the column's field.
  package func textCells(_ form: TextForm, isVariant: Bool = false) -> TextCells {
    if case .dictionary(let codes, let dictionary) = values, validity == nil {
      let cells = dictionary.textCells(form, isVariant: isVariant)
      return TextCells(offsets: cells.offsets, bytes: cells.bytes, codes: codes, rowCount: count)
    }
    var writer = TextCellWriter(form: form, rowCount: count)
    writer.write(self, isVariant: isVariant)
    return writer.finish()
  }
}

extension RecordBatch {
  /// Appends a line of text for each row, as `form` has it: a JSON object with the fields in
  /// order, or the fields with `separator` between them. Each is followed by `ending`.
  ///
  /// Cost: some 20 ns a value; nothing is looked up or allocated per row.
  package func appendLines(
    _ form: TextForm, separator: UInt8 = UInt8(ascii: ","), ending: String = "\n",
    to output: inout MutableBuffer
  ) {
    let cells = zip(columns, fields).map { $0.textCells(form, isVariant: $1.isVariant) }
    var prefixes: [[UInt8]] = []
    for (index, field) in fields.enumerated() {
      guard form == .json else {
        prefixes.append(index == 0 ? [] : [separator])
        continue
      }
      var key = MutableBuffer()
      key.append(value: UInt8(ascii: index == 0 ? "{" : ","))
      JSONText.append(Buffer(utf8: field.name).bytes, to: &key)
      key.append(value: UInt8(ascii: ":"))
      prefixes.append(key.bytes.array())
    }
    let closing = form == .json ? (fields.isEmpty ? "{}" : "}") : ""
    TextKernels.interleave(
      cells, prefixes: prefixes, ending: Array((closing + ending).utf8), rowCount: rowCount,
      into: &output)
  }
}
