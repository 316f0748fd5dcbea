// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The narrowest type that all texts of a column seen so far are values of.
///
///     nothing ─► boolean ──────────────────────────────► string
///             ─► long ─► double ───────────────────────► string
///             ─► time ─────────────────────────────────► string
///             ─► date ─► timestamp ────────────────────► string
///             ─► timestamptz (all with a zone) ────────► string
///
/// Digits with a leading zero are text: a zip code or a number of an account.
struct TypeInference {
  private(set) var type: ColumnType?

  /// A column in which a text was seen that is nothing but text.
  static let text = TypeInference(type: .string)

  init() {}
  private init(type: ColumnType) { self.type = type }

  mutating func observe(_ text: RawSpan) {
    switch type {
    case .string?: return
    case .int64?:
      if isInteger(text) { return }
      type = isNumber(text) ? .double : .string
    case .double?: if !isNumber(text) { type = .string }
    case .boolean?: if TextValues.boolean(text) == nil { type = .string }
    case .time?: if TextMoments.time(text) == nil { type = .string }
    case .date?:
      if TextMoments.date(text) != nil { return }
      let moment = TextMoments.timestamp(text, nanoseconds: false)
      type = moment?.hasZone == false ? .timestamp(.microseconds, zoned: false) : .string
    case .timestamp(_, let zoned)?:
      let moment = TextMoments.timestamp(text, nanoseconds: false)
      if moment?.hasZone != zoned { type = .string }
    default: type = firstType(of: text)
    }
  }

  private func firstType(of text: RawSpan) -> ColumnType {
    if isInteger(text) { return .int64 }
    if isNumber(text) { return .double }
    if TextValues.boolean(text) != nil { return .boolean }
    if TextMoments.date(text) != nil { return .date }
    if let moment = TextMoments.timestamp(text, nanoseconds: false) {
      return .timestamp(.microseconds, zoned: moment.hasZone)
    }
    return TextMoments.time(text) != nil ? .time : .string
  }

  private func hasLeadingZero(_ text: RawSpan) -> Bool {
    var at = 0
    if text.byteCount > 0 {
      let first = text.loadLE(at: 0, as: UInt8.self)
      if first == UInt8(ascii: "-") || first == UInt8(ascii: "+") { at = 1 }
    }
    guard text.byteCount > at + 1, text.loadLE(at: at, as: UInt8.self) == 48 else { return false }
    return text.loadLE(at: at + 1, as: UInt8.self) &- 48 < 10
  }

  private func isInteger(_ text: RawSpan) -> Bool {
    TextValues.integer(text) != nil && !hasLeadingZero(text)
  }

  private func isNumber(_ text: RawSpan) -> Bool {
    TextValues.double(text) != nil && !hasLeadingZero(text)
  }
}
