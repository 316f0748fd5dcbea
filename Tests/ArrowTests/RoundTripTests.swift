// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar
import LakeTestSupport
import Testing

@Suite("Arrow streams and files, there and back")
struct RoundTripTests {
  static let compressions: [ArrowWriterOptions.Compression] = [.none, .lz4, .zstd]

  private func options(_ compression: ArrowWriterOptions.Compression) -> ArrowWriterOptions {
    var options = ArrowWriterOptions()
    options.compression = compression
    return options
  }

  private func expectEqual(_ found: [RecordBatch], _ expected: [RecordBatch]) {
    #expect(found.count == expected.count)
    for (a, b) in zip(found, expected) {
      #expect(a.rowCount == b.rowCount)
      for (index, (x, y)) in zip(a.columns, b.columns).enumerated() {
        #expect(x.isEqual(to: y), "column \(index) of \(b.fields[index])")
      }
    }
  }

  @Test(arguments: compressions)
  func `random batches are read as they were written`(
    _ compression: ArrowWriterOptions.Compression
  ) throws {
    let random = SeededRandom(printing: "arrow round trip")
    let make = RandomBatches(random: random)
    for _ in 0..<150 {
      let fields = make.fields(random.int(in: 0..<6), depth: random.int(in: 0..<5))
      let batches = (0..<random.int(in: 0..<4)).map { _ in
        make.batch(fields, rows: random.pick([0, 1, 7, 64, 200]))
      }
      let writer = ArrowStreamWriter(fields: fields, options: options(compression))
      let stream = try ArrowStreamReader.read(try writer.stream(batches))
      #expect(stream.fields == fields)
      expectEqual(stream.batches, batches)
      let file = try ArrowFileReader.read(
        try ArrowFiles.file(fields, batches, options(compression)))
      #expect(file.fields == fields)
      expectEqual(file.batches, batches)
    }
  }

  @Test func `a stream may come in pieces of any size`() throws {
    let random = SeededRandom(printing: "arrow pieces")
    let make = RandomBatches(random: random)
    for _ in 0..<60 {
      let fields = make.fields(3, depth: 2)
      let batches = (0..<3).map { _ in make.batch(fields, rows: 50) }
      let bytes = try ArrowStreamWriter(fields: fields).stream(batches)
      let limit = random.pick([1, 3, 17, 500])
      var reader = ArrowStreamReader()
      var found: [RecordBatch] = []
      var at = 0
      while at < bytes.count {
        let end = min(bytes.count, at + random.int(in: 1..<limit + 1))
        reader.feed(bytes.slice(at..<end))
        at = end
        while let batch = try reader.next() { found.append(batch) }
      }
      try reader.finish()
      #expect(reader.isAtEnd)
      expectEqual(found, batches)
    }
  }

  @Test func `bodies and their buffers lie on multiples of 64`() throws {
    let random = SeededRandom(printing: "arrow alignment")
    let make = RandomBatches(random: random)
    for _ in 0..<50 {
      let fields = make.fields(4, depth: 2)
      let writer = ArrowStreamWriter(fields: fields)
      #expect(writer.schema.count % 64 == 0)
      let message = try writer.message(make.batch(fields, rows: 33))
      #expect(message.reduce(0) { $0 + $1.count } % 64 == 0)
      let file = try ArrowFiles.file(fields, [], ArrowWriterOptions())
      #expect(file.count > 64)
    }
  }

  @Test func `a batch of other columns is refused`() throws {
    let fields = [ColumnField("a", .int32), ColumnField("b", .string)]
    let writer = ArrowStreamWriter(fields: fields)
    let other = RecordBatch(
      fields: [ColumnField("a", .int32), ColumnField("b", .int64)],
      columns: [.nulls(.int32, count: 1), .nulls(.int64, count: 1)], rowCount: 1)
    #expect(throws: ArrowError.mismatch(field: "b", expected: "string", found: "long")) {
      try writer.message(other)
    }
    #expect(throws: ArrowError.self) { try writer.message(other.selecting([0])) }
  }
}
