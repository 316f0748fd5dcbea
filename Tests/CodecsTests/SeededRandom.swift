// SPDX-License-Identifier: Apache-2.0
import Glibc

/// SplitMix64: random numbers that a seed repeats. `LAKE_SEED` replaces the seed of every test.
struct SeededRandom: RandomNumberGenerator {
  let seed: UInt64
  private var state: UInt64

  /// Prints the seed, so that a failure can be run again.
  init(_ fallback: UInt64, test: String = #function) {
    let given = getenv("LAKE_SEED").flatMap { UInt64(String(cString: $0)) }
    seed = given ?? fallback
    state = seed
    print("\(test): LAKE_SEED=\(seed)")
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
