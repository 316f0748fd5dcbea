// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar

/// Arrow IPC, as a stream and as a file. Laws: chunks change nothing; batches that were read and
/// written again read the same.
enum ArrowTargets {
  static let all: [FuzzTarget] = [
    FuzzTarget(name: "arrowStream", run: stream, seeds: ArrowSeeds.streams, files: [".arrows"]),
    FuzzTarget(name: "arrowFile", run: file, seeds: ArrowSeeds.files, files: [".arrow"]),
  ]

  /// input := size of chunks, stream; a stream as others wrote it begins with 0xff.
  static func stream(_ bytes: Buffer) throws(BrokenLaw) {
    let chunk = bytes.count == 0 ? 1 : 1 + Int(bytes.bytes[0])
    let whole = read(bytes, chunk: max(1, bytes.count))
    let parts = read(bytes, chunk: chunk)
    try hold((whole == nil) == (parts == nil), "chunks change whether it is read")
    guard let whole, let parts else { return }
    try hold(areEqual(whole, parts), "chunks change the rows")
    try roundTrip(whole)
  }

  static func file(_ bytes: Buffer) throws(BrokenLaw) {
    let found = attempt { () throws(ArrowError) in
      try ArrowFileReader.read(bytes, limits: FuzzLimits.decoding).batches
    }
    if let found { try roundTrip(found) }
  }

  private static func read(_ bytes: Buffer, chunk: Int) -> [RecordBatch]? {
    attempt { () throws(ArrowError) in
      var reader = ArrowStreamReader(limits: FuzzLimits.decoding)
      var batches: [RecordBatch] = []
      var at = 0
      while at < bytes.count {
        let end = min(bytes.count, at + chunk)
        reader.feed(bytes.slice(at..<end))
        at = end
        while let batch = try reader.next() { batches.append(batch) }
      }
      try reader.finish()
      return batches
    }
  }

  private static func roundTrip(_ batches: [RecordBatch]) throws(BrokenLaw) {
    guard let first = batches.first, batches.reduce(0, { $0 + $1.rowCount }) <= 1000 else { return }
    let written = attempt { () throws(ArrowError) in
      try ArrowStreamWriter(fields: first.fields).stream(batches)
    }
    // Batches of one file may differ in what of a dictionary they use, and never in their columns.
    guard let written else { throw BrokenLaw("what was read is not written") }
    guard let again = read(written, chunk: written.count) else {
      throw BrokenLaw("what was written is not read back")
    }
    try hold(areEqual(batches, again), "rows change when they are read back")
  }

  private static func areEqual(_ a: [RecordBatch], _ b: [RecordBatch]) -> Bool {
    guard a.count == b.count else { return false }
    for (x, y) in zip(a, b) {
      guard x.rowCount == y.rowCount, x.columns.count == y.columns.count else { return false }
      for (one, two) in zip(x.columns, y.columns) {
        guard one.type.layout == two.type.layout, one.count == two.count,
          one.rowsEqual(two).countOfOnes == one.count
        else { return false }
      }
    }
    return true
  }
}

/// Small Arrow streams and files.
enum ArrowSeeds {
  private static let compressions: [ArrowWriterOptions.Compression] = [.none, .lz4, .zstd]

  private static func batches() throws -> [[RecordBatch]] {
    try [ParquetSeeds.flat, ParquetSeeds.nested].map { fields in
      [try ParquetSeeds.batch(fields, rows: 9), try ParquetSeeds.batch(fields, rows: 2)]
    }
  }

  @Sendable static func streams() throws -> [Buffer] {
    try batches().flatMap { batches in
      try compressions.map { compression in
        var options = ArrowWriterOptions()
        options.compression = compression
        return try ArrowStreamWriter(fields: batches[0].fields, options: options).stream(batches)
      }
    }
  }

  @Sendable static func files() throws -> [Buffer] {
    try batches().flatMap { batches in
      try compressions.map { compression in
        var options = ArrowWriterOptions()
        options.compression = compression
        var writer = ArrowFileWriter(fields: batches[0].fields, options: options)
        var pieces = [writer.begin()]
        for batch in batches { pieces += try writer.write(batch) }
        pieces.append(writer.end())
        return Buffer(pieces.flatMap { $0.array() })
      }
    }
  }
}
