// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
internal import Iceberg
internal import JSON
public import Storage

/// How a transaction over several tables ended; as ``CommitOutcome`` tells of one.
public enum TransactionOutcome: Sendable {
  /// All tables are as asked.
  case committed
  /// Someone else was first on one of them; nothing has happened and nothing ever will.
  case conflict(String)
  /// No one can tell yet; nothing may be cleaned up.
  case unknown(StorageError)
}

extension RESTCatalog {
  /// Commits to several tables at once: all of it, or nothing. How far that holds is the server's
  /// matter; where it is seen to have done a part, the outcome is unknown.
  ///
  /// - Parameter commits: at most one for each table, each planned on a table of this catalog.
  /// - Throws: where it is certain that nothing was changed and that trying again would not help.
  public func commitTransaction(
    _ commits: [TableCommit]
  ) async throws(CatalogError) -> TransactionOutcome {
    try session.check(.commitTransaction, "committing to several tables at once")
    var sent: [(SentCommit, RESTTable)] = []
    for commit in commits {
      guard let home = commit.base.home as? RESTTable else {
        throw .unsupported(
          what: "a transaction on \(commit.base.name)", instead: "load it from this catalog")
      }
      guard !sent.contains(where: { $0.1.identifier == home.identifier }) else {
        throw .unsupported(
          what: "two commits to \(home.identifier) in one transaction", instead: "make them one")
      }
      if let violation = commit.base.metadata.check(commit.requirements).first {
        return .conflict("\(violation)")
      }
      do throws(StorageError) {
        try session.storage.check(commit.updates, of: commit.base.metadata)
      } catch {
        throw .storage(error, while: "committing to \(home.identifier)")
      }
      sent.append((SentCommit(commit, to: home.identifier), home))
    }
    guard !sent.isEmpty else { return .committed }
    return try await send(sent)
  }

  private func send(
    _ commits: [(SentCommit, RESTTable)]
  ) async throws(CatalogError) -> TransactionOutcome {
    var call = RESTCall("transactions/commit") { writer in
      writer.writeKey("table-changes")
      writer.beginArray()
      for (commit, _) in commits {
        writer.beginObject()
        commit.write(to: &writer)
        writer.endObject()
      }
      writer.endArray()
    }
    call.headers += session.client.idempotencyHeaders()
    var doubt: RESTFailure?
    for attempt in 1...session.client.retries.attemptLimit {
      do throws(RESTFailure) {
        _ = try await session.client.send(call)
        return .committed
      } catch {
        if error.isOutcomeUnknown { doubt = error }
        let isConflict = error.status == 409 || error.status == 412
        guard doubt != nil || isConflict else { throw refusal(error, call) }
        switch await standing(of: commits) {
        case .landed: return .committed
        case .impossible: return .conflict(error.words)
        case .open: if doubt == nil { return .conflict(error.words) }
        }
        let cause = doubt ?? error
        guard (try? await session.client.pause(after: attempt, cause)) != nil else {
          return unknown(cause, call)
        }
      }
    }
    return unknown(doubt ?? .unreadable("nothing was sent"), call)
  }

  private func refusal(_ failure: RESTFailure, _ call: RESTCall) -> CatalogError {
    switch failure.status {
    case 404: .tableNotFound(failure.words)
    case 400, 422: .rejected(.invalid("the transaction", reason: failure.words))
    default: session.failure(failure, call, "committing to several tables")
    }
  }

  private func unknown(_ failure: RESTFailure, _ call: RESTCall) -> TransactionOutcome {
    let place = session.client.place(call)
    return .unknown(.outcomeUnknown(failure.storageError("POST", at: place), path: place))
  }

  /// What the tables tell of a transaction whose answer was lost.
  private func standing(of commits: [(SentCommit, RESTTable)]) async -> SentCommit.Standing {
    var found: [SentCommit.Standing] = []
    for (commit, home) in commits {
      guard let now = try? await home.load() else { return .open }
      found.append(commit.standing(in: now.metadata))
    }
    if found.allSatisfy({ $0 == .landed }) { return .landed }
    // With a part of it done nothing is certain, but by the server's promise of all or nothing it
    // can't be; without one, what one table can't take none will.
    return found.contains(.impossible) && !found.contains(.landed) ? .impossible : .open
  }
}
