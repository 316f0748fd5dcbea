// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@Suite("What was used last")
struct RecentlyUsedTests {
  /// The same by a list in order of use.
  private struct Twin {
    let byteLimit: Int
    var entries: [(key: Int, content: Int, byteCount: Int)] = []
    var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }

    mutating func use(_ key: Int) -> Int? {
      guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
      entries.append(entries.remove(at: index))
      return entries.last?.content
    }

    mutating func keep(_ content: Int, _ byteCount: Int, _ key: Int) {
      entries.removeAll { $0.key == key }
      entries.append((key, content, byteCount))
      shrink()
    }

    mutating func grow(_ key: Int, by growth: Int) {
      guard let index = entries.firstIndex(where: { $0.key == key }) else { return }
      entries[index].content += 1
      entries[index].byteCount += growth
      shrink()
    }

    private mutating func shrink() {
      guard byteCount > byteLimit else { return }
      while byteCount > byteLimit / 4 * 3, !entries.isEmpty { entries.removeFirst() }
    }
  }

  @Test func `what was not used for longest goes first, beyond the limit`() {
    var random = Seeded(20)
    for _ in 0..<50 {
      let limit = Int.random(in: 0..<400, using: &random)
      var some = RecentlyUsed<Int, Int>(byteLimit: limit)
      var twin = Twin(byteLimit: limit)
      for step in 0..<300 {
        let (key, size) = (Int.random(in: 0..<20, using: &random), step % 60)
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          some.keep(step, byteCount: size, for: key)
          twin.keep(step, size, key)
        case 1:
          some.change(key) {
            $0 += 1
            return size
          }
          twin.grow(key, by: size)
        case 2: #expect(some.use(key) == twin.use(key))
        default: #expect(some.peek(key) == twin.entries.first { $0.key == key }?.content)
        }
        #expect(some.byteCount == twin.byteCount)
      }
    }
  }
}
