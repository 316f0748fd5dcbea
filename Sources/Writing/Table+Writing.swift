// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Columnar
public import Iceberg
internal import Storage

extension Table {
  /// Commits `change`, retrying on top of what others commit meanwhile.
  ///
  /// - Throws: ``CommitError``; only after ``CommitError/stateUnknown(_:commitID:)`` may it have
  ///   happened all the same.
  public func commit(_ change: some TableChange) async throws(CommitError) -> CommitReceipt {
    let policy = try CommitLoop.RetryPolicy(for: metadata)
    return try await CommitLoop(policy: policy).commit(change, to: self)
  }

  /// Adds the rows that `next` gives, until it gives none, in one commit.
  ///
  /// Rows are written to data files as they come, in bounded memory; nothing of them can be seen
  /// before all of them can. If anything fails before the commit is asked for, the files go again.
  /// - Parameters:
  ///   - name: of this load, so that it lands once: where the branch's history has a snapshot of that
  ///     name nothing is added, and the receipt is of that one, after 0 attempts. So what was cut off,
  ///     or ended ``CommitError/stateUnknown(_:commitID:)``, can be run again. History knows it for as
  ///     long as it keeps that snapshot.
  ///   - next: the next batch, columns by name; nil after the last. Not called for what has landed.
  /// - Returns: nil if there were no rows; then nothing was committed.
  public func append<Source: Error>(
    branch: String = SnapshotReference.mainBranch, once name: String? = nil,
    _ next: () async throws(Source) -> RecordBatch?
  ) async throws(AppendError<Source>) -> CommitReceipt? {
    if let done = receipt(ofOnce: name, on: branch) { return done }
    let files = try await writeFiles(next)
    guard !files.isEmpty else { return nil }
    return try await committing(files, or: Source.self) {
      () throws(CommitError) -> CommitReceipt in
      try await commit(
        try AppendFiles(files, branch: branch, summary: Self.summary(once: name)), once: name,
        on: branch, of: files)
    }
  }

  /// What the summary of a change notes that has a name.
  static func summary(once name: String?) -> [String: String] {
    name.map { [SnapshotSummary.onceKey: $0] } ?? [:]
  }

  /// How the change of that name ended, where the branch has it.
  func receipt(ofOnce name: String?, on branch: String) -> CommitReceipt? {
    name.flatMap { metadata.snapshot(madeOnce: $0, on: branch) }.map {
      CommitReceipt(table: self, snapshot: $0, attempts: 0)
    }
  }

  /// Commits `change`, or where another has made it by then, does without it and its `files`.
  func commit(
    _ change: some TableChange, once name: String?, on branch: String, of files: [DataFile]
  ) async throws(CommitError) -> CommitReceipt {
    guard let name else { return try await commit(change) }
    let receipt = try await commit(Once(name: name, branch: branch, change: change))
    guard receipt.snapshot == nil, let done = receipt.table.receipt(ofOnce: name, on: branch) else {
      return receipt
    }
    await store.discard(files)
    return done
  }

  /// What `commit` gives; if it is certain that it did not happen, `files` are deleted.
  func committing<Source: Error, Receipt>(
    _ files: [DataFile], or source: Source.Type, _ commit: () async throws(CommitError) -> Receipt
  ) async throws(AppendError<Source>) -> Receipt {
    do throws(CommitError) {
      return try await commit()
    } catch {
      // After an unknown outcome the files may be part of the table.
      if case .stateUnknown = error { throw .commit(error) }
      await store.discard(files)
      throw .commit(error)
    }
  }

  /// Writes the rows that `next` gives to data files, which nothing names yet.
  func writeFiles<Source: Error>(
    _ next: () async throws(Source) -> RecordBatch?
  ) async throws(AppendError<Source>) -> [DataFile] {
    let writer: PartitionedWriter
    do throws(CommitError) {
      writer = try PartitionedWriter(
        metadata, store: store, environment: environment, threads: environment.processorCount)
    } catch {
      throw .commit(error)
    }
    do throws(AppendError<Source>) {
      while let batch = try await Self.pull(next) {
        do throws(CommitError) {
          if Task.isCancelled { throw .cancelled }
          try await writer.write(batch)
        } catch {
          throw .commit(error)
        }
      }
      do throws(CommitError) { return try await writer.finish() } catch { throw .commit(error) }
    } catch {
      await writer.abort()
      throw error
    }
  }

  private static func pull<Source: Error>(
    _ next: () async throws(Source) -> RecordBatch?
  ) async throws(AppendError<Source>) -> RecordBatch? {
    do throws(Source) { return try await next() } catch { throw .source(error) }
  }

  /// Adds the rows of `batches` in one commit.
  @discardableResult
  public func append(
    _ batches: [RecordBatch]
  ) async throws(AppendError<Never>) -> CommitReceipt? {
    var rest = batches[...]
    return try await append { () async throws(Never) in rest.popFirst() }
  }
}

/// Why an append did not happen: where its rows come from, or the commit.
public enum AppendError<Source: Error>: Error {
  case source(Source)
  case commit(CommitError)
}

extension AppendError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .source(let error): "\(error)"
    case .commit(let error): "\(error)"
    }
  }
}
