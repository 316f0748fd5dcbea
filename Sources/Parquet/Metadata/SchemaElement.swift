// SPDX-License-Identifier: Apache-2.0
package import Bytes

/// A node of the schema, which a footer lists depth first. Source: parquet.thrift, `SchemaElement`.
package struct SchemaElement: Hashable, Sendable {
  /// Nil for groups.
  package var type: PhysicalType?
  /// Bytes a value, where the type is ``PhysicalType/fixedLenByteArray``.
  package var typeLength: Int32?
  /// Nil for the root.
  package var repetition: Repetition?
  package var name: String
  /// Nil for leaves.
  package var childCount: Int32?
  package var convertedType: ConvertedType?
  package var scale: Int32?
  package var precision: Int32?
  package var fieldID: Int32?
  package var logicalType: LogicalType?

  package init(name: String) { self.name = name }
}

extension SchemaElement {
  package init(from reader: inout ThriftReader) throws(ByteError) {
    var element = SchemaElement(name: "")
    var name: String?
    let outer = try reader.beginStructure()
    while let field = try reader.nextField() {
      switch field.id {
      case 1:
        element.type = try reader.readEnumeration(field, PhysicalType.init(rawValue:), "type")
      case 2: element.typeLength = try reader.readInt32(field)
      case 3:
        element.repetition = try reader.readEnumeration(
          field, Repetition.init(rawValue:), "repetition")
      case 4: name = try reader.readString(field)
      case 5: element.childCount = try reader.readInt32(field)
      case 6: element.convertedType = ConvertedType(rawValue: try reader.readInt32(field))
      case 7: element.scale = try reader.readInt32(field)
      case 8: element.precision = try reader.readInt32(field)
      case 9: element.fieldID = try reader.readInt32(field)
      case 10:
        try reader.expectStructure(field)
        element.logicalType = try LogicalType(from: &reader)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    element.name = try reader.require(name, "name")
    self = element
  }

  package func encode(into writer: inout ThriftWriter) {
    writer.beginStructure()
    writer.write(1, type?.rawValue)
    writer.write(2, typeLength)
    writer.write(3, repetition?.rawValue)
    writer.write(4, name)
    writer.write(5, childCount)
    writer.write(6, convertedType?.rawValue)
    writer.write(7, scale)
    writer.write(8, precision)
    writer.write(9, fieldID)
    logicalType?.encode(10, into: &writer)
    writer.endStructure()
  }
}

extension ThriftReader {
  /// The value of an enumeration whose every case matters; an unknown number throws.
  mutating func readEnumeration<T>(
    _ field: ThriftField, _ make: (Int32) -> T?, _ what: String
  ) throws(ByteError) -> T {
    let start = offset
    let raw = try readInt32(field)
    guard let value = make(raw) else {
      throw .outOfRange(offset: start, what: what, value: Int64(raw))
    }
    return value
  }
}
