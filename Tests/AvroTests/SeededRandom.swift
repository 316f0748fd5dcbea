// SPDX-License-Identifier: Apache-2.0
import Glibc

/// SplitMix64, started from `LAKE_SEED` if that is set; tests report ``seed`` when they fail.
struct SeededRandom: RandomNumberGenerator {
  let seed: UInt64
  private var state: UInt64

  init(_ standard: UInt64) {
    let given = unsafe getenv("LAKE_SEED").flatMap { unsafe UInt64(String(cString: $0)) }
    seed = given ?? standard
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

/// True if `LAKE_DEPTH` asks for the nightly sizes.
let isLongRun = unsafe getenv("LAKE_DEPTH").map { unsafe String(cString: $0) } == "long"
