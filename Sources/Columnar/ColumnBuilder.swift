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
  public private(set) var count = 0

  private var validity: BitmapBuilder
  private var bits: BitmapBuilder
  private var fixed: MutableBuffer
  private var offsets: MutableBuffer
  private let width: Int

  public init(_ type: ColumnType, capacity: Int = 0) {
    self.type = type
    validity = BitmapBuilder(capacity: capacity)
    bits = BitmapBuilder()
    offsets = MutableBuffer()
    switch type.layout {
    case .fixed(let width):
      self.width = width
      fixed = MutableBuffer(capacity: capacity * width)
    default:
      self.width = 0
      fixed = MutableBuffer()
    }
    children =
      switch type {
      case .structure(let fields): fields.map { ColumnBuilder($0.type) }
      case .list, .map: [ColumnBuilder(type.elementType)]
      default: []
      }
    startOffsets()
  }

  private func startOffsets() {
    switch type.layout {
    case .variable, .list: offsets.append(value: Int32(0))
    default: break
    }
  }

  private func countValue() {
    validity.append(true)
    count &+= 1
  }

  public func appendNull() {
    switch type.layout {
    case .null: break
    case .bits: bits.append(false)
    case .fixed(let width):
      switch width {
      case 4: fixed.append(value: UInt32(0))
      case 8: fixed.append(value: UInt64(0))
      default: for _ in 0..<width { fixed.append(value: UInt8(0)) }
      }
    case .variable: offsets.append(value: Int32(truncatingIfNeeded: fixed.count))
    case .structure: for child in children { child.appendNull() }
    case .list: offsets.append(value: Int32(children[0].count))
    }
    validity.append(false)
    count &+= 1
  }

  public func append(_ value: Bool) {
    precondition(type.layout == .bits)
    bits.append(value)
    countValue()
  }

  public func append(_ value: Int32) {
    precondition(width == 4)
    fixed.append(value: value)
    countValue()
  }

  public func append(_ value: Int64) {
    precondition(width == 8)
    fixed.append(value: value)
    countValue()
  }

  public func append(_ value: Float) { append(Int32(bitPattern: value.bitPattern)) }
  public func append(_ value: Double) { append(Int64(bitPattern: value.bitPattern)) }

  /// The unscaled value of a decimal, which must fit the type's precision.
  public func append(_ value: Int128) {
    if width == 8 { return append(Int64(truncatingIfNeeded: value)) }
    precondition(width == 16)
    fixed.append(value: UInt64(truncatingIfNeeded: value))
    fixed.append(value: Int64(truncatingIfNeeded: value >> 64))
    countValue()
  }

  /// The bytes of a string (UTF-8), binary, fixed or uuid.
  public func append(_ bytes: RawSpan) {
    fixed.append(bytes)
    if case .variable = type.layout {
      precondition(fixed.count <= Int(Int32.max), "a column of more than 2 GiB")
      offsets.append(value: Int32(truncatingIfNeeded: fixed.count))
    } else {
      precondition(bytes.byteCount == width, "bytes of another width")
    }
    countValue()
  }

  public func append(_ text: String) {
    var text = text
    text.withUTF8 { unsafe append($0.span.bytes) }
  }

  /// Closes a list or map whose elements were appended to its child.
  public func endList() {
    precondition(type.layout == .list)
    offsets.append(value: Int32(children[0].count))
    countValue()
  }

  /// Closes a structure whose fields were appended to its children.
  public func endStructure() {
    precondition(type.layout == .structure)
    countValue()
  }

  /// How many bytes were appended to a string or binary column.
  public var byteCount: Int { fixed.count }

  /// The column of what was appended; the builder is empty again.
  public func finish() -> Column {
    let rows = count
    let validity = exchange(&self.validity, with: BitmapBuilder(capacity: rows)).finish()
    let values: Column.Values
    switch type.layout {
    case .null: values = .null
    case .bits: values = .bits(exchange(&bits, with: BitmapBuilder(capacity: rows)).finish())
    case .fixed: values = .fixed(takeFixed())
    case .variable: values = .variable(offsets: takeOffsets(), bytes: takeFixed())
    case .structure: values = .structure(children.map { $0.finish() })
    case .list: values = .list(offsets: takeOffsets(), elements: children[0].finish())
    }
    count = 0
    startOffsets()
    return Column(type: type, count: rows, validity: validity, values: values)
  }

  private func takeFixed() -> Buffer {
    let size = fixed.count
    return exchange(&fixed, with: MutableBuffer(capacity: size)).freeze()
  }

  private func takeOffsets() -> Buffer {
    let size = offsets.count
    return exchange(&offsets, with: MutableBuffer(capacity: size)).freeze()
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
