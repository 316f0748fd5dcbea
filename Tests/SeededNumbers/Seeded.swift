// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Random numbers that are the same for the same seed, on every machine (SplitMix64).
///
/// A test that draws from some prints the seed, so that a failure can be had again:
/// `LAKE_SEED=… swift test --filter …`.
public struct Seeded: RandomNumberGenerator, Sendable {
  public let seed: UInt64
  private var state: UInt64

  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// Numbers from `LAKE_SEED` if it is set, else from `fallback`; the seed is printed.
  public init(_ fallback: UInt64, test: String = #function) {
    self.init(seed: Self.givenSeed ?? fallback)
    print("\(test): LAKE_SEED=\(seed)")
  }

  /// Numbers from `LAKE_SEED` if it is set, else from a fresh seed; it is printed with `name`.
  public init(printing name: String) {
    self.init(UInt64.random(in: 0..<1 << 48), test: name)
  }

  /// What `LAKE_SEED` says (decimal, or hexadecimal after `0x`); nil if it is not set or is no number.
  public static let givenSeed: UInt64? = {
    guard let value = getenv("LAKE_SEED") else { return nil }
    let text = String(cString: value)
    return text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }()

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 on, below `limit`.
  public mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

  /// True `percent` times in a hundred.
  public mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// True once in `n` times.
  public mutating func oneIn(_ n: Int) -> Bool { below(n) == 0 }

  public mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// `count` random bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
