// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The field names of a variant, numbered.
///
///     metadata := header, count, offset × (count + 1), names
///
/// Source: parquet-format VariantEncoding.md, "Metadata encoding".
struct VariantNames {
  private var ids: [[UInt8]: Int] = [:]
  private(set) var names: [[UInt8]] = []

  init(_ metadata: RawSpan) throws(ByteError) {
    let header = try metadata.variantNumber(at: 0, width: 1)
    guard header & 0x0f == 1 else {
      throw .outOfRange(offset: 0, what: "version of a variant", value: Int64(header & 0x0f))
    }
    let width = header >> 6 + 1
    let count = try metadata.variantNumber(at: 1, width: width)
    // The specification's own examples leave out where no names end.
    if count == 0 { return }
    let (start, isTooMany) = (1 + width).addingReportingOverflow((count + 2) * width - width)
    guard !isTooMany, start <= metadata.byteCount else {
      throw .outOfRange(offset: 1, what: "names of a variant", value: Int64(count))
    }
    for id in 0..<count {
      let from = try metadata.variantNumber(at: 1 + width * (id + 1), width: width)
      let end = try metadata.variantNumber(at: 1 + width * (id + 2), width: width)
      guard from <= end, end <= metadata.byteCount - start else {
        throw .outOfRange(offset: 1 + width * (id + 1), what: "a name's place", value: Int64(end))
      }
      let name = metadata.extracting(start + from..<start + end).array()
      names.append(name)
      ids[name] = id
    }
  }

  /// The number of `name`.
  ///
  /// - Throws: if the variant does not have it, which all shredded names must be among.
  func id(of name: [UInt8]) throws(ByteError) -> Int {
    guard let id = ids[name] else {
      let text = String(decoding: name, as: UTF8.self)
      throw .unexpected(offset: 0, expected: "field '\(text)' in the metadata", found: "none")
    }
    return id
  }
}

/// Makes values of variants of their parts.
///
/// Source: parquet-format VariantEncoding.md, "Value encoding".
enum VariantBytes {
  static let null: [UInt8] = [0]

  /// A primitive: its header, and the little-endian bytes behind it.
  static func primitive(_ type: VariantPrimitive, _ bytes: [UInt8] = []) -> [UInt8] {
    [type.rawValue << 2] + bytes
  }

  static func string(_ text: [UInt8]) -> [UInt8] {
    if text.count < 64 { return [UInt8(text.count) << 2 | 1] + text }
    return sized(.string, text)
  }

  /// A string or binary with its length.
  static func sized(_ type: VariantPrimitive, _ bytes: [UInt8]) -> [UInt8] {
    primitive(type, number(bytes.count, width: 4) + bytes)
  }

  static func array(_ elements: [[UInt8]]) -> [UInt8] {
    let total = elements.reduce(0) { $0 + $1.count }
    let width = Self.width(of: total)
    let isLarge = elements.count > 255
    var bytes: [UInt8] = [UInt8((isLarge ? 4 : 0) | (width - 1)) << 2 | 3]
    bytes += number(elements.count, width: isLarge ? 4 : 1)
    append(elements, offsetWidth: width, to: &bytes)
    return bytes
  }

  /// An object of fields by their names' numbers, sorted by name.
  static func object(_ fields: [(id: Int, value: [UInt8])]) -> [UInt8] {
    let total = fields.reduce(0) { $0 + $1.value.count }
    let width = Self.width(of: total)
    let idWidth = Self.width(of: fields.map(\.id).max() ?? 0)
    let isLarge = fields.count > 255
    let header = (isLarge ? 16 : 0) | (idWidth - 1) << 2 | (width - 1)
    var bytes: [UInt8] = [UInt8(header) << 2 | 2]
    bytes += number(fields.count, width: isLarge ? 4 : 1)
    for field in fields { bytes += number(field.id, width: idWidth) }
    append(fields.map(\.value), offsetWidth: width, to: &bytes)
    return bytes
  }

  private static func append(_ values: [[UInt8]], offsetWidth: Int, to bytes: inout [UInt8]) {
    var offset = 0
    for value in values {
      bytes += number(offset, width: offsetWidth)
      offset += value.count
    }
    bytes += number(offset, width: offsetWidth)
    for value in values { bytes += value }
  }

  private static func width(of number: Int) -> Int {
    number < 1 << 8 ? 1 : number < 1 << 16 ? 2 : number < 1 << 24 ? 3 : 4
  }

  private static func number(_ value: Int, width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  /// The fields of the object that `value` is: their names' numbers, and their values' bytes.
  ///
  /// The order of values is free, so each one's end is where it says itself: see ``length(of:)``.
  static func fields(of value: RawSpan) throws(ByteError) -> [(id: Int, value: [UInt8])] {
    let header = try value.variantNumber(at: 0, width: 1)
    guard header & 3 == 2 else {
      throw .unexpected(offset: 0, expected: "an object", found: "basic type \(header & 3)")
    }
    let (isLarge, idWidth, width) = (header >> 6 & 1, header >> 4 & 3 + 1, header >> 2 & 3 + 1)
    let countWidth = isLarge == 1 ? 4 : 1
    let count = try value.variantNumber(at: 1, width: countWidth)
    let ids = 1 + countWidth
    let offsets = ids + count * idWidth
    let start = offsets + (count + 1) * width
    guard start <= value.byteCount else {
      throw .outOfRange(offset: 1, what: "fields of an object", value: Int64(count))
    }
    let end = try value.variantNumber(at: offsets + count * width, width: width)
    guard end <= value.byteCount - start else {
      throw .outOfRange(offset: offsets, what: "an object's end", value: Int64(end))
    }
    var places: [Int] = []
    for index in 0..<count {
      places.append(try value.variantNumber(at: offsets + index * width, width: width))
    }
    // A value ends where the next one, by place, begins.
    let sorted = places.sorted() + [end]
    var fields: [(id: Int, value: [UInt8])] = []
    for (index, place) in places.enumerated() {
      let next = sorted[sorted.partition(above: place)]
      guard place < next, next <= end else {
        throw .outOfRange(offset: offsets, what: "a field's place", value: Int64(place))
      }
      let id = try value.variantNumber(at: ids + index * idWidth, width: idWidth)
      fields.append((id, value.extracting(start + place..<start + next).array()))
    }
    return fields
  }
}

extension [Int] {
  /// Where the first number above `value` is in the sorted array, or the last place.
  fileprivate func partition(above value: Int) -> Int {
    var low = 0
    var high = count - 1
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension RawSpan {
  /// The unsigned number of 1 to 4 bytes at `offset`.
  fileprivate func variantNumber(at offset: Int, width: Int) throws(ByteError) -> Int {
    guard offset >= 0, offset <= byteCount, width <= byteCount - offset else {
      throw .truncated(offset: offset, needed: width, available: Swift.max(0, byteCount - offset))
    }
    var number = 0
    for i in 0..<width { number |= Int(self[offset + i]) << (8 * i) }
    return number
  }
}
