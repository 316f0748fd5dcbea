// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// A column that rows have beside the table's own: where a row is, and where it comes from.
///
/// They are read where they are named, and stand in predicates too; `*` leaves them out. A column
/// of the table with the same name hides one.
/// Source: Iceberg spec, "Reserved Field IDs" and "Row Lineage".
public enum MetadataColumn: String, Hashable, Sendable, CaseIterable {
  /// The path of the data file.
  case file = "_file"
  /// The ordinal of the row in it, from 0 on, deleted rows counted.
  case position = "_pos"
  /// The partition of the data file: a field for each that any spec has.
  case partition = "_partition"
  /// The partition spec of the data file.
  case specID = "_spec_id"
  /// v3: the id of the row, which it keeps wherever it is moved; null where none was given.
  case rowID = "_row_id"
  /// v3: the sequence number of the commit that last changed the row.
  case lastUpdatedSequenceNumber = "_last_updated_sequence_number"

  public var fieldID: FieldID {
    switch self {
    case .file: FieldID(2_147_483_646)
    case .position: FieldID(2_147_483_645)
    case .partition: FieldID(2_147_483_642)
    case .specID: FieldID(2_147_483_643)
    case .rowID: FieldID(2_147_483_540)
    case .lastUpdatedSequenceNumber: FieldID(2_147_483_539)
    }
  }

  init?(_ id: FieldID) {
    guard let column = Self.allCases.first(where: { $0.fieldID == id }) else { return nil }
    self = column
  }

  /// True if data files may have the column themselves.
  var isStored: Bool { self == .rowID || self == .lastUpdatedSequenceNumber }

  /// - Parameter partition: the fields of all the table's specs.
  func field(partition: [Field]) -> Field {
    let type: FieldType =
      switch self {
      case .file: .string
      case .specID: .int
      case .partition: .structure(StructType(partition))
      case .position, .rowID, .lastUpdatedSequenceNumber: .long
      }
    let isRequired = self == .file || self == .position || self == .specID
    return Field(id: fieldID, name: rawValue, type: type, isRequired: isRequired)
  }
}

extension Schema {
  /// This schema with the metadata columns of a table's rows behind its own.
  ///
  /// - Parameter partition: the fields of all the table's specs.
  func withMetadataColumns(partition: [Field]) throws(IcebergError) -> Schema {
    let known = Set(allFields.map(\.id))
    let names = Set(fields.map(\.name))
    // Partition fields have ids of their own, which columns of a wide table may have too; and
    // those of different specs may have one name.
    var next = FieldID(2_147_400_000).rawValue
    var taken: Set<String> = []
    let free = partition.map { field in
      let isFirst = taken.insert(field.name).inserted
      let name = isFirst ? field.name : "\(field.name)_\(field.id.rawValue)"
      taken.insert(name)
      next += 1
      return field.with(id: known.contains(field.id) ? FieldID(next) : field.id, name: name)
    }
    let added = MetadataColumn.allCases.filter {
      !names.contains($0.rawValue) && !known.contains($0.fieldID)
        && ($0 != .partition || !free.isEmpty)
    }
    return try Schema(
      id: id, fields: fields + added.map { $0.field(partition: free) },
      identifierFieldIDs: identifierFieldIDs)
  }
}
