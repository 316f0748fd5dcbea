// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Byte strings of a page that is being filled, back to back.
struct PendingBytes: ~Copyable {
  private var ends = MutableBuffer()
  private var content = MutableBuffer()

  init() { ends.append(value: Int32(0)) }

  var count: Int { ends.count / 4 - 1 }
  var byteCount: Int { content.count }

  /// String i is bytes `offsets[i]..<offsets[i + 1]` of ``bytes``.
  var offsets: Span<Int32> {
    @_lifetime(borrow self)
    get { ends.values(as: Int32.self) }
  }

  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { content.bytes }
  }

  mutating func removeAll() {
    ends.resize(to: 4)
    content.removeAll()
  }

  /// Adds all strings that `offsets` mark in `bytes`.
  mutating func append(_ offsets: Span<Int32>, _ bytes: RawSpan) {
    let added = offsets.count - 1
    guard added > 0 else { return }
    let shift = Int32(truncatingIfNeeded: content.count) &- offsets[0]
    content.append(bytes.extracting(Int(offsets[0])..<Int(offsets[added])))
    let start = count + 1
    ends.resize(to: (start + added) * 4)
    var target = ends.mutableValues(as: Int32.self)
    for i in 0..<added { target[start &+ i] = offsets[i &+ 1] &+ shift }
  }

  /// Adds the strings in the rows `codes` of a dictionary.
  mutating func append(_ codes: Span<Int32>, of offsets: Span<Int32>, _ bytes: RawSpan) {
    for i in codes.indices {
      let code = Int(codes[i])
      content.append(bytes.extracting(Int(offsets[code])..<Int(offsets[code &+ 1])))
      ends.append(value: Int32(truncatingIfNeeded: content.count))
    }
  }

  /// Adds the strings that `codes` stand for.
  mutating func append(
    _ codes: borrowing MutableBuffer, of dictionary: borrowing BytesDictionaryEncoder
  ) {
    append(
      codes.values(as: Int32.self), of: dictionary.offsets.values(as: Int32.self),
      dictionary.bytes.bytes)
  }
}

/// Codes of a dictionary that came with the data, in codes of the column chunk's.
struct DictionaryRemap: ~Copyable {
  private var source: Column?
  /// -1 for entries that were not met yet.
  private var codes: [Int32] = []

  /// Forgets everything: the chunk's dictionary is a new one.
  mutating func reset() { source = nil }

  /// Makes ready for codes into `source`.
  mutating func use(_ source: Column, entryCount: Int) {
    if let known = self.source, known.hasSameMemory(as: source) { return }
    self.source = source
    codes = [Int32](repeating: -1, count: entryCount)
  }

  /// Appends the chunk's code of each row; new entries are added to `dictionary`.
  mutating func encode(
    _ rows: Span<Int32>, _ offsets: Span<Int32>, _ bytes: RawSpan,
    _ dictionary: inout BytesDictionaryEncoder, into output: inout MutableBuffer
  ) {
    let start = output.count / 4
    output.resize(to: (start + rows.count) * 4)
    var target = output.mutableValues(as: Int32.self)
    for i in rows.indices {
      let row = Int(rows[i])
      if codes[row] < 0 {
        let code = dictionary.code(of: bytes, Int(offsets[row])..<Int(offsets[row &+ 1]))
        codes[row] = Int32(truncatingIfNeeded: code)
      }
      target[start &+ i] = codes[row]
    }
  }
}

/// Finds the least and the greatest of byte strings.
struct ByteBounds {
  private let isSigned: Bool

  init(_ kind: LeafKind) {
    if case .wideDecimal = kind { isSigned = true } else { isSigned = false }
  }

  /// Of the strings `bytes[offsets[i]..<offsets[i + 1]]` — of those, where given, whose byte in
  /// `marks` is 1.
  ///
  /// Compares eight bytes at a time, and the rest of two strings only if these are equal.
  func bounds(
    _ offsets: Span<Int32>, _ bytes: RawSpan, where marks: RawSpan? = nil
  ) -> ValueBounds? {
    var least = -1
    var greatest = -1
    var leastPrefix: UInt64 = 0
    var greatestPrefix: UInt64 = 0
    for i in 0..<max(0, offsets.count - 1) {
      if let marks, marks[i] == 0 { continue }
      let prefix = prefix(bytes, Int(offsets[i]), Int(offsets[i &+ 1]))
      if least < 0 {
        (least, greatest, leastPrefix, greatestPrefix) = (i, i, prefix, prefix)
        continue
      }
      if prefix < leastPrefix || (prefix == leastPrefix && compare(bytes, offsets, i, least) < 0) {
        (least, leastPrefix) = (i, prefix)
      }
      if prefix > greatestPrefix
        || (prefix == greatestPrefix && compare(bytes, offsets, i, greatest) > 0)
      {
        (greatest, greatestPrefix) = (i, prefix)
      }
    }
    if least < 0 { return nil }
    return ValueBounds(
      least: value(bytes, offsets, least), greatest: value(bytes, offsets, greatest))
  }

  /// The first eight bytes as a number that compares as they do; missing ones are zero.
  @inline(__always)
  private func prefix(_ bytes: RawSpan, _ start: Int, _ end: Int) -> UInt64 {
    let count = end &- start
    var word: UInt64 = 0
    if start <= bytes.byteCount &- 8 {
      word = bytes.loadLE(at: start, as: UInt64.self).byteSwapped
      if count < 8 { word = count == 0 ? 0 : word & ~(UInt64.max &>> UInt64(8 &* count)) }
    } else {
      for i in start..<min(end, start &+ 8) { word |= UInt64(bytes[i]) &<< UInt64(56 &- 8 &* (i &- start)) }
    }
    return isSigned ? word ^ 1 &<< 63 : word
  }

  private func compare(_ bytes: RawSpan, _ offsets: Span<Int32>, _ a: Int, _ b: Int) -> Int {
    bytes.extracting(Int(offsets[a])..<Int(offsets[a + 1]))
      .compare(with: bytes.extracting(Int(offsets[b])..<Int(offsets[b + 1])))
  }

  private func value(_ bytes: RawSpan, _ offsets: Span<Int32>, _ i: Int) -> BoundValue {
    let value = bytes.extracting(Int(offsets[i])..<Int(offsets[i + 1])).array()
    guard isSigned else { return .bytes(value) }
    var wide = Int128(Int8(bitPattern: value.first ?? 0))
    for byte in value.dropFirst() { wide = wide << 8 | Int128(byte) }
    return .wide(wide)
  }
}
