// SPDX-License-Identifier: Apache-2.0
import Bytes
import SeededNumbers
import Testing

@testable import Parquet

/// Against a twin that keeps a Swift dictionary.
@Suite("Dictionary encoders")
struct DictionaryEncoderTests {
  private func codes<T: Hashable>(_ values: [T]) -> (codes: [UInt32], entries: [T]) {
    var known: [T: UInt32] = [:]
    var entries: [T] = []
    let codes = values.map { value in
      if let code = known[value] { return code }
      known[value] = UInt32(entries.count)
      entries.append(value)
      return UInt32(entries.count - 1)
    }
    return (codes, entries)
  }

  @Test(arguments: [1, 2, 100, 5_000, 1_000_000])
  func `numbers get the codes a simple dictionary gives`(cardinality: Int) {
    var random = Seeded(UInt64(cardinality))
    let values = (0..<20_000).map { _ in
      UInt64(random.below(cardinality)) &* (random.chance(50) ? 1 : 0x1_0000_0001)
    }
    var encoder = NumberDictionaryEncoder<UInt64>()
    var output = MutableBuffer()
    encoder.encode(values.span.extracting(0..<7), into: &output)
    encoder.encode(values.span.extracting(7..<20_000), into: &output)
    let expected = codes(values)
    #expect(words(output) == expected.codes)
    #expect(encoder.count == expected.entries.count)
    let entries = encoder.entries.values(as: UInt64.self)
    for i in expected.entries.indices { #expect(entries[i] == expected.entries[i]) }
  }

  @Test func `narrow numbers are told apart by their bits`() {
    let values: [UInt32] = [0, 0x8000_0000, 0x7FC0_0000, 0, 0x7FC0_0001, 0x7FC0_0000]
    var encoder = NumberDictionaryEncoder<UInt32>()
    var output = MutableBuffer()
    encoder.encode(values.span, into: &output)
    #expect(words(output) == [0, 1, 2, 0, 3, 2])
  }

  @Test(arguments: [1, 3, 300, 40_000])
  func `strings get the codes a simple dictionary gives`(cardinality: Int) {
    var random = Seeded(UInt64(cardinality))
    let values = (0..<10_000).map { _ -> [UInt8] in
      let k = random.below(cardinality)
      // Lengths around the steps of the hash, long common parts, one differing byte.
      let length = k % 40
      var bytes = [UInt8](repeating: 7, count: length)
      if length > 0 { bytes[(k / 40) % length] = UInt8(truncatingIfNeeded: k / 1600) }
      return bytes
    }
    var offsets: [Int32] = [0]
    for value in values { offsets.append(offsets.last! + Int32(value.count)) }
    let bytes = Buffer(values.flatMap { $0 })
    var encoder = BytesDictionaryEncoder()
    var output = MutableBuffer()
    encoder.encode(offsets.span.extracting(0...10), bytes.bytes, into: &output)
    encoder.encode(offsets.span.extracting(10...10_000), bytes.bytes, into: &output)
    let expected = codes(values)
    #expect(words(output) == expected.codes)
    #expect(encoder.bytes.bytes.array() == expected.entries.flatMap { $0 })
  }

  private func words(_ buffer: borrowing MutableBuffer) -> [UInt32] {
    let span = buffer.values(as: UInt32.self)
    return span.indices.map { span[$0] }
  }
}
