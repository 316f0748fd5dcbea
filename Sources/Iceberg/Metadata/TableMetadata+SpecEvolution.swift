// SPDX-License-Identifier: Apache-2.0

/// A field a partition spec is to have, before it has an id.
public struct PartitionTerm: Hashable, Sendable {
  public let sourceIDs: [FieldID]
  public let transform: Transform
  public let name: String

  public init(sourceIDs: [FieldID], transform: Transform, name: String) {
    self.sourceIDs = sourceIDs
    self.transform = transform
    self.name = name
  }

  public init(source: FieldID, transform: Transform, name: String) {
    self.init(sourceIDs: [source], transform: transform, name: name)
  }

  fileprivate func isEquivalent(to field: PartitionField) -> Bool {
    sourceIDs == field.sourceIDs && transform == field.transform
  }
}

extension TableMetadata {
  /// The spec of `terms`, ids given as the format asks; to be added by an update.
  ///
  /// From v2 on a term that any spec of the table had keeps the id it had there, and others get new
  /// ones. In v1, where ids are places, the fields of the default spec stay where they are: those
  /// that are no longer wanted become `void`, and new ones follow.
  ///
  /// - Throws: ``IcebergError`` if a name is there twice, or ids run out.
  /// - Source: Iceberg spec, "Partition Evolution".
  public func partitionSpec(of terms: [PartitionTerm]) throws(IcebergError) -> PartitionSpec {
    formatVersion == .v1 ? try positionalSpec(terms) : try reusingSpec(terms)
  }

  private func reusingSpec(_ terms: [PartitionTerm]) throws(IcebergError) -> PartitionSpec {
    let known = partitionSpecDocuments.reversed().flatMap(\.value.fields)
    var last = lastPartitionFieldID
    var taken: Set<FieldID> = []
    var fields: [PartitionField] = []
    for term in terms {
      let old = known.first { term.isEquivalent(to: $0) && !taken.contains($0.fieldID) }
      let id: FieldID
      if let old { id = old.fieldID } else { id = try next(&last) }
      taken.insert(id)
      fields.append(term.field(id))
    }
    return try PartitionSpec(id: .lastAdded, fields: fields)
  }

  private func positionalSpec(_ terms: [PartitionTerm]) throws(IcebergError) -> PartitionSpec {
    var left = terms
    var fields: [PartitionField] = []
    for old in defaultPartitionSpec.fields {
      if let i = left.firstIndex(where: { $0.isEquivalent(to: old) }) {
        fields.append(left.remove(at: i).field(old.fieldID))
      } else {
        // Its name may be wanted again for another field.
        let isTaken = terms.contains { $0.name == old.name }
        let name = isTaken ? "\(old.name)_\(old.fieldID.rawValue)" : old.name
        fields.append(
          PartitionField(
            sourceIDs: old.sourceIDs, fieldID: old.fieldID, name: name, transform: .void))
      }
    }
    var last = fields.last?.fieldID ?? Self.partitionFieldIDBase
    for term in left { fields.append(term.field(try next(&last))) }
    return try PartitionSpec(id: .lastAdded, fields: fields)
  }

  private func next(_ last: inout FieldID) throws(IcebergError) -> FieldID {
    let (number, overflow) = last.rawValue.addingReportingOverflow(1)
    guard !overflow else { throw .unsupported("a table of so many partition fields") }
    last = FieldID(number)
    return last
  }
}

extension PartitionTerm {
  fileprivate func field(_ id: FieldID) -> PartitionField {
    PartitionField(sourceIDs: sourceIDs, fieldID: id, name: name, transform: transform)
  }
}
