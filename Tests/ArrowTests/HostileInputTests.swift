// SPDX-License-Identifier: Apache-2.0
import Arrow
import Bytes
import Columnar
import LakeTestSupport
import Testing

@Suite("Arrow bytes that are cut or changed")
struct HostileInputTests {
  private static let names = [
    "all.arrows", "all_lz4.arrow", "all_zstd.arrow", "delta.arrows", "replaced.arrows",
  ]

  @Test func `a stream that is cut inside a message throws`() throws {
    let make = RandomBatches(random: SeededRandom(seed: 3))
    let fields = make.fields(4, depth: 2)
    let batches = (0..<2).map { _ in make.batch(fields, rows: 9) }
    let writer = ArrowStreamWriter(fields: fields)
    let bytes = try writer.stream(batches)
    var ends = [writer.schema.count]
    for batch in batches {
      ends.append(ends[ends.count - 1] + (try writer.message(batch).reduce(0) { $0 + $1.count }))
    }
    for count in 0..<bytes.count {
      // A stream may end where a message does, with or without the marker.
      if ends.contains(count) {
        #expect(try ArrowStreamReader.read(bytes.slice(0..<count)).fields == fields)
      } else {
        #expect(throws: ArrowError.self, "\(count) of \(bytes.count) bytes") {
          try ArrowStreamReader.read(bytes.slice(0..<count))
        }
      }
    }
  }

  @Test func `a file that is cut anywhere throws`() throws {
    for name in ["all_lz4.arrow", "all_zstd.arrow"] {
      let bytes = try ArrowFiles.fixture(name)
      for count in 0..<bytes.count {
        #expect(throws: ArrowError.self, "\(count) of \(bytes.count) bytes of \(name)") {
          try ArrowFileReader.read(bytes.slice(0..<count))
        }
      }
    }
  }

  @Test func `changed bytes throw or are read, and never trap`() throws {
    let random = SeededRandom(printing: "arrow mutations")
    for name in Self.names {
      let original = try ArrowFiles.fixture(name).array()
      for _ in 0..<1500 {
        var bytes = original
        for _ in 0..<random.int(in: 1..<4) {
          let at = random.int(in: 0..<bytes.count)
          switch random.int(in: 0..<3) {
          case 0: bytes[at] ^= 1 << UInt8(random.int(in: 0..<8))
          case 1: bytes[at] = random.pick([0, 0x7f, 0x80, 0xff])
          default: bytes[at] = UInt8(truncatingIfNeeded: random.next())
          }
        }
        use(bytes, name)
      }
    }
  }

  @Test func `each bit that is turned throws or is read, and never traps`() throws {
    for name in ["delta.arrows", "unsupported_union.arrows"] {
      let original = try ArrowFiles.fixture(name).array()
      for at in original.indices {
        for bit in 0..<8 {
          var bytes = original
          bytes[at] ^= 1 << UInt8(bit)
          use(bytes, name)
        }
      }
    }
  }

  @Test func `offsets that go up and then below zero throw`() throws {
    let fields = [ColumnField("s", .binary)]
    let builder = ColumnBuilder(.binary)
    for text in ["ab", "cde", "f"] { builder.append(text) }
    let batch = RecordBatch(fields: fields, columns: [builder.finish()], rowCount: 3)
    var bytes = try ArrowStreamWriter(fields: fields).stream([batch]).array()
    let offsets: [UInt8] = [0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0]
    let at = try #require(
      (0..<bytes.count - 16).first { bytes[$0..<$0 + 16].elementsEqual(offsets) })
    // From 2^31 - 1 down to -5 is a step up, modulo 2^32.
    bytes.replaceSubrange(at + 4..<at + 12, with: [0xff, 0xff, 0xff, 0x7f, 0xfb, 0xff, 0xff, 0xff])
    #expect(throws: ArrowError.self) { try ArrowStreamReader.read(Buffer(bytes)) }
  }

  @Test func `few bytes that stand for much memory are refused`() throws {
    // Two billion rows of a column without values: a node, and no buffer.
    let fields = [ColumnField("n", .null)]
    let writer = ArrowStreamWriter(fields: fields)
    let batch = RecordBatch(fields: fields, columns: [.nulls(.null, count: 77)], rowCount: 77)
    var bytes = try writer.stream([batch]).array()
    for at in 0..<bytes.count - 8 where bytes[at..<at + 8].elementsEqual([77, 0, 0, 0, 0, 0, 0, 0])
    {
      bytes.replaceSubrange(at..<at + 4, with: [0xf0, 0xff, 0xff, 0x7f])
    }
    #expect {
      try ArrowStreamReader.read(Buffer(bytes))
    } throws: { error in
      guard case ArrowError.limitExceeded = error else { return false }
      return true
    }
  }

  /// Reads `bytes` and all values that come out.
  private func use(_ bytes: [UInt8], _ name: String) {
    guard let (_, batches) = try? ArrowFiles.read(Buffer(bytes), named: name) else { return }
    for batch in batches {
      var text = MutableBuffer()
      batch.appendLines(.json, to: &text)
      _ = try? ArrowStreamWriter(fields: batch.fields).message(batch)
      for column in batch.columns { _ = try? column.materialized() }
    }
  }
}
