// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Testing

@testable import Parquet

@Suite("Bloom filters")
struct BloomFilterWritingTests {
  private func hashes(_ range: Range<UInt64>) -> [UInt64] { range.map { XXHash64.hash($0) } }

  @Test func `no value that is there is denied`() {
    for count in [0, 1, 10, 1000, 50_000] as [UInt64] {
      let present = hashes(0..<count)
      let filter = BloomFilter(hashes: present, options: BloomFilterOptions())
      #expect(present.allSatisfy { filter.mayContain($0) })
    }
  }

  @Test(arguments: [0.05, 0.01, 0.001])
  func `values that are absent are taken for present as seldom as asked`(rate: Double) {
    let filter = BloomFilter(
      hashes: hashes(0..<20_000), options: BloomFilterOptions(falsePositiveRate: rate))
    let wrong = hashes(1_000_000..<1_200_000).count { filter.mayContain($0) }
    #expect(Double(wrong) / 200_000 <= rate * 1.1)
  }

  @Test func `repeated values take no room`() {
    let once = BloomFilter(hashes: hashes(0..<100), options: BloomFilterOptions())
    let often = BloomFilter(
      hashes: (0..<200).flatMap { _ in hashes(0..<100) }, options: BloomFilterOptions())
    #expect(once.encode().count == often.encode().count)
  }

  @Test func `a filter never gets bigger than allowed`() {
    let filter = BloomFilter(
      hashes: hashes(0..<20_000), options: BloomFilterOptions(maxByteCount: 1000))
    #expect(filter.encode().count < 600)
  }

  @Test func `what is encoded decodes to the same filter`() throws {
    let filter = BloomFilter(hashes: hashes(0..<500), options: BloomFilterOptions())
    let encoded = filter.encode()
    var reader = ThriftReader(encoded.bytes)
    let header = try BloomFilterHeader(from: &reader)
    #expect(header.isKnownKind && Int(header.byteCount) == encoded.count - reader.offset)
    let decoded = try decode(encoded.slice(reader.offset..<encoded.count))
    #expect(decoded == filter)
  }

  /// The file is parquet-java's; its values and those it lacks are from the file's description.
  @Test func `a filter that another writer made is understood`() throws {
    guard let corpora = TestFiles.corpora else {
      print("skipped: the corpora are not there")
      return
    }
    let name = "parquet-testing/data_index_bloom_encoding_with_length.parquet"
    let file = try TestFiles.bytes(corpora.appending(path: name))
    let chunk = try Written.chunk(file, 0, 0)
    let start = Int(try #require(chunk.bloomFilterOffset))
    let data = file.slice(start..<start + Int(try #require(chunk.bloomFilterLength)))
    var reader = ThriftReader(data.bytes)
    _ = try BloomFilterHeader(from: &reader)
    let filter = try decode(data.slice(reader.offset..<data.count))
    func mayContain(_ text: String) -> Bool {
      let bytes = Buffer(utf8: text)
      return filter.mayContain(XXHash64.hash(bytes.bytes))
    }
    for text in ["Hello", "This is", "a", "test", "How", "are you", "doing "] {
      let isThere = mayContain(text)
      #expect(isThere, "\(text)")
    }
    let absent = (0..<200).count { mayContain("absent \($0)") }
    #expect(absent < 10)
  }

  @Test func `broken blocks are an error`() {
    #expect(throws: ByteError.self) { try decode(Buffer([1, 2, 3])) }
    #expect(throws: ByteError.self) { try decode(.empty) }
  }

  private func decode(_ blocks: Buffer) throws(ByteError) -> BloomFilter {
    try BloomFilter(blocks.bytes)
  }
}
