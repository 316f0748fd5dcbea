// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The pages of a column of 32- or 64-bit numbers: codes while a dictionary pays, else PLAIN or
/// whichever encoding measures best at the first page.
struct NumberPages<Bits: PageNumber>: ~Copyable {
  private let kind: LeafKind
  private var choice: EncodingChoice
  private var dictionary = NumberDictionaryEncoder<Bits>()
  /// The page so far: codes, or the values as they are.
  private var codes = MutableBuffer()
  private var pending = MutableBuffer()
  private var bounds: ValueBounds?
  private var nanCount = 0
  private var hasCodedPages = false

  init(kind: LeafKind, choice: EncodingChoice) {
    self.kind = kind
    self.choice = choice
  }

  var pendingByteCount: Int { pending.count + codes.count }

  // MARK: Values

  mutating func append(_ values: LeafValues, _ range: Range<Int>) {
    switch values {
    case .fixed(let buffer, _):
      append(buffer.values(as: Bits.self).extracting(range))
    case .dictionary(let codes, .fixed(let entries, _), _):
      let expanded = Self.expand(codes.values(as: Int32.self).extracting(range), entries)
      append(expanded.values(as: Bits.self))
    default: preconditionFailure("values of another layout than numbers")
    }
  }

  private static func expand(_ codes: Span<Int32>, _ entries: Buffer) -> Buffer {
    var values = MutableBuffer(byteCount: codes.count * MemoryLayout<Bits>.size)
    let known = entries.values(as: Bits.self)
    var target = values.mutableValues(as: Bits.self)
    for i in target.indices { target[i] = known[Int(codes[i])] }
    return values.freeze()
  }

  private mutating func append(_ values: Span<Bits>) {
    noteBounds(of: values)
    guard choice.isCoding else {
      return pending.append(unsafe values.bytes)
    }
    guard choice.isTrying else {
      return dictionary.encode(values, into: &codes)
    }
    var done = 0
    while done < values.count {
      let part = done..<min(values.count, done + EncodingChoice.sampleStep)
      dictionary.encode(values.extracting(part), into: &codes)
      choice.note(valueCount: part.count, entryCount: dictionary.count)
      done = part.upperBound
    }
  }

  private mutating func noteBounds(of values: Span<Bits>) {
    if kind.isFloating {
      let found = Bits.floatingBounds(values)
      nanCount += found.nanCount
      if let (least, greatest) = found.bounds {
        extend(to: .floating(least: least, greatest: greatest))
      }
    } else if let (least, greatest) = Bits.signedBounds(values) {
      extend(to: ValueBounds(least: .integer(least), greatest: .integer(greatest)))
    }
  }

  private mutating func extend(to other: ValueBounds) {
    if bounds == nil { bounds = other } else { bounds?.extend(to: other) }
  }

  // MARK: Pages

  mutating func finishPage(
    _ context: inout PageContext, into body: inout MutableBuffer
  ) throws(ParquetError) -> EncodedValues {
    let count = codes.count / 4 + pending.count / MemoryLayout<Bits>.size
    if count == 0 { return EncodedValues(encoding: .plain, count: 0) }
    if choice.mayDecide(valueCount: count, isLastPage: context.isLastPage) {
      try decide(&context)
    }
    var page = EncodedValues(encoding: .rleDictionary, count: count, bounds: bounds)
    page.nanCount = nanCount
    if choice.isCoding {
      CodePage.encode(codes.values(as: UInt32.self), entryCount: dictionary.count, into: &body)
      hasCodedPages = true
      if dictionary.byteCount > choice.dictionaryLimit { choice.giveUp() }
    } else {
      page.encoding = choice.fallback
      hashPending(&context)
      Self.encode(pending, page.encoding, into: &body)
    }
    codes.removeAll()
    pending.removeAll()
    bounds = nil
    nanCount = 0
    return page
  }

  private func hashPending(_ context: inout PageContext) {
    guard context.hashes != nil else { return }
    let values = pending.values(as: Bits.self)
    for i in values.indices { context.hashes?.append(Bits.bloomHash(values[i])) }
  }

  private static func encode(
    _ values: borrowing MutableBuffer, _ encoding: Encoding, into output: inout MutableBuffer
  ) {
    switch encoding {
    case .deltaBinaryPacked: Bits.encodeDeltas(values, into: &output)
    case .byteStreamSplit:
      ByteStreamSplitEncoder.encode(values.bytes, width: MemoryLayout<Bits>.size, into: &output)
    default: output.append(values.bytes)
    }
  }

  /// Makes the first page in every way that is allowed, and keeps the one that takes least.
  private mutating func decide(_ context: inout PageContext) throws(ParquetError) {
    if choice.usesDictionary { pending = Self.decode(codes, dictionary.entries) }
    let count = pending.count / MemoryLayout<Bits>.size
    var sizes: [Int] = []
    for candidate in choice.candidates {
      var body = MutableBuffer()
      Self.encode(pending, candidate, into: &body)
      sizes.append(try context.measure(body.bytes, valueCount: count))
    }
    var coded = MutableBuffer()
    var dictionarySize = 0
    if choice.usesDictionary {
      CodePage.encode(codes.values(as: UInt32.self), entryCount: dictionary.count, into: &coded)
      dictionarySize = try context.measure(dictionary.entries.bytes, valueCount: count)
    }
    choice.decide(
      sizes: sizes, codedSize: try context.measure(coded.bytes, valueCount: count),
      dictionarySize: dictionarySize, isLastPage: context.isLastPage)
    if choice.isCoding {
      pending.removeAll()
    } else if !hasCodedPages {
      dictionary = .init()
    }
  }

  /// The values that codes stand for.
  private static func decode(
    _ codes: borrowing MutableBuffer, _ entries: borrowing MutableBuffer
  ) -> MutableBuffer {
    let known = entries.values(as: Bits.self)
    let coded = codes.values(as: UInt32.self)
    var values = MutableBuffer(byteCount: coded.count * MemoryLayout<Bits>.size)
    var target = values.mutableValues(as: Bits.self)
    for i in target.indices { target[i] = known[Int(coded[i])] }
    return values
  }

  mutating func finishChunk(
    _ context: inout PageContext
  ) throws(ParquetError) -> EncodedDictionary? {
    defer { choice.startChunk() }
    guard hasCodedPages else { return nil }
    hasCodedPages = false
    let full = exchange(&dictionary, with: NumberDictionaryEncoder())
    let values = full.entries.values(as: Bits.self)
    if context.hashes != nil {
      for i in values.indices { context.hashes?.append(Bits.bloomHash(values[i])) }
    }
    return EncodedDictionary(plain: Buffer(copying: full.entries.bytes), count: full.count)
  }
}

/// ``NumberPages`` of 32 bits. A class of its own, so that all of it is compiled for that width.
final class NarrowPageEncoder: PageEncoder {
  private var pages: NumberPages<UInt32>

  init(kind: LeafKind, choice: EncodingChoice) { pages = NumberPages(kind: kind, choice: choice) }

  var pendingByteCount: Int { pages.pendingByteCount }
  func append(_ values: LeafValues, _ range: Range<Int>) { pages.append(values, range) }
  func finishPage(
    _ context: inout PageContext, into body: inout MutableBuffer
  ) throws(ParquetError) -> EncodedValues { try pages.finishPage(&context, into: &body) }
  func finishChunk(_ context: inout PageContext) throws(ParquetError) -> EncodedDictionary? {
    try pages.finishChunk(&context)
  }
}

/// ``NumberPages`` of 64 bits. A class of its own, so that all of it is compiled for that width.
final class WidePageEncoder: PageEncoder {
  private var pages: NumberPages<UInt64>

  init(kind: LeafKind, choice: EncodingChoice) { pages = NumberPages(kind: kind, choice: choice) }

  var pendingByteCount: Int { pages.pendingByteCount }
  func append(_ values: LeafValues, _ range: Range<Int>) { pages.append(values, range) }
  func finishPage(
    _ context: inout PageContext, into body: inout MutableBuffer
  ) throws(ParquetError) -> EncodedValues { try pages.finishPage(&context, into: &body) }
  func finishChunk(_ context: inout PageContext) throws(ParquetError) -> EncodedDictionary? {
    try pages.finishChunk(&context)
  }
}
