// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Turns texts into the values of one column.
///
/// A class, as a copy of the field for each value costs more than most values do.
final class TextColumn {
  let field: ColumnField
  let isNullable: Bool
  let builder: ColumnBuilder
  private let kind: Kind

  private enum Kind {
    case boolean, int32, int64, float, double, date, time, string, binary, uuid, unsupported
    case decimal(precision: Int, scale: Int)
    case timestamp(nanoseconds: Bool, zoned: Bool)
    case fixed(Int)
  }

  init(_ field: ColumnField, _ builder: ColumnBuilder) {
    self.field = field
    isNullable = field.isNullable
    self.builder = builder
    kind =
      switch field.type {
      case .boolean: .boolean
      case .int32: .int32
      case .int64: .int64
      case .float: .float
      case .double: .double
      case .date: .date
      case .time: .time
      case .string: .string
      case .binary: .binary
      case .uuid: .uuid
      case .decimal(let precision, let scale): .decimal(precision: precision, scale: scale)
      case .timestamp(let unit, let zoned):
        .timestamp(nanoseconds: unit == .nanoseconds, zoned: zoned)
      case .fixed(let byteCount): .fixed(byteCount)
      case .null, .structure, .list, .map: .unsupported
      }
  }

  /// False if a text can't be a value of a column of `type`, whatever it says.
  static func isSupported(_ type: ColumnType) -> Bool { !type.isNested && type != .null }

  /// Appends the value that `text` is; false, and nothing is appended, if it is none.
  func append(_ text: RawSpan) -> Bool {
    switch kind {
    case .string:
      builder.append(text)
      return true
    case .int64:
      guard let value = TextValues.integer(text) else { return false }
      builder.append(value)
    case .int32:
      guard let wide = TextValues.integer(text), let value = Int32(exactly: wide) else {
        return false
      }
      builder.append(value)
    case .double:
      guard let value = TextValues.double(text) else { return false }
      builder.append(value)
    case .float:
      guard let value = TextValues.double(text) else { return false }
      builder.append(Float(value))
    case .boolean:
      guard let value = TextValues.boolean(text) else { return false }
      builder.append(value)
    case .decimal(let precision, let scale):
      guard let value = TextValues.decimal(text, precision: precision, scale: scale) else {
        return false
      }
      builder.append(value)
    case .date:
      guard let value = TextMoments.date(text) else { return false }
      builder.append(value)
    case .time:
      guard let value = TextMoments.time(text) else { return false }
      builder.append(value)
    case .timestamp(let nanoseconds, let zoned):
      // A text without a zone is taken as UTC where an instant is wanted; one with a zone would
      // lose it where none is wanted.
      guard let moment = TextMoments.timestamp(text, nanoseconds: nanoseconds),
        zoned || !moment.hasZone
      else { return false }
      builder.append(moment.value)
    case .binary, .fixed, .uuid: return appendBytes(text)
    case .unsupported: return false
    }
    return true
  }

  private func appendBytes(_ text: RawSpan) -> Bool {
    let bytes: [UInt8]?
    switch kind {
    case .uuid: bytes = TextValues.uuid(text)
    case .fixed(let count):
      bytes = TextValues.binary(text).flatMap { $0.count == count ? $0 : nil }
    default: bytes = TextValues.binary(text) ?? text.array()
    }
    guard let bytes else { return false }
    builder.append(Buffer(bytes).bytes)
    return true
  }

  /// What a text of this column should have been.
  var expectation: String {
    switch field.type {
    case .date: "a date (YYYY-MM-DD)"
    case .timestamp(_, true): "a timestamptz (YYYY-MM-DDTHH:MM:SSZ)"
    case .timestamp(_, false): "a timestamp (YYYY-MM-DDTHH:MM:SS)"
    case .time: "a time (HH:MM:SS)"
    case .boolean: "true or false"
    case .binary, .fixed: "\(field.type) (0x and hexadecimal digits)"
    case .decimal, .int32, .int64, .float, .double, .uuid: "\(field.type)"
    default: "\(field.type), which text can't hold"
    }
  }
}

extension RawSpan {
  /// The text for an error: its first 60 bytes.
  var excerpt: String {
    let shown = extracting(first: Swift.min(byteCount, 60)).array()
    return String(decoding: shown, as: UTF8.self) + (byteCount > 60 ? "…" : "")
  }
}
