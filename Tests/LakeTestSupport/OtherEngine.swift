// SPDX-License-Identifier: Apache-2.0
import Lake

/// What others do to a table, of whose key they know nothing: each gives the table as it is then.
public enum OtherEngine {
  /// Appends rows again that are there, so that keys are there twice.
  public static func appendAgain(to table: Table, _ random: SeededRandom) async throws -> Table {
    guard table.metadata.currentSnapshot != nil else { return table }
    var batches: [RecordBatch] = []
    for try await batch in table.scan().limit(random.int(in: 1..<20)).batches() {
      batches.append(batch)
    }
    var rest = batches[...]
    _ = try await table.append { () async throws(Never) in rest.popFirst() }
    return try await table.refreshed()
  }

  /// Commits an equality delete of some keys that are there.
  public static func deleteByValue(
    from table: Table, _ random: SeededRandom
  ) async throws -> Table {
    guard table.metadata.formatVersion >= .v2, table.metadata.currentSnapshot != nil,
      let key = table.metadata.currentSchema.field(named: "k")
    else { return table }
    let files = try await table.scan().plan().tasks
    guard !files.isEmpty else { return table }
    var keys: [[Value?]] = []
    for try await batch in table.scan().select("k").batches() {
      for row in 0..<batch.rowCount where random.chance(20) {
        keys.append([.long(batch.columns[0].integer(row))])
      }
    }
    guard !keys.isEmpty else { return table }
    let partition = random.pick(files).file.partition
    var edit = TableEdit()
    edit.added = [
      (try await DeleteFiles(table, random).equality([key.id], keys, [key], in: partition), nil)
    ]
    _ = try await table.commit(edit)
    return try await table.refreshed()
  }

  /// Commits a position delete file (v2) of rows of several data files of a partition, some of
  /// which are dead already.
  public static func deleteByPosition(
    from table: Table, _ random: SeededRandom
  ) async throws -> Table {
    guard table.metadata.formatVersion == .v2 else { return table }
    let files = try await table.scan().plan().tasks.map(\.file)
    guard !files.isEmpty else { return table }
    let partition = random.pick(files).partition
    var rows: [(path: String, position: Int64)] = []
    for file in files where file.partition == partition && random.chance(60) {
      for position in 0..<file.recordCount where random.chance(15) {
        rows.append((file.path, position))
      }
    }
    guard !rows.isEmpty else { return table }
    var edit = TableEdit()
    edit.added = [(try await DeleteFiles(table, random).positions(rows, in: partition), nil)]
    _ = try await table.commit(edit)
    return try await table.refreshed()
  }

  /// Puts other files with the same rows in the place of some that nothing is deleted of.
  public static func replaceFiles(
    of table: Table, _ random: SeededRandom
  ) async throws -> Table {
    guard let snapshot = table.metadata.currentSnapshot else { return table }
    let tasks = try await table.scan().plan().tasks
      .filter { $0.deletes.isEmpty && random.chance(50) }
    guard !tasks.isEmpty else { return table }
    var added: [DataFile] = []
    for task in tasks {
      var copy = task.file
      copy.path = "\(table.metadata.location)/data/copy-\(random.next()).parquet"
      let bytes = try await table.store.get(try ObjectPath(task.file.path), limit: 1 << 30)
      _ = try await table.store.put(bytes, to: try ObjectPath(copy.path), if: .absent)
      added.append(copy)
    }
    let removed = tasks.map {
      ManifestEntry(
        status: .existing, snapshotID: snapshot.id, sequenceNumber: $0.sequenceNumber,
        fileSequenceNumber: nil, file: $0.file)
    }
    _ = try await table.commit(RewriteFiles(replacing: removed, by: added, readAt: snapshot))
    return try await table.refreshed()
  }

  /// Any of these, or nothing.
  public static func act(on table: Table, _ random: SeededRandom) async throws -> Table {
    switch random.int(in: 0..<8) {
    case 0: try await appendAgain(to: table, random)
    case 1: try await deleteByValue(from: table, random)
    case 2: try await deleteByPosition(from: table, random)
    case 3: try await replaceFiles(of: table, random)
    default: table
    }
  }
}
