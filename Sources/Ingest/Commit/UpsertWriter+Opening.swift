// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
internal import KeyIndexing
internal import Scanning
internal import Synchronization
internal import Writing

extension UpsertWriter {
  /// Opens a writer of `table`.
  ///
  /// One with a name raises its fence, by a commit without files: from then on no other instance of
  /// the name can commit. ``committedOffsets`` tells from where its sources are to be read.
  /// Cost: the key columns of data files that no index kept with the table covers.
  /// - Throws: ``IngestError`` where the options don't fit the table;
  ///   ``IngestError/offsetsUnknown(writer:partitions:)`` where rows were rolled back and nothing
  ///   tells how far sources were read then.
  public static func open(
    _ table: Table, _ options: UpsertOptions
  ) async throws(IngestError) -> UpsertWriter {
    guard table.metadata.formatVersion > .v1 else {
      throw .formatVersion(table.metadata.formatVersion, table: table.name)
    }
    var table = table
    var binding = try UpsertBinding(table, options)
    var record: WriterRecord?
    if let name = options.writer {
      (table, record) = try await raiseFence(of: name, options.branch, table)
      binding = try UpsertBinding(table, options)
    }
    do throws(CommitError) { _ = try table.head(of: options.branch) } catch { throw .commit(error) }
    do throws(KeyIndexError) {
      let state = try await TableState(of: table, at: .reference(options.branch))
      let index: KeyIndex
      (index, table) = try await KeyIndex.open(
        state, key: binding.key.map(\.name), orderBy: options.orderBy,
        options: KeyIndexOptions(memoryLimit: options.indexMemoryLimit), keepingIn: table)
      return UpsertWriter(table, options, binding, state, index, record)
    } catch {
      throw .index(error)
    }
  }

  private static func raiseFence(
    of name: String, _ branch: String, _ table: Table
  ) async throws(IngestError) -> (Table, WriterRecord) {
    let opening = WriterOpening(writer: name, branch: branch)
    do throws(CommitError) {
      let receipt = try await table.commit(opening)
      guard let record = opening.outcome.record else { throw .cancelled }
      return (receipt.table, record)
    } catch {
      throw opening.outcome.failure ?? .commit(error)
    }
  }
}

/// A commit without files that makes its writer the only one of its name.
///
/// A snapshot, and not the property alone: a catalog checks no more than what it is asked to, and a
/// commit that another instance prepared asks that the branch is where it was.
private struct WriterOpening: TableChange {
  let writer: String
  let branch: String
  let outcome = Outcome()

  /// What came of the last attempt.
  final class Outcome: Sendable {
    private let state = Mutex<(record: WriterRecord?, failure: IngestError?)>((nil, nil))

    var record: WriterRecord? {
      get { state.withLock { $0.record } }
      set { state.withLock { $0.record = newValue } }
    }

    var failure: IngestError? {
      get { state.withLock { $0.failure } }
      set { state.withLock { $0.failure = newValue } }
    }
  }

  func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    var producer = try SnapshotProducer(base, branch: branch, attempt: attempt)
    let record: WriterRecord
    do throws(IngestError) {
      record = try next(base, producer.snapshotID)
    } catch {
      outcome.failure = error
      throw .cancelled
    }
    var summary = record.summary(of: writer, moved: record.offsets)
    summary[WriterRecord.SummaryKey.isOpening] = "true"
    var plan = try await producer.produce(FileChange(), operation: .append, properties: summary)
    outcome.record = record
    plan.updates.append(.setProperties([WriterRecord.property(of: writer): record.text]))
    return plan
  }

  private func next(
    _ base: Table, _ snapshot: SnapshotID
  ) throws(IngestError) -> WriterRecord {
    let metadata = base.metadata
    let old: WriterRecord?
    do throws(IcebergError) { old = try metadata.writerRecord(writer) } catch {
      throw .badRecord(error)
    }
    guard let old else {
      return WriterRecord(
        fence: 1, epoch: 0, offsets: [:], branch: branch, snapshot: snapshot,
        sequenceNumber: metadata.nextSequenceNumber)
    }
    guard old.branch == branch else {
      throw .otherBranch(writer: writer, branch: old.branch, asked: branch)
    }
    var record = old
    if metadata.isRolledBack(old) {
      let told = metadata.offsets(
        of: writer, old, at: metadata.reference(branch)?.snapshotID)
      guard told.unknown.isEmpty else {
        throw .offsetsUnknown(writer: writer, partitions: told.unknown)
      }
      record.offsets = told.offsets
    }
    record.fence += 1
    record.snapshot = snapshot
    record.sequenceNumber = metadata.nextSequenceNumber
    return record
  }
}
