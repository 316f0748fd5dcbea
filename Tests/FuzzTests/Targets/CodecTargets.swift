// SPDX-License-Identifier: Apache-2.0
import Bytes
import Codecs

/// Each codec, both ways.
///
///     input := size (2 bytes), a compressed block; or anything to compress
///
/// Laws: what was compressed decompresses to itself; a block that holds some bytes holds no other
/// number of them; gzip and zstd in chunks are as they are whole.
enum CodecTargets {
  static let all: [FuzzTarget] = Codec.allCases.filter { $0 != .uncompressed }.map { codec in
    FuzzTarget(
      name: name(codec), run: { (bytes) throws(BrokenLaw) in try run(codec, bytes) },
      seeds: { try seeds(codec) })
  }

  private static func name(_ codec: Codec) -> String {
    switch codec {
    case .lz4Hadoop: "lz4Hadoop"
    case .lz4Frame: "lz4Frame"
    case .lz4Raw: "lz4Raw"
    default: "\(codec)"
    }
  }

  static func run(_ codec: Codec, _ bytes: Buffer) throws(BrokenLaw) {
    try roundTrip(codec, bytes)
    var choices = FuzzChoices(bytes)
    let size = choices.byte() + choices.byte() << 8
    let block = choices.rest
    var decompressor = Decompressor(codec)
    let limits = FuzzLimits.decoding
    if let found = attempt({ () throws(CodecError) in
      try decompressor.decompress(block.bytes, uncompressedByteCount: size, limits: limits)
    }) {
      try hold(found.count == size, "another size than was declared")
      try hold(
        attempt { () throws(CodecError) in
          try decompressor.decompress(block.bytes, uncompressedByteCount: size + 1, limits: limits)
        } == nil, "a byte more than there is")
    }
    var all = MutableBuffer()
    all.append(value: UInt32(7))
    let count = attempt { () throws(CodecError) in
      try decompressor.decompress(block.bytes, into: &all, limits: limits)
    }
    try hold(all.count == 4 + (count ?? 0), "what was appended is not what was told")
    guard count != nil, let format = format(codec) else { return }
    try inChunks(format, block, all.freeze().slice(4..<4 + (count ?? 0)), chunk: 1 + size % 61)
  }

  private static func format(_ codec: Codec) -> StreamDecompressor.Format? {
    switch codec {
    case .gzip: .gzip
    case .zstd: .zstd
    default: nil
    }
  }

  private static func inChunks(
    _ format: StreamDecompressor.Format, _ block: Buffer, _ expected: Buffer, chunk: Int
  ) throws(BrokenLaw) {
    // A block without a byte stands for no bytes; a file without one is cut off. Of what is behind
    // the end of a gzip block a file says more.
    guard block.count > 0, StreamDecompressor.Format(startOf: block.bytes) == format else { return }
    let found = attempt { () throws(CodecError) -> Buffer in
      var stream = try StreamDecompressor(format)
      var output = MutableBuffer()
      var at = 0
      while at < block.count {
        let end = min(block.count, at + chunk)
        let part = block.bytes.extracting(at..<end)
        let before = output.count
        let read = try stream.feed(part, into: &output, limit: 4096)
        at += read
        if read == 0, output.count == before { break }
      }
      while true {
        let before = output.count
        _ = try stream.feed(block.bytes.extracting(block.count..<block.count), into: &output)
        if output.count == before { break }
      }
      try stream.finish()
      return output.freeze()
    }
    try hold(found == nil || found == expected, "other bytes in chunks")
  }

  private static func roundTrip(_ codec: Codec, _ bytes: Buffer) throws(BrokenLaw) {
    guard
      let block = attempt({ () throws(CodecError) in try Self.compressed(codec, bytes) })
    else { throw BrokenLaw("\(codec) does not compress \(bytes.count) bytes") }
    var decompressor = Decompressor(codec)
    let again = attempt { () throws(CodecError) in
      try decompressor.decompress(block.bytes, uncompressedByteCount: bytes.count)
    }
    try hold(again == bytes, "\(codec) gives other bytes back")
  }

  private static func compressed(_ codec: Codec, _ bytes: Buffer) throws(CodecError) -> Buffer {
    var compressor = try Compressor(codec)
    return try compressor.compress(bytes.bytes)
  }

  private static func seeds(_ codec: Codec) throws -> [Buffer] {
    let texts = [
      String(repeating: "a", count: 300), "hello, hello, hello, world, hello",
      (0..<120).map { "\($0 * $0)," }.joined(), "x", "",
    ]
    var seeds: [Buffer] = []
    for text in texts {
      let bytes = Buffer(utf8: text)
      let block = try compressed(codec, bytes)
      var seed = MutableBuffer()
      seed.append(value: UInt16(bytes.count).littleEndian)
      seed.append(block.bytes)
      seeds.append(seed.freeze())
    }
    return seeds
  }
}
