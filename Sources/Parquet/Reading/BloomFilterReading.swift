// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// The Bloom filter of a column chunk: tells that a value is certainly not in it.
public struct ColumnBloomFilter: Sendable {
  private let leaf: ParquetLeaf
  private let filter: BloomFilter

  init(leaf: ParquetLeaf, filter: BloomFilter) {
    self.leaf = leaf
    self.filter = filter
  }

  /// False if the column chunk has no value equal to `value`.
  public func mayContain(_ value: BoundValue) -> Bool {
    switch leaf.plain(value) {
    case .bytes(let bytes): filter.mayContain(XXHash64.hash(Buffer(bytes).bytes))
    case .notStorable: false
    case .unknown: true
    }
  }
}

extension ParquetFooter {
  /// Where the Bloom filter of leaf `leaf` in row group `rowGroup` lies; nil if there is none.
  ///
  /// Of files that do not say how long it is, as much as a filter Lake would use can have.
  public func bloomFilterRange(rowGroup: Int, leaf: Int) -> Range<Int64>? {
    guard let chunk = metadata.rowGroups[rowGroup].columns[leaf].metaData,
      let start = chunk.bloomFilterOffset, start > 0, start < offset
    else { return nil }
    let most = min(offset - start, 1 << 20)
    guard let stated = chunk.bloomFilterLength else { return start..<start + most }
    guard stated > 0, Int64(stated) <= offset - start else { return nil }
    return start..<start + Int64(stated)
  }

  /// The Bloom filter of leaf `leaf` in row group `rowGroup`; nil if there is none, or none that
  /// can be relied on.
  ///
  /// - Parameter bytes: what ``bloomFilterRange(rowGroup:leaf:)`` asks for.
  public func bloomFilter(rowGroup: Int, leaf: Int, bytes: FileBytes) -> ColumnBloomFilter? {
    guard let range = bloomFilterRange(rowGroup: rowGroup, leaf: leaf),
      let found = bytes.slice(range),
      Self.isIntact(
        .bloomFilter(path: schema.leaves[leaf].name, rowGroup: rowGroup), found,
        checksums(rowGroup: rowGroup, leaf: leaf)?.bloomFilter)
    else { return nil }
    var reader = ThriftReader(found.bytes)
    guard let header = try? BloomFilterHeader(from: &reader), header.isKnownKind else {
      return nil
    }
    let start = reader.offset
    let length = Int(header.byteCount)
    guard length > 0, length <= found.count - start,
      let filter = try? BloomFilter(found.slice(start..<start + length).bytes)
    else { return nil }
    return ColumnBloomFilter(leaf: schema.leaves[leaf], filter: filter)
  }
}

/// A value of a column as a Bloom filter was given it.
enum PlainValue {
  case bytes([UInt8])
  /// No stored value can become this one.
  case notStorable
  /// Several stored values could, or it is not known how they look.
  case unknown
}

extension ParquetLeaf {
  /// `value`, of the column, in the PLAIN encoding of the leaf, a byte array without its length.
  func plain(_ value: BoundValue) -> PlainValue {
    switch (conversion, value) {
    case (.none, .bytes(let bytes)): .bytes(bytes)
    // 0.0 and -0.0 are equal and have different bytes.
    case (.none, .floating(let number)) where number != 0: plainFloat(number)
    case (.none, .integer(let number)): plainInteger(number)
    case (.widenSigned, .integer(let number)): plainInteger(number)
    case (.widenUnsigned, .integer(let number)):
      UInt32(exactly: number).map { .bytes(littleEndian($0)) } ?? .notStorable
    case (.millisToMicros, .integer(let number)), (.narrowMillisToMicros, .integer(let number)):
      number % 1000 == 0 ? plainInteger(number / 1000) : .notStorable
    case (.widenToDecimal, .wide(let number)):
      Int64(exactly: number).map(plainInteger) ?? .notStorable
    case (.widenUnsignedToDecimal, .wide(let number)):
      UInt64(exactly: number).map { .bytes(littleEndian($0)) } ?? .notStorable
    case (.bigEndianDecimal, .integer(let number)): plainDecimal(Int128(number))
    case (.bigEndianDecimal, .wide(let number)): plainDecimal(number)
    default: .unknown
    }
  }

  private func plainInteger(_ number: Int64) -> PlainValue {
    switch type {
    case .int32: Int32(exactly: number).map { .bytes(littleEndian($0)) } ?? .notStorable
    case .int64: .bytes(littleEndian(number))
    default: .unknown
    }
  }

  private func plainFloat(_ number: Double) -> PlainValue {
    if type == .double { return .bytes(littleEndian(number.bitPattern)) }
    guard let narrow = Float(exactly: number) else {
      return number.isNaN ? .unknown : .notStorable
    }
    return .bytes(littleEndian(narrow.bitPattern))
  }

  /// Fixed-length decimals have one form; of varying length, a number may have several.
  private func plainDecimal(_ number: Int128) -> PlainValue {
    guard type == .fixedLenByteArray else { return .unknown }
    if typeLength < 16, number >> Int128(8 * typeLength - 1) != 0,
      number >> Int128(8 * typeLength - 1) != -1
    {
      return .notStorable
    }
    return .bytes(
      (0..<typeLength).reversed().map {
        UInt8(truncatingIfNeeded: number >> Int128(min(127, 8 * $0)))
      })
  }

  private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
