// SPDX-License-Identifier: Apache-2.0
import SeededNumbers
import Testing

@testable import Bytes

/// Against a twin that appends one string after the other.
@Suite("Length-prefixed strings")
struct LengthPrefixKernelTests {
  private func twin(_ offsets: [Int32], _ bytes: Buffer) -> [UInt8] {
    var output: [UInt8] = []
    for i in 0..<max(0, offsets.count - 1) {
      let value = bytes.slice(Int(offsets[i])..<Int(offsets[i + 1])).array()
      for byte in 0..<4 { output.append(UInt8(truncatingIfNeeded: value.count >> (8 * byte))) }
      output += value
    }
    return output
  }

  private func kernel(_ offsets: [Int32], _ bytes: Buffer) -> [UInt8] {
    var output = MutableBuffer()
    output.append(value: UInt8(7))
    LengthPrefixKernel.append(offsets.span, bytes.bytes, to: &output)
    let all = output.freeze().array()
    return all.first == 7 ? Array(all.dropFirst()) : []
  }

  @Test func `strings of all lengths at all places are as the twin has them`() {
    var random = Seeded(41)
    for _ in 0..<300 {
      let lengths = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
        [0, 1, 4, 15, 16, 17, 31, 32, 33, 100].randomElement(using: &random) ?? 0
      }
      let skipped = Int.random(in: 0..<20, using: &random)
      var offsets = [Int32(skipped)]
      for length in lengths { offsets.append((offsets.last ?? 0) + Int32(length)) }
      // Now and then the last string ends with the bytes, so that nothing can be read behind it.
      let spare = Int.random(in: 0..<3, using: &random) * 8
      let bytes = Buffer(random.bytes(skipped + lengths.reduce(0, +) + spare))
      #expect(kernel(offsets, bytes) == twin(offsets, bytes))
    }
  }

  @Test func `no strings and empty ones are fine`() {
    #expect(kernel([], .empty) == [])
    #expect(kernel([0], .empty) == [])
    #expect(kernel([0, 0, 0], .empty) == [0, 0, 0, 0, 0, 0, 0, 0])
  }
}
