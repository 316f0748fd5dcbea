// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The values of a leaf that are there, one after the other, while a batch is being decoded; in the
/// layout of the column they become.
///
/// Strings and binaries stay codes of the chunk's dictionary as long as all values came from it.
struct DenseValues: ~Copyable {
  let type: ColumnType
  let layout: ColumnLayout
  /// The most bytes the values may come to.
  let limit: Int
  private(set) var count = 0
  var bits = BitmapBuilder()
  /// Values of fixed width, or the bytes of strings.
  var bytes: MutableBuffer
  /// Where each string ends, a 0 before the first.
  var ends = MutableBuffer()
  /// Codes (UInt32) into ``dictionary``, if that is set.
  var codes = MutableBuffer()
  private(set) var dictionary: Column?

  /// - Parameters:
  ///   - capacity: how many values there will be, as far as is known.
  ///   - byteCount: how many bytes the strings will come to, as far as is known.
  init(type: ColumnType, capacity: Int, byteCount: Int = 0, limit: Int) {
    self.type = type
    self.limit = limit
    layout = type.layout
    if case .fixed(let width) = layout {
      let (size, overflow) = capacity.multipliedReportingOverflow(by: width)
      bytes = MutableBuffer(capacity: overflow ? 0 : min(size, limit))
    } else {
      bytes = MutableBuffer(capacity: byteCount)
    }
    if layout == .variable {
      if byteCount > 0 { ends.reserve((capacity + 1) * 4) }
      ends.append(value: Int32(0))
    }
  }

  mutating func add(_ extra: Int) { count += extra }

  /// Makes room for `extra` values of `width` bytes and answers where they begin.
  mutating func grow(_ extra: Int, width: Int) throws(ByteError) -> Int {
    let start = bytes.count
    let (size, overflow) = extra.multipliedReportingOverflow(by: width)
    guard !overflow, size <= limit - start else {
      throw .limitExceeded(
        what: "decoded values", value: overflow ? .max : Int64(start) + Int64(size),
        limit: Int64(limit))
    }
    bytes.resize(to: start + size)
    return start
  }

  // MARK: Dictionaries

  /// Appends the values that the next `extra` codes of `decoder` name.
  mutating func appendCodes(
    _ extra: Int, from decoder: inout RLEBitPackedDecoder, dictionary: Column,
    _ workspace: DecodeWorkspace
  ) throws(ByteError) {
    if layout == .variable {
      if count == 0, codes.isEmpty { self.dictionary = dictionary }
      if self.dictionary != nil { return try keepCodes(extra, from: &decoder, dictionary) }
    }
    var scratch = workspace.takeCodes()
    scratch.resize(to: extra * 4)
    var span = scratch.mutableValues(as: UInt32.self)
    try decoder.decode(into: &span, 0..<extra)
    try gather(scratch.values(as: UInt32.self), dictionary)
    workspace.giveBack(codes: scratch)
    count += extra
  }

  /// Appends the values that `codes` name.
  mutating func append(codes: Span<UInt32>, dictionary: Column) throws(ByteError) {
    guard DecodeKernels.areCodes(codes, below: dictionary.count) else { throw badCode(dictionary) }
    if layout == .variable, count == 0, self.codes.isEmpty { self.dictionary = dictionary }
    if self.dictionary == nil {
      try gather(codes, dictionary)
    } else {
      for i in codes.indices { self.codes.append(value: codes[i]) }
    }
    count += codes.count
  }

  private mutating func keepCodes(
    _ extra: Int, from decoder: inout RLEBitPackedDecoder, _ dictionary: Column
  ) throws(ByteError) {
    let first = codes.count / 4
    codes.resize(to: codes.count + extra * 4)
    var span = codes.mutableValues(as: UInt32.self)
    try decoder.decode(into: &span, first..<first + extra)
    count += extra
    let fresh = codes.values(as: UInt32.self).extracting(first..<first + extra)
    guard DecodeKernels.areCodes(fresh, below: dictionary.count) else { throw badCode(dictionary) }
  }

  private func badCode(_ dictionary: Column) -> ByteError {
    .outOfRange(offset: 0, what: "dictionary index, of so many:", value: Int64(dictionary.count))
  }

  private mutating func gather(
    _ codes: Span<UInt32>, _ dictionary: Column
  ) throws(ByteError) {
    switch dictionary.values {
    case .fixed(let values):
      guard case .fixed(let width) = layout else { throw badCode(dictionary) }
      let start = try grow(codes.count, width: width)
      var target = bytes.mutableBytes
      let isGood = DecodeKernels.gather(
        values.bytes, width: width, codes: codes, into: &target, at: start)
      guard isGood else { throw badCode(dictionary) }
    case .variable(let offsets, let values):
      let isGood = DecodeKernels.gather(
        offsets: offsets.values(as: Int32.self), bytes: values.bytes, codes: codes, ends: &ends,
        into: &bytes, limit: limit)
      guard isGood else { throw badCode(dictionary) }
    default: throw badCode(dictionary)
    }
  }

  /// Turns codes kept so far into strings, as a page without dictionary follows.
  mutating func leaveDictionary() throws(ByteError) {
    guard let kept = dictionary else { return }
    dictionary = nil
    let codes = exchange(&self.codes, with: MutableBuffer())
    try gather(codes.values(as: UInt32.self), kept)
  }

  // MARK: Finishing

  /// The column of these values at the rows where `validity` is 1; nil: they are all rows there are.
  consuming func finish(_ validity: Bitmap?, rowCount: Int) throws(ByteError) -> Column {
    switch layout {
    case .bits: return finishBits(validity, rowCount)
    case .fixed(let width): return try finishFixed(validity, rowCount, width)
    default:
      return dictionary == nil
        ? try finishVariable(validity, rowCount) : finishCodes(validity, rowCount)
    }
  }

  private consuming func finishBits(_ validity: Bitmap?, _ rowCount: Int) -> Column {
    let type = self.type
    let dense = bits.finish()
    guard let validity else {
      return Column(type: type, count: rowCount, validity: nil, values: .bits(dense))
    }
    var spread = BitmapBuilder(capacity: rowCount)
    var next = 0
    for index in 0..<validity.wordCount {
      let word = validity.word(index)
      for row in 0..<min(64, rowCount - index * 64) {
        let isThere = word >> UInt64(row) & 1 == 1
        spread.append(isThere && dense[next])
        if isThere { next += 1 }
      }
    }
    return Column(
      type: type, count: rowCount, validity: validity, values: .bits(spread.finish()))
  }

  private consuming func finishFixed(
    _ validity: Bitmap?, _ rowCount: Int, _ width: Int
  ) throws(ByteError) -> Column {
    if let validity {
      _ = try grow(rowCount - count, width: width)
      let ones = count
      var target = bytes.mutableBytes
      DecodeKernels.spread(&target, width: width, to: validity, ones: ones)
    }
    let type = self.type
    return Column(
      type: type, count: rowCount, validity: validity, values: .fixed(bytes.freeze()))
  }

  private consuming func finishVariable(
    _ validity: Bitmap?, _ rowCount: Int
  ) throws(ByteError) -> Column {
    if type == .string { try checkUTF8() }
    if let validity {
      let ones = count
      ends.resize(to: (rowCount + 1) * 4)
      var span = ends.mutableValues(as: Int32.self)
      DecodeKernels.spreadOffsets(&span, to: validity, ones: ones)
    }
    let type = self.type
    let offsets = exchange(&ends, with: MutableBuffer()).freeze()
    return Column(
      type: type, count: rowCount, validity: validity,
      values: .variable(offsets: offsets, bytes: bytes.freeze()))
  }

  private consuming func finishCodes(_ validity: Bitmap?, _ rowCount: Int) -> Column {
    let type = self.type
    let kept = dictionary ?? .nulls(type, count: 0)
    if let validity {
      let ones = count
      codes.resize(to: rowCount * 4)
      var target = codes.mutableBytes
      DecodeKernels.spread(&target, width: 4, to: validity, ones: ones)
    }
    return Column(
      type: type, count: rowCount, validity: validity,
      values: .dictionary(codes: codes.freeze(), kept))
  }

  /// Throws unless all strings are UTF-8: their bytes are as a whole, and none begins inside a
  /// character.
  private func checkUTF8() throws(ByteError) {
    guard
      let place = UTF8Check.firstDefect(
        bytes.bytes, ends: ends.values(as: Int32.self))
    else { return }
    throw .notUTF8(offset: place)
  }
}
