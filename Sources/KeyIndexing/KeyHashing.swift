// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Works out the hashes of keys, a column at a time.
///
/// Two lanes of 64 bits, of which each value is folded into both; 96 bits of them are kept. These
/// hashes are stored, so they must not change: an index of another ``version`` is not read.
///
/// Laws: equal keys have equal hashes, whether their columns are plain, dictionaries or slices, and
/// before and after a column was promoted: int and long, date and timestamp, times of any unit,
/// decimals of one scale.
struct KeyHasher: ~Copyable {
  /// Changes with what hashes come to.
  static let version = 2

  private static let k1: UInt64 = 0xa076_1d64_78bd_642f
  private static let k2: UInt64 = 0xe703_7ed1_a0b4_28db
  private static let k3: UInt64 = 0x8ebc_6af0_9c88_c6e3
  private static let k4: UInt64 = 0x5899_65cc_7537_4cc3

  private let seed: KeySeed
  private let count: Int
  private var a: MutableBuffer
  private var b: MutableBuffer
  private var validity: Bitmap?

  static func hashes(of columns: [Column], rowCount: Int, seed: KeySeed) -> KeyHashes {
    var hasher = KeyHasher(seed, rowCount)
    for column in columns { hasher.add(column) }
    return hasher.finish()
  }

  private init(_ seed: KeySeed, _ count: Int) {
    self.seed = seed
    self.count = count
    a = Self.filled(seed.first ^ Self.k1, count)
    b = Self.filled(seed.second ^ Self.k2, count)
  }

  private static func filled(_ value: UInt64, _ count: Int) -> MutableBuffer {
    var buffer = MutableBuffer(byteCount: count * 8)
    var words = buffer.mutableValues(as: UInt64.self)
    for i in words.indices { words[i] = value }
    return buffer
  }

  /// Both halves of a product, so that every bit counts.
  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  // MARK: columns

  private mutating func add(_ column: Column) {
    if let own = column.validity { validity = validity.map { $0.and(own) } ?? own }
    switch column.values {
    case .null: return
    case .dictionary(let codes, let entries):
      if entries.count == 0 { return }
      let digests = digests(of: entries)
      let rows = codes.values(as: Int32.self)
      let first = Self.gather(digests.a, rows)
      let isOne = digests.a.isSameMemory(as: digests.b)
      fold(first, isOne ? first : Self.gather(digests.b, rows))
    default:
      let digests = digests(of: column)
      fold(digests.a, digests.b)
    }
  }

  private static func gather(_ words: Buffer, _ rows: Span<Int32>) -> Buffer {
    let old = words.values(as: UInt64.self)
    var target = MutableBuffer(byteCount: rows.count * 8)
    var new = target.mutableValues(as: UInt64.self)
    for i in rows.indices { new[i] = old[Int(rows[i])] }
    return target.freeze()
  }

  /// Folds two words a row into the lanes.
  private mutating func fold(_ first: Buffer, _ second: Buffer) {
    let k = (seed.second | 1) ^ Self.k2
    let u = first.values(as: UInt64.self)
    var x = a.mutableValues(as: UInt64.self)
    for i in x.indices { x[i] = Self.fold(x[i] ^ u[i], k) &+ Self.k3 }
    let l = (seed.first | 1) ^ Self.k4
    let v = second.values(as: UInt64.self)
    var y = b.mutableValues(as: UInt64.self)
    for i in y.indices { y[i] = Self.fold(y[i] ^ v[i], l) &+ Self.k1 }
  }

  private consuming func finish() -> KeyHashes {
    let (count, validity) = (self.count, self.validity)
    return KeyHashes(
      count: count, highs: Self.highs(a.freeze()), lows: Self.lows(b.freeze()),
      validity: validity)
  }

  private static func highs(_ lane: Buffer) -> Buffer {
    let words = lane.values(as: UInt64.self)
    var target = MutableBuffer(byteCount: lane.count)
    var highs = target.mutableValues(as: UInt64.self)
    for i in highs.indices { highs[i] = fold(words[i] ^ k4, k2) }
    return target.freeze()
  }

  private static func lows(_ lane: Buffer) -> Buffer {
    let words = lane.values(as: UInt64.self)
    var target = MutableBuffer(byteCount: lane.count / 2)
    var lows = target.mutableValues(as: UInt32.self)
    for i in lows.indices {
      lows[i] = UInt32(truncatingIfNeeded: fold(words[i] ^ k3, k1) &>> 32)
    }
    return target.freeze()
  }

  // MARK: digests

  /// Two words for each value of a plain column.
  private func digests(of column: Column) -> (a: Buffer, b: Buffer) {
    switch column.values {
    case .fixed(let buffer):
      switch (column.type, column.type.layout) {
      case (.timestamp(.nanoseconds, _), _): break
      case (_, .fixed(width: 8)):
        let words = buffer.aligned(8)
        return (words, words)
      default: break
      }
      return fixedDigests(buffer, column)
    case .variable(let offsets, let bytes): return digests(offsets, bytes, column.count)
    case .bits(let bits):
      var x = MutableBuffer(byteCount: column.count * 8)
      var words = x.mutableValues(as: UInt64.self)
      for i in words.indices { words[i] = bits[i] ? 1 : 0 }
      let result = x.freeze()
      return (result, result)
    default: preconditionFailure("\(column.type) is no key")
    }
  }

  private func fixedDigests(_ buffer: Buffer, _ column: Column) -> (a: Buffer, b: Buffer) {
    var x = MutableBuffer(byteCount: column.count * 8)
    var y = MutableBuffer(byteCount: column.count * 8)
    var first = x.mutableValues(as: UInt64.self)
    var second = y.mutableValues(as: UInt64.self)
    let bytes = buffer.bytes
    let width = buffer.count / max(1, column.count)
    for i in first.indices {
      (first[i], second[i]) = fixedDigest(bytes, i, column.type, width: width)
    }
    return (x.freeze(), y.freeze())
  }

  private func digests(_ offsets: Buffer, _ bytes: Buffer, _ count: Int) -> (a: Buffer, b: Buffer) {
    var x = MutableBuffer(byteCount: count * 8)
    var y = MutableBuffer(byteCount: count * 8)
    var first = x.mutableValues(as: UInt64.self)
    var second = y.mutableValues(as: UInt64.self)
    let ends = offsets.aligned(4).values(as: Int32.self)
    let all = bytes.bytes
    for i in first.indices {
      (first[i], second[i]) = digest(all, from: Int(ends[i]), to: Int(ends[i &+ 1]))
    }
    return (x.freeze(), y.freeze())
  }

  @inline(__always)
  private static func both(_ value: Int64) -> (UInt64, UInt64) {
    (UInt64(bitPattern: value), UInt64(bitPattern: value))
  }

  @inline(__always)
  private func fixedDigest(
    _ bytes: RawSpan, _ row: Int, _ type: ColumnType, width: Int
  ) -> (UInt64, UInt64) {
    switch type {
    case .int32: return Self.both(Int64(bytes.loadLE(at: row &* 4, as: Int32.self)))
    case .date:
      return Self.both(Int64(bytes.loadLE(at: row &* 4, as: Int32.self)) &* 86_400_000_000)
    case .timestamp(.nanoseconds, _):
      let value = bytes.loadLE(at: row &* 8, as: Int64.self)
      let (microseconds, rest) = value.quotientAndRemainder(dividingBy: 1000)
      if rest == 0 { return Self.both(microseconds) }
      return mixed(UInt64(bitPattern: value), 1000)
    case .decimal:
      let low = bytes.loadLE(at: row &* width, as: Int64.self)
      guard width == 16 else { return Self.both(low) }
      let high = bytes.loadLE(at: row &* 16 &+ 8, as: Int64.self)
      if high == low >> 63 { return Self.both(low) }
      return mixed(UInt64(bitPattern: low), UInt64(bitPattern: high))
    default: return digest(bytes, from: row &* width, to: (row &+ 1) &* width)
    }
  }

  /// Two words of two.
  @inline(__always)
  private func mixed(_ a: UInt64, _ b: UInt64) -> (UInt64, UInt64) {
    (
      Self.fold(Self.fold(seed.first ^ a, Self.k1) ^ b, Self.k3 ^ seed.second),
      Self.fold(Self.fold(seed.second ^ a, Self.k4) ^ b, Self.k2 ^ seed.first)
    )
  }

  /// Two words of some bytes and their number.
  ///
  /// The number is folded in by itself, last: beside the first bytes it could undo what they differ in
  /// where the longer value ends in zeros.
  private func digest(_ bytes: RawSpan, from start: Int, to end: Int) -> (UInt64, UInt64) {
    let length = UInt64(truncatingIfNeeded: end &- start)
    var p = seed.first
    var q = seed.second
    var at = start
    while at < end {
      let word: UInt64
      if end &- at >= 8 {
        word = bytes.loadLE(at: at, as: UInt64.self)
      } else {
        var last: UInt64 = 0
        for i in at..<end {
          last |= UInt64(bytes[i]) &<< UInt64(truncatingIfNeeded: (i &- at) &* 8)
        }
        word = last
      }
      p = Self.fold(p ^ word, Self.k1 ^ seed.second)
      q = Self.fold(q ^ word, Self.k4 ^ seed.first)
      at &+= 8
    }
    return (
      Self.fold(p ^ length, Self.k3 ^ seed.second), Self.fold(q ^ length, Self.k2 ^ seed.first)
    )
  }
}

extension Buffer {
  /// These bytes, copied if they don't lie on a multiple of `alignment`.
  func aligned(_ alignment: Int) -> Buffer {
    isAligned(to: alignment) ? self : Buffer(copying: bytes)
  }
}
