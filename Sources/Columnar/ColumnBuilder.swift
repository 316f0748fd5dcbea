// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Builds a column value by value, for the edges where rows come one at a time.
///
/// Each `append` must suit the column's layout: `append(_: Int32)` for columns of 4 bytes, and so
/// on. A list's elements are appended to ``children`` first, then closed by ``endList()``; a
/// structure's fields are appended to its children, then counted by ``endStructure()``.
public final class ColumnBuilder {
  public let type: ColumnType
  /// Builders of the fields, or of the element (for a map: of the entries' structure).
  public let children: [ColumnBuilder]
  /// How many rows were appended.
  public var count: Int { rows.count }

  private var rows: Rows
  private let width: Int
  private let layout: ColumnLayout

  /// What was appended. One value, as each access to a class's variable is checked at run time for
  /// others that overlap it: with one for each of these, that took a quarter of reading CSV.
  private struct Rows: ~Copyable {
    var count = 0
    var validity: BitmapBuilder
    var bits = BitmapBuilder()
    var fixed: MutableBuffer
    var offsets = MutableBuffer()

    /// Where the values or elements of the last row end.
    var endOffset: Int {
      let span = offsets.bytes
      return Int(span.loadLE(at: span.byteCount - 4, as: Int32.self))
    }

    mutating func countValue() {
      validity.append(true)
      count &+= 1
    }

    mutating func append<T: BitwiseCopyable>(value: T) {
      fixed.append(value: value)
      countValue()
    }

    mutating func append(_ bit: Bool) {
      bits.append(bit)
      countValue()
    }

    mutating func append(_ bytes: RawSpan) {
      fixed.append(bytes)
      countValue()
    }

    mutating func append(variable bytes: RawSpan) {
      fixed.append(bytes)
      precondition(fixed.count <= Int(Int32.max), "a column of more than 2 GiB")
      offsets.append(value: Int32(truncatingIfNeeded: fixed.count))
      countValue()
    }

    mutating func append(end: Int) {
      offsets.append(value: Int32(end))
      countValue()
    }

    /// Appends a null of a layout whose values are here: not of a list or structure.
    mutating func appendNull(_ layout: ColumnLayout) {
      switch layout {
      case .null, .structure, .list: break
      case .bits: bits.append(false)
      case .fixed(width: 4): fixed.append(value: UInt32(0))
      case .fixed(width: 8): fixed.append(value: UInt64(0))
      case .fixed(let width): for _ in 0..<width { fixed.append(value: UInt8(0)) }
      case .variable: offsets.append(value: Int32(truncatingIfNeeded: fixed.count))
      }
      validity.append(false)
      count &+= 1
    }
  }

  /// Takes back what was appended after the first `kept` rows, also what of a next row was appended
  /// to the children only: how a reader forgets a row that turns out to be broken.
  package func truncate(to kept: Int) {
    precondition(kept >= 0 && kept <= count, "more rows than there are")
    rows.validity.truncate(to: kept)
    rows.count = kept
    switch layout {
    case .null: break
    case .bits: rows.bits.truncate(to: kept)
    case .fixed(let width): rows.fixed.resize(to: kept * width)
    case .variable:
      rows.offsets.resize(to: (kept + 1) * 4)
      rows.fixed.resize(to: rows.endOffset)
    case .structure: for child in children { child.truncate(to: kept) }
    case .list:
      rows.offsets.resize(to: (kept + 1) * 4)
      children[0].truncate(to: rows.endOffset)
    }
  }

  public init(_ type: ColumnType, capacity: Int = 0) {
    self.type = type
    layout = type.layout
    if case .fixed(let width) = layout { self.width = width } else { width = 0 }
    rows = Rows(
      validity: BitmapBuilder(capacity: capacity), fixed: MutableBuffer(capacity: capacity * width))
    children =
      switch type {
      case .structure(let fields): fields.map { ColumnBuilder($0.type) }
      case .list, .map: [ColumnBuilder(type.elementType)]
      default: []
      }
    startOffsets()
  }

  private func startOffsets() {
    switch layout {
    case .variable, .list: rows.offsets.append(value: Int32(0))
    default: break
    }
  }

  public func appendNull() {
    switch layout {
    case .structure: for child in children { child.appendNull() }
    case .list: rows.offsets.append(value: Int32(children[0].count))
    default: break
    }
    rows.appendNull(layout)
  }

  public func append(_ value: Bool) {
    precondition(layout == .bits)
    rows.append(value)
  }

  public func append(_ value: Int32) {
    precondition(width == 4)
    rows.append(value: value)
  }

  public func append(_ value: Int64) {
    precondition(width == 8)
    rows.append(value: value)
  }

  public func append(_ value: Float) { append(Int32(bitPattern: value.bitPattern)) }
  public func append(_ value: Double) { append(Int64(bitPattern: value.bitPattern)) }

  /// The unscaled value of a decimal, which must fit the type's precision.
  public func append(_ value: Int128) {
    if width == 8 { return append(Int64(truncatingIfNeeded: value)) }
    precondition(width == 16)
    rows.fixed.append(value: UInt64(truncatingIfNeeded: value))
    rows.append(value: Int64(truncatingIfNeeded: value >> 64))
  }

  /// The bytes of a string (UTF-8), binary, fixed or uuid.
  public func append(_ bytes: RawSpan) {
    if case .variable = layout { return rows.append(variable: bytes) }
    precondition(bytes.byteCount == width, "bytes of another width")
    rows.append(bytes)
  }

  public func append(_ text: String) {
    var text = text
    text.withUTF8 { unsafe append($0.span.bytes) }
  }

  /// Closes a list or map whose elements were appended to its child.
  public func endList() {
    precondition(layout == .list)
    rows.append(end: children[0].count)
  }

  /// Closes a structure whose fields were appended to its children.
  public func endStructure() {
    precondition(layout == .structure)
    rows.countValue()
  }

  /// How many bytes were appended to a string or binary column.
  public var byteCount: Int { rows.fixed.count }

  /// The column of what was appended; the builder is empty again.
  public func finish() -> Column {
    let count = rows.count
    let validity = exchange(&rows.validity, with: BitmapBuilder(capacity: count)).finish()
    let values: Column.Values
    switch layout {
    case .null: values = .null
    case .bits: values = .bits(exchange(&rows.bits, with: BitmapBuilder(capacity: count)).finish())
    case .fixed: values = .fixed(takeFixed())
    case .variable: values = .variable(offsets: takeOffsets(), bytes: takeFixed())
    case .structure: values = .structure(children.map { $0.finish() })
    case .list: values = .list(offsets: takeOffsets(), elements: children[0].finish())
    }
    rows.count = 0
    startOffsets()
    return Column(type: type, count: count, validity: validity, values: values)
  }

  private func takeFixed() -> Buffer {
    let size = rows.fixed.count
    return exchange(&rows.fixed, with: MutableBuffer(capacity: size)).freeze()
  }

  private func takeOffsets() -> Buffer {
    let size = rows.offsets.count
    return exchange(&rows.offsets, with: MutableBuffer(capacity: size)).freeze()
  }
}

/// Builders for all columns of a batch.
public final class BatchBuilder {
  public let fields: [ColumnField]
  public let columns: [ColumnBuilder]

  public init(_ fields: [ColumnField], capacity: Int = 0) {
    self.fields = fields
    columns = fields.map { ColumnBuilder($0.type, capacity: capacity) }
  }

  /// How many whole rows were appended: the length of the shortest column.
  public var rowCount: Int { columns.map(\.count).min() ?? 0 }

  /// The batch of what was appended, which must be whole rows; the builder is empty again.
  public func finish() -> RecordBatch {
    let rows = rowCount
    return RecordBatch(fields: fields, columns: columns.map { $0.finish() }, rowCount: rows)
  }
}
