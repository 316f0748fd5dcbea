// SPDX-License-Identifier: Apache-2.0
package import Columnar

/// How columns are declared in files Lake writes: lists of three levels, ids on every node that
/// has one, the older annotations beside the newer where there are any.
///
/// Source: Iceberg spec, Appendix A, "Parquet"; LogicalTypes.md.
extension SchemaElement {
  /// The nodes for `fields` under a root, depth first.
  ///
  /// - Parameter annotations: by paths, see ``WriterOptions/annotations``.
  package static func writing(
    _ fields: [ColumnField], annotations: [String: LogicalType] = [:]
  ) -> [SchemaElement] {
    var root = SchemaElement(name: "table")
    root.childCount = Int32(clamping: fields.count)
    var nodes = [root]
    for field in fields { append(field, field.name, annotations, to: &nodes) }
    return nodes
  }

  private static func append(
    _ field: ColumnField, _ path: String, _ annotations: [String: LogicalType],
    to nodes: inout [SchemaElement]
  ) {
    var node = SchemaElement(name: field.name)
    node.repetition = field.isNullable ? .optional : .required
    node.fieldID = field.fieldID
    func append(_ field: ColumnField, as name: String) {
      Self.append(field.renamed(name), "\(path).\(name)", annotations, to: &nodes)
    }
    switch field.type {
    case .structure(let fields):
      node.childCount = Int32(clamping: fields.count)
      let isVariant =
        field.isVariant && field.type.fitsVariants && !field.type.children[0].isNullable
      node.logicalType = annotations[path] ?? (isVariant ? .variant(version: 1) : nil)
      nodes.append(node)
      for field in fields { append(field, as: field.name) }
    case .list(let element):
      node.childCount = 1
      node.logicalType = .list
      node.convertedType = .list
      nodes.append(node)
      nodes.append(repeated("list", childCount: 1))
      append(element, as: "element")
    case .map(let key, let value):
      node.childCount = 1
      node.logicalType = .map
      node.convertedType = .map
      nodes.append(node)
      nodes.append(repeated("key_value", childCount: 2))
      append(key, as: "key")
      append(value, as: "value")
    default:
      node.declareLeaf(field.type)
      if let annotation = annotations[path] { node.logicalType = annotation }
      nodes.append(node)
    }
  }

  private static func repeated(_ name: String, childCount: Int32) -> SchemaElement {
    var node = SchemaElement(name: name)
    node.repetition = .repeated
    node.childCount = childCount
    return node
  }

  private mutating func declareLeaf(_ type: ColumnType) {
    switch type {
    case .null: declare(.int32, .unknown)
    case .boolean: declare(.boolean)
    case .int32: declare(.int32)
    case .int64: declare(.int64)
    case .float: declare(.float)
    case .double: declare(.double)
    case .date: declare(.int32, .date, .date)
    case .time: declare(.int64, .time(isAdjustedToUTC: false, .micros), .timeMicros)
    case .timestamp(.microseconds, let zoned):
      declare(.int64, .timestamp(isAdjustedToUTC: zoned, .micros), .timestampMicros)
    case .timestamp(.nanoseconds, let zoned):
      declare(.int64, .timestamp(isAdjustedToUTC: zoned, .nanos))
    case .decimal(let precision, let scale): declareDecimal(precision, scale)
    case .string: declare(.byteArray, .string, .utf8)
    case .binary: declare(.byteArray)
    case .uuid:
      declare(.fixedLenByteArray, .uuid)
      typeLength = 16
    case .fixed(let byteCount):
      declare(.fixedLenByteArray)
      typeLength = Int32(clamping: byteCount)
    case .structure, .list, .map: preconditionFailure("a group is not a leaf")
    }
  }

  private mutating func declare(
    _ type: PhysicalType, _ logical: LogicalType? = nil, _ converted: ConvertedType? = nil
  ) {
    self.type = type
    logicalType = logical
    convertedType = converted
  }

  private mutating func declareDecimal(_ precision: Int, _ scale: Int) {
    let logical = LogicalType.decimal(
      scale: Int32(clamping: scale), precision: Int32(clamping: precision))
    let type: PhysicalType = precision <= 9 ? .int32 : precision <= 18 ? .int64 : .fixedLenByteArray
    declare(type, logical, .decimal)
    self.precision = Int32(clamping: precision)
    self.scale = Int32(clamping: scale)
    if type == .fixedLenByteArray {
      typeLength = Int32(Self.leastByteCount(forPrecision: precision))
    }
  }

  /// The fewest bytes that hold every decimal of `precision` digits in two's complement.
  package static func leastByteCount(forPrecision precision: Int) -> Int {
    var greatest: Int128 = 1
    for _ in 0..<precision { greatest *= 10 }
    var bytes = 1
    while bytes < 16, greatest - 1 > (Int128(1) << (8 * bytes - 1)) - 1 { bytes += 1 }
    return bytes
  }
}

extension ColumnField {
  fileprivate func renamed(_ name: String) -> ColumnField {
    var field = self
    field.name = name
    return field
  }
}
