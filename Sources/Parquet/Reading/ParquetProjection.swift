// SPDX-License-Identifier: Apache-2.0
public import Columnar

/// Which columns of a file are read, and which parts of nested ones.
public struct ParquetProjection: Sendable {
  package let shapes: [ColumnShape]
  /// Which leaves that takes, ascending.
  package let leafIndices: [Int]

  package init(shapes: [ColumnShape]) {
    self.shapes = shapes
    var leaves: [Int] = []
    for shape in shapes { shape.collectLeaves(into: &leaves) }
    leafIndices = leaves.sorted()
  }

  /// The columns of the batches that are read.
  public var fields: [ColumnField] { shapes.map(\.field) }
}

extension ParquetSchema {
  /// All columns.
  public var all: ParquetProjection { ParquetProjection(shapes: shapes) }

  /// The columns at `indices` of ``fields``, in that order.
  public func projection(_ indices: [Int]) -> ParquetProjection {
    ParquetProjection(shapes: indices.map { shapes[$0] })
  }

  /// The columns called `names`, in that order.
  ///
  /// - Throws: ``ParquetError/noSuchColumn(_:)``.
  public func projection(named names: [String]) throws(ParquetError) -> ParquetProjection {
    var found: [ColumnShape] = []
    for name in names {
      guard let index = fieldIndex(named: name) else { throw .noSuchColumn(name) }
      found.append(shapes[index])
    }
    return ParquetProjection(shapes: found)
  }

  /// What carries one of the field ids `ids`, with all that is in it, and what is around it: in
  /// the order of the file. Ids the file does not have are left out.
  ///
  /// A map is read with its keys if anything of it is.
  public func projection(fieldIDs ids: Set<Int32>) -> ParquetProjection {
    ParquetProjection(shapes: shapes.compactMap { $0.pruned(to: ids) })
  }
}

extension ColumnShape {
  /// Adds the leaves the column is really put together from.
  fileprivate func collectLeaves(into leaves: inout [Int]) {
    switch kind {
    case .leaf(let index): leaves.append(index)
    case .structure(let children): for child in children { child.collectLeaves(into: &leaves) }
    case .list(let element, _): element.collectLeaves(into: &leaves)
    }
  }

  fileprivate func pruned(to ids: Set<Int32>) -> ColumnShape? {
    if let id = field.fieldID, ids.contains(id) { return self }
    switch kind {
    case .leaf: return nil
    case .structure(let children):
      let kept = children.compactMap { $0.pruned(to: ids) }
      if kept.isEmpty { return nil }
      if variant != nil { return self }  // all of it makes one value
      return replacing(type: .structure(kept.map(\.field)), .structure(kept))
    case .list(let element, let levels):
      if case .map = field.type { return prunedMap(element, levels, ids) }
      guard let kept = element.pruned(to: ids) else { return nil }
      return replacing(type: .list(kept.field), .list(kept, levels))
    }
  }

  private func prunedMap(
    _ entries: ColumnShape, _ levels: ListLevels, _ ids: Set<Int32>
  ) -> ColumnShape? {
    guard case .structure(let pair) = entries.kind, pair.count == 2 else { return nil }
    let (key, value) = (pair[0], pair[1])
    guard key.pruned(to: ids) != nil || value.pruned(to: ids) != nil else { return nil }
    let kept = value.pruned(to: ids) ?? value
    let structure = entries.replacing(
      type: .structure([key.field, kept.field]), .structure([key, kept]))
    return replacing(
      type: .map(key: key.field, value: kept.field), .list(structure, levels))
  }

  private func replacing(type: ColumnType, _ kind: Kind) -> ColumnShape {
    var field = self.field
    field.type = type
    return ColumnShape(
      field: field, definitionLevel: definitionLevel, leafRange: leafRange, kind: kind)
  }
}
