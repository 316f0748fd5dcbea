// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar

@testable import Parquet

/// Pages of each encoding, made by Lake's encoders.
enum EncodingSeeds {
  /// Inputs of an encoding's target: each type, a few values and many.
  static func pages(_ encoding: Encoding, _ leaves: [ParquetLeaf]) throws -> [Buffer] {
    var seeds: [Buffer] = []
    for (i, leaf) in leaves.enumerated() {
      for count in [0, 1, 7, 40, 300] {
        let values = column(leaf, count)
        let page =
          encoding == .rleDictionary
          ? codes(count) : encode(values, leaf, encoding) ?? .empty
        var seed = MutableBuffer()
        seed.append(Buffer([UInt8(i), UInt8(count & 255), UInt8(count >> 8), 5]).bytes)
        seed.append(page.bytes)
        seeds.append(seed.freeze())
      }
    }
    return seeds
  }

  /// Inputs of runs alone.
  @Sendable static func hybrids() -> [Buffer] {
    [0, 1, 3, 8, 17, 32].map { width in
      var values = MutableBuffer()
      for i in 0..<200 {
        let value = UInt32(i < 100 ? 1 : i * 77)
        values.append(value: width == 32 ? value : value & (1 << UInt32(width) - 1))
      }
      var seed = MutableBuffer()
      seed.append(Buffer([UInt8(width), 40, 13]).bytes)
      RLEBitPackedEncoder.encode(values.values(as: UInt32.self), bitWidth: width, into: &seed)
      return seed.freeze()
    }
  }

  /// Eight values for codes to name.
  static func dictionary(_ leaf: ParquetLeaf) -> Column { column(leaf, 8) }

  private static func codes(_ count: Int) -> Buffer {
    var codes = MutableBuffer()
    for i in 0..<count { codes.append(value: UInt32(i < 20 ? 3 : i % 8)) }
    var page = MutableBuffer()
    CodePage.encode(codes.values(as: UInt32.self), entryCount: 8, into: &page)
    return page.freeze()
  }

  static func column(_ leaf: ParquetLeaf, _ count: Int) -> Column {
    let builder = ColumnBuilder(leaf.columnType)
    for i in 0..<count {
      switch leaf.columnType {
      case .boolean: builder.append(i % 3 == 0)
      case .int32: builder.append(Int32(truncatingIfNeeded: i &* 0x9E37))
      case .int64, .decimal: builder.append(Int64(i * i) - 50)
      case .float: builder.append(Float(i) / 3)
      case .double: builder.append(Double(i) / 3)
      case .string: builder.append("item \(i / 3) é")
      case .fixed: builder.append(Buffer([1, 2, 3, UInt8(i & 255), 5]).bytes)
      default: builder.append(Buffer([UInt8](repeating: UInt8(i & 255), count: i % 9)).bytes)
      }
    }
    return builder.finish()
  }

  /// The values of a page; nil for the encoding that needs a dictionary.
  static func encode(_ column: Column, _ leaf: ParquetLeaf, _ encoding: Encoding) -> Buffer? {
    var page = MutableBuffer()
    switch (column.values, encoding) {
    case (.bits, .rle):
      var levels = MutableBuffer()
      for row in 0..<column.count { levels.append(value: UInt8(column.boolean(row) ? 1 : 0)) }
      RLEBitPackedEncoder.encode(
        levels: levels.values(as: UInt8.self), bitWidth: 1, into: &page)
      var framed = MutableBuffer()
      framed.append(value: UInt32(page.count).littleEndian)
      framed.append(page.freeze().bytes)
      return framed.freeze()
    case (.bits(let bits), _):
      var packed = [UInt8](repeating: 0, count: (column.count + 7) / 8)
      for row in 0..<column.count where bits[row] { packed[row / 8] |= 1 << UInt8(row % 8) }
      return Buffer(packed)
    case (.fixed(let values), .plain): return values
    case (.fixed(let values), .byteStreamSplit):
      guard case .fixed(let width) = column.type.layout else { return nil }
      ByteStreamSplitEncoder.encode(values.bytes, width: width, into: &page)
    case (.fixed(let values), .deltaBinaryPacked):
      if column.type.layout == .fixed(width: 4) {
        DeltaBinaryPackedEncoder.encode(values.values(as: Int32.self), into: &page)
      } else {
        DeltaBinaryPackedEncoder.encode(values.values(as: Int64.self), into: &page)
      }
    case (.fixed(let values), .deltaByteArray):
      guard case .fixed(let width) = column.type.layout else { return nil }
      var offsets = MutableBuffer()
      for i in 0...column.count { offsets.append(value: Int32(i * width)) }
      DeltaByteArrayEncoder.encode(offsets.values(as: Int32.self), values.bytes, into: &page)
    case (.variable(let offsets, let bytes), _):
      encode(offsets.values(as: Int32.self), bytes.bytes, encoding, into: &page)
    default: return nil
    }
    return page.freeze()
  }

  private static func encode(
    _ offsets: Span<Int32>, _ bytes: RawSpan, _ encoding: Encoding, into page: inout MutableBuffer
  ) {
    switch encoding {
    case .deltaLengthByteArray: DeltaLengthByteArrayEncoder.encode(offsets, bytes, into: &page)
    case .deltaByteArray: DeltaByteArrayEncoder.encode(offsets, bytes, into: &page)
    default: LengthPrefixKernel.append(offsets, bytes, to: &page)
    }
  }
}
