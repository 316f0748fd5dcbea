// SPDX-License-Identifier: Apache-2.0
import Storage
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Random numbers that are the same for the same seed, on every machine (SplitMix64).
///
/// A test that draws from one prints the seed when it is made, so that a failure can be had again:
/// `LAKE_SEED=… swift test --filter …`.
public final class SeededRandom: RandomSource, RandomNumberGenerator {
  public let seed: UInt64
  private let state: Mutex<UInt64>

  public init(seed: UInt64) {
    self.seed = seed
    self.state = Mutex(seed)
  }

  /// Numbers from `LAKE_SEED` if it is set (decimal, or hexadecimal after `0x`), else from a fresh
  /// seed; either way the seed is printed, with `name`.
  public convenience init(printing name: String) {
    let seed = Self.givenSeed ?? UInt64.random(in: 0..<1 << 48)
    print("\(name): LAKE_SEED=\(seed)")
    self.init(seed: seed)
  }

  /// What `LAKE_SEED` says; nil if it is not set or is no number.
  public static let givenSeed: UInt64? = {
    guard let value = getenv("LAKE_SEED") else { return nil }
    let text = String(cString: value)
    return text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }()

  public func next() -> UInt64 {
    state.withLock { state in
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  /// A number in `range`, each as likely.
  public func int(in range: Range<Int>) -> Int {
    var generator = self
    return .random(in: range, using: &generator)
  }

  /// True once in `n` times.
  public func oneIn(_ n: Int) -> Bool { int(in: 0..<n) == 0 }

  /// `count` random bytes.
  public func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Another run of numbers, decided by this one's next number.
  public func fork() -> SeededRandom { SeededRandom(seed: next()) }
}
