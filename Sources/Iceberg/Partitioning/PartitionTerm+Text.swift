// SPDX-License-Identifier: Apache-2.0

extension PartitionTerm {
  /// The terms that `text` names, to be added to a spec of a table that has one already:
  /// `bucket(16, id), day(ts) as d`.
  ///
  /// The grammar is that of a whole spec. Names are the ones the reference implementation gives
  /// when a spec evolves: `id_bucket_16` and `name_trunc_4` tell their width, since a table may get
  /// several.
  ///
  /// - Throws: as ``PartitionSpec/init(_:schema:id:)`` does.
  public static func parse(_ text: String, schema: Schema) throws(IcebergError) -> [PartitionTerm] {
    var terms: [PartitionTerm] = []
    for term in try TransformTerm.parse(text, what: "partition spec") {
      guard let field = schema.resolve(term.column), let column = schema.name(of: field.id) else {
        throw .unknownField("'\(term.column)'", in: "the schema")
      }
      try term.transform.check(appliesTo: field, named: column)
      terms.append(
        PartitionTerm(
          source: field.id, transform: term.transform,
          name: term.name ?? term.transform.evolvedPartitionName(for: column)))
    }
    return terms
  }

  /// The term that the partition field `field` came from.
  public init(_ field: PartitionField) {
    self.init(sourceIDs: field.sourceIDs, transform: field.transform, name: field.name)
  }
}

extension Transform {
  fileprivate func evolvedPartitionName(for column: String) -> String {
    switch self {
    case .bucket(let width), .truncate(let width): "\(partitionName(for: column))_\(width)"
    default: partitionName(for: column)
    }
  }
}
