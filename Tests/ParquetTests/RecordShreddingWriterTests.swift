// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import Testing

@testable import Parquet

/// The levels, spelled out for small cases.
@Suite("Record shredding")
struct RecordShreddingWriterTests {
  private func shred(_ field: ColumnField, _ column: Column) throws -> [ShreddedLeaf] {
    let schema = try ParquetSchema(fields: [field])
    var shredder = RecordShredder(leaves: schema.leaves[...])
    return try shredder.shred(column, field)
  }

  private func levels(_ leaf: ShreddedLeaf) -> (definition: [UInt8], repetition: [UInt8]) {
    switch leaf.levels {
    case .allPresent: ([], [])
    case .definition(let bytes): (bytes, [])
    case .nested(let definition, let repetition): (definition, repetition)
    }
  }

  private func integers(_ leaf: ShreddedLeaf) -> [Int64] {
    guard case .fixed(let buffer, _) = leaf.values else { return [] }
    let span = buffer.values(as: Int64.self)
    return span.indices.map { span[$0] }
  }

  @Test func `a nullable list of nullable elements has four levels`() throws {
    let element = ColumnField("element", .int64)
    let builder = ColumnBuilder(.list(element))
    // [1, null], null, [], [2]
    builder.children[0].append(Int64(1))
    builder.children[0].appendNull()
    builder.endList()
    builder.appendNull()
    builder.endList()
    builder.children[0].append(Int64(2))
    builder.endList()
    let leaves = try shred(ColumnField("l", .list(element)), builder.finish())
    #expect(levels(leaves[0]).definition == [3, 2, 0, 1, 3])
    #expect(levels(leaves[0]).repetition == [0, 1, 0, 0, 0])
    #expect(integers(leaves[0]) == [1, 2])
  }

  @Test func `lists in lists repeat at their own level`() throws {
    let inner = ColumnField("element", .int64, isNullable: false)
    let outer = ColumnField("element", .list(inner), isNullable: false)
    let builder = ColumnBuilder(.list(outer))
    // [[1, 2], [], [3]], [[4]]
    for row in [[[1, 2], [], [3]], [[4]]] as [[[Int64]]] {
      for list in row {
        for value in list { builder.children[0].children[0].append(value) }
        builder.children[0].endList()
      }
      builder.endList()
    }
    let field = ColumnField("l", .list(outer), isNullable: false)
    let leaves = try shred(field, builder.finish())
    #expect(levels(leaves[0]).definition == [2, 2, 1, 2, 2])
    #expect(levels(leaves[0]).repetition == [0, 2, 1, 1, 0])
    #expect(integers(leaves[0]) == [1, 2, 3, 4])
  }

  @Test func `a null structure hides what lies under it`() throws {
    let field = ColumnField(
      "s", .structure([ColumnField("a", .int64), ColumnField("b", .int64, isNullable: false)]))
    let values = Column(
      type: .int64, count: 3, validity: Bitmap([true, true, false]),
      values: .fixed(Self.words([7, 8, 9])))
    let others = Column(
      type: .int64, count: 3, validity: nil, values: .fixed(Self.words([1, 2, 3])))
    let column = Column(
      type: field.type, count: 3, validity: Bitmap([true, false, true]),
      values: .structure([values, others]))
    let leaves = try shred(field, column)
    #expect(levels(leaves[0]).definition == [2, 0, 1])
    #expect(integers(leaves[0]) == [7])
    #expect(levels(leaves[1]).definition == [1, 0, 1])
    #expect(integers(leaves[1]) == [1, 3])
  }

  @Test func `slices of lists keep to their rows`() throws {
    let element = ColumnField("element", .int64, isNullable: false)
    let builder = ColumnBuilder(.list(element))
    for row in [[1], [2, 3], [4]] as [[Int64]] {
      for value in row { builder.children[0].append(value) }
      builder.endList()
    }
    let field = ColumnField("l", .list(element), isNullable: false)
    let leaves = try shred(field, builder.finish().slice(1..<3))
    #expect(integers(leaves[0]) == [2, 3, 4])
    #expect(levels(leaves[0]).repetition == [0, 1, 0])
  }

  @Test func `short decimals are narrowed and long ones turned big-endian`() throws {
    let short = ColumnBuilder(.decimal(precision: 9, scale: 2))
    short.append(Int64(-5))
    let leaves = try shred(ColumnField("d", short.type), short.finish())
    guard case .fixed(let buffer, 4) = leaves[0].values else { Issue.record("not narrow"); return }
    #expect(buffer.array() == [0xFB, 0xFF, 0xFF, 0xFF])

    let long = ColumnBuilder(.decimal(precision: 20, scale: 0))
    long.append(Int128(258))
    let wide = try shred(ColumnField("d", long.type), long.finish())
    guard case .fixed(let bytes, 9) = wide[0].values else { Issue.record("not 9 bytes"); return }
    #expect(bytes.array() == [0, 0, 0, 0, 0, 0, 0, 1, 2])
  }

  private static func words(_ values: [Int64]) -> Buffer {
    var buffer = MutableBuffer()
    for value in values { buffer.append(value: value) }
    return buffer.freeze()
  }
}
