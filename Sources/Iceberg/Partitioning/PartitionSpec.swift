// SPDX-License-Identifier: Apache-2.0

/// One field of a partition: a transform of source columns.
public struct PartitionField: Hashable, Sendable {
  /// The columns the transform takes; one, but for v3's multi-argument transforms.
  public let sourceIDs: [FieldID]
  /// The id of this field in the partition structure; 1000 or more.
  public let fieldID: FieldID
  public let name: String
  public let transform: Transform

  public init(sourceIDs: [FieldID], fieldID: FieldID, name: String, transform: Transform) {
    self.sourceIDs = sourceIDs
    self.fieldID = fieldID
    self.name = name
    self.transform = transform
  }
}

/// How a table's rows map to partitions: an ordered list of transforms over source columns.
///
/// A value of this type is always well-formed: names and field ids are unique within it. Whether it
/// fits a schema is a separate question, asked by `partitionType(for:)`.
///
/// Source: Iceberg spec, "Partitioning" and "Partition Transforms".
public struct PartitionSpec: Hashable, Sendable {
  public let id: PartitionSpecID
  public let fields: [PartitionField]

  /// - Throws: ``IcebergError/duplicate(_:in:)`` if two fields share a name or a field id.
  public init(id: PartitionSpecID, fields: [PartitionField]) throws(IcebergError) {
    if let name = fields.map(\.name).firstDuplicate() {
      throw .duplicate("field name '\(name)'", in: "partition spec \(id.rawValue)")
    }
    if let fieldID = fields.map(\.fieldID).firstDuplicate() {
      throw .duplicate("field id \(fieldID.rawValue)", in: "partition spec \(id.rawValue)")
    }
    self.id = id
    self.fields = fields
  }

  private init(unpartitioned id: PartitionSpecID) {
    self.id = id
    self.fields = []
  }

  /// Spec 0 without fields: what a table has that was never partitioned.
  public static let unpartitioned = PartitionSpec(unpartitioned: PartitionSpecID(0))

  /// True if every row lands in one partition: no fields, or only `void` ones left by v1 evolution.
  public var isUnpartitioned: Bool { fields.allSatisfy { $0.transform == .void } }
}

extension Sequence where Element: Hashable {
  /// The first element that was there before.
  func firstDuplicate() -> Element? {
    var seen: Set<Element> = []
    return first { !seen.insert($0).inserted }
  }
}
