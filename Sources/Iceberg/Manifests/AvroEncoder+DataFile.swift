// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes

extension AvroEncoder {
  /// Writes `value`, or null, as a union with null first.
  mutating func writeOptional(_ value: Int64?) {
    guard let value else { return writeBranch(0) }
    writeBranch(1)
    writeLong(value)
  }

  mutating func writeOptional(_ value: String?) {
    guard let value else { return writeBranch(0) }
    writeBranch(1)
    writeString(value)
  }

  mutating func writeOptional(_ value: [UInt8]?) {
    guard let value else { return writeBranch(0) }
    writeBranch(1)
    writeBytes(value)
  }

  /// Writes the `data_file` of a manifest entry.
  mutating func write(
    _ file: DataFile, _ version: FormatVersion, _ layout: PartitionLayout
  ) throws(IcebergError) {
    if version > .v1 { writeInt(Int32(file.content.rawValue)) }
    writeString(file.path)
    writeString(file.format.name)
    for (value, type) in zip(file.partition.values, layout.types) { try write(value, as: type) }
    writeLong(file.recordCount)
    writeLong(file.byteCount)
    // What v1 had for the size of a block; nobody reads it.
    if version == .v1 { writeLong(64 << 20) }
    writeMetrics(file.metrics)
    writeOptional(file.keyMetadata)
    writeOptionalArray(file.splitOffsets) { $0 }
    if version > .v1 { writeOptionalArray(file.equalityIDs) { Int64($0.rawValue) } }
    // Position deletes are sorted by file and position, whatever the table's orders are.
    let order = file.content == .positionDeletes ? nil : file.sortOrderID
    writeOptional(order.map { Int64($0.rawValue) })
    if version >= .v3 { writeOptional(file.firstRowID) }
    if version > .v1 { writeOptional(file.referencedDataFile) }
    if version >= .v3 {
      writeOptional(file.contentRange?.offset)
      writeOptional(file.contentRange?.byteCount)
    }
  }

  private mutating func writeOptionalArray<T>(_ values: [T]?, _ number: (T) -> Int64) {
    guard let values else { return writeBranch(0) }
    writeBranch(1)
    writeBlockCount(values.count)
    for value in values { writeLong(number(value)) }
    endBlocks()
  }

  private mutating func writeMetrics(_ metrics: ColumnMetricsList) {
    writeCounts(metrics.columns) { $0.byteCount }
    writeCounts(metrics.columns) { $0.valueCount }
    writeCounts(metrics.columns) { $0.nullCount }
    writeCounts(metrics.columns) { $0.nanCount }
    writeBounds(metrics.columns) { $0.lowerBound }
    writeBounds(metrics.columns) { $0.upperBound }
  }

  /// Writes a map, or null if no column has the number.
  private mutating func writeCounts(
    _ columns: [ColumnMetrics], _ number: (ColumnMetrics) -> Int64?
  ) {
    var count = 0
    for column in columns where number(column) != nil { count += 1 }
    guard count > 0 else { return writeBranch(0) }
    writeBranch(1)
    writeBlockCount(count)
    for column in columns {
      guard let value = number(column) else { continue }
      writeInt(column.fieldID.rawValue)
      writeLong(value)
    }
    endBlocks()
  }

  private mutating func writeBounds(
    _ columns: [ColumnMetrics], _ bound: (ColumnMetrics) -> [UInt8]?
  ) {
    var count = 0
    for column in columns where bound(column) != nil { count += 1 }
    guard count > 0 else { return writeBranch(0) }
    writeBranch(1)
    writeBlockCount(count)
    for column in columns {
      guard let value = bound(column) else { continue }
      writeInt(column.fieldID.rawValue)
      writeBytes(value)
    }
    endBlocks()
  }

  /// Writes a partition value, or null, as a union with null first.
  private mutating func write(_ value: Value?, as type: PrimitiveType) throws(IcebergError) {
    guard let value else { return writeBranch(0) }
    writeBranch(1)
    switch (value, type) {
    case (.boolean(let value), .boolean): write(value)
    case (.int(let value), .int), (.int(let value), .date): writeInt(value)
    case (.int(let value), .long): writeLong(Int64(value))
    case (.long(let value), .long), (.long(let value), .time), (.long(let value), .timestamp),
      (.long(let value), .timestamptz), (.long(let value), .timestampNs),
      (.long(let value), .timestamptzNs):
      writeLong(value)
    case (.float(let value), .float): write(value.isNaN ? Float(bitPattern: 0x7fc0_0000) : value)
    case (.float(let value), .double): write(Double(value))
    case (.double(let value), .double):
      write(value.isNaN ? Double(bitPattern: 0x7ff8_0000_0000_0000) : value)
    case (.string(let value), .string): writeString(value)
    case (.bytes(let bytes), .uuid) where bytes.count == 16: writeFixed(bytes)
    case (.bytes(let bytes), .fixed(let count)) where bytes.count == count: writeFixed(bytes)
    case (.bytes(let bytes), .binary): writeBytes(bytes)
    case (.decimal(let value), .decimal(let precision, _)):
      let count = TwosComplement.byteCount(precision: precision)
      guard let bytes = TwosComplement.bytes(value, byteCount: count) else {
        throw .invalid("a partition value of \(value)", reason: "\(type) does not hold it")
      }
      writeFixed(bytes)
    default: throw .invalid("a partition value", reason: "it is no \(type)")
    }
  }

  private mutating func writeFixed(_ bytes: [UInt8]) { writeRaw(bytes.span.rawBytes) }
}
