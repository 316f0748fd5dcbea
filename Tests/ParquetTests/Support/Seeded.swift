// SPDX-License-Identifier: Apache-2.0
import Foundation

/// SplitMix64: random numbers that a seed repeats. `LAKE_SEED` replaces the seed of every test.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  /// Prints the seed, so that a failure can be run again.
  init(_ fallback: UInt64, test: String = #function) {
    let given = ProcessInfo.processInfo.environment["LAKE_SEED"].flatMap { UInt64($0) }
    state = given ?? fallback
    print("\(test): LAKE_SEED=\(state)")
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
