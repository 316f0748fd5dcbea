// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Spells variants as the JSON they stand for.
///
/// Objects have their fields sorted by name; numbers, decimals among them, are JSON's; dates, times
/// and moments, UUIDs and binary are the strings that columns of their types have.
/// Cost: linear in the bytes of a value, as its parts may not overlap.
/// Source: parquet-format VariantEncoding.md.
struct VariantText {
  /// The metadata whose names were taken apart last; most rows of a file have the same.
  private var metadata: Buffer?
  /// Where in it each name is, by number.
  private var names: [Range<Int>] = []

  /// The bytes are no variant.
  struct Malformed: Error {}

  /// Values in values beyond this are not followed.
  private static let depthLimit = 100

  /// Appends the JSON of a variant to `output`.
  ///
  /// - Throws: ``Malformed``; what was appended till then is there.
  mutating func append(
    metadata: Buffer, value: Buffer, to output: inout MutableBuffer
  ) throws(Malformed) {
    if self.metadata != metadata {
      self.metadata = nil
      names = try Self.names(metadata.bytes)
      self.metadata = metadata
    }
    try append(value.bytes, 0..<value.count, depth: 0, to: &output)
  }

  private static func names(_ metadata: RawSpan) throws(Malformed) -> [Range<Int>] {
    let header = try metadata.number(at: 0, width: 1)
    guard header & 0x0f == 1 else { throw Malformed() }
    let width = header >> 6 + 1
    let count = try metadata.number(at: 1, width: width)
    // The specification's own examples leave out where no names end.
    if count == 0 { return [] }
    let start = 1 + width * (count + 2)
    guard start <= metadata.byteCount else { throw Malformed() }
    var names: [Range<Int>] = []
    var from = start + (try metadata.number(at: 1 + width, width: width))
    for id in 0..<count {
      let end = start + (try metadata.number(at: 1 + width * (id + 2), width: width))
      guard from <= end, end <= metadata.byteCount else { throw Malformed() }
      try metadata.checkText(from..<end)
      names.append(from..<end)
      from = end
    }
    return names
  }

  /// Appends the value that lies at the start of `range`.
  private func append(
    _ bytes: RawSpan, _ range: Range<Int>, depth: Int, to output: inout MutableBuffer
  ) throws(Malformed) {
    guard !range.isEmpty, depth < Self.depthLimit else { throw Malformed() }
    let header = Int(bytes[range.lowerBound])
    let rest = range.lowerBound + 1..<range.upperBound
    switch header & 3 {
    case 0: try VariantScalar.append(header >> 2, bytes, rest, to: &output)
    case 1: try VariantScalar.appendText(bytes, rest, count: header >> 2, to: &output)
    case 2: try appendObject(header >> 2, bytes, rest, depth, to: &output)
    default: try appendArray(header >> 2, bytes, rest, depth, to: &output)
    }
  }

  private func appendArray(
    _ header: Int, _ bytes: RawSpan, _ range: Range<Int>, _ depth: Int,
    to output: inout MutableBuffer
  ) throws(Malformed) {
    let countWidth = header & 4 == 0 ? 1 : 4
    let count = try bytes.number(at: range.lowerBound, width: countWidth, in: range)
    let elements = try Self.parts(
      bytes, range, at: range.lowerBound + countWidth, count: count, width: header & 3 + 1)
    output.append(value: UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(value: UInt8(ascii: ",")) }
      try append(bytes, element, depth: depth + 1, to: &output)
    }
    output.append(value: UInt8(ascii: "]"))
  }

  private func appendObject(
    _ header: Int, _ bytes: RawSpan, _ range: Range<Int>, _ depth: Int,
    to output: inout MutableBuffer
  ) throws(Malformed) {
    guard let metadata else { throw Malformed() }
    let countWidth = header & 16 == 0 ? 1 : 4
    let idWidth = header >> 2 & 3 + 1
    let count = try bytes.number(at: range.lowerBound, width: countWidth, in: range)
    let ids = range.lowerBound + countWidth
    let values = try Self.parts(
      bytes, range, at: ids + count * idWidth, count: count, width: header & 3 + 1)
    var fields: [(name: Range<Int>, value: Range<Int>)] = []
    for (index, value) in values.enumerated() {
      let id = try bytes.number(at: ids + index * idWidth, width: idWidth, in: range)
      guard names.indices.contains(id) else { throw Malformed() }
      fields.append((names[id], value))
    }
    fields.sort { metadata.bytes.extracting($0.name).precedes(metadata.bytes.extracting($1.name)) }
    output.append(value: UInt8(ascii: "{"))
    for (index, field) in fields.enumerated() {
      if index > 0 { output.append(value: UInt8(ascii: ",")) }
      JSONText.append(metadata.bytes.extracting(field.name), to: &output)
      output.append(value: UInt8(ascii: ":"))
      try append(bytes, field.value, depth: depth + 1, to: &output)
    }
    output.append(value: UInt8(ascii: "}"))
  }

  /// Where the values of an array or object lie, whose `count` offsets and the end of all are at
  /// `place`. Their order is free: one ends where the next, by place, begins.
  private static func parts(
    _ bytes: RawSpan, _ range: Range<Int>, at place: Int, count: Int, width: Int
  ) throws(Malformed) -> [Range<Int>] {
    let start = place + (count + 1) * width
    guard start <= range.upperBound else { throw Malformed() }
    let end = try bytes.number(at: place + count * width, width: width, in: range)
    guard end <= range.upperBound - start else { throw Malformed() }
    var places: [(offset: Int, index: Int)] = []
    for index in 0..<count {
      places.append((try bytes.number(at: place + index * width, width: width, in: range), index))
    }
    places.sort { $0.offset < $1.offset }
    var parts = [Range<Int>](repeating: 0..<0, count: count)
    for (number, place) in places.enumerated() {
      let next = number + 1 < count ? places[number + 1].offset : end
      // Two at one place would be read as often as objects in objects can say.
      guard place.offset < next, next <= end else { throw Malformed() }
      parts[place.index] = start + place.offset..<start + next
    }
    return parts
  }
}

/// Spells values of variants that have no parts.
private enum VariantScalar {
  typealias Malformed = VariantText.Malformed

  /// Appends the primitive of the type numbered `type`, whose bytes `range` begins with.
  static func append(
    _ type: Int, _ bytes: RawSpan, _ range: Range<Int>, to output: inout MutableBuffer
  ) throws(Malformed) {
    switch type {
    case 0: output.append(text: "null")
    case 1: output.append(text: "true")
    case 2: output.append(text: "false")
    case 3: output.append(text: "\(try bytes.load(range, as: Int8.self))")
    case 4: output.append(text: "\(try bytes.load(range, as: Int16.self))")
    case 5: output.append(text: "\(try bytes.load(range, as: Int32.self))")
    case 6: output.append(text: "\(try bytes.load(range, as: Int64.self))")
    case 7: append(Double(bitPattern: try bytes.load(range, as: UInt64.self)), to: &output)
    case 8: try appendDecimal(bytes, range, as: Int32.self, to: &output)
    case 9: try appendDecimal(bytes, range, as: Int64.self, to: &output)
    case 10: try appendDecimal(bytes, range, as: Int128.self, to: &output)
    case 11: try append(.date, 4, bytes, range, to: &output)
    case 12: try append(.moment(.microseconds, zoned: true), 8, bytes, range, to: &output)
    case 13: try append(.moment(.microseconds, zoned: false), 8, bytes, range, to: &output)
    case 14:
      append(Double(Float(bitPattern: try bytes.load(range, as: UInt32.self))), to: &output)
    case 15: try appendBinary(bytes, range, to: &output)
    case 16:
      let count = try bytes.number(at: range.lowerBound, width: 4, in: range)
      try appendText(bytes, range.dropFirst(4), count: count, to: &output)
    case 17: try append(.time, 8, bytes, range, to: &output)
    case 18: try append(.moment(.nanoseconds, zoned: true), 8, bytes, range, to: &output)
    case 19: try append(.moment(.nanoseconds, zoned: false), 8, bytes, range, to: &output)
    case 20:
      guard range.count >= 16 else { throw Malformed() }
      let uuid = bytes.extracting(range.prefix(16)).array()
      output.append(text: "\"\(Column.uuidText(uuid))\"")
    default: throw Malformed()
    }
  }

  static func appendText(
    _ bytes: RawSpan, _ range: Range<Int>, count: Int, to output: inout MutableBuffer
  ) throws(Malformed) {
    guard count <= range.count else { throw Malformed() }
    try bytes.checkText(range.prefix(count))
    JSONText.append(bytes.extracting(range.prefix(count)), to: &output)
  }

  private static func appendBinary(
    _ bytes: RawSpan, _ range: Range<Int>, to output: inout MutableBuffer
  ) throws(Malformed) {
    let count = try bytes.number(at: range.lowerBound, width: 4, in: range)
    guard count <= range.count - 4 else { throw Malformed() }
    let binary = bytes.extracting(range.dropFirst(4).prefix(count)).array()
    output.append(text: "\"0x\(binary.hexadecimal)\"")
  }

  private static func append(_ value: Double, to output: inout MutableBuffer) {
    if value.isFinite { return output.append(text: value.description) }
    output.append(text: value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
  }

  private static func appendDecimal<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: RawSpan, _ range: Range<Int>, as type: T.Type, to output: inout MutableBuffer
  ) throws(Malformed) {
    guard let scale = range.first.map({ Int(bytes[$0]) }), scale <= 38 else { throw Malformed() }
    let unscaled = try bytes.load(range.dropFirst(1), as: T.self)
    output.append(text: Column.text(Int128(unscaled), scale: scale))
  }

  private static func append(
    _ spelling: NumberText, _ width: Int, _ bytes: RawSpan, _ range: Range<Int>,
    to output: inout MutableBuffer
  ) throws(Malformed) {
    guard range.count >= width else { throw Malformed() }
    let value = Buffer(copying: bytes.extracting(range.prefix(width)))
    var ends = MutableBuffer()
    spelling.append(
      value, width: width, validity: nil, null: [], quoted: true, to: &output, &ends)
  }
}

extension MutableBuffer {
  fileprivate mutating func append(text: String) {
    for byte in text.utf8 { append(value: byte) }
  }
}

extension RawSpan {
  /// The unsigned number of 1 to 4 bytes at `offset`, which lie in `range`.
  fileprivate func number(
    at offset: Int, width: Int, in range: Range<Int>? = nil
  ) throws(VariantText.Malformed) -> Int {
    let end = range?.upperBound ?? byteCount
    guard offset <= end, width <= end - offset else { throw VariantText.Malformed() }
    var number = 0
    for i in 0..<width { number |= Int(self[offset + i]) << (8 * i) }
    return number
  }

  /// The number that `range` begins with.
  fileprivate func load<T: FixedWidthInteger & BitwiseCopyable>(
    _ range: Range<Int>, as type: T.Type
  ) throws(VariantText.Malformed) -> T {
    guard range.count >= T.bitWidth / 8 else { throw VariantText.Malformed() }
    return loadLE(at: range.lowerBound, as: T.self)
  }

  fileprivate func checkText(_ range: Range<Int>) throws(VariantText.Malformed) {
    guard (try? UTF8Span(validating: Span<UInt8>(_bytes: extracting(range)))) != nil else {
      throw VariantText.Malformed()
    }
  }

  /// True if these bytes come before `other`, compared one by one.
  fileprivate func precedes(_ other: RawSpan) -> Bool {
    for i in 0..<Swift.min(byteCount, other.byteCount) where self[i] != other[i] {
      return self[i] < other[i]
    }
    return byteCount < other.byteCount
  }
}
