// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// What a writer said of the values of a column chunk or page, in bytes as the file has them.
/// ``ColumnStatistics`` says which of it can be believed. Source: parquet.thrift, `Statistics`.
package struct Statistics: Hashable, Sendable {
  /// Deprecated: in the order of signed bytes, whatever the type.
  package var max: [UInt8]?
  package var min: [UInt8]?
  package var nullCount: Int64?
  package var distinctCount: Int64?
  package var maxValue: [UInt8]?
  package var minValue: [UInt8]?
  package var isMaxValueExact: Bool?
  package var isMinValueExact: Bool?
  package var nanCount: Int64?

  package init() {}

  package init(from reader: inout ThriftReader) throws(ByteError) {
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: max = try reader.readBinary(field)
      case 2: min = try reader.readBinary(field)
      case 3: nullCount = try reader.readInt64(field)
      case 4: distinctCount = try reader.readInt64(field)
      case 5: maxValue = try reader.readBinary(field)
      case 6: minValue = try reader.readBinary(field)
      case 7: isMaxValueExact = try reader.readBool(field)
      case 8: isMinValueExact = try reader.readBool(field)
      case 9: nanCount = try reader.readInt64(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
  }

  package func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    writer.write(1, max)
    writer.write(2, min)
    writer.write(3, nullCount)
    writer.write(4, distinctCount)
    writer.write(5, maxValue)
    writer.write(6, minValue)
    writer.write(7, isMaxValueExact)
    writer.write(8, isMinValueExact)
    writer.write(9, nanCount)
    writer.endStructure()
  }
}

/// How big the values are once decoded. Source: parquet.thrift, `SizeStatistics`.
package struct SizeStatistics: Hashable, Sendable {
  package var unencodedByteArrayDataBytes: Int64?
  package var repetitionLevelHistogram: [Int64]?
  package var definitionLevelHistogram: [Int64]?

  package init() {}

  package init(from reader: inout ThriftReader) throws(ByteError) {
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1: unencodedByteArrayDataBytes = try reader.readInt64(field)
      case 2: repetitionLevelHistogram = try reader.readInt64List(field)
      case 3: definitionLevelHistogram = try reader.readInt64List(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
  }

  package func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    writer.write(1, unencodedByteArrayDataBytes)
    writer.write(2, repetitionLevelHistogram)
    writer.write(3, definitionLevelHistogram)
    writer.endStructure()
  }
}

/// Where the shapes of a geospatial column lie. Source: parquet.thrift, `BoundingBox`.
package struct BoundingBox: Hashable, Sendable {
  package var x: ClosedRangeBounds
  package var y: ClosedRangeBounds
  package var z: ClosedRangeBounds?
  package var m: ClosedRangeBounds?

  /// Least and greatest coordinate; on x of a geography, the least may be the greater one.
  package struct ClosedRangeBounds: Hashable, Sendable {
    package var min: Double
    package var max: Double

    package init(min: Double, max: Double) {
      self.min = min
      self.max = max
    }

    init?(_ min: Double?, _ max: Double?) {
      guard let min, let max else { return nil }
      self.init(min: min, max: max)
    }
  }

  package init(
    x: ClosedRangeBounds, y: ClosedRangeBounds, z: ClosedRangeBounds? = nil,
    m: ClosedRangeBounds? = nil
  ) {
    self.x = x
    self.y = y
    self.z = z
    self.m = m
  }

  package init(from reader: inout ThriftReader) throws(ByteError) {
    var values = [Double?](repeating: nil, count: 8)
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1...8: values[Int(field.id) - 1] = try reader.readDouble(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    x = try reader.require(ClosedRangeBounds(values[0], values[1]), "xmin and xmax")
    y = try reader.require(ClosedRangeBounds(values[2], values[3]), "ymin and ymax")
    z = ClosedRangeBounds(values[4], values[5])
    m = ClosedRangeBounds(values[6], values[7])
  }

  package func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    writer.write(1, x.min)
    writer.write(2, x.max)
    writer.write(3, y.min)
    writer.write(4, y.max)
    writer.write(5, z?.min)
    writer.write(6, z?.max)
    writer.write(7, m?.min)
    writer.write(8, m?.max)
    writer.endStructure()
  }
}

/// Source: parquet.thrift, `GeospatialStatistics`.
package struct GeospatialStatistics: Hashable, Sendable {
  package var boundingBox: BoundingBox?
  package var geospatialTypes: [Int32]?

  package init() {}

  package init(from reader: inout ThriftReader) throws(ByteError) {
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1:
        try reader.expectStructure(field)
        boundingBox = try BoundingBox(from: &reader)
      case 2: geospatialTypes = try reader.readInt32List(field)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
  }

  package func encode(_ id: Int16, into writer: inout ThriftWriter) {
    writer.beginStructure(id)
    boundingBox?.encode(1, into: &writer)
    writer.write(2, geospatialTypes)
    writer.endStructure()
  }
}
