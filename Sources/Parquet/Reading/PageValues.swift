// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// The values of one page, decoded a batch at a time.
struct PageValues {
  private let leaf: ParquetLeaf
  /// Where the values are; nothing before `position` of it is theirs.
  private let bytes: Buffer
  private var position: Int
  private var state: State

  private enum State {
    /// Nothing was decoded yet, and the encoding's own header is not read: a page of nulls only
    /// may have none.
    case fresh(Encoding)
    case plain
    case plainBits(bit: Int)
    case hybridBits(RLEBitPackedDecoder)
    case codes(RLEBitPackedDecoder)
    case deltaIntegers(DeltaBinaryPackedDecoder)
    case deltaLengths(DeltaLengthByteArrayDecoder)
    case deltaStrings(DeltaByteArrayDecoder)
    /// `next` of `total` values were decoded.
    case streams(total: Int, next: Int)
  }

  /// Requires: ``supports(_:_:)``.
  init(_ leaf: ParquetLeaf, _ encoding: Encoding, _ bytes: Buffer, at offset: Int) {
    self.leaf = leaf
    self.bytes = bytes
    position = offset
    state = .fresh(encoding)
  }

  /// True if values of `type` can be in `encoding`.
  static func supports(_ encoding: Encoding, _ type: PhysicalType) -> Bool {
    switch encoding {
    case .plain: true
    case .plainDictionary, .rleDictionary: type != .boolean
    case .rle: type == .boolean
    case .deltaBinaryPacked: type == .int32 || type == .int64
    case .deltaLengthByteArray: type == .byteArray
    case .deltaByteArray: type == .byteArray || type == .fixedLenByteArray
    case .byteStreamSplit:
      switch type {
      case .int32, .int64, .float, .double, .fixedLenByteArray: true
      default: false
      }
    default: false
    }
  }

  /// Bytes a value as stored; 0 where that varies.
  private var width: Int { leaf.type.width(typeLength: leaf.typeLength) ?? 0 }

  /// Reads what the encoding has before its values.
  private mutating func start() throws(ByteError) {
    guard case .fresh(let encoding) = state else { return }
    switch encoding {
    case .plain: state = leaf.type == .boolean ? .plainBits(bit: position * 8) : .plain
    case .plainDictionary, .rleDictionary:
      let buffer = bytes
      let span = buffer.bytes
      var reader = ByteReader(span.extracting(position..<span.byteCount))
      let bitWidth = Int(try reader.readUInt8())
      state = .codes(try RLEBitPackedDecoder(bytes, at: position + 1, bitWidth: bitWidth))
    case .rle:
      let buffer = bytes
      let span = buffer.bytes
      var reader = ByteReader(span.extracting(position..<span.byteCount))
      let length = Int(try reader.readUInt32LE())
      let start = position + 4
      guard length <= bytes.count - start else {
        throw .truncated(offset: start, needed: length, available: bytes.count - start)
      }
      let runs = bytes.slice(0..<start + length)
      state = .hybridBits(try RLEBitPackedDecoder(runs, at: start, bitWidth: 1))
    case .deltaBinaryPacked:
      state = .deltaIntegers(try DeltaBinaryPackedDecoder(bytes, at: position))
    case .deltaLengthByteArray:
      state = .deltaLengths(try DeltaLengthByteArrayDecoder(bytes, at: position))
    case .deltaByteArray:
      state = .deltaStrings(try DeltaByteArrayDecoder(bytes, at: position))
    case .byteStreamSplit:
      let size = bytes.count - position
      guard size % width == 0 else {
        throw .outOfRange(offset: position, what: "size of streams", value: Int64(size))
      }
      state = .streams(total: size / width, next: 0)
    default: preconditionFailure("an encoding that is not supported")
    }
  }

  // MARK: Decoding

  /// Appends the next `count` values to `output`.
  ///
  /// - Parameter dictionary: the chunk's, which there is if the page is of codes.
  mutating func decode(
    _ count: Int, dictionary: Column?, into output: inout DenseValues,
    _ workspace: DecodeWorkspace
  ) throws(ByteError) {
    if count == 0 { return }
    try start()
    switch state {
    case .fresh: break
    case .codes(var decoder):
      guard let dictionary else { throw missingDictionary }
      try output.appendCodes(count, from: &decoder, dictionary: dictionary, workspace)
      state = .codes(decoder)
      return
    case .plainBits(let bit):
      guard count <= bytes.count * 8 - bit else { throw tooFew(count) }
      output.bits.append(Bitmap(bytes, offset: bit, count: count))
      state = .plainBits(bit: bit + count)
    case .hybridBits(var decoder):
      try decoder.decode(count, into: &output.bits)
      state = .hybridBits(decoder)
    default:
      try output.leaveDictionary()
      if leaf.type == .byteArray {
        try decodeByteArrays(count, into: &output)
      } else {
        try decodeFixed(count, into: &output)
      }
    }
    output.add(count)
  }

  /// How many bytes are behind the values decoded so far. Requires: they are plain, not booleans.
  var byteCountLeft: Int { bytes.count - position }

  private var missingDictionary: ByteError {
    .unexpected(offset: position, expected: "a dictionary", found: "none")
  }

  private func tooFew(_ count: Int) -> ByteError {
    .truncated(offset: position, needed: count, available: bytes.count - position)
  }

  private mutating func decodeByteArrays(
    _ count: Int, into output: inout DenseValues
  ) throws(ByteError) {
    guard leaf.conversion != .none else {
      return try appendByteArrays(
        count, ends: &output.ends, into: &output.bytes, limit: output.limit)
    }
    var ends = MutableBuffer()
    ends.append(value: Int32(0))
    var scratch = MutableBuffer()
    try appendByteArrays(count, ends: &ends, into: &scratch, limit: output.limit)
    try leaf.convert(ends.values(as: Int32.self), of: scratch.bytes, into: &output)
  }

  private mutating func appendByteArrays(
    _ count: Int, ends: inout MutableBuffer, into output: inout MutableBuffer, limit: Int
  ) throws(ByteError) {
    switch state {
    case .plain:
      let after = DecodeKernels.appendLengthPrefixed(
        bytes.bytes, at: position, count: count, ends: &ends, into: &output, limit: limit)
      guard let after else { throw tooFew(count) }
      position = after
    case .deltaLengths(var decoder):
      try decoder.decode(count, ends: &ends, into: &output, limit: limit)
      state = .deltaLengths(decoder)
    case .deltaStrings(var decoder):
      try decoder.decode(count, ends: &ends, into: &output, limit: limit)
      state = .deltaStrings(decoder)
    default: throw tooFew(count)
    }
  }

  private mutating func decodeFixed(
    _ count: Int, into output: inout DenseValues
  ) throws(ByteError) {
    if case .plain = state, leaf.conversion != .none {
      return try leaf.convert(try takePlain(count), count, into: &output)
    }
    guard leaf.conversion != .none else {
      let start = try output.grow(count, width: width)
      return try fill(&output.bytes, at: start, count)
    }
    // The bytes of these are all in the page, so there is no more of them than fits the limits.
    guard count <= Int(Int32.max) / width else { throw tooFew(count) }
    var scratch = MutableBuffer(byteCount: count * width)
    try fill(&scratch, at: 0, count)
    try leaf.convert(scratch.bytes, count, into: &output)
  }

  /// The next `count` plain values of fixed width.
  private mutating func takePlain(_ count: Int) throws(ByteError) -> Buffer {
    guard count <= (bytes.count - position) / width else { throw tooFew(count) }
    let start = position
    position += count * width
    return bytes.slice(start..<position)
  }

  /// Writes the next `count` values of fixed width to `output` from byte `start` on.
  private mutating func fill(
    _ output: inout MutableBuffer, at start: Int, _ count: Int
  ) throws(ByteError) {
    switch state {
    case .plain:
      let values = try takePlain(count)
      output.replace(at: start, with: values.bytes)
    case .streams(let total, let next):
      guard count <= total - next else { throw tooFew(count) }
      var target = output.mutableBytes
      let buffer = bytes
      let span = buffer.bytes
      DecodeKernels.mergeStreams(
        span.extracting(position..<span.byteCount), width: width, total: total, first: next,
        count: count, into: &target, at: start)
      state = .streams(total: total, next: next + count)
    case .deltaIntegers(var decoder):
      let first = start / width
      if width == 4 {
        var target = output.mutableValues(as: Int32.self)
        try decoder.decode(into: &target, first..<first + count)
      } else {
        var target = output.mutableValues(as: Int64.self)
        try decoder.decode(into: &target, first..<first + count)
      }
      state = .deltaIntegers(decoder)
    case .deltaStrings(var decoder):
      try fillFixed(from: &decoder, &output, at: start, count)
      state = .deltaStrings(decoder)
    default: throw tooFew(count)
    }
  }

  /// Strings that must all be as long as the leaf's values are.
  private func fillFixed(
    from decoder: inout DeltaByteArrayDecoder, _ output: inout MutableBuffer, at start: Int,
    _ count: Int
  ) throws(ByteError) {
    var ends = MutableBuffer()
    ends.append(value: Int32(0))
    var scratch = MutableBuffer()
    try decoder.decode(count, ends: &ends, into: &scratch, limit: Int(Int32.max))
    let span = ends.values(as: Int32.self)
    for i in 0..<count where Int(span[i + 1] &- span[i]) != width {
      throw .outOfRange(
        offset: position, what: "length of a fixed-length value",
        value: Int64(span[i + 1] &- span[i]))
    }
    output.replace(at: start, with: scratch.bytes)
  }

  // MARK: Picking

  /// Appends what the codes in `ranges`, `count` of them, name; false if the page is not of codes.
  mutating func decodeCodes(
    _ ranges: [Range<Int>], _ count: Int, _ dictionary: Column?, into output: inout DenseValues,
    _ workspace: DecodeWorkspace
  ) throws(ByteError) -> Bool {
    try start()
    guard case .codes(var decoder) = state else { return false }
    guard let dictionary else { throw missingDictionary }
    let end = ranges.last?.upperBound ?? 0
    var scratch = workspace.takeCodes()
    scratch.resize(to: end * 4)
    var codes = scratch.mutableValues(as: UInt32.self)
    try decoder.decode(into: &codes, 0..<end)
    var next = 0
    for range in ranges {
      for i in range {
        codes[next] = codes[i]
        next &+= 1
      }
    }
    try output.append(
      codes: scratch.values(as: UInt32.self).extracting(0..<count), dictionary: dictionary)
    workspace.giveBack(codes: scratch)
    state = .codes(decoder)
    return true
  }

  /// The bytes of the values in `ranges`, `count` of them; nil if the page is not of plain values of
  /// fixed width.
  mutating func takePlain(
    _ ranges: [Range<Int>], _ count: Int
  ) throws(ByteError) -> Buffer? {
    try start()
    guard case .plain = state, leaf.type != .byteArray else { return nil }
    let width = self.width
    let all = try takePlain(ranges.last?.upperBound ?? 0)
    var picked = MutableBuffer(capacity: count * width)
    let bytes = all.bytes
    for range in ranges {
      picked.append(bytes.extracting(range.lowerBound * width..<range.upperBound * width))
    }
    return picked.freeze()
  }

  /// Appends `count` plain values of fixed width.
  func appendPlain(
    _ bytes: Buffer, _ count: Int, into output: inout DenseValues
  ) throws(ByteError) {
    guard leaf.conversion == .none else {
      return try leaf.convert(bytes, count, into: &output)
    }
    let start = try output.grow(count, width: width)
    output.bytes.replace(at: start, with: bytes.bytes)
  }

  // MARK: Skipping

  /// Leaves out the next `count` values.
  mutating func skip(_ count: Int, limit: Int) throws(ByteError) {
    if count == 0 { return }
    try start()
    switch state {
    case .fresh: break
    case .plain:
      if leaf.type == .byteArray {
        let after = DecodeKernels.skipLengthPrefixed(bytes.bytes, at: position, count: count)
        guard let after else { throw tooFew(count) }
        position = after
      } else {
        _ = try takePlain(count)
      }
    case .plainBits(let bit):
      guard count <= bytes.count * 8 - bit else { throw tooFew(count) }
      state = .plainBits(bit: bit + count)
    case .hybridBits(var decoder):
      try decoder.skip(count)
      state = .hybridBits(decoder)
    case .codes(var decoder):
      try decoder.skip(count)
      state = .codes(decoder)
    case .deltaIntegers(var decoder):
      try decoder.skip(count)
      state = .deltaIntegers(decoder)
    case .deltaLengths(var decoder):
      try decoder.skip(count)
      state = .deltaLengths(decoder)
    case .deltaStrings(var decoder):
      try decoder.skip(count, limit: limit)
      state = .deltaStrings(decoder)
    case .streams(let total, let next):
      guard count <= total - next else { throw tooFew(count) }
      state = .streams(total: total, next: next + count)
    }
  }
}
