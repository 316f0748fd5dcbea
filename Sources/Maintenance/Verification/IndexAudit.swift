// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import KeyIndexing
internal import Scanning

/// Holds the key indexes that are kept with a table against its rows: each live row is found by its
/// key, and nothing is found that has another key.
struct IndexAudit {
  let table: Table

  /// How many problems of an index are told.
  private static let problemLimit = 16

  /// Cost: the columns of each key, once; rows that share a key, or seem to, by position.
  func problems() async throws(MaintenanceError) -> [AuditProblem] {
    let kept: [KeyIndexStatus]
    let state: TableState
    do throws(KeyIndexError) {
      kept = try await KeyIndex.status(of: table)
      if kept.isEmpty { return [] }
      state = try await TableState(of: table)
    } catch {
      return [AuditProblem(.readable, table.name, "key indexes", "\(error)")]
    }
    var problems: [AuditProblem] = []
    for status in kept {
      if Task.isCancelled { throw .cancelled }
      // Of a column that is no more there are no keys.
      guard status.key.allSatisfy({ state.schema.field(named: $0) != nil }) else { continue }
      do throws(KeyIndexError) {
        let index = try await KeyIndex.open(state, key: status.key, orderBy: status.orderBy)
        problems += try await self.problems(of: index, at: status.path, state)
      } catch {
        problems.append(AuditProblem(.readable, status.path, "a key index", "\(error)"))
      }
    }
    return problems
  }

  private func problems(
    of index: KeyIndex, at path: String, _ state: TableState
  ) async throws(KeyIndexError) -> [AuditProblem] {
    var problems: [AuditProblem] = []
    var failure: KeyIndexError?
    let place = [MetadataColumn.file, .position].map(\.rawValue)
    let scan = table.scan().select(index.columns.names + place)
    do throws(ScanError) {
      try await scan.read { batch throws(ScanError) in
        batch
      } consume: { batch throws(ScanError) in
        do throws(KeyIndexError) {
          problems += try await self.problems(of: batch, index, at: path, state)
        } catch {
          failure = error
        }
        return failure == nil && problems.count < Self.problemLimit
      }
    } catch {
      throw .reading(error)
    }
    if let failure { throw failure }
    return Array(problems.prefix(Self.problemLimit))
  }

  private func problems(
    of batch: RecordBatch, _ index: KeyIndex, at path: String, _ state: TableState
  ) async throws(KeyIndexError) -> [AuditProblem] {
    guard batch.rowCount > 0 else { return [] }
    // A batch is of one file.
    let file = batch.columns[batch.columns.count - 2].string(0)
    let positions = batch.columns[batch.columns.count - 1]
    let hashes = try index.columns.hashes(of: batch, seed: index.seed)
    let found = try await index.lookup(hashes, in: state)
    let number = state.index(of: file)
    var problems: [AuditProblem] = []
    var others: [(place: KeyPlace, row: Int)] = []
    for row in 0..<batch.rowCount {
      if let validity = hashes.validity, !validity[row] { continue }
      let position = positions.integer(row)
      var isFound = false
      for place in found[row] {
        if place.file == number, place.position == position {
          isFound = true
        } else {
          others.append((place, row))
        }
      }
      guard !isFound else { continue }
      problems.append(
        AuditProblem(
          .index, path, "row \(position) of \(file), by its key",
          found[row].isEmpty ? "no row" : "other rows"))
    }
    guard !others.isEmpty else { return problems }
    // Another engine may have put a key in twice: then the other row has it too.
    let rows = try await state.rows(at: others.map(\.place), columns: index.columns.names)
    let theirs = try index.columns.hashes(of: rows, seed: index.seed)
    for (number, other) in others.enumerated() where theirs[number] != hashes[other.row] {
      problems.append(
        AuditProblem(
          .index, path,
          "rows of the key of row \(positions.integer(other.row)) of \(file)",
          "row \(other.place.position) of \(state.files[other.place.file].file.path)"))
    }
    return problems
  }
}
