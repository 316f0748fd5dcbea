// SPDX-License-Identifier: Apache-2.0
package import Bytes
public import Columnar

/// The schema of a Parquet file: a tree of groups and leaves, and the columns it is read as.
///
/// Laws: `fields` has one entry a child of the root, in order; leaves are numbered depth first, as
/// the column chunks of a row group are.
/// Source: parquet-format README.md, "Nested Encoding"; LogicalTypes.md.
public struct ParquetSchema: Sendable {
  package let root: SchemaNode
  /// The leaves in order of their column chunks.
  package let leaves: [ParquetLeaf]
  /// How each field of the root is put together from leaves.
  package let shapes: [ColumnShape]

  /// The columns of the file, as Lake reads them.
  public var fields: [ColumnField] { shapes.map(\.field) }
  /// How many column chunks a row group has.
  public var leafCount: Int { leaves.count }

  /// Nodes of a schema above which it is not taken for an honest one.
  package static let maxNodeCount = 100_000

  /// Builds the tree of a footer's list of nodes.
  ///
  /// - Throws: ``ParquetError/invalidSchema(path:_:)`` if the list is not a tree within `limits`.
  package init(
    elements: [SchemaElement], limits: DecodeLimits = .standard
  ) throws(ParquetError) {
    guard elements.count <= Self.maxNodeCount else {
      throw .invalidSchema(path: "", .tooManyNodes)
    }
    guard let first = elements.first else { throw .invalidSchema(path: "", .noRoot) }
    var builder = SchemaTreeBuilder(elements: elements, maxDepth: limits.depth)
    let root = try builder.buildRoot(first)
    self.root = root
    leaves = builder.leaves
    shapes = root.children.map { ColumnShape.reading($0) }
  }

  /// The schema that columns of `fields` are written under.
  package init(
    fields: [ColumnField], annotations: [String: LogicalType] = [:]
  ) throws(ParquetError) {
    try self.init(elements: SchemaElement.writing(fields, annotations: annotations))
  }

  /// The nodes as a footer lists them.
  package var elements: [SchemaElement] {
    var list: [SchemaElement] = []
    root.collect(into: &list)
    return list
  }

  /// Which of `fields` is called `name`; nil if none is. The first of several is meant.
  public func fieldIndex(named name: String) -> Int? {
    shapes.firstIndex { $0.field.name == name }
  }

  /// Which of `fields` has field id `id`; nil if none has.
  ///
  /// - Throws: ``ParquetError/ambiguousFieldID(_:)`` if several have it.
  public func fieldIndex(fieldID id: Int32) throws(ParquetError) -> Int? {
    var found: Int?
    for (index, shape) in shapes.enumerated() where shape.field.fieldID == id {
      if found != nil { throw .ambiguousFieldID(id) }
      found = index
    }
    return found
  }
}

/// A node of the schema with the levels that follow from its place.
package struct SchemaNode: Sendable {
  package let element: SchemaElement
  package let children: [SchemaNode]
  /// How many optional or repeated nodes there are from the root to this one, it included.
  package let definitionLevel: Int
  /// How many repeated nodes there are from the root to this one, it included.
  package let repetitionLevel: Int
  /// The leaves at or under the node.
  package let leafRange: Range<Int>

  package var name: String { element.name }
  package var isLeaf: Bool { element.type != nil }
  package var repetition: Repetition { element.repetition ?? .required }

  fileprivate func collect(into list: inout [SchemaElement]) {
    list.append(element)
    for child in children { child.collect(into: &list) }
  }
}

/// A leaf: what one column chunk of each row group holds.
package struct ParquetLeaf: Sendable {
  package let index: Int
  package let path: [String]
  package let element: SchemaElement
  package let type: PhysicalType
  /// Bytes a value where the type is ``PhysicalType/fixedLenByteArray``, else 0.
  package let typeLength: Int
  package let maxDefinitionLevel: Int
  package let maxRepetitionLevel: Int
  /// What its values become.
  package let columnType: ColumnType
  package let conversion: LeafConversion

  /// The path as errors name it.
  package var name: String { path.joined(separator: ".") }
}

/// Turns the depth-first list of nodes into a tree; every node is visited once.
private struct SchemaTreeBuilder {
  let elements: [SchemaElement]
  let maxDepth: Int
  var next = 0
  var leaves: [ParquetLeaf] = []
  var path: [String] = []

  mutating func buildRoot(_ root: SchemaElement) throws(ParquetError) -> SchemaNode {
    guard root.type == nil else { throw .invalidSchema(path: root.name, .noRoot) }
    next = 1
    let count = try childCount(of: root)
    let children = try buildChildren(count, definition: 0, repetition: 0)
    guard next == elements.count else {
      throw .invalidSchema(path: root.name, .wrongNodeCount)
    }
    return SchemaNode(
      element: root, children: children, definitionLevel: 0, repetitionLevel: 0,
      leafRange: 0..<leaves.count)
  }

  private func defect(_ defect: SchemaDefect) -> ParquetError {
    .invalidSchema(path: path.joined(separator: "."), defect)
  }

  private func childCount(of element: SchemaElement) throws(ParquetError) -> Int {
    let count = Int(element.childCount ?? 0)
    guard count >= 0, count <= elements.count - next else { throw defect(.wrongNodeCount) }
    return count
  }

  private mutating func buildChildren(
    _ count: Int, definition: Int, repetition: Int
  ) throws(ParquetError) -> [SchemaNode] {
    var children: [SchemaNode] = []
    for _ in 0..<count {
      guard next < elements.count else { throw defect(.wrongNodeCount) }
      let element = elements[next]
      next += 1
      path.append(element.name)
      children.append(try build(element, definition: definition, repetition: repetition))
      path.removeLast()
    }
    return children
  }

  private mutating func build(
    _ element: SchemaElement, definition: Int, repetition: Int
  ) throws(ParquetError) -> SchemaNode {
    guard path.count <= maxDepth else { throw defect(.tooDeep) }
    guard let kind = element.repetition else { throw defect(.noRepetition) }
    let definition = definition + (kind == .required ? 0 : 1)
    let repetition = repetition + (kind == .repeated ? 1 : 0)
    let firstLeaf = leaves.count
    var children: [SchemaNode] = []
    if let type = element.type {
      guard (element.childCount ?? 0) == 0 else { throw defect(.groupOrLeafUnclear) }
      try addLeaf(element, type, definition, repetition)
    } else {
      guard element.childCount != nil else { throw defect(.groupOrLeafUnclear) }
      let count = try childCount(of: element)
      guard count > 0 else { throw defect(.emptyGroup) }
      children = try buildChildren(count, definition: definition, repetition: repetition)
    }
    return SchemaNode(
      element: element, children: children, definitionLevel: definition,
      repetitionLevel: repetition, leafRange: firstLeaf..<leaves.count)
  }

  private mutating func addLeaf(
    _ element: SchemaElement, _ type: PhysicalType, _ definition: Int, _ repetition: Int
  ) throws(ParquetError) {
    var length = 0
    if type == .fixedLenByteArray {
      guard let stated = element.typeLength, stated > 0 else {
        throw defect(.badTypeLength(element.typeLength ?? 0))
      }
      length = Int(stated)
    }
    let (columnType, conversion) = element.readType(typeLength: length)
    leaves.append(
      ParquetLeaf(
        index: leaves.count, path: path, element: element, type: type, typeLength: length,
        maxDefinitionLevel: definition, maxRepetitionLevel: repetition, columnType: columnType,
        conversion: conversion))
  }
}
