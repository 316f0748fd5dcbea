// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Makes columns of arrays: as they are where the layouts agree, else converted.
///
/// Nothing of an array is trusted but that its buffers are there: counts, offsets and codes are held
/// against them, and what is allocated against an ``Allowance``.
struct ColumnDecoder {
  var allowance: Allowance

  /// The rows of `array`, an array of `field`, which is at `path`.
  mutating func column(
    _ array: ArrayData, _ field: ArrowField, _ path: String
  ) throws(ArrowError) -> Column {
    let (end, overflow) = array.offset.addingReportingOverflow(array.count)
    guard array.count >= 0, array.offset >= 0, !overflow, end < Int(Int32.max) else {
      throw .malformed(
        field: path, expected: "fewer than 2^31 rows", found: "\(array.count) rows")
    }
    if let dictionary = field.dictionary {
      return try coded(array, dictionary, type: try field.columnType(path), path)
    }
    let type = try field.columnType(path)
    if array.count == 0, !type.isNested { return ColumnBuilder(type).finish() }
    switch field.type {
    case .null:
      try allowance.take((array.count + 7) / 8)
      return .nulls(type, count: array.count)
    case .runEndEncoded: return try expanded(array, field, type, path)
    case .utf8, .binary, .largeUtf8, .largeBinary, .utf8View, .binaryView:
      return try variable(array, field.type, type, path)
    case .structure, .list, .largeList, .listView, .largeListView, .fixedSizeList, .map:
      return try nested(array, field, type, path)
    default: return try fixed(array, field.type, type, path)
    }
  }

  /// 1 where a row has a value; nil if all have.
  func validity(_ array: ArrayData, _ path: String) throws(ArrowError) -> Bitmap? {
    if array.nullCount == 0 || array.count == 0 { return nil }
    guard let buffer = array.buffers.first ?? nil, buffer.count > 0 else {
      if array.nullCount == nil { return nil }
      throw .malformed(field: path, expected: "a validity bitmap", found: "none")
    }
    guard (array.end + 7) / 8 <= buffer.count else {
      throw .truncated(
        what: "validity of field '\(path)'", needed: Int64((array.end + 7) / 8),
        available: Int64(buffer.count))
    }
    return Bitmap(buffer, offset: array.offset, count: array.count)
  }

  /// The rows' values in buffer `index`, `width` bytes each, and `extra` more (offsets), aligned.
  func values(
    _ array: ArrayData, _ index: Int, width: Int, extra: Int = 0, _ path: String
  ) throws(ArrowError) -> Buffer {
    let buffer = index < array.buffers.count ? array.buffers[index] ?? .empty : .empty
    let (needed, overflow) = (array.end + extra).multipliedReportingOverflow(by: width)
    guard !overflow, needed <= buffer.count else {
      throw .truncated(
        what: "values of field '\(path)'", needed: overflow ? .max : Int64(needed),
        available: Int64(buffer.count))
    }
    return buffer.slice(array.offset * width..<needed).aligned(for: width)
  }
}

extension Buffer {
  /// These bytes, copied if they don't lie as integers of `width` bytes have to.
  func aligned(for width: Int) -> Buffer {
    let alignment = [2: 2, 4: 4, 8: 8, 16: 8][width] ?? 1
    return isAligned(to: alignment) ? self : Buffer(copying: bytes)
  }
}

// MARK: - Fixed width

extension ColumnDecoder {
  private mutating func fixed(
    _ array: ArrayData, _ arrow: ArrowType, _ type: ColumnType, _ path: String
  ) throws(ArrowError) -> Column {
    let validity = try validity(array, path)
    func column(_ values: Column.Values) -> Column {
      Column(type: type, count: array.count, validity: validity, values: values)
    }
    if arrow == .boolean {
      let bits = (index: 1, byteCount: (array.end + 7) / 8)
      let buffer = array.buffers.count > 1 ? array.buffers[1] ?? .empty : .empty
      guard bits.byteCount <= buffer.count else {
        throw .truncated(
          what: "values of field '\(path)'", needed: Int64(bits.byteCount),
          available: Int64(buffer.count))
      }
      return column(.bits(Bitmap(buffer, offset: array.offset, count: array.count)))
    }
    guard case .fixed(let target) = type.layout, let width = arrow.byteWidth else {
      throw .unsupported(field: path, type: "\(arrow)")
    }
    let source = try values(array, 1, width: width, path)
    if arrow.liesAsColumn { return column(.fixed(source)) }
    try allowance.take(array.count, times: target)
    let conversion = Conversion(
      source: source, count: array.count, validity: validity, type: type, path: path)
    return column(.fixed(try conversion.run(arrow)))
  }
}

extension ArrowType {
  /// How many bytes a value has; nil for types without values of one width.
  var byteWidth: Int? {
    switch self {
    case .integer(let bitWidth, _), .floatingPoint(let bitWidth), .decimal(_, _, let bitWidth),
      .time(_, let bitWidth):
      bitWidth / 8
    case .dateDays: 4
    case .dateMilliseconds, .timestamp: 8
    case .fixedSizeBinary(let byteCount): byteCount
    default: nil
    }
  }

  /// True if values are as a column of the type has them.
  fileprivate var liesAsColumn: Bool {
    switch self {
    case .integer(let bitWidth, let isSigned): isSigned && bitWidth >= 32
    case .floatingPoint(let bitWidth): bitWidth >= 32
    case .decimal(let precision, _, let bitWidth): bitWidth == (precision <= 18 ? 64 : 128)
    case .dateDays, .fixedSizeBinary: true
    case .time(let unit, let bitWidth): unit == .microseconds && bitWidth == 64
    case .timestamp(let unit, _): unit == .microseconds || unit == .nanoseconds
    default: false
    }
  }
}
