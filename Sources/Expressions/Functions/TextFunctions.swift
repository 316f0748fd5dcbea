// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar
internal import Iceberg

extension Evaluation {
  /// Functions of text; those of one argument once an entry where it is a dictionary.
  func text(
    _ function: TextFunction, _ arguments: [BoundNode], _ node: BoundNode
  ) throws(ExpressionError) -> Column {
    let type = node.type.columnType
    let first = try column(arguments[0])
    var columns = [first]
    let isUnary = arguments.dropFirst().allSatisfy(\.isConstant)
    if isUnary, case .dictionary(let codes, let entries) = first.values, entries.count > 0,
      entries.count < rowCount
    {
      let constants = Evaluation(rowCount: entries.count)
      columns = [entries]
      for argument in arguments.dropFirst() { columns.append(try constants.plain(argument)) }
      let result = try applied(function, columns, type, node)
      if result.nullCount == 0 {
        return Column(
          type: type, count: rowCount, validity: first.validity,
          values: .dictionary(codes: codes, result))
      }
      return .nulls(type, count: rowCount)
    }
    return try applied(function, try plain(arguments), type, node)
  }

  private func applied(
    _ function: TextFunction, _ columns: [Column], _ type: ColumnType, _ node: BoundNode
  ) throws(ExpressionError) -> Column {
    if columns.contains(where: \.isAllNull) { return .nulls(type, count: columns[0].count) }
    let arguments = TextArguments(columns)
    do throws(ColumnarError) {
      switch type {
      case .boolean: return arguments.tests(function)
      case .int32: return arguments.numbers(function)
      default: return try arguments.texts(function)
      }
    } catch { throw .columnar(error, in: "\(node.source)") }
  }

  /// `a || b`: null where one of them is.
  func concatenated(
    _ node: BoundNode, _ parts: [BoundNode]
  ) throws(ExpressionError) -> Column {
    let columns = try plain(parts)
    if columns.contains(where: \.isAllNull) { return .nulls(.string, count: rowCount) }
    let validity = columns.reduce(nil as Bitmap?) { Bitmap.both($0, $1.validity) }
    return try joined(node, columns, validity)
  }

  /// `concat(a, …)`: nulls are left out.
  func concatenated(
    _ node: BoundNode, _ parts: [BoundNode], skippingNulls: Void
  ) throws(ExpressionError) -> Column {
    try joined(node, try plain(parts), nil)
  }

  private func joined(
    _ node: BoundNode, _ columns: [Column], _ validity: Bitmap?
  ) throws(ExpressionError) -> Column {
    let texts = columns.map { TextRows($0) }
    var builder = TextBuilder(capacity: rowCount)
    do throws(ColumnarError) {
      for row in 0..<rowCount {
        if let validity, !validity[row] {
          builder.endNull()
          continue
        }
        for text in texts where !text.isNull(row) { text.append(row, to: &builder.bytes) }
        try builder.endRow()
      }
    } catch { throw .columnar(error, in: "\(node.source)") }
    return builder.finish()
  }
}

/// Builds a column of text: the bytes of a row are appended, then closed. Throws where they outgrow
/// offsets.
struct TextBuilder: ~Copyable {
  var bytes: MutableBuffer
  private var offsets: MutableBuffer
  private var validity: BitmapBuilder

  init(capacity: Int) {
    bytes = MutableBuffer(capacity: capacity * 8)
    offsets = MutableBuffer(capacity: (capacity + 1) * 4)
    offsets.append(value: Int32(0))
    validity = BitmapBuilder(capacity: capacity)
  }

  mutating func endNull() {
    offsets.append(value: Int32(truncatingIfNeeded: bytes.count))
    validity.append(false)
  }

  mutating func endRow() throws(ColumnarError) {
    guard let end = Int32(exactly: bytes.count) else {
      throw .tooLarge(count: Int64(bytes.count))
    }
    offsets.append(value: end)
    validity.append(true)
  }

  consuming func finish() -> Column {
    let count = validity.count
    return Column(
      type: .string, count: count, validity: validity.finish(),
      values: .variable(offsets: offsets.freeze(), bytes: bytes.freeze()))
  }
}

/// The arguments of a function of text: plain columns of as many rows, none of them all null.
struct TextArguments {
  private let columns: [Column]
  private let texts: [TextRows?]
  private let count: Int
  private let validity: Bitmap?

  init(_ columns: [Column]) {
    self.columns = columns
    texts = columns.map { $0.type == .string ? TextRows($0) : nil }
    count = columns[0].count
    validity = columns.reduce(nil as Bitmap?) { Bitmap.both($0, $1.validity) }
  }

  private func isNull(_ row: Int) -> Bool { validity.map { !$0[row] } ?? false }

  /// What `body` makes of the text in `row` of argument `index`.
  @inline(__always)
  private func with<R>(_ index: Int, _ row: Int, _ body: (RawSpan) -> R) -> R {
    guard let text = texts[index] else { preconditionFailure("argument \(index) is no text") }
    return text.withBytes(row, body)
  }

  private func number(_ index: Int, _ row: Int) -> Int { Int(columns[index].integer(row)) }

  // MARK: Functions that tell something of a text

  func tests(_ function: TextFunction) -> Column {
    var bits = BitmapBuilder(capacity: count)
    for row in 0..<count {
      let result =
        !isNull(row)
        && with(0, row) { text in
          with(1, row) { other in
            switch function {
            case .startsWith: text.matches(other, at: 0)
            case .endsWith: text.matches(other, at: text.byteCount - other.byteCount)
            default: text.firstOffset(of: other, from: 0) != nil
            }
          }
        }
      bits.append(result)
    }
    return Column(type: .boolean, count: count, validity: validity, values: .bits(bits.finish()))
  }

  func numbers(_ function: TextFunction) -> Column {
    let builder = ColumnBuilder(.int32, capacity: count)
    for row in 0..<count {
      if isNull(row) {
        builder.appendNull()
        continue
      }
      let number = with(0, row) { text in
        if function == .length { return text.codePointCount }
        return with(1, row) { other in
          text.firstOffset(of: other, from: 0)
            .map { text.extracting(0..<$0).codePointCount + 1 } ?? 0
        }
      }
      builder.append(Int32(clamping: number))
    }
    return builder.finish()
  }

  // MARK: Functions that make a text

  func texts(_ function: TextFunction) throws(ColumnarError) -> Column {
    var builder = TextBuilder(capacity: count)
    for row in 0..<count {
      if isNull(row) {
        builder.endNull()
      } else {
        write(function, row, to: &builder.bytes)
        try builder.endRow()
      }
    }
    return builder.finish()
  }

  private func write(_ function: TextFunction, _ row: Int, to output: inout MutableBuffer) {
    switch function {
    case .lower, .upper: writeCased(row, isUpper: function == .upper, to: &output)
    case .replace: writeReplaced(row, to: &output)
    case .padStart, .padEnd: writePadded(row, atStart: function == .padStart, to: &output)
    default:
      let range = self.range(function, row)
      texts[0]?.append(row, range, to: &output)
    }
  }

  /// Which bytes of the text a function picks.
  private func range(_ function: TextFunction, _ row: Int) -> Range<Int> {
    switch function {
    case .trim, .trimStart, .trimEnd:
      return with(0, row) { text in
        with(1, row) { characters in
          text.trimmed(
            of: characters, atStart: function != .trimEnd, atEnd: function != .trimStart)
        }
      }
    case .substring:
      let length = columns.count > 2 ? number(2, row) : Int.max
      return with(0, row) { $0.codePoints(from: number(1, row), count: length) }
    case .left: return with(0, row) { $0.first(codePoints: number(1, row)) }
    case .right: return with(0, row) { $0.last(codePoints: number(1, row)) }
    case .splitPart:
      return with(0, row) { text in
        with(1, row) { separator in text.part(number(2, row), between: separator) }
      }
    default: preconditionFailure("\(function) does not pick")
    }
  }

  private func writeCased(_ row: Int, isUpper: Bool, to output: inout MutableBuffer) {
    let isASCII = with(0, row) { $0.isASCII }
    guard isASCII else {
      let text = columns[0].string(row)
      output.append(Buffer(utf8: isUpper ? text.uppercased() : text.lowercased()).bytes)
      return
    }
    let start = output.count
    texts[0]?.append(row, to: &output)
    let first: UInt8 = isUpper ? 0x61 : 0x41
    var bytes = output.mutableValues(as: UInt8.self)
    for offset in start..<bytes.count where bytes[offset] &- first < 26 { bytes[offset] ^= 0x20 }
  }

  private func writeReplaced(_ row: Int, to output: inout MutableBuffer) {
    var start = 0
    while let found = with(
      0, row,
      { text in
        with(1, row) { $0.byteCount == 0 ? nil : text.firstOffset(of: $0, from: start) }
      })
    {
      texts[0]?.append(row, start..<found, to: &output)
      texts[2]?.append(row, to: &output)
      start = found + with(1, row) { $0.byteCount }
      // Past what a column holds: the builder refuses it.
      if output.count > Int(Int32.max) { return }
    }
    texts[0]?.append(row, start..<with(0, row) { $0.byteCount }, to: &output)
  }

  /// To a length in code points: cut, or filled up with the last argument over and over.
  private func writePadded(_ row: Int, atStart: Bool, to output: inout MutableBuffer) {
    let wanted = max(0, number(1, row))
    let (have, kept) = with(0, row) { ($0.codePointCount, $0.offset(afterCodePoints: wanted)) }
    if !atStart { texts[0]?.append(row, 0..<kept, to: &output) }
    var missing = max(0, wanted - have)
    let pad = with(2, row) { $0.codePointCount }
    while missing > 0, pad > 0, output.count <= Int(Int32.max) {
      let end = with(2, row) { $0.offset(afterCodePoints: missing) }
      texts[2]?.append(row, 0..<end, to: &output)
      missing -= min(missing, pad)
    }
    if atStart { texts[0]?.append(row, 0..<kept, to: &output) }
  }
}
