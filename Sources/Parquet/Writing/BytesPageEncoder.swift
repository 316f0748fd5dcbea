// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The pages of a column of byte strings, of varying or fixed length: codes while a dictionary
/// pays, else PLAIN or whichever encoding measures best at the first page.
struct BytesPages: ~Copyable {
  private let kind: LeafKind
  /// 0 for varying lengths.
  private let width: Int
  private var choice: EncodingChoice
  private var dictionary = BytesDictionaryEncoder()
  private var remap = DictionaryRemap()
  /// The page so far: codes, or the values as they are.
  private var codes = MutableBuffer()
  private var pending = PendingBytes()
  private var hasCodedPages = false

  init(kind: LeafKind, choice: EncodingChoice) {
    self.kind = kind
    self.choice = choice
    switch kind {
    case .fixed(let byteCount), .wideDecimal(let byteCount): width = byteCount
    default: width = 0
    }
  }

  var pendingByteCount: Int { pending.byteCount + codes.count }

  // MARK: Values

  mutating func append(_ values: LeafValues, _ range: Range<Int>) {
    switch values {
    case .variable(let offsets, let bytes): append(offsets, bytes, range)
    case .fixed(let buffer, _): append(Self.offsets(range, width: width), buffer, 0..<range.count)
    case .dictionary(let codes, .variable(let offsets, let bytes), let source):
      append(codes, range, offsets, bytes, source)
    case .dictionary(let codes, .fixed(let buffer, _), let source):
      let offsets = Self.offsets(0..<buffer.count / width, width: width)
      append(codes, range, offsets, buffer, source)
    default: preconditionFailure("values of another layout than byte strings")
    }
  }

  private static func offsets(_ range: Range<Int>, width: Int) -> Buffer {
    var offsets = MutableBuffer(byteCount: (range.count + 1) * 4)
    var target = offsets.mutableValues(as: Int32.self)
    for i in target.indices {
      target[i] = Int32(truncatingIfNeeded: (range.lowerBound &+ i) &* width)
    }
    return offsets.freeze()
  }

  private mutating func append(_ offsets: Buffer, _ bytes: Buffer, _ range: Range<Int>) {
    let places = offsets.values(as: Int32.self)
    guard choice.isCoding else {
      return pending.append(
        places.extracting(range.lowerBound..<range.upperBound + 1), bytes.bytes)
    }
    var done = range.lowerBound
    while done < range.upperBound {
      let step = choice.isTrying ? EncodingChoice.sampleStep : range.count
      let part = done..<min(range.upperBound, done + step)
      dictionary.encode(
        places.extracting(part.lowerBound..<part.upperBound + 1), bytes.bytes, into: &codes)
      if choice.isTrying { choice.note(valueCount: part.count, entryCount: dictionary.count) }
      done = part.upperBound
    }
  }

  /// Codes of a dictionary that came with the values: each of its entries is looked up once.
  private mutating func append(
    _ rows: Buffer, _ range: Range<Int>, _ offsets: Buffer, _ bytes: Buffer, _ source: Column
  ) {
    let rows = rows.values(as: Int32.self).extracting(range)
    let places = offsets.values(as: Int32.self)
    guard choice.isCoding else { return pending.append(rows, of: places, bytes.bytes) }
    remap.use(source, entryCount: places.count - 1)
    remap.encode(rows, places, bytes.bytes, &dictionary, into: &codes)
    if choice.isTrying { choice.note(valueCount: rows.count, entryCount: dictionary.count) }
  }

  // MARK: Pages

  mutating func finishPage(
    _ context: inout PageContext, into body: inout MutableBuffer
  ) throws(ParquetError) -> EncodedValues {
    let count = codes.count / 4 + pending.count
    if count == 0 { return EncodedValues(encoding: .plain, count: 0) }
    if choice.mayDecide(valueCount: count, isLastPage: context.isLastPage) {
      try decide(&context)
    }
    var page = EncodedValues(encoding: .rleDictionary, count: count)
    if choice.isCoding {
      finishCodedPage(&page, into: &body)
    } else {
      page.encoding = choice.fallback
      page.byteArrayByteCount = pending.byteCount
      page.bounds = ByteBounds(kind).bounds(pending.offsets, pending.bytes)
      hash(pending.offsets, pending.bytes, &context)
      encode(page.encoding, into: &body)
    }
    if width > 0 { page.byteArrayByteCount = 0 }
    codes.removeAll()
    pending.removeAll()
    return page
  }

  private mutating func finishCodedPage(_ page: inout EncodedValues, into body: inout MutableBuffer)
  {
    describeCodedPage(&page, into: &body)
    hasCodedPages = true
    let lengths = width > 0 ? 0 : 4 * dictionary.count
    if dictionary.bytes.count + lengths > choice.dictionaryLimit { choice.giveUp() }
  }

  private func describeCodedPage(_ page: inout EncodedValues, into body: inout MutableBuffer) {
    let coded = codes.values(as: UInt32.self)
    CodePage.encode(coded, entryCount: dictionary.count, into: &body)
    let places = dictionary.offsets.values(as: Int32.self)
    var seen = MutableBuffer(zeroed: dictionary.count)
    var marks = seen.mutableBytes
    var total = 0
    for i in coded.indices {
      let code = Int(coded[i])
      total &+= Int(places[code &+ 1] &- places[code])
      marks.storeBytes(of: 1, toByteOffset: code, as: UInt8.self)
    }
    page.byteArrayByteCount = total
    page.bounds = ByteBounds(kind).bounds(places, dictionary.bytes.bytes, where: seen.bytes)
  }

  private func encode(_ encoding: Encoding, into body: inout MutableBuffer) {
    switch encoding {
    case .deltaLengthByteArray:
      DeltaLengthByteArrayEncoder.encode(pending.offsets, pending.bytes, into: &body)
    case .deltaByteArray:
      DeltaByteArrayEncoder.encode(pending.offsets, pending.bytes, into: &body)
    case .byteStreamSplit:
      ByteStreamSplitEncoder.encode(pending.bytes, width: width, into: &body)
    default: plain(pending.offsets, pending.bytes, into: &body)
    }
  }

  private func plain(_ offsets: Span<Int32>, _ bytes: RawSpan, into body: inout MutableBuffer) {
    if width > 0 {
      body.append(bytes)
    } else {
      LengthPrefixKernel.append(offsets, bytes, to: &body)
    }
  }

  private func hash(_ offsets: Span<Int32>, _ bytes: RawSpan, _ context: inout PageContext) {
    guard context.hashes != nil else { return }
    for i in 0..<max(0, offsets.count - 1) {
      let value = bytes.extracting(Int(offsets[i])..<Int(offsets[i + 1]))
      context.hashes?.append(XXHash64.hash(value))
    }
  }

  /// Makes the first page in every way that is allowed, and keeps the one that takes least.
  private mutating func decide(_ context: inout PageContext) throws(ParquetError) {
    if choice.usesDictionary {
      pending.append(codes, of: dictionary)
    }
    let count = pending.count
    var sizes: [Int] = []
    for candidate in choice.candidates {
      var body = MutableBuffer()
      encode(candidate, into: &body)
      sizes.append(try context.measure(body.bytes, valueCount: count))
    }
    var coded = MutableBuffer()
    var entries = MutableBuffer()
    if choice.usesDictionary {
      CodePage.encode(codes.values(as: UInt32.self), entryCount: dictionary.count, into: &coded)
      plain(dictionary.offsets.values(as: Int32.self), dictionary.bytes.bytes, into: &entries)
    }
    choice.decide(
      sizes: sizes, codedSize: try context.measure(coded.bytes, valueCount: count),
      dictionarySize: try context.measure(entries.bytes, valueCount: count),
      isLastPage: context.isLastPage)
    if choice.isCoding {
      pending.removeAll()
    } else if !hasCodedPages {
      dictionary = BytesDictionaryEncoder()
      remap.reset()
    }
  }

  mutating func finishChunk(_ context: inout PageContext) throws(ParquetError) -> EncodedDictionary?
  {
    defer { choice.startChunk() }
    guard hasCodedPages else { return nil }
    hasCodedPages = false
    remap.reset()
    let full = exchange(&dictionary, with: BytesDictionaryEncoder())
    var entries = MutableBuffer()
    plain(full.offsets.values(as: Int32.self), full.bytes.bytes, into: &entries)
    hash(full.offsets.values(as: Int32.self), full.bytes.bytes, &context)
    return EncodedDictionary(plain: entries.freeze(), count: full.count)
  }
}

/// ``BytesPages`` behind a reference.
final class BytesPageEncoder: PageEncoder {
  private var pages: BytesPages

  init(kind: LeafKind, choice: EncodingChoice) { pages = BytesPages(kind: kind, choice: choice) }

  var pendingByteCount: Int { pages.pendingByteCount }
  func append(_ values: LeafValues, _ range: Range<Int>) { pages.append(values, range) }
  func finishPage(
    _ context: inout PageContext, into body: inout MutableBuffer
  ) throws(ParquetError) -> EncodedValues { try pages.finishPage(&context, into: &body) }
  func finishChunk(_ context: inout PageContext) throws(ParquetError) -> EncodedDictionary? {
    try pages.finishChunk(&context)
  }
}
