// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar

@testable import Parquet

/// Structures of Parquet in Thrift's compact protocol. Law: what was read of them and written again
/// reads the same.
enum ParquetMetadataTargets {
  static let all: [FuzzTarget] = [
    FuzzTarget(name: "thriftFooter", run: footer, seeds: ParquetSeeds.footers),
    FuzzTarget(name: "pageIndex", run: pageIndex, seeds: ParquetSeeds.indexes),
    FuzzTarget(name: "pageHeaderAndLevels", run: pageHeader, seeds: ParquetSeeds.pages),
  ]

  static func footer(_ bytes: Buffer) throws(BrokenLaw) {
    try repeats(
      bytes, "a footer", { (reader) throws(ByteError) in try FileMetaData(from: &reader) }
    ) { $0.encode(into: &$1) }
    var tail = ByteWriter()
    tail.write(bytes)
    tail.writeLE(UInt32(bytes.count))
    tail.write(Buffer(utf8: "PAR1"))
    let file = tail.finish()
    guard
      let footer = attempt({ () throws(ParquetError) in
        try ParquetFooter.parse(tail: file, fileByteCount: Int64(file.count) + 1_000_000)
      })
    else { return }
    try plans(footer)
  }

  /// What is asked for lies in the file, in order.
  private static func plans(_ footer: ParquetFooter) throws(BrokenLaw) {
    for group in 0..<min(footer.rowGroupCount, 4) {
      let plan = attempt { () throws(ParquetError) in
        try footer.readPlan(rowGroup: group, projection: footer.schema.all)
      }
      var last: Int64 = 0
      for range in plan?.ranges ?? [] {
        try hold(
          range.lowerBound >= last && !range.isEmpty && range.upperBound <= footer.fileByteCount,
          "range \(range)")
        last = range.lowerBound
      }
      for leaf in 0..<min(footer.schema.leafCount, 16) {
        for range in footer.pageIndexRanges(rowGroup: group, leaf: leaf) {
          try hold(range.upperBound <= footer.fileByteCount, "index \(range)")
        }
        _ = footer.bloomFilterRange(rowGroup: group, leaf: leaf)
        _ = footer.statistics(rowGroup: group, leaf: leaf)
      }
    }
  }

  static func pageIndex(_ bytes: Buffer) throws(BrokenLaw) {
    var choices = FuzzChoices(bytes)
    let kind = choices.below(3)
    let rest = choices.rest
    switch kind {
    case 0:
      try repeats(
        rest, "a column index", { (reader) throws(ByteError) in try ColumnIndex(from: &reader) }
      ) { $0.encode(into: &$1) }
    case 1:
      try repeats(
        rest, "an offset index", { (reader) throws(ByteError) in try OffsetIndex(from: &reader) }
      ) { $0.encode(into: &$1) }
    default:
      try repeats(
        rest, "a Bloom filter's header",
        { (reader) throws(ByteError) in try BloomFilterHeader(from: &reader) }
      ) { $0.encode(into: &$1) }
      _ = attempt { () throws(ByteError) in try BloomFilter(rest.bytes) }
    }
  }

  /// A header, and levels of a page behind two bytes that choose how many and how high.
  static func pageHeader(_ bytes: Buffer) throws(BrokenLaw) {
    try repeats(
      bytes, "a page header", { (reader) throws(ByteError) in try PageHeader(from: &reader) }
    ) { $0.encode(into: &$1) }
    var choices = FuzzChoices(bytes)
    let maximum = choices.below(9)
    let count = choices.byte() * 17
    let body = choices.rest
    var offset = 0
    let forms: [LevelDecoder?] = [
      attempt { () throws(ByteError) in try LevelDecoder(filling: body, maximum: maximum) },
      attempt { () throws(ByteError) in
        try LevelDecoder(.rle, in: body, at: &offset, count: count, maximum: maximum)
      },
      attempt { () throws(ByteError) in
        offset = 0
        return try LevelDecoder(.bitPacked, in: body, at: &offset, count: count, maximum: maximum)
      },
    ]
    for form in forms {
      guard let form else { continue }
      try levels(form, count, maximum: maximum)
    }
  }

  /// Levels are the same at once and by parts; as bits too, where there are only two.
  private static func levels(
    _ decoder: LevelDecoder, _ count: Int, maximum: Int
  ) throws(BrokenLaw) {
    let whole = levels(decoder, [count], maximum)
    try hold(levels(decoder, [count / 3, count - count / 3], maximum) == whole, "levels by parts")
    if let whole {
      try hold(whole.bytes.array().allSatisfy { Int($0) <= maximum }, "a level above the highest")
    }
    guard maximum == 1 else { return }
    var copy = decoder
    var bits = BitmapBuilder(capacity: count)
    let done: Void? = attempt { () throws(ByteError) in try copy.decode(count, into: &bits) }
    try hold((done == nil) == (whole == nil), "levels as bits end otherwise")
    guard let whole, done != nil else { return }
    let bitmap = bits.finish()
    for i in 0..<count { try hold(bitmap[i] == (whole.bytes[i] != 0), "bit \(i)") }
  }

  private static func levels(
    _ decoder: LevelDecoder, _ parts: [Int], _ maximum: Int
  ) -> Buffer? {
    var decoder = decoder
    var all = MutableBuffer()
    for count in parts {
      var part = MutableBuffer(byteCount: count)
      var span = part.mutableValues(as: UInt8.self)
      let done: Void? = attempt { () throws(ByteError) in
        try decoder.decode(into: &span, maximum: maximum)
      }
      if done == nil { return nil }
      all.append(part.freeze().bytes)
    }
    return all.freeze()
  }

  private static func repeats<T>(
    _ bytes: Buffer, _ what: String, _ read: (inout ThriftReader) throws(ByteError) -> T,
    _ write: (T, inout ThriftWriter) -> Void
  ) throws(BrokenLaw) {
    func decode(_ bytes: Buffer) -> T? {
      attempt { () throws(ByteError) in
        var reader = ThriftReader(bytes.bytes)
        return try read(&reader)
      }
    }
    func encode(_ value: T) -> Buffer {
      var writer = ThriftWriter()
      write(value, &writer)
      return writer.finish()
    }
    guard let value = decode(bytes) else { return }
    let written = encode(value)
    guard let again = decode(written) else { throw BrokenLaw("\(what) is not read back") }
    try hold(encode(again) == written, "\(what) changes when it is read back")
  }
}
