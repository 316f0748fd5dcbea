// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Parquet
internal import ParquetFiles
internal import Storage

/// What a scan wants of each of its files.
struct ReadRequest: Sendable {
  let table: Table
  /// The columns that are handed out.
  let output: [Field]
  /// Columns that only the filter needs.
  let extra: [Field]
  let filter: BoundPredicate
  /// The fields of all the table's partition specs; nil if no column shows them.
  var partition: CommonPartition?
  var tuning = ReadTuning()

  /// Opens the file of `task`: its footer is read, and it is worked out how its columns become
  /// those that are wanted.
  func open(_ task: ScanTask, _ deletes: FileDeletes) async throws(ScanError) -> OpenDataFile {
    guard task.file.format == .parquet else {
      throw .unsupported(what: "\(task.file.format.name) data files", file: task.file.path)
    }
    let parquet: ParquetFile
    do throws(ParquetFileError) {
      parquet = try await ParquetFile.open(
        try path(of: task), in: table.store, byteCount: task.file.byteCount)
    } catch {
      throw .dataFile(error)
    }
    let columns = try FileColumns(parquet.footer.schema) { () throws(ScanError) in
      try nameMapping()
    }
    return OpenDataFile(
      parquet, columns, name: task.file.path, output: output, extra: extra,
      partitionValues: identityValues(of: task), residual: residual(of: task),
      facts: facts(of: task), deletes: deletes)
  }

  private func facts(of task: ScanTask) -> FileFacts {
    let spec = table.metadata.partitionSpec(task.file.partition.specID)
    return FileFacts(
      file: task.file, sequenceNumber: task.sequenceNumber,
      partition: partition?.values(of: task.file.partition, in: spec) ?? [])
  }

  /// Which fields the columns of files are that have no ids; nil if the table does not tell.
  private func nameMapping() throws(ScanError) -> NameMapping? {
    do throws(IcebergError) {
      return try table.metadata.properties[Self.nameMappingKey].map { (text) throws(IcebergError) in
        try NameMapping(json: text)
      }
    } catch {
      throw .invalidRequest(error)
    }
  }

  private static let nameMappingKey = "schema.name-mapping.default"

  private func path(of task: ScanTask) throws(ParquetFileError) -> ObjectPath {
    do throws(StorageError) { return try ObjectPath(task.file.path) } catch {
      throw .storage(error)
    }
  }

  /// What the file's partition leaves of the filter.
  private func residual(of task: ScanTask) -> BoundPredicate {
    guard filter != .alwaysTrue,
      let spec = table.metadata.partitionSpec(task.file.partition.specID)
    else { return filter }
    return spec.residual(of: filter, in: task.file.partition.values)
  }

  /// The values that the partition tells of columns, for files that do not have them.
  private func identityValues(of task: ScanTask) -> [FieldID: Value?] {
    let partition = task.file.partition
    guard let spec = table.metadata.partitionSpec(partition.specID) else { return [:] }
    var values: [FieldID: Value?] = [:]
    for (field, value) in zip(spec.fields, partition.values) where field.transform == .identity {
      if let id = field.sourceIDs.first { values[id] = .some(value) }
    }
    return values
  }
}
