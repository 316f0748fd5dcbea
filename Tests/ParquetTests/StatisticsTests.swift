// SPDX-License-Identifier: Apache-2.0
import Bytes
import Columnar
import SeededNumbers
import Testing

@testable import Parquet

@Suite("Column statistics")
struct StatisticsTests {
  /// A footer of one row group with one leaf.
  private func footer(
    _ leaf: SchemaElement, _ statistics: Statistics?, order: ColumnOrder?
  ) throws -> ParquetFooter {
    var root = SchemaElement(name: "table")
    root.childCount = 1
    var leaf = leaf
    leaf.repetition = .optional
    var chunk = ColumnMetaData(
      type: leaf.type ?? .int32, pathInSchema: [leaf.name], codec: .uncompressed, valueCount: 10,
      dataPageOffset: 4)
    chunk.statistics = statistics
    var metadata = FileMetaData(
      version: 1, schema: [root, leaf], rowCount: 10,
      rowGroups: [
        RowGroup(columns: [ColumnChunk(metaData: chunk)], totalByteSize: 0, rowCount: 10)
      ])
    metadata.columnOrders = order.map { [$0] }
    return try ParquetFooter(
      metadata: metadata, fileByteCount: 1000, offset: 900, limits: .standard)
  }

  private func leaf(
    _ type: PhysicalType, _ logical: LogicalType? = nil, length: Int32? = nil
  ) -> SchemaElement {
    var element = SchemaElement(name: "a")
    element.type = type
    element.logicalType = logical
    element.typeLength = length
    return element
  }

  private func bounds(_ lower: [UInt8]?, _ upper: [UInt8]?) -> Statistics {
    var statistics = Statistics()
    statistics.minValue = lower
    statistics.maxValue = upper
    return statistics
  }

  private func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private func read(
    _ leaf: SchemaElement, _ statistics: Statistics, order: ColumnOrder? = .typeDefined
  ) throws -> ColumnStatistics {
    try #require(try footer(leaf, statistics, order: order).statistics(rowGroup: 0, leaf: 0))
  }

  @Test func `bounds of integers are read in the units of the column`() throws {
    let millis = leaf(.int64, .timestamp(isAdjustedToUTC: true, .millis))
    let found = try read(millis, bounds(bytes(Int64(-5)), bytes(Int64(7))))
    #expect(found.lower == .integer(-5000))
    #expect(found.upper == .integer(7000))
    #expect(found.valueCount == 10)
    #expect(found.nullCount == nil)
  }

  @Test func `bounds without an order are not believed`() throws {
    let stated = bounds(bytes(Int32(1)), bytes(Int32(2)))
    for order in [nil, .unrecognized, .ieee754Total, .int96Timestamp] as [ColumnOrder?] {
      let found = try read(leaf(.int32), stated, order: order)
      #expect(found.lower == nil && found.upper == nil, "\(order as Any)")
    }
  }

  @Test func `the older fields count for signed numbers only`() throws {
    var stated = Statistics()
    (stated.min, stated.max) = (bytes(Int32(-1)), bytes(Int32(2)))
    #expect(try read(leaf(.int32), stated, order: nil).lower == .integer(-1))
    let unsigned = leaf(.int32, .integer(bitWidth: 32, isSigned: false))
    #expect(try read(unsigned, stated, order: nil).lower == nil)
    (stated.min, stated.max) = ([65], [66])
    #expect(try read(leaf(.byteArray, .string), stated, order: nil).lower == nil)
  }

  @Test func `unsigned bounds are compared as unsigned`() throws {
    let unsigned = leaf(.int32, .integer(bitWidth: 32, isSigned: false))
    let found = try read(unsigned, bounds(bytes(UInt32(1)), bytes(UInt32.max)))
    #expect(found.lower == .integer(1))
    #expect(found.upper == .integer(Int64(UInt32.max)))
  }

  @Test func `NaN is no bound and zeros reach to both signs`() throws {
    let nan = try read(
      leaf(.double), bounds(bytes(Double.nan.bitPattern), bytes(Double(1).bitPattern)))
    #expect(nan.lower == nil)
    #expect(nan.upper == .floating(1))
    let zeros = try read(
      leaf(.float), bounds(bytes(Float(0).bitPattern), bytes(Float(-0.0).bitPattern)))
    guard case .floating(let lower) = zeros.lower, case .floating(let upper) = zeros.upper else {
      Issue.record("no bounds")
      return
    }
    #expect(lower.sign == .minus && upper.sign == .plus)
  }

  @Test func `bounds the wrong way round or of the wrong width are not believed`() throws {
    let reversed = try read(leaf(.int32), bounds(bytes(Int32(2)), bytes(Int32(1))))
    #expect(reversed.lower == nil && reversed.upper == nil)
    for width in [0, 1, 3, 5, 8] {
      let found = try read(leaf(.int32), bounds([UInt8](repeating: 0, count: width), nil))
      #expect(found.lower == nil, "\(width) bytes")
    }
  }

  @Test func `what has no order has no bounds`() throws {
    var interval = leaf(.fixedLenByteArray, nil, length: 12)
    interval.convertedType = .interval
    let twelve = [UInt8](repeating: 1, count: 12)
    #expect(try read(interval, bounds(twelve, twelve)).lower == nil)
    #expect(try read(leaf(.int96), bounds(twelve, twelve)).lower == nil)
    #expect(
      try read(leaf(.int96), bounds(twelve, twelve), order: .int96Timestamp).lower != nil)
    #expect(try read(leaf(.byteArray, .geometry(crs: nil)), bounds([1], [1])).lower == nil)
    #expect(try read(leaf(.byteArray, .unrecognized), bounds([1], [1])).lower == nil)
  }

  @Test func `decimals are compared by what they stand for`() throws {
    let fixed = leaf(.fixedLenByteArray, .decimal(scale: 2, precision: 20), length: 9)
    let minusOne = [UInt8](repeating: 0xff, count: 9)
    let one = [UInt8](repeating: 0, count: 8) + [1]
    let found = try read(fixed, bounds(minusOne, one))
    #expect(found.lower == .wide(-1))
    #expect(found.upper == .wide(1))
  }

  @Test func `counts that can't be are unknown`() throws {
    for (stated, expected) in [(-1, nil), (0, 0), (10, 10), (11, nil)] as [(Int64, Int64?)] {
      var statistics = Statistics()
      statistics.nullCount = stated
      statistics.nanCount = stated
      let found = try read(leaf(.double), statistics)
      #expect(found.nullCount == expected && found.nanCount == expected, "\(stated)")
    }
  }

  @Test func `no value lies outside what a written file states`() throws {
    var random = Seeded(50)
    for round in 0..<10 {
      let file = try RandomFile(random, rows: 300 + random.below(300), version: .v1, depth: 0)
      for group in 0..<file.footer.rowGroupCount {
        let plan = try file.footer.readPlan(rowGroup: group, projection: file.footer.schema.all)
        let decoder = try RowGroupDecoder(
          file.footer, plan: plan, bytes: FileBytes(wholeFile: file.bytes))
        let batch = try #require(try decoder.next())
        for (leaf, column) in batch.columns.enumerated() {
          let found = try #require(file.footer.statistics(rowGroup: group, leaf: leaf))
          #expect(found.nullCount == Int64(column.nullCount))
          for row in 0..<column.count where !column.isNull(row) {
            guard let value = Self.bound(column, row) else { continue }
            if let lower = found.lower { #expect(!value.isLess(than: lower), "round \(round)") }
            if let upper = found.upper { #expect(!upper.isLess(than: value), "round \(round)") }
          }
        }
      }
      _ = random.next()
    }
  }

  static func bound(_ column: Column, _ row: Int) -> BoundValue? {
    switch column.type {
    case .float, .double:
      let value = column.floatingPoint(row)
      return value.isNaN ? nil : .floating(value)
    case .decimal where column.type.layout == .fixed(width: 16): return .wide(column.unscaled(row))
    case .string, .binary, .fixed, .uuid: return .bytes(column.bytes(row).array())
    case .boolean: return .integer(column.boolean(row) ? 1 : 0)
    default: return .integer(column.integer(row))
    }
  }
}
