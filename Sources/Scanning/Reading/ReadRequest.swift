// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes
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
  /// Where files that are opened are kept.
  var openFiles: OpenFiles?

  /// Opens the file of `task`: its footer is read, and it is worked out how its columns become
  /// those that are wanted.
  func open(_ task: ScanTask, _ deletes: FileDeletes) async throws(ScanError) -> OpenDataFile {
    let parquet = try await parquet(task)
    let columns = try FileColumns(parquet.footer.schema) { () throws(ScanError) in
      try nameMapping()
    }
    return OpenDataFile(
      parquet, columns, name: task.file.path, output: output, extra: extra,
      partitionValues: identityValues(of: task), residual: residual(of: task),
      facts: facts(of: task), deletes: deletes, positions: task.positions)
  }

  private func parquet(_ task: ScanTask) async throws(ScanError) -> ParquetFile {
    if let known = openFiles?.file(task.file.path) { return known }
    do throws(ParquetFileError) {
      let path = try path(of: task)
      // Of files that are kept open, single rows are read. To disk and memory no way is long.
      let isWhole = openFiles == nil && !["file", "memory"].contains(path.scheme)
      let file = try await ParquetFile.open(
        path, in: table.store, byteCount: task.file.byteCount,
        wholeUpTo: isWhole ? ParquetFile.wholeByteCount : 0)
      openFiles?.keep(file, task.file.path)
      return file
    } catch {
      throw .dataFile(error)
    }
  }

  /// Opens the Avro file of `task`: all of it is read.
  func openAvro(
    _ task: ScanTask, _ deletes: FileDeletes
  ) async throws(ScanError) -> AvroDataFile {
    let bytes: Buffer
    do throws(StorageError) {
      bytes = try await table.store.get(
        try ObjectPath(task.file.path), limit: AvroDataFile.byteCountLimit)
    } catch {
      throw .storage(error, while: "reading a data file of \(table.name)")
    }
    let header: AvroFileHeader
    do throws(AvroError) { header = try AvroFileHeader(bytes.bytes) } catch {
      throw .invalidDataFile(file: task.file.path, .avro(error, in: "avro file"))
    }
    guard var record = header.schema.record else {
      throw .schemaMismatch(
        file: task.file.path, column: "all", expected: "records",
        found: header.schema.typeName.rawValue)
    }
    if !record.hasIDs {
      guard let mapping = try nameMapping() else {
        throw .unsupported(
          what: "Avro data files without field ids, in a table without a name mapping,",
          file: task.file.path)
      }
      record = record.mapped(by: mapping)
    }
    let fields = output + extra + OpenDataFile.missing(deletes.keyFields, from: output + extra)
    let ids = Set(record.fields.compactMap(\.fieldID))
    let residual = residual(of: task)
    return AvroDataFile(
      path: task.file.path, bytes: bytes, record: record,
      found: fields.filter {
        ids.contains($0.id.rawValue) && (MetadataColumn($0.id)?.isStored ?? true)
      },
      mapping: ColumnMapping(
        file: task.file.path, fields: fields, partitionValues: identityValues(of: task),
        facts: facts(of: task)),
      outputCount: output.count, filter: residual == .alwaysTrue ? nil : RowFilter(residual),
      deletes: deletes)
  }

  private func facts(of task: ScanTask) -> FileFacts {
    let spec = table.metadata.partitionSpec(task.file.partition.specID)
    return FileFacts(
      file: task.file, sequenceNumber: task.sequenceNumber,
      partition: partition?.values(of: task.file.partition, in: spec) ?? [])
  }

  /// Which fields the columns of files are that have no ids; nil if the table does not tell.
  private func nameMapping() throws(ScanError) -> NameMapping? {
    do throws(IcebergError) { return try table.metadata.nameMapping() } catch {
      throw .invalidRequest(error)
    }
  }

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
