// SPDX-License-Identifier: Apache-2.0
import Arrow
import Avro
import Bytes
import Columnar
import Foundation
import LakeTestSupport
import Testing

@testable import Inputs

/// Pipes of Arrow and Avro that have nothing for now.
@Suite("Inputs that pause")
struct PauseTests {
  private func bytes(_ name: String) throws -> Buffer {
    let file = SiblingFolder.checkout.appending(path: "Fixtures/\(name)")
    return Buffer([UInt8](try Data(contentsOf: file)))
  }

  /// How many rows come of `bytes` before the source pauses, which it does forever.
  private func rowCount(_ bytes: Buffer, _ format: InputFormat) async throws -> Int {
    let reader = try await InputReader.open(Stalling(bytes), format: format)
    var count = 0
    for _ in 0..<10_000 {
      switch try await reader.step() {
      case .rows(let rows): count += rows.batch.rowCount
      case .pause: return count
      case .end: return -1
      }
    }
    return -2
  }

  @Test func `all whole messages of a stalled Arrow stream are handed out`() async throws {
    let stream = try bytes("arrow/all.arrows")
    for cut in stride(from: 8, to: stream.count, by: 97) {
      var reader = ArrowStreamReader()
      reader.feed(stream.slice(0..<cut))
      var expected = 0
      while let batch = try reader.next() { expected += batch.rowCount }
      // Opening waits for the columns.
      guard reader.fields != nil, !reader.isAtEnd else { continue }
      #expect(try await rowCount(stream.slice(0..<cut), .arrow) == expected, "at \(cut)")
    }
  }

  @Test func `all whole blocks of a stalled Avro file are handed out`() async throws {
    let file = try bytes("avro/logical.avro")
    var met: Set<Int> = []
    for cut in stride(from: 8, through: file.count, by: 13) {
      var blocks = AvroBlockStream()
      blocks.feed(file.slice(0..<cut))
      var expected = 0
      while let block = try blocks.next() { expected += block.recordCount }
      // Opening waits for a first block.
      guard expected > 0 else { continue }
      met.insert(expected)
      #expect(try await rowCount(file.slice(0..<cut), .avro) == expected, "at \(cut)")
    }
    #expect(!met.isEmpty)
  }
}

/// Bytes, and then nothing for as long as one asks.
private struct Stalling: ByteSource {
  let name = "stalling"
  private var bytes: Buffer?

  init(_ bytes: Buffer) { self.bytes = bytes }

  mutating func read() async throws(InputError) -> Buffer? {
    defer { bytes = nil }
    return bytes ?? .empty
  }
}
