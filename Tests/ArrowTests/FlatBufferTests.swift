// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Testing

@testable import Arrow

@Suite("FlatBuffers")
struct FlatBufferTests {
  private static let sample = FlatBuilder.encode([
    FlatField(0, .short(-3)), FlatField(1, .byte(7)), FlatField(3, .long(1 << 40)),
    FlatField(5, .string("naïve")), FlatField(2, .int(-9)),
    FlatField(
      6,
      .vector([
        .table([FlatField(0, .string("a"))]), .table([]), .table([FlatField(1, .long(-1))]),
      ])),
    FlatField(7, .structures([1, 2, 3, 4], width: 2)),
    FlatField(8, .table([FlatField(0, .byte(1))])),
  ])

  @Test func `what is built is read, and absent slots have their defaults`() throws {
    let table = try FlatTable(root: Buffer(Self.sample))
    #expect(try table.integer(0, default: Int16(0)) == -3)
    #expect(try table.integer(1, default: UInt8(0)) == 7)
    #expect(try table.integer(2, default: Int32(0)) == -9)
    #expect(try table.integer(3, default: Int64(0)) == 1 << 40)
    #expect(try table.integer(4, default: Int64(5)) == 5)
    #expect(try table.integer(99, default: Int64(6)) == 6)
    #expect(try table.string(5) == "naïve")
    let tables = try table.tables(6)
    #expect(try tables.map { try $0.string(0) } == ["a", nil, nil])
    #expect(try tables[2].integer(1, default: Int64(0)) == -1)
    let vector = try #require(try table.vector(7, elementByteCount: 16))
    #expect(vector.count == 2)
    #expect(vector.integer(1, offset: 8, as: Int64.self) == 4)
    #expect(try table.table(8)?.boolean(0) == true)
    let absent = try table.table(9)
    #expect(absent.map { _ in 1 } == nil)
  }

  @Test func `numbers of eight bytes lie on multiples of eight`() throws {
    for slots in 0..<9 {
      var fields = (0..<slots).map { FlatField($0, .byte(1)) }
      fields.append(FlatField(slots, .long(0x1122_3344_5566_7788)))
      fields.append(FlatField(slots + 1, .structures([0x0102_0304_0506_0708], width: 1)))
      let bytes = FlatBuilder.encode(fields)
      for pattern in [0x1122_3344_5566_7788, 0x0102_0304_0506_0708] as [UInt64] {
        let found = (0..<bytes.count - 7).filter { start in
          (0..<8).allSatisfy { bytes[start + $0] == UInt8(truncatingIfNeeded: pattern >> (8 * $0)) }
        }
        #expect(found.count == 1 && found[0] % 8 == 0, "\(slots) slots: \(found)")
      }
      #expect(bytes.count % 8 == 0)
    }
  }

  @Test func `changed and cut bytes throw or are read, and never trap`() throws {
    let random = SeededRandom(printing: "flat buffers")
    for _ in 0..<20_000 {
      var bytes = Self.sample
      for _ in 0..<random.int(in: 1..<4) {
        bytes[random.int(in: 0..<bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.oneIn(3) { bytes.removeLast(random.int(in: 0..<bytes.count)) }
      Self.visit(try? FlatTable(root: Buffer(bytes)), depth: 0)
    }
  }

  private static func visit(_ table: FlatTable?, depth: Int) {
    guard let table, depth < 3 else { return }
    for slot in 0..<10 {
      _ = try? table.integer(slot, default: Int64(0))
      _ = try? table.string(slot)
      visit(try? table.table(slot), depth: depth + 1)
      if let tables = try? table.tables(slot) {
        for table in tables.prefix(4) { visit(table, depth: depth + 1) }
      }
      if let vector = try? table.vector(slot, elementByteCount: 16), vector.count > 0 {
        _ = vector.integer(vector.count - 1, offset: 8, as: Int64.self)
      }
    }
  }
}
