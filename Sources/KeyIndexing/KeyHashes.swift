// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Columnar
public import Storage

/// What the hashes of an index start from: random, so that no one can choose keys that collide.
public struct KeySeed: Hashable, Sendable {
  let first: UInt64
  let second: UInt64

  init(first: UInt64, second: UInt64) {
    self.first = first
    self.second = second
  }

  /// A fresh one.
  public init(_ environment: Environment) {
    first = environment.random.next()
    second = environment.random.next()
  }
}

/// The hash of a key: 96 bits, so that of a hundred million keys no two share one but in one of
/// 10¹³ tables.
public struct KeyHash: Hashable, Sendable {
  public let high: UInt64
  public let low: UInt32

  public init(high: UInt64, low: UInt32) {
    self.high = high
    self.low = low
  }
}

/// The hashes of the keys of some rows.
public struct KeyHashes: Sendable {
  /// How many rows.
  public let count: Int
  /// UInt64 a row.
  let highs: Buffer
  /// UInt32 a row.
  let lows: Buffer
  /// 1 where a row has a key: none of its columns is null; nil if all rows have one.
  public let validity: Bitmap?

  init(count: Int, highs: Buffer, lows: Buffer, validity: Bitmap?) {
    self.count = count
    self.highs = highs
    self.lows = lows
    self.validity = validity
  }

  public subscript(row: Int) -> KeyHash {
    KeyHash(
      high: highs.bytes.loadLE(at: row * 8, as: UInt64.self),
      low: lows.bytes.loadLE(at: row * 4, as: UInt32.self))
  }

  /// Those of some rows.
  public init(_ hashes: some Collection<KeyHash>) {
    var highs = MutableBuffer(capacity: hashes.count * 8)
    var lows = MutableBuffer(capacity: hashes.count * 4)
    for hash in hashes {
      highs.append(value: hash.high)
      lows.append(value: hash.low)
    }
    self.init(count: hashes.count, highs: highs.freeze(), lows: lows.freeze(), validity: nil)
  }

  /// The rows in `range`.
  public func slice(_ range: Range<Int>) -> KeyHashes {
    KeyHashes(
      count: range.count, highs: highs.slice(range.lowerBound * 8..<range.upperBound * 8),
      lows: lows.slice(range.lowerBound * 4..<range.upperBound * 4),
      validity: validity?.slice(range))
  }
}
