// SPDX-License-Identifier: Apache-2.0
import SeededNumbers
import Storage
import Synchronization

/// As ``Seeded``, drawn from by whoever has it, also at once.
public final class SeededRandom: RandomSource, RandomNumberGenerator {
  public let seed: UInt64
  private let numbers: Mutex<Seeded>

  public init(seed: UInt64) {
    self.seed = seed
    numbers = Mutex(Seeded(seed: seed))
  }

  /// Numbers from `LAKE_SEED` if it is set, else from a fresh seed; it is printed with `name`.
  public convenience init(printing name: String) { self.init(seed: Seeded(printing: name).seed) }

  /// What `LAKE_SEED` says; nil if it is not set or is no number.
  public static var givenSeed: UInt64? { Seeded.givenSeed }

  public func next() -> UInt64 { numbers.withLock { $0.next() } }

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
