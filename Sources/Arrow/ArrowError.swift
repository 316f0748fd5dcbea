// SPDX-License-Identifier: Apache-2.0
public import Bytes
public import Codecs
public import Columnar

/// What can go wrong when batches are exchanged in Arrow's formats.
///
/// Fields are named by their dotted path; a place that is no field's (framing, a footer) by ''.
@nonexhaustive
public enum ArrowError: Error, Hashable, Sendable {
  /// The bytes end before what they hold does.
  case truncated(what: String, needed: Int64, available: Int64)
  /// The FlatBuffer of a message or footer is none; offsets count from its start.
  case metadata(ByteError)
  /// Something is not as the format has it.
  case malformed(field: String, expected: String, found: String)
  /// A field is of a type, or a message of a kind, that no column can hold.
  case unsupported(field: String, type: String)
  /// The value in `row` of its batch is none of the column's type.
  case outOfRange(field: String, row: Int, value: String, type: ColumnType)
  /// More memory would be needed than is granted.
  case limitExceeded(what: String, value: Int64, limit: Int64)
  /// The buffers of a message can't be decompressed, or compressed.
  case codec(CodecError, field: String)
  /// The strings or elements of a batch outgrow 32-bit offsets.
  case columnar(ColumnarError, field: String)
  /// A batch to be written does not have the columns that were announced.
  case mismatch(field: String, expected: String, found: String)
  /// The other side of a C stream failed, in its own words.
  case producer(code: Int32, message: String)
}

extension ArrowError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let what, let needed, let available):
      "arrow ends early: \(what) of \(needed) bytes expected, found \(available)"
    case .metadata(let error): "arrow metadata: \(error)"
    case .malformed(let field, let expected, let found):
      "arrow\(Self.place(field)): expected \(expected), found \(found)"
    case .unsupported(let field, let type):
      "arrow\(Self.place(field)): type \(type) has no counterpart in a table"
    case .outOfRange(let field, let row, let value, let type):
      "arrow\(Self.place(field)), row \(row): \(value) is out of range for \(type)"
    case .limitExceeded(let what, let value, let limit):
      "arrow \(what) of \(value) is over the limit of \(limit)"
    case .codec(let error, let field): "arrow\(Self.place(field)): \(error)"
    case .columnar(let error, let field): "arrow\(Self.place(field)): \(error)"
    case .mismatch(let field, let expected, let found):
      "arrow\(Self.place(field)): expected a column of \(expected), found \(found)"
    case .producer(let code, let message): "arrow stream's producer failed (\(code)): \(message)"
    }
  }

  private static func place(_ field: String) -> String {
    field.isEmpty ? "" : " field '\(field)'"
  }
}
