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

// MARK: - A spec and a schema

extension PartitionSpec {
  /// The type of this spec's partition tuples: one optional field per partition field, with its id.
  ///
  /// A `void` field whose source was dropped is left as an `int` that is always null, and so is a
  /// field of a transform that is not known if its source is gone.
  ///
  /// `olderSchemas` are asked for sources that are not in `schema` any more.
  ///
  /// - Throws: ``IcebergError/unknownField(_:in:)`` if another source is in none of them.
  public func partitionType(
    for schema: Schema, olderSchemas: [Schema] = []
  ) throws(IcebergError) -> StructType {
    var result: [Field] = []
    for field in fields {
      let type = try resultType(of: field, in: [schema] + olderSchemas.reversed())
      result.append(
        Field(id: field.fieldID, name: field.name, type: .primitive(type), isRequired: false))
    }
    return StructType(result)
  }

  private func resultType(
    of field: PartitionField, in schemas: [Schema]
  ) throws(IcebergError) -> PrimitiveType {
    for schema in schemas {
      if let id = field.sourceIDs.first, let source = schema.field(id)?.type.primitive {
        return field.transform.resultType(of: source)
      }
    }
    switch field.transform {
    case .void, .unknown: return .int
    default:
      let ids = field.sourceIDs.map { "\($0.rawValue)" }.joined(separator: ", ")
      throw .unknownField("\(ids)", in: "the schema, as source of partition field '\(field.name)'")
    }
  }

  /// Checks that this spec can partition rows of `schema` that are to be written.
  ///
  /// - Throws: ``IcebergError`` if a source is not there, lies in a list or map, or is of a type
  ///   that its transform does not take; if a transform is not known; if two fields partition one
  ///   column alike; or if a name is that of another column.
  public func check(for schema: Schema) throws(IcebergError) {
    var seen: Set<[String]> = []
    for field in fields where field.transform != .void {
      let what = "partition field '\(field.name)'"
      guard field.sourceIDs.count == 1, let id = field.sourceIDs.first else {
        throw .unsupported("\(what), of several columns,")
      }
      guard let source = schema.field(id), let name = schema.name(of: id) else {
        throw .unknownField("\(id.rawValue)", in: "the schema, as source of \(what)")
      }
      if case .unknown(let text) = field.transform { throw .unsupported("transform '\(text)'") }
      guard !schema.isRepeated(id) else {
        throw .invalid(what, reason: "its column '\(name)' lies in a list or map")
      }
      try field.transform.check(appliesTo: source, named: name)
      guard seen.insert([String(id.rawValue), field.transform.family]).inserted else {
        throw .invalid(what, reason: "another one partitions '\(name)' the same way")
      }
      if let other = schema.field(named: field.name),
        field.transform != .identity || other.id != id
      {
        throw .invalid(what, reason: "a column has that name")
      }
    }
  }
}

extension Transform {
  /// What two partition fields of one column may not share: time transforms exclude each other.
  fileprivate var family: String {
    switch self {
    case .year, .month, .day, .hour: "time"
    default: description
    }
  }
}

extension Sequence where Element: Hashable {
  /// The first element that was there before.
  func firstDuplicate() -> Element? {
    var seen: Set<Element> = []
    return first { !seen.insert($0).inserted }
  }
}
