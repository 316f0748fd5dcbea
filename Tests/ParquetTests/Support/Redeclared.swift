// SPDX-License-Identifier: Apache-2.0
import Bytes

@testable import Parquet

/// Files under another schema than Lake would write them: pages as they are, another footer.
enum Redeclared {
  /// `file`, its schema's nodes replaced by what `change` makes of them; of the same levels and
  /// physical types.
  static func file(
    _ file: Buffer, _ change: (inout [SchemaElement]) -> Void
  ) throws -> Buffer {
    var metadata = try ParquetFooter.parse(wholeFile: file).metadata
    change(&metadata.schema)
    metadata.createdBy = "another writer"
    metadata.keyValueMetadata = nil
    let leaves = try ParquetSchema(elements: metadata.schema).leaves
    for group in metadata.rowGroups.indices {
      for (column, leaf) in leaves.enumerated() {
        metadata.rowGroups[group].columns[column].metaData?.pathInSchema = leaf.path
        metadata.rowGroups[group].columns[column].metaData?.type = leaf.type
        // Another order of values may be declared now.
        metadata.rowGroups[group].columns[column].metaData?.statistics = nil
        metadata.rowGroups[group].columns[column].columnIndexOffset = nil
        metadata.rowGroups[group].columns[column].columnIndexLength = nil
      }
    }
    var writer = ThriftWriter()
    metadata.encode(into: &writer)
    let footer = writer.finish()
    var length = ByteWriter()
    length.writeLE(UInt32(footer.count))
    length.write([UInt8]("PAR1".utf8).span.bytes)
    let old = file.bytes.loadLE(at: file.count - 8, as: UInt32.self)
    return Written.joined([file.slice(0..<file.count - 8 - Int(old)), footer, length.finish()])
  }
}
