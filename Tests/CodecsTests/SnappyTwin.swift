// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers

/// Snappy a byte at a time over arrays, as its description has it: what the kernels are held to.
enum SnappyTwin {
  /// What a block holds; nil if it is not one.
  static func decompress(_ block: [UInt8]) -> [UInt8]? {
    var at = 0
    func next() -> Int? {
      guard at < block.count else { return nil }
      defer { at += 1 }
      return Int(block[at])
    }
    func number(_ byteCount: Int) -> Int? {
      var value = 0
      for i in 0..<byteCount {
        guard let byte = next() else { return nil }
        value |= byte << (8 * i)
      }
      return value
    }
    var size = 0
    var shift = 0
    while true {
      guard shift < 35, let byte = next() else { return nil }
      size |= (byte & 127) << shift
      shift += 7
      if byte < 128 { break }
    }
    var output: [UInt8] = []
    while at < block.count {
      guard let tag = next() else { return nil }
      var count = tag >> 2 + 1
      var distance = 0
      switch tag & 3 {
      case 0:
        if count > 60 {
          guard let more = number(count - 60) else { return nil }
          count = more + 1
        }
        guard count <= block.count - at, count <= size - output.count else { return nil }
        output += block[at..<at + count]
        at += count
        continue
      case 1:
        guard let low = next() else { return nil }
        count = 4 + (tag >> 2) & 7
        distance = (tag >> 5) << 8 | low
      default:
        guard let value = number(tag & 3 == 2 ? 2 : 4) else { return nil }
        distance = value
      }
      guard distance > 0, distance <= output.count, count <= size - output.count else { return nil }
      for _ in 0..<count { output.append(output[output.count - distance]) }
    }
    return output.count == size ? output : nil
  }

  /// A valid block of `elements` random elements of every kind, biased to near copies.
  static func randomBlock(elements: Int, _ random: inout Seeded) -> [UInt8] {
    var body: [UInt8] = []
    var size = 0
    for _ in 0..<elements {
      let kind = size == 0 ? 0 : Int(random.next() % 4)
      let near = random.next() % 2 == 0
      let distance = size == 0 ? 0 : 1 + Int(random.next() % UInt64(near ? min(size, 40) : size))
      switch kind {
      case 0: size += appendLiteral(&body, &random)
      case 1 where distance < 2048:
        let count = 4 + Int(random.next() % 8)
        body += [UInt8((distance >> 8) << 5 | (count - 4) << 2 | 1), UInt8(distance & 255)]
        size += count
      default:
        let count = 1 + Int(random.next() % 64)
        let isFar = kind == 3 || distance > 65535
        body.append(UInt8((count - 1) << 2 | (isFar ? 3 : 2)))
        for i in 0..<(isFar ? 4 : 2) { body.append(UInt8(distance >> (8 * i) & 255)) }
        size += count
      }
    }
    var writer = ByteWriter()
    writer.writeULEB128(UInt64(size))
    return writer.finish().array() + body
  }

  private static func appendLiteral(_ body: inout [UInt8], _ random: inout Seeded) -> Int {
    let count = 1 + Int(random.next() % (random.next() % 8 == 0 ? 400 : 30))
    let sizeBytes = count > 60 || random.next() % 8 == 0 ? 2 + Int(random.next() % 3) : 0
    if sizeBytes == 0 {
      body.append(UInt8((count - 1) << 2))
    } else {
      body.append(UInt8((59 + sizeBytes) << 2))
      for i in 0..<sizeBytes { body.append(UInt8((count - 1) >> (8 * i) & 255)) }
    }
    body += random.bytes(count)
    return count
  }
}
