// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs
import Testing

@Suite("Streams of gzip members and zstd frames")
struct StreamDecompressorTests {
  typealias Format = StreamDecompressor.Format

  static let files: [(String, Format)] = [
    ("pyarrow.gz", .gzip), ("members.gz", .gzip), ("pyarrow.zst", .zstd), ("checksum.zst", .zstd),
    ("unsized.zst", .zstd), ("frames.zst", .zstd),
  ]

  /// Feeds `file` in chunks of `chunk` bytes and takes at most `limit` bytes at a time.
  static func decompress(
    _ file: Buffer, _ format: Format, chunk: Int, limit: Int = .max
  ) throws(CodecError) -> Buffer {
    var stream = try StreamDecompressor(format)
    var output = MutableBuffer()
    var at = 0
    while at < file.count {
      let bytes = file.slice(at..<min(at + chunk, file.count))
      var read = 0
      var appended = limit
      while appended == limit || read < bytes.count {
        let before = output.count
        let rest = bytes.slice(read..<bytes.count)
        read += try stream.feed(rest.bytes, into: &output, limit: limit)
        appended = output.count - before
      }
      at += bytes.count
    }
    try stream.finish()
    return output.freeze()
  }

  @Test(arguments: files)
  func `any split of input and output gives the same`(name: String, format: Format) throws {
    let file = try CodecFixture.read(name)
    let text = CodecFixture.text
    for chunk in [1, 2, 3, 7, 100, 4096, 1 << 20] {
      #expect(try Self.decompress(file, format, chunk: chunk) == text, "chunks of \(chunk)")
      for limit in [1, 13, 4096] where limit > 1 || chunk == 100 {
        let found = try Self.decompress(file, format, chunk: chunk, limit: limit)
        #expect(found == text, "chunks of \(chunk), \(limit) at a time")
      }
    }
  }

  @Test(arguments: files)
  func `a file that is cut off throws when it is finished`(name: String, format: Format) throws {
    let file = try CodecFixture.read(name)
    var whole = 0
    for count in stride(from: 0, to: file.count, by: 3) {
      do {
        let found = try Self.decompress(file.slice(0..<count), format, chunk: 1000)
        // Where a member ends, what is there is a whole file.
        let text = CodecFixture.text
        #expect(found == text.slice(0..<found.count), "cut at \(count)")
        whole += 1
      } catch {
        #expect(error == .truncated(format == .gzip ? .gzip : .zstd), "cut at \(count)")
      }
    }
    #expect(whole <= 5)
  }

  @Test func `zero bytes behind a gzip member are padding, others are not`() throws {
    let file = try CodecFixture.read("pyarrow.gz")
    let text = CodecFixture.text
    let padded = Buffer(file.array() + [UInt8](repeating: 0, count: 700))
    #expect(try Self.decompress(padded, .gzip, chunk: 512) == text)
    #expect(try Codec.gzip.decompress(padded) == text)
    let followed = Buffer(file.array() + [0, 0, 1, 2, 3])
    #expect(throws: CodecError.self) { try Self.decompress(followed, .gzip, chunk: 512) }
    #expect(throws: CodecError.self) { try Codec.gzip.decompress(followed, to: text.count) }
    let again = Buffer(padded.array() + file.array())
    #expect(try Self.decompress(again, .gzip, chunk: 512).count == 2 * text.count)
  }

  @Test(arguments: Format.allCases)
  func `many chunks without a byte change nothing`(format: Format) throws {
    let file = try CodecFixture.read(format == .gzip ? "pyarrow.gz" : "pyarrow.zst")
    let text = CodecFixture.text
    var stream = try StreamDecompressor(format)
    var output = MutableBuffer()
    let empty = Buffer.empty
    for part in [file.slice(0..<100), file.slice(100..<file.count)] {
      for _ in 0..<100 { try stream.feed(empty.bytes, into: &output) }
      try stream.feed(part.bytes, into: &output)
    }
    for _ in 0..<100 { try stream.feed(empty.bytes, into: &output) }
    try stream.finish()
    let found = output.freeze()
    #expect(found == text)
  }

  @Test(arguments: Format.allCases)
  func `a small chunk that holds much is taken in pieces`(format: Format) throws {
    let zeros = Buffer([UInt8](repeating: 0, count: 8 << 20))
    let bomb = try (format == .gzip ? Codec.gzip : .zstd).compress(zeros)
    var stream = try StreamDecompressor(format)
    var output = MutableBuffer()
    var read = 0
    var total = 0
    var calls = 0
    repeat {
      output.removeAll()
      let rest = bomb.slice(read..<bomb.count)
      read += try stream.feed(rest.bytes, into: &output, limit: 1 << 16)
      #expect(output.count <= 1 << 16 && output.capacity <= 1 << 17)
      total += output.count
      calls += 1
    } while output.count == 1 << 16
    try stream.finish()
    #expect(total == zeros.count && calls == zeros.count >> 16 + 1)
  }

  @Test func `the first bytes of a file tell its format`() throws {
    for (name, format) in Self.files {
      let file = try CodecFixture.read(name)
      #expect(Format(startOf: file.bytes) == format)
    }
    let text = CodecFixture.text
    #expect(Format(startOf: text.bytes) == nil)
    #expect(Format(startOf: Buffer([0x1f, 0x8b]).bytes) == nil)
  }
}
