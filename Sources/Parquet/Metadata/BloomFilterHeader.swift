// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What comes before the bits of a Bloom filter. Source: parquet.thrift, `BloomFilterHeader`.
package struct BloomFilterHeader: Hashable, Sendable {
  package var byteCount: Int32
  /// True if algorithm, hash and compression are the only ones there are so far: split blocks,
  /// xxHash64, none.
  package var isKnownKind: Bool

  package init(byteCount: Int32) {
    self.byteCount = byteCount
    isKnownKind = true
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var byteCount: Int32?
    var known = 0
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: byteCount = try reader.readInt32(field)
      case 2...4:
        try reader.expectStructure(field)
        let union = try reader.beginStructure()
        while let choice = try reader.nextField() {
          if choice.id == 1 { known += 1 }
          try reader.skip(choice)
        }
        reader.endStructure(union)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    self.byteCount = try reader.require(byteCount, "numBytes")
    isKnownKind = known == 3
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, byteCount)
    for id: Int16 in 2...4 {
      writer.beginStructure(id)
      writer.writeEmptyStructure(1)
      writer.endStructure()
    }
    writer.endStructure()
  }
}
