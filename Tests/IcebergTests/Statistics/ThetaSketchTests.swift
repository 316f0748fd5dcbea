// SPDX-License-Identifier: Apache-2.0
import Bytes
import Foundation
import Testing

@testable import Iceberg

@Suite("Theta sketches")
struct ThetaSketchTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/theta")

  private static func golden(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: fixtures.appending(path: name)))
  }

  private func sketch(_ range: Range<Int64>) -> ThetaSketch {
    var sketch = ThetaSketch()
    let values = Array(range)
    sketch.insert(values.span)
    return sketch
  }

  private func sketch(texts: [String]) -> ThetaSketch {
    var sketch = ThetaSketch()
    for text in texts { sketch.insert(Buffer(utf8: text).bytes) }
    return sketch
  }

  @Test(arguments: [0, 1, 3, 100_000] as [Int64])
  func `the bytes are those of the reference library`(count: Int64) throws {
    let golden = try Self.golden("longs_\(count).theta")
    var bytes = sketch(0..<count).serialized().array()
    // Of a single value the library in Java tells by a flag what that in C++ tells by the length.
    if count == 1 { bytes[5] &= ~32 }
    #expect(bytes == golden)
  }

  @Test func `texts hash as in the reference library`() throws {
    let texts = (0..<50).map { "a text of some length, number \($0)" }
    #expect(sketch(texts: texts).serialized().array() == (try Self.golden("texts_50.theta")))
    var other = ThetaSketch()
    let bytes = Array(texts.joined().utf8)
    var offsets: [Int32] = [0]
    for text in texts { offsets.append((offsets.last ?? 0) + Int32(text.utf8.count)) }
    other.insert(bytes.span.bytes, offsets: offsets.span)
    #expect(other == sketch(texts: texts))
  }

  @Test func `a sketch is read back, those of the reference library too`() throws {
    for name in ["longs_0", "longs_1", "longs_3", "longs_100000", "texts_50"] {
      let golden = Buffer(try Self.golden("\(name).theta"))
      let read = try ThetaSketch(serialized: golden.bytes)
      let again = try ThetaSketch(serialized: read.serialized().bytes)
      #expect(again == read, "\(name)")
      if name == "longs_3" { #expect(read == sketch(0..<3)) }
      if name == "longs_100000" { #expect(read.distinctCount == 98_045) }
    }
  }

  @Test func `up to 4096 values the count is exact, however often they come`() {
    for count in [0, 1, 2, 4095, 4096] as [Int64] {
      var sketch = self.sketch(0..<count)
      for value in stride(from: count - 1, through: 0, by: -1) {
        let value = [value]
        sketch.insert(value.span)
      }
      #expect(sketch.isExact && sketch.distinctCount == count)
    }
    #expect(!sketch(0..<4097).isExact)
  }

  @Test func `above, the error is what the theory says`() {
    // Three standard errors; 30 independent sets, whose mean must be much nearer.
    var sum = 0.0
    for run in 0..<30 as Range<Int64> {
      let start = run * 1_000_000_007
      let error = sketch(start..<start + 50_000).estimate / 50_000 - 1
      #expect(abs(error) < 4 / 64.0)
      sum += error
    }
    #expect(abs(sum / 30) < 3 / 64.0 / 30.0.squareRoot())
    #expect(abs(sketch(0..<2_000_000).estimate / 2_000_000 - 1) < 3 / 64.0)
  }

  @Test func `a union is the sketch of all values, in any order and grouping`() {
    let parts: [Range<Int64>] = [0..<10, 5..<6000, 3000..<40_000, 100..<101, 39_000..<50_000]
    let whole = sketch(0..<50_000)
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
      var united = ThetaSketch()
      for index in order { united.formUnion(sketch(parts[index])) }
      #expect(united == whole)
      #expect(united.serialized() == whole.serialized())
    }
    var left = sketch(parts[0])
    left.formUnion(sketch(parts[1]))
    var right = sketch(parts[2])
    right.formUnion(sketch(parts[3]))
    right.formUnion(sketch(parts[4]))
    left.formUnion(right)
    #expect(left == whole)
  }

  @Test func `each type hashes its single-value serialization`() throws {
    let cases: [(Value, PrimitiveType, (inout ThetaSketch) -> Void)] = [
      (.int(-7), .int, { $0.insert(([-7] as [Int32]).span) }),
      (.long(-7), .long, { $0.insert(([-7] as [Int64]).span) }),
      (.float(1.5), .float, { $0.insert(([1.5] as [Float]).span) }),
      (.double(-0.0), .double, { $0.insert(([-0.0] as [Double]).span) }),
    ]
    for (value, type, insert) in cases {
      var sketch = ThetaSketch()
      insert(&sketch)
      #expect(sketch == bytes(of: value, type), "\(value)")
    }
    for exponent in 0..<127 {
      for value in [Int128(1) << Int128(exponent), -(Int128(1) << Int128(exponent))] {
        for value in [value - 1, value, value + 1] {
          var sketch = ThetaSketch()
          sketch.insert(unscaled: value)
          #expect(
            sketch == bytes(of: .decimal(value), .decimal(precision: 38, scale: 0)), "\(value)")
        }
      }
    }
  }

  private func bytes(of value: Value, _ type: PrimitiveType) -> ThetaSketch {
    var sketch = ThetaSketch()
    sketch.insert(Buffer(value.encoded(as: type) ?? []).bytes)
    return sketch
  }

  @Test func `bytes that are cut or changed throw or are read, and never trap`() throws {
    let golden = try Self.golden("longs_3.theta")
    for length in 0..<golden.count {
      #expect(throws: IcebergError.self) {
        try ThetaSketch(serialized: Buffer(Array(golden.prefix(length))).bytes)
      }
    }
    for place in golden.indices {
      for bit in 0..<8 as Range<UInt8> {
        var bytes = golden
        bytes[place] ^= 1 << bit
        _ = try? ThetaSketch(serialized: Buffer(bytes).bytes).distinctCount
      }
    }
  }
}
