// SPDX-License-Identifier: Apache-2.0
package import Columnar

/// How a column is put together from its leaves: which definition and repetition levels say that
/// a value is there, and where a list begins.
///
/// Source: LogicalTypes.md, "Nested Types" and its rules for older files.
package struct ColumnShape: Sendable {
  package let field: ColumnField
  /// A value is not null where the definition level is at least this.
  package let definitionLevel: Int
  package let leafRange: Range<Int>
  package let kind: Kind
  /// Where the structure that ``kind`` describes is a variant over several columns: what is to be
  /// made of it, the structure of metadata and value that ``field`` is.
  package var variant: ShreddedVariant?

  package struct ShreddedVariant: Sendable {
    let shape: VariantShape
    /// Which field of the structure that is stored has the names.
    let metadata: Int
    let storedType: ColumnType
  }

  package indirect enum Kind: Sendable {
    /// The leaf of that number.
    case leaf(Int)
    case structure([ColumnShape])
    /// Lists and maps; the element of a map is the structure of key and value.
    case list(ColumnShape, ListLevels)
  }

  /// The levels of the repeated node in a list.
  package struct ListLevels: Hashable, Sendable {
    /// There is an element where the definition level is at least this.
    package let elementDefinitionLevel: Int
    /// A further element of the same list has this repetition level, the first a lower one.
    package let repetitionLevel: Int
  }
}

extension ColumnShape {
  /// How the column of `node` is read.
  package static func reading(_ node: SchemaNode) -> ColumnShape {
    if node.repetition == .repeated { return repeatedList(node) }
    return value(node, isNullable: node.repetition == .optional)
  }

  /// The value of `node`, its repetition left aside.
  private static func value(_ node: SchemaNode, isNullable: Bool) -> ColumnShape {
    if node.isLeaf { return leaf(node, isNullable) }
    switch node.element.annotation {
    case .list: if let list = annotatedList(node, isNullable) { return list }
    case .map: if let map = annotatedMap(node, isNullable) { return map }
    case .variant: if let variant = variant(node, isNullable) { return variant }
    default: break
    }
    return structure(node, isNullable)
  }

  private static func leaf(_ node: SchemaNode, _ isNullable: Bool) -> ColumnShape {
    let (type, _) = node.element.readType(typeLength: Int(node.element.typeLength ?? 0))
    return shape(node, type, isNullable, .leaf(node.leafRange.lowerBound))
  }

  private static func structure(_ node: SchemaNode, _ isNullable: Bool) -> ColumnShape {
    let children = node.children.map { reading($0) }
    let type = ColumnType.structure(children.map(\.field))
    return shape(node, type, isNullable, .structure(children))
  }

  /// A group annotated as a variant, unless it is stored as it is read: metadata, then value, both
  /// always there.
  private static func variant(_ node: SchemaNode, _ isNullable: Bool) -> ColumnShape? {
    let names = node.children.map(\.name)
    guard let metadata = names.firstIndex(of: "metadata"), let variant = VariantShape(node),
      node.children[metadata].element.type == .byteArray,
      names != ["metadata", "value"] || node.children[1].repetition != .required
    else { return nil }
    let stored = structure(node, isNullable)
    let type = ColumnType.structure([
      ColumnField("metadata", .binary, isNullable: false),
      ColumnField("value", .binary, isNullable: false),
    ])
    var read = shape(node, type, isNullable, stored.kind)
    read.variant = ShreddedVariant(
      shape: variant, metadata: metadata, storedType: stored.field.type)
    return read
  }

  private static func shape(
    _ node: SchemaNode, _ type: ColumnType, _ isNullable: Bool, _ kind: Kind
  ) -> ColumnShape {
    let isVariant = if case .variant = node.element.annotation { true } else { false }
    let field = ColumnField(
      node.name, type, isNullable: isNullable, fieldID: node.element.fieldID,
      isVariant: isVariant && type.fitsVariants)
    return ColumnShape(
      field: field, definitionLevel: node.definitionLevel, leafRange: node.leafRange, kind: kind)
  }

  /// A repeated node that no list or map is around: a list of required elements, never null.
  private static func repeatedList(_ node: SchemaNode) -> ColumnShape {
    let element = value(node, isNullable: false)
    let field = ColumnField(
      node.name, .list(element.field), isNullable: false, fieldID: node.element.fieldID)
    return ColumnShape(
      field: field, definitionLevel: node.definitionLevel - 1, leafRange: node.leafRange,
      kind: .list(element, levels(of: node)))
  }

  private static func levels(of repeated: SchemaNode) -> ListLevels {
    ListLevels(
      elementDefinitionLevel: repeated.definitionLevel, repetitionLevel: repeated.repetitionLevel)
  }

  /// A group annotated as a list, of three levels or of two; nil if it is not shaped as either.
  private static func annotatedList(_ node: SchemaNode, _ isNullable: Bool) -> ColumnShape? {
    guard node.children.count == 1, let repeated = node.children.first,
      repeated.repetition == .repeated
    else { return nil }
    let element =
      isElement(repeated, of: node)
      ? value(repeated, isNullable: false) : reading(repeated.children[0])
    return shape(node, .list(element.field), isNullable, .list(element, levels(of: repeated)))
  }

  /// True if the repeated node of a list is its element, false if its only child is.
  private static func isElement(_ repeated: SchemaNode, of list: SchemaNode) -> Bool {
    guard !repeated.isLeaf, repeated.children.count == 1 else { return true }
    if repeated.children[0].repetition == .repeated { return true }
    switch repeated.element.annotation {
    case .list, .map: return true
    default: return repeated.name == "array" || repeated.name == list.name + "_tuple"
    }
  }

  /// A group annotated as a map; nil if it is not shaped as one. A map without values is the list
  /// of its keys, as pyarrow has it.
  private static func annotatedMap(_ node: SchemaNode, _ isNullable: Bool) -> ColumnShape? {
    guard node.children.count == 1, let entries = node.children.first,
      entries.repetition == .repeated
    else { return nil }
    if entries.children.count == 1 {
      let key = reading(entries.children[0])
      return shape(node, .list(key.field), isNullable, .list(key, levels(of: entries)))
    }
    guard entries.children.count == 2 else { return nil }
    let element = structure(entries, false)
    guard case .structure(let fields) = element.field.type, fields.count == 2,
      fields[0].type.layout != .list
    else { return nil }
    let type = ColumnType.map(key: fields[0], value: fields[1])
    return shape(node, type, isNullable, .list(element, levels(of: entries)))
  }

  /// The columns at the leaves, in order of their column chunks.
  package var leafIndices: Range<Int> { leafRange }
}
