// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Expressions
internal import Iceberg
internal import Storage

/// Reads what delete files hold.
struct DeleteFileReader: Sendable {
  let table: Table
  let parallelism: Int

  // MARK: deletion vectors

  /// The positions that the deletion vector `file` holds.
  func vector(_ file: DataFile) async throws(ScanError) -> DeletionVector {
    guard let range = file.contentRange, range.offset >= 0, range.byteCount >= 0,
      range.byteCount <= Int64(Int32.max), range.offset <= .max - range.byteCount
    else {
      throw .invalidManifest(
        file: file.path, .invalid("a deletion vector", reason: "it does not say where it lies"))
    }
    let blob: Buffer
    do throws(StorageError) {
      blob = try await table.store.get(
        try ObjectPath(file.path), range: range.offset..<range.offset + range.byteCount)
    } catch {
      throw .storage(error, while: "reading a deletion vector of \(table.name)")
    }
    guard Int64(blob.count) == range.byteCount else {
      throw .wrongSize(
        file: file.path, what: "bytes of a deletion vector", expected: range.byteCount,
        found: Int64(blob.count))
    }
    let vector: DeletionVector
    do throws(IcebergError) {
      vector = try DeletionVector(decoding: blob.bytes)
    } catch {
      throw .invalidManifest(file: file.path, error)
    }
    guard Int64(vector.count) == file.recordCount else {
      throw .wrongSize(
        file: file.path, what: "deleted positions", expected: file.recordCount,
        found: Int64(vector.count))
    }
    return vector
  }

  // MARK: position deletes

  static let pathField = Field(
    id: .deleteFilePath, name: "file_path", type: .string, isRequired: true)
  static let positionField = Field(
    id: .deletePosition, name: "pos", type: .long, isRequired: true)

  /// The positions that the rows of `file` hold, by the data files they are of.
  func positions(_ file: DataFile) async throws(ScanError) -> [PathKey: DeletionVector] {
    var found: [PathKey: DeletionVector] = [:]
    try await read(file, [Self.pathField, Self.positionField]) {
      (batches) throws(ScanError) -> [PathKey: DeletionVector] in
      var found: [PathKey: DeletionVector] = [:]
      for batch in batches { try Self.collect(batch, of: file, into: &found) }
      return found
    } consume: { part throws(ScanError) in
      for (path, vector) in part {
        if found[path]?.formUnion(vector) == nil { found[path] = vector }
      }
      return true
    }
    return found
  }

  private static func collect(
    _ batch: RecordBatch, of file: DataFile, into found: inout [PathKey: DeletionVector]
  ) throws(ScanError) {
    let paths = batch.columns[0]
    guard paths.nullCount == 0, batch.columns[1].nullCount == 0 else {
      throw .invalidManifest(
        file: file.path, .invalid("a position delete", reason: "its path or position is null"))
    }
    let parts = batch.selecting([1]).split(by: [paths])
    for part in parts {
      let path = PathKey(paths.string(part.representative))
      do throws(IcebergError) {
        let column = try part.batch.columns[0].plain()
        try found[path, default: DeletionVector()]
          .insert(contentsOf: column.fixedValues(as: Int64.self))
      } catch {
        throw .invalidManifest(file: file.path, error)
      }
    }
  }

  // MARK: equality deletes

  /// The columns of the fields `ids`, cut down to them: as the table has them now or had them last.
  func keyFields(_ ids: [FieldID], in file: String) throws(ScanError) -> [Field] {
    let schemas = [table.metadata.currentSchema] + table.metadata.schemas.reversed()
    var fields: [Field] = []
    do throws(IcebergError) {
      guard !ids.isEmpty else {
        throw .invalid("an equality delete without columns", reason: "it would delete every row")
      }
      for id in ids {
        guard let schema = schemas.first(where: { $0.field(id) != nil }),
          let name = schema.name(of: id)
        else { throw .unknownField("\(id.rawValue)", in: "any schema of the table") }
        guard !schema.isRepeated(id) else {
          throw .invalid("an equality delete by '\(name)'", reason: "it lies in a list or map")
        }
        fields += try FieldSelection(schema).fields([name])
      }
    } catch {
      throw .invalidManifest(file: file, error)
    }
    return fields
  }

  /// The rows of `file`: a column for each of `ids`, which lie in `fields`.
  func keys(
    _ file: DataFile, _ ids: [FieldID], _ fields: [Field]
  ) async throws(ScanError) -> [Column] {
    var parts: [[Column]] = []
    try await read(file, fields.map { $0.withoutDefault() }) {
      (batches) throws(ScanError) -> [[Column]] in
      batches.map { batch in
        ids.map { id in
          guard let column = batch.nestedColumn(id) else {
            preconditionFailure("a batch without a field that was asked for")
          }
          return column
        }
      }
    } consume: { columns throws(ScanError) in
      parts += columns
      return true
    }
    var keys: [Column] = []
    do throws(ColumnarError) {
      for index in ids.indices {
        guard !parts.isEmpty else {
          keys.append(.nulls(type(of: ids[index], in: fields), count: 0))
          continue
        }
        keys.append(try Column.concat(parts.map { $0[index] }))
      }
    } catch {
      throw .unsupported(what: "equality deletes of more than 2 GiB of keys", file: file.path)
    }
    return keys
  }

  private func type(of id: FieldID, in fields: [Field]) -> ColumnType {
    RecordBatch(
      fields: fields.map(\.columnField),
      columns: fields.map { .nulls($0.type.columnType, count: 0) }, rowCount: 0
    ).nestedColumn(id)?.type ?? .null
  }

  // MARK: files

  /// Reads the columns `fields` of all rows of `file`; `consume` says whether to go on.
  func read<Output: Sendable>(
    _ file: DataFile, _ fields: [Field],
    transform: @escaping @Sendable ([RecordBatch]) throws(ScanError) -> Output,
    consume: (Output) async throws(ScanError) -> Bool
  ) async throws(ScanError) {
    let task = ScanTask(file: file, sequenceNumber: SequenceNumber(0))
    let request = ReadRequest(table: table, output: fields, extra: [], filter: .alwaysTrue)
    let source = UnitSource([task], request, parallelism: parallelism)
    _ = try await OrderedPipeline.run(
      source, parallelism: parallelism, transform: transform, consume: consume)
  }
}

extension Column {
  /// The same values without a dictionary, for columns of fixed width.
  fileprivate func plain() throws(IcebergError) -> Column {
    do throws(ColumnarError) { return try materialized() } catch {
      throw .unsupported("a column of that many bytes")
    }
  }
}

extension Field {
  /// The same field, which a file must have: no default stands in for it.
  fileprivate func withoutDefault() -> Field {
    var type = type
    if case .structure(let structure) = type {
      type = .structure(StructType(structure.fields.map { $0.withoutDefault() }))
    }
    return Field(id: id, name: name, type: type, isRequired: true, doc: doc)
  }
}
