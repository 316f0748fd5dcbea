// SPDX-License-Identifier: Apache-2.0

// Types as the format strings of the C data interface have them.
// Source: Arrow C data interface, "Data type description – format strings".

extension ArrowType {
  private static let units = ["s", "m", "u", "n"]

  /// The format string.
  var format: String {
    switch self {
    case .null: "n"
    case .boolean: "b"
    case .integer(8, let isSigned): isSigned ? "c" : "C"
    case .integer(16, let isSigned): isSigned ? "s" : "S"
    case .integer(32, let isSigned): isSigned ? "i" : "I"
    case .integer(_, let isSigned): isSigned ? "l" : "L"
    case .floatingPoint(16): "e"
    case .floatingPoint(32): "f"
    case .floatingPoint: "g"
    case .decimal(let precision, let scale, let bitWidth):
      "d:\(precision),\(scale)" + (bitWidth == 128 ? "" : ",\(bitWidth)")
    case .dateDays: "tdD"
    case .dateMilliseconds: "tdm"
    case .time(let unit, _): "tt" + Self.units[unit.rawValue]
    case .timestamp(let unit, let zone): "ts" + Self.units[unit.rawValue] + ":" + zone
    case .utf8: "u"
    case .largeUtf8: "U"
    case .utf8View: "vu"
    case .binary: "z"
    case .largeBinary: "Z"
    case .binaryView: "vz"
    case .fixedSizeBinary(let byteCount): "w:\(byteCount)"
    case .list: "+l"
    case .largeList: "+L"
    case .listView: "+vl"
    case .largeListView: "+vL"
    case .fixedSizeList(let count): "+w:\(count)"
    case .structure: "+s"
    case .map: "+m"
    case .runEndEncoded: "+r"
    }
  }

  private static let plain: [String: ArrowType] = [
    "n": .null, "b": .boolean, "c": .integer(bitWidth: 8, isSigned: true),
    "C": .integer(bitWidth: 8, isSigned: false), "s": .integer(bitWidth: 16, isSigned: true),
    "S": .integer(bitWidth: 16, isSigned: false), "i": .integer(bitWidth: 32, isSigned: true),
    "I": .integer(bitWidth: 32, isSigned: false), "l": .integer(bitWidth: 64, isSigned: true),
    "L": .integer(bitWidth: 64, isSigned: false), "e": .floatingPoint(bitWidth: 16),
    "f": .floatingPoint(bitWidth: 32), "g": .floatingPoint(bitWidth: 64), "z": .binary,
    "Z": .largeBinary, "vz": .binaryView, "u": .utf8, "U": .largeUtf8, "vu": .utf8View,
    "tdD": .dateDays, "tdm": .dateMilliseconds, "tts": .time(.seconds, bitWidth: 32),
    "ttm": .time(.milliseconds, bitWidth: 32), "ttu": .time(.microseconds, bitWidth: 64),
    "ttn": .time(.nanoseconds, bitWidth: 64), "+l": .list, "+L": .largeList, "+vl": .listView,
    "+vL": .largeListView, "+s": .structure, "+m": .map, "+r": .runEndEncoded,
  ]

  /// The type that `format` stands for; nil for one that is not known, or has no counterpart.
  init?(format: String) {
    if let type = Self.plain[format] {
      self = type
      return
    }
    let parts = format.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let numbers = parts[1].split(separator: ",").map { Int($0) }
    switch parts[0] {
    case "w", "+w":
      guard let count = numbers.first ?? nil, count >= 0, count <= Int(Int32.max) else {
        return nil
      }
      self = parts[0] == "w" ? .fixedSizeBinary(byteCount: count) : .fixedSizeList(count: count)
    case "d":
      guard numbers.count >= 2, let precision = numbers[0], let scale = numbers[1] else {
        return nil
      }
      let bitWidth = numbers.count > 2 ? numbers[2] ?? 0 : 128
      guard [32, 64, 128, 256].contains(bitWidth) else { return nil }
      self = .decimal(precision: precision, scale: scale, bitWidth: bitWidth)
    case "tss", "tsm", "tsu", "tsn":
      guard let unit = Self.units.firstIndex(of: String(parts[0].suffix(1))),
        let timeUnit = ArrowTimeUnit(rawValue: unit)
      else { return nil }
      self = .timestamp(timeUnit, zone: String(parts[1]))
    default: return nil
    }
  }
}
