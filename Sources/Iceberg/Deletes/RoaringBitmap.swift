// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// A set of 32-bit numbers, compressed by blocks of 65536.
///
/// Source: RoaringFormatSpec, "Standard 32-bit Roaring Bitmap".
package struct RoaringBitmap: Hashable, Sendable {
  /// The high halves of the numbers, ascending.
  private(set) var keys: [UInt16] = []
  /// The low halves, for each key; none is empty.
  private(set) var containers: [RoaringContainer] = []

  package init() {}

  package var isEmpty: Bool { keys.isEmpty }
  package var count: Int { containers.reduce(0) { $0 + $1.count } }

  /// About how many bytes the blocks take.
  package var byteCount: Int {
    containers.reduce(0) { total, container in
      switch container {
      case .array(let values): total + 64 + 2 * values.count
      case .bits: total + 64 + 8 * RoaringContainer.wordCount
      case .runs(let runs): total + 64 + 4 * runs.count
      }
    }
  }

  /// Cost: O(log n).
  package func contains(_ value: UInt32) -> Bool {
    let key = UInt16(truncatingIfNeeded: value >> 16)
    let index = keys.lowerBound(of: key)
    return index < keys.count && keys[index] == key
      && containers[index].contains(UInt16(truncatingIfNeeded: value))
  }

  /// Adds `value`; false if it was there. Cost: O(log n) and up to 8 KiB moved.
  @discardableResult
  package mutating func insert(_ value: UInt32) -> Bool {
    let key = UInt16(truncatingIfNeeded: value >> 16)
    let low = UInt16(truncatingIfNeeded: value)
    // Numbers mostly come ascending.
    let index = keys.last.map { $0 < key ? keys.count : keys.lowerBound(of: key) } ?? 0
    if index < keys.count, keys[index] == key { return containers[index].insert(low) }
    keys.insert(key, at: index)
    containers.insert(.array([low]), at: index)
    return true
  }

  /// Adds all numbers of `range`.
  package mutating func insert(_ range: ClosedRange<UInt32>) {
    var part = RoaringBitmap()
    for high in (range.lowerBound >> 16)...(range.upperBound >> 16) {
      let first = high == range.lowerBound >> 16 ? range.lowerBound & 0xffff : 0
      let last = high == range.upperBound >> 16 ? range.upperBound & 0xffff : 0xffff
      part.keys.append(UInt16(truncatingIfNeeded: high))
      part.containers.append(
        .runs([.init(first: UInt16(first), last: UInt16(last))]))
    }
    formUnion(part)
  }

  /// Adds all numbers of `other`.
  package mutating func formUnion(_ other: RoaringBitmap) {
    guard !isEmpty else {
      self = other
      return
    }
    var result = RoaringBitmap()
    var (i, j) = (0, 0)
    while i < keys.count || j < other.keys.count {
      if j == other.keys.count || (i < keys.count && keys[i] < other.keys[j]) {
        result.append(keys[i], containers[i])
        i += 1
      } else if i == keys.count || other.keys[j] < keys[i] {
        result.append(other.keys[j], other.containers[j])
        j += 1
      } else {
        result.append(keys[i], containers[i].union(other.containers[j]))
        i += 1
        j += 1
      }
    }
    self = result
  }

  /// Adds the numbers of the block `key` whose bits are set in `words`, of which one at least is.
  mutating func formUnion(block key: UInt16, words: [UInt64]) {
    let container = RoaringContainer(words)
    let index = keys.last.map { $0 < key ? keys.count : keys.lowerBound(of: key) } ?? 0
    if index < keys.count, keys[index] == key {
      containers[index] = containers[index].union(container)
    } else {
      keys.insert(key, at: index)
      containers.insert(container, at: index)
    }
  }

  /// Adds a block behind all others.
  mutating func append(_ key: UInt16, _ container: RoaringContainer) {
    keys.append(key)
    containers.append(container)
  }

  /// Calls `body` with each number that `other` does not have, ascending.
  func forEach(notIn other: RoaringBitmap, _ body: (UInt32) -> Void) {
    for (key, container) in zip(keys, containers) {
      let base = UInt32(key) << 16
      let index = other.keys.lowerBound(of: key)
      let isShared = index < other.keys.count && other.keys[index] == key
      container.forEach(notIn: isShared ? other.containers[index] : .array([])) {
        body(base | UInt32($0))
      }
    }
  }

  /// Calls `body` with runs of numbers within `range`, ascending; two of them may touch where a
  /// block ends.
  package func forEachRun(
    in range: ClosedRange<UInt32>, _ body: (ClosedRange<UInt32>) -> Void
  ) {
    var index = keys.lowerBound(of: UInt16(truncatingIfNeeded: range.lowerBound >> 16))
    while index < keys.count, UInt32(keys[index]) <= range.upperBound >> 16 {
      let base = UInt32(keys[index]) << 16
      containers[index].forEachRun(in: RoaringBitmap.lowHalves(of: range, base)) { run in
        body(base | UInt32(run.first)...base | UInt32(run.last))
      }
      index += 1
    }
  }

  /// Sets a bit of `words` for each number of `range` that is here: bit `offset` for the lowest of
  /// the range.
  package func mark(
    _ range: ClosedRange<UInt32>, at offset: Int, in words: inout MutableSpan<UInt64>
  ) {
    var index = keys.lowerBound(of: UInt16(truncatingIfNeeded: range.lowerBound >> 16))
    while index < keys.count, UInt32(keys[index]) <= range.upperBound >> 16 {
      let base = UInt32(keys[index]) << 16
      let low = RoaringBitmap.lowHalves(of: range, base)
      let first = Int(base | UInt32(low.lowerBound)) - Int(range.lowerBound)
      containers[index].mark(low, at: offset + first, in: &words)
      index += 1
    }
  }

  /// How many numbers lie in `range`. Cost: O(blocks).
  package func count(in range: ClosedRange<UInt32>) -> Int {
    var total = 0
    var index = keys.lowerBound(of: UInt16(truncatingIfNeeded: range.lowerBound >> 16))
    while index < keys.count, UInt32(keys[index]) <= range.upperBound >> 16 {
      let base = UInt32(keys[index]) << 16
      total += containers[index].count(in: RoaringBitmap.lowHalves(of: range, base))
      index += 1
    }
    return total
  }

  /// The part of `range` in the block that starts at `base`, which it meets.
  private static func lowHalves(
    of range: ClosedRange<UInt32>, _ base: UInt32
  ) -> ClosedRange<UInt16> {
    let low = range.lowerBound > base ? range.lowerBound - base : 0
    let high = min(range.upperBound - base, 0xffff)
    return UInt16(truncatingIfNeeded: low)...UInt16(truncatingIfNeeded: high)
  }

  package static func == (a: RoaringBitmap, b: RoaringBitmap) -> Bool {
    a.keys == b.keys && a.containers == b.containers
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(keys)
    for container in containers { hasher.combine(container.count) }
  }
}

// MARK: - As bytes

extension RoaringBitmap {
  private static let cookieWithoutRuns: UInt32 = 12346
  private static let cookieWithRuns: UInt16 = 12347
  /// Bitmaps with runs have offsets only from this many blocks on.
  private static let offsetThreshold = 4

  /// Reads one bitmap in the portable format.
  ///
  ///     bitmap := cookie [count] [which blocks are runs] {key, cardinality - 1} [offsets] blocks
  ///
  /// - Throws: ``ByteError`` for all that is not so: keys, numbers and runs that don't ascend,
  ///   numbers of them that are not the declared ones, offsets that are not where the blocks are.
  package init(decoding reader: inout ByteReader) throws(ByteError) {
    let start = reader.offset
    let header = try Header(&reader, start: start)
    for block in 0..<header.count {
      if let offsets = header.offsets, offsets[block] != UInt32(reader.offset - start) {
        throw .unexpected(
          offset: reader.offset, expected: "block \(block) at \(offsets[block])",
          found: "it at \(reader.offset - start)")
      }
      let cardinality = header.cardinalities[block]
      let container: RoaringContainer =
        if header.isRun(block) {
          try .decodeRuns(&reader, cardinality: cardinality)
        } else if cardinality <= RoaringContainer.highestArrayCount {
          try .decodeArray(&reader, cardinality: cardinality)
        } else {
          try .decodeBits(&reader, cardinality: cardinality)
        }
      append(header.keys[block], container)
    }
  }

  /// What stands before the blocks.
  private struct Header {
    var count = 0
    var keys: [UInt16] = []
    var cardinalities: [Int] = []
    var offsets: [UInt32]?
    private var runFlags: [UInt8] = []

    func isRun(_ block: Int) -> Bool {
      !runFlags.isEmpty && runFlags[block >> 3] >> UInt8(block & 7) & 1 == 1
    }

    init(_ reader: inout ByteReader, start: Int) throws(ByteError) {
      let cookie = try reader.readUInt32LE()
      if cookie == cookieWithoutRuns {
        let declared = try reader.readUInt32LE()
        guard declared <= 65536 else {
          throw .outOfRange(offset: start + 4, what: "number of blocks", value: Int64(declared))
        }
        count = Int(declared)
      } else if UInt16(truncatingIfNeeded: cookie) == cookieWithRuns {
        count = Int(cookie >> 16) + 1
        runFlags = try reader.readBytes((count + 7) / 8).array()
      } else {
        throw .unexpected(
          offset: start, expected: "a Roaring cookie (12346 or 12347)", found: "\(cookie)")
      }
      try readKeys(&reader)
      if runFlags.isEmpty || count >= offsetThreshold {
        var offsets: [UInt32] = []
        offsets.reserveCapacity(min(count, reader.remaining / 4))
        for _ in 0..<count { offsets.append(try reader.readUInt32LE()) }
        self.offsets = offsets
      }
    }

    private mutating func readKeys(_ reader: inout ByteReader) throws(ByteError) {
      keys.reserveCapacity(min(count, reader.remaining / 4))
      cardinalities.reserveCapacity(min(count, reader.remaining / 4))
      for _ in 0..<count {
        let offset = reader.offset
        let key = try reader.readUInt16LE()
        if let last = keys.last, last >= key {
          throw .unexpected(offset: offset, expected: "a key above \(last)", found: "\(key)")
        }
        keys.append(key)
        cardinalities.append(Int(try reader.readUInt16LE()) + 1)
      }
    }
  }

  /// Writes this bitmap in the portable format, each block in its smallest form.
  package func encode(to writer: inout ByteWriter) {
    let blocks = containers.map(\.smallest)
    let hasRuns = blocks.contains(where: \.isRuns)
    var offset = writeCookie(of: blocks, hasRuns: hasRuns, to: &writer)
    for (key, block) in zip(keys, blocks) {
      writer.writeLE(key)
      writer.writeLE(UInt16(truncatingIfNeeded: block.count - 1))
    }
    offset += 4 * blocks.count
    if !hasRuns || blocks.count >= RoaringBitmap.offsetThreshold {
      offset += 4 * blocks.count
      for block in blocks {
        writer.writeLE(UInt32(truncatingIfNeeded: offset))
        offset += block.byteCount
      }
    }
    for block in blocks { block.encode(to: &writer) }
  }

  /// Returns how many bytes it took.
  private func writeCookie(
    of blocks: [RoaringContainer], hasRuns: Bool, to writer: inout ByteWriter
  ) -> Int {
    guard hasRuns else {
      writer.writeLE(RoaringBitmap.cookieWithoutRuns)
      writer.writeLE(UInt32(blocks.count))
      return 8
    }
    writer.writeLE(RoaringBitmap.cookieWithRuns)
    writer.writeLE(UInt16(truncatingIfNeeded: blocks.count - 1))
    var flags = [UInt8](repeating: 0, count: (blocks.count + 7) / 8)
    for (index, block) in blocks.enumerated() where block.isRuns {
      flags[index >> 3] |= 1 << UInt8(index & 7)
    }
    writer.write(flags)
    return 4 + flags.count
  }
}

extension RoaringContainer {
  var isRuns: Bool {
    if case .runs = self { true } else { false }
  }

  fileprivate var byteCount: Int {
    switch self {
    case .array(let values): 2 * values.count
    case .bits: 8 * Self.wordCount
    case .runs(let runs): 2 + 4 * runs.count
    }
  }

  fileprivate func encode(to writer: inout ByteWriter) {
    switch self {
    case .array(let values): for value in values { writer.writeLE(value) }
    case .bits(let words, _): for word in words { writer.writeLE(word) }
    case .runs(let runs):
      writer.writeLE(UInt16(truncatingIfNeeded: runs.count))
      for run in runs {
        writer.writeLE(run.first)
        writer.writeLE(run.last - run.first)
      }
    }
  }

  fileprivate static func decodeArray(
    _ reader: inout ByteReader, cardinality: Int
  ) throws(ByteError) -> RoaringContainer {
    let start = reader.offset
    let bytes = try reader.readBytes(2 * cardinality)
    var values: [UInt16] = []
    values.reserveCapacity(cardinality)
    var last = -1
    for i in 0..<cardinality {
      let value = bytes.loadLE(at: 2 &* i, as: UInt16.self)
      guard Int(value) > last else {
        throw .unexpected(
          offset: start + 2 * i, expected: "a number above \(last)", found: "\(value)")
      }
      last = Int(value)
      values.append(value)
    }
    return .array(values)
  }

  fileprivate static func decodeBits(
    _ reader: inout ByteReader, cardinality: Int
  ) throws(ByteError) -> RoaringContainer {
    let start = reader.offset
    let bytes = try reader.readBytes(8 * wordCount)
    var words: [UInt64] = []
    words.reserveCapacity(wordCount)
    var count = 0
    for i in 0..<wordCount {
      let word = bytes.loadLE(at: 8 &* i, as: UInt64.self)
      count &+= word.nonzeroBitCount
      words.append(word)
    }
    guard count == cardinality else {
      throw .unexpected(offset: start, expected: "\(cardinality) bits set", found: "\(count)")
    }
    return .bits(words, count: count)
  }

  fileprivate static func decodeRuns(
    _ reader: inout ByteReader, cardinality: Int
  ) throws(ByteError) -> RoaringContainer {
    let start = reader.offset
    let runCount = Int(try reader.readUInt16LE())
    let bytes = try reader.readBytes(4 * runCount)
    var runs: [Run] = []
    runs.reserveCapacity(runCount)
    var count = 0
    for i in 0..<runCount {
      let first = bytes.loadLE(at: 4 &* i, as: UInt16.self)
      let last = Int(first) + Int(bytes.loadLE(at: 4 &* i &+ 2, as: UInt16.self))
      guard last <= 0xffff, runs.last.map({ $0.last < first }) ?? true else {
        throw .unexpected(
          offset: start + 2 + 4 * i, expected: "a run behind the one before, up to 65535",
          found: "\(first)...\(last)")
      }
      count += last - Int(first) + 1
      if let before = runs.last, Int(before.last) + 1 == Int(first) {
        runs[runs.count - 1].last = UInt16(last)  // Some writers let runs touch.
      } else {
        runs.append(Run(first: first, last: UInt16(last)))
      }
    }
    guard count == cardinality else {
      throw .unexpected(offset: start, expected: "runs of \(cardinality)", found: "\(count)")
    }
    return .runs(runs)
  }
}
