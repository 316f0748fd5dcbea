// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Columnar
import Inputs
import Testing

/// Sources that give less than was hoped for, as pipes do.
@Suite("Small chunks")
struct SmallChunkTests {
  struct Chunks: ByteSource {
    let name = "pipe"
    var rest: Buffer
    let byteCount: Int

    mutating func read() async throws(InputError) -> Buffer? {
      guard rest.count > 0 else { return nil }
      let end = min(byteCount, rest.count)
      defer { rest = rest.slice(end..<rest.count) }
      return rest.slice(0..<end)
    }
  }

  private static func compressed(_ codec: Codec, _ text: String) throws(CodecError) -> Buffer {
    var compressor = try Compressor(codec)
    let bytes = Buffer(utf8: text)
    return try compressor.compress(bytes.bytes)
  }

  private static func rows(
    _ bytes: Buffer, _ format: InputFormat, chunk: Int
  ) async throws -> [[Int64]] {
    let reader = try await InputReader.open(
      Chunks(rest: bytes, byteCount: chunk), format: format)
    var rows: [[Int64]] = []
    while let batch = try await reader.next() {
      for row in 0..<batch.rowCount { rows.append(batch.columns.map { $0.integer(row) }) }
    }
    return rows
  }

  @Test(arguments: [Codec.uncompressed, .gzip, .zstd], [1, 2, 3, 5, 1000])
  func `rows are the same however few bytes come at a time`(codec: Codec, chunk: Int) async throws {
    let csv = try Self.compressed(codec, "a,b\n1,2\r\n\"3\",4\n")
    #expect(try await Self.rows(csv, .csv, chunk: chunk) == [[1, 2], [3, 4]])
    let lines = try Self.compressed(codec, "{\"a\":1,\"b\":2}\n{\"b\":4,\"a\":3}\n")
    #expect(try await Self.rows(lines, .jsonl, chunk: chunk) == [[1, 2], [3, 4]])
  }
}
