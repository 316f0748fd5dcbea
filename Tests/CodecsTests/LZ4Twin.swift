// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers

/// LZ4 blocks a byte at a time over arrays, as their description has it.
enum LZ4Twin {
  /// What a block holds; nil if it is not one.
  static func decompress(_ block: [UInt8]) -> [UInt8]? {
    var at = 0
    func next() -> Int? {
      guard at < block.count else { return nil }
      defer { at += 1 }
      return Int(block[at])
    }
    func count(_ short: Int) -> Int? {
      var sum = short
      guard short == 15 else { return sum }
      while true {
        guard let byte = next() else { return nil }
        sum += byte
        if byte < 255 { return sum }
      }
    }
    var output: [UInt8] = []
    while let token = next() {
      guard let literals = count(token >> 4), literals <= block.count - at else { return nil }
      output += block[at..<at + literals]
      at += literals
      if at == block.count { return output }
      guard let low = next(), let high = next() else { return nil }
      let distance = high << 8 | low
      guard distance > 0, distance <= output.count, let matched = count(token & 15) else {
        return nil
      }
      for _ in 0..<matched + 4 { output.append(output[output.count - distance]) }
    }
    return nil
  }

  /// A block of random sequences, biased to near matches; it ends with literals.
  static func randomBlock(sequences: Int, _ random: inout Seeded) -> [UInt8] {
    var block: [UInt8] = []
    var size = 0
    for i in 0...sequences {
      let isLast = i == sequences
      var literals = Int(random.next() % (random.next() % 8 == 0 ? 600 : 24))
      if size == 0, !isLast { literals += 1 }
      let matched = isLast ? 0 : Int(random.next() % (random.next() % 8 == 0 ? 600 : 30))
      block.append(UInt8(min(literals, 15) << 4 | min(matched, 15)))
      appendCount(literals, &block)
      block += random.bytes(literals)
      size += literals
      if isLast { break }
      let near = random.next() % 2 == 0
      let distance = 1 + Int(random.next() % UInt64(min(size, near ? 40 : 65535)))
      block += [UInt8(distance & 255), UInt8(distance >> 8)]
      appendCount(matched, &block)
      size += matched + 4
    }
    return block
  }

  private static func appendCount(_ count: Int, _ block: inout [UInt8]) {
    guard count >= 15 else { return }
    block += [UInt8](repeating: 255, count: (count - 15) / 255) + [UInt8((count - 15) % 255)]
  }
}
