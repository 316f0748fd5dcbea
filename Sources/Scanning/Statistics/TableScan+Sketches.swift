// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Expressions
public import Iceberg
internal import Synchronization

/// How many distinct values a column has, as a sketch tells it.
public struct ColumnSketch: Sendable {
  /// The column's name; a field of a structure by dots.
  public let name: String
  public let fieldID: FieldID
  public let sketch: ThetaSketch
}

extension TableScan {
  /// Reads the rows of the scan, what is deleted left out, and sketches how many distinct values
  /// `columns` have.
  ///
  /// - Parameter columns: which, fields of structures by dots; nil: all that are not made of others.
  /// - Throws: ``ScanError/invalidRequest(_:)`` for a column that lies in a list or map, or is made of
  ///   others.
  public func sketches(of columns: [String]? = nil) async throws(ScanError) -> [ColumnSketch] {
    let leaves = try leaves(of: columns)
    guard !leaves.isEmpty else { return [] }
    let pool = SketchPool(count: leaves.count)
    let ids = leaves.map(\.id)
    try await select(leaves.map(\.name)).read { batch throws(ScanError) in
      pool.use { sketches in
        for (index, id) in ids.enumerated() {
          if let column = batch.nestedColumn(id) { sketches[index].insert(column) }
        }
      }
    } consume: { _ throws(ScanError) in
      true
    }
    return zip(leaves, pool.union()).map { leaf, sketch in
      ColumnSketch(name: leaf.name, fieldID: leaf.id, sketch: sketch)
    }
  }

  private func leaves(of columns: [String]?) throws(ScanError) -> [(name: String, id: FieldID)] {
    guard let columns else {
      return try outputFields().filter { Self.canBeSketched($0.type) }.map { ($0.name, $0.id) }
    }
    var leaves: [(name: String, id: FieldID)] = []
    for name in columns where !leaves.contains(where: { $0.name == name }) {
      // What is selected of a field by a dotted name is a chain down to it.
      var fields = try select([name]).outputFields()
      let isOwn = fields.allSatisfy { MetadataColumn($0.id) == nil }
      while fields.count == 1, case .structure(let type) = fields[0].type { fields = type.fields }
      guard isOwn, fields.count == 1, Self.canBeSketched(fields[0].type) else {
        throw .invalidRequest(
          .invalid(
            "a count of the distinct values of '\(name)'",
            reason: "only the table's columns of single values have one"))
      }
      leaves.append((name, fields[0].id))
    }
    return leaves
  }

  /// True of types whose values have one serialization each.
  private static func canBeSketched(_ type: FieldType) -> Bool {
    switch type.primitive {
    case nil, .variant, .geometry, .geography, .unknown: false
    default: true
    }
  }
}

/// Sketches of some columns that no task uses at the moment: each task goes on with those that
/// another was done with, since one that has seen much lets most values pass.
private final class SketchPool: Sendable {
  private let count: Int
  private let idle = Mutex<[[ThetaSketch]]>([])

  init(count: Int) { self.count = count }

  func use(_ body: (inout [ThetaSketch]) -> Void) {
    var sketches =
      idle.withLock { $0.popLast() } ?? Array(repeating: ThetaSketch(), count: count)
    body(&sketches)
    idle.withLock { $0.append(sketches) }
  }

  /// What all of them saw.
  func union() -> [ThetaSketch] {
    var result = Array(repeating: ThetaSketch(), count: count)
    for sketches in idle.withLock({ $0 }) {
      for index in result.indices { result[index].formUnion(sketches[index]) }
    }
    return result
  }
}
