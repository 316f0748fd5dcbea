// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg

extension MetadataTable {
  private static let summaryType = ColumnType.structure([
    ColumnField("contains_null", .boolean, isNullable: false),
    ColumnField("contains_nan", .boolean),
    ColumnField("lower_bound", .string),
    ColumnField("upper_bound", .string),
  ])

  static let manifestFields = [
    ColumnField("content", .int32, isNullable: false),
    ColumnField("path", .string, isNullable: false),
    ColumnField("length", .int64, isNullable: false),
    ColumnField("partition_spec_id", .int32),
    ColumnField("added_snapshot_id", .int64),
    ColumnField("added_data_files_count", .int32),
    ColumnField("existing_data_files_count", .int32),
    ColumnField("deleted_data_files_count", .int32),
    ColumnField("added_delete_files_count", .int32),
    ColumnField("existing_delete_files_count", .int32),
    ColumnField("deleted_delete_files_count", .int32),
    ColumnField(
      "partition_summaries", .list(ColumnField("element", summaryType, isNullable: false))),
  ]

  static let allManifestsFields =
    manifestFields + [ColumnField("reference_snapshot_id", .int64, isNullable: false)]

  /// - Parameter snapshot: which one lists the manifest, for the table of all of them.
  func manifestRow(
    _ manifest: ManifestFile, of snapshot: SnapshotID?
  ) throws(ScanError) -> [Cell] {
    let counts = [
      manifest.counts.addedFiles, manifest.counts.existingFiles, manifest.counts.deletedFiles,
    ].map { Cell($0) }
    let zeros = [Cell](repeating: .integer(0), count: 3)
    var row: [Cell] = [
      Cell(manifest.content.rawValue), .text(manifest.path), Cell(manifest.byteCount),
      Cell(manifest.partitionSpecID.rawValue), Cell(manifest.addedSnapshotID.rawValue),
    ]
    row += manifest.content == .data ? counts + zeros : zeros + counts
    row.append(try summaries(manifest))
    if let snapshot { row.append(Cell(snapshot.rawValue)) }
    return row
  }

  private func summaries(_ manifest: ManifestFile) throws(ScanError) -> Cell {
    guard let summaries = manifest.partitions else { return .null }
    let layout: PartitionLayout
    do throws(IcebergError) {
      layout = try table.metadata.partitionLayout(manifest.partitionSpecID)
    } catch {
      throw .invalidRequest(error)
    }
    var cells: [Cell] = []
    for (index, summary) in summaries.enumerated() {
      var texts: [Cell] = [.null, .null]
      if index < layout.types.count {
        let field = layout.spec.fields[index]
        texts = [summary.lowerBound, summary.upperBound].map { bound in
          guard let value = Value(bound: bound, as: layout.types[index]) else { return .null }
          return .text(field.transform.humanText(of: value, source: source(of: field)))
        }
      }
      cells.append(
        .structure([.boolean(summary.containsNull), Cell(summary.containsNaN)] + texts))
    }
    return .list(cells)
  }

  /// The type of the column a partition field is made of, by the newest schema that has it.
  private func source(of field: PartitionField) -> PrimitiveType {
    guard let id = field.sourceIDs.first else { return .unknown }
    let schemas = [table.metadata.currentSchema] + table.metadata.schemas.reversed()
    return schemas.lazy.compactMap { $0.field(id)?.type.primitive }.first ?? .unknown
  }
}
