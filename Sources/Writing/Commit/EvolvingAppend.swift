// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
public import Iceberg

extension Table {
  /// Changes the schema and adds the rows that `next` gives, in one commit: both or neither.
  ///
  ///     let change = SchemaChange { try $0.addColumns(of: rows, widensTypes: true) }
  ///     try await table.append(after: change) { … }
  ///
  /// The rows are written with the field ids the change gives on this state of the table. If others
  /// change the schema meanwhile such that the ids would be others, that is a conflict, and nothing
  /// is changed.
  /// - Parameter name: of this load, which lands once; see ``append(branch:once:_:)``.
  /// - Returns: nil if there were no rows; then nothing was committed, nor the schema changed.
  public func append<Source: Error>(
    after change: SchemaChange, branch: String = SnapshotReference.mainBranch,
    once name: String? = nil,
    _ next: () async throws(Source) -> RecordBatch?
  ) async throws(AppendError<Source>) -> CommitReceipt? {
    if let done = receipt(ofOnce: name, on: branch) { return done }
    let evolved: Table
    do throws(CommitError) {
      let attempt = CommitAttempt(commitID: "", number: 0)
      evolved = try applying(try await change.plan(onto: self, attempt: attempt).updates)
    } catch {
      throw .commit(error)
    }
    let files = try await evolved.writeFiles(next)
    guard !files.isEmpty else { return nil }
    let schema = evolved.metadata.currentSchema
    return try await committing(files, or: Source.self) {
      () throws(CommitError) -> CommitReceipt in
      let append = try AppendFiles(files, branch: branch, summary: Self.summary(once: name))
      return try await commit(
        Transaction([change, WrittenSchema(schema), append]), once: name, on: branch, of: files)
    }
  }
}

/// Changes nothing; a conflict if rows that were written with a schema would be read otherwise.
private struct WrittenSchema: TableChange {
  private let schema: Schema

  init(_ schema: Schema) { self.schema = schema }

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    let now = base.metadata.currentSchema
    for field in schema.allFields {
      let name = schema.name(of: field.id)
      guard let same = now.field(field.id), now.name(of: field.id) == name,
        field.isRequired || !same.isRequired, holds(field.type, same.type, base.metadata)
      else { throw .conflict(.columnChanged(name ?? field.name)) }
    }
    return .nothing
  }

  /// True if values of `written` are read as `now`; of types with parts, these are looked at alone.
  private func holds(_ written: FieldType, _ now: FieldType, _ metadata: TableMetadata) -> Bool {
    switch (written, now) {
    case (.primitive(let written), .primitive(let now)):
      written == now || written.canBePromoted(to: now, version: metadata.formatVersion)
    case (.structure, .structure), (.list, .list), (.map, .map): true
    default: false
    }
  }
}
