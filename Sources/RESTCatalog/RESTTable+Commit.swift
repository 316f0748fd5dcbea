// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import JSON
internal import Storage

/// How a commit goes to a server, and how it is found out what became of it.
///
/// The request is sent under requirements for all that the plan relied on. An answer that leaves it
/// open whether it was done (5xx, none, or one without sense) is resolved by looking: who finds the
/// snapshot has committed, and who finds that the requirements can no longer hold has not and never
/// will. Else the same request is sent again, under the same requirements and the same key: of the
/// two at most one can be done.
extension RESTTable {
  func commit(_ commit: TableCommit) async throws(CatalogError) -> CommitOutcome {
    try session.check(.commitTable, "committing")
    let base = commit.base
    if let violation = base.metadata.check(commit.requirements).first {
      return .conflict("\(violation)")
    }
    do throws(IcebergError) {
      let next = try base.metadata.applying(
        commit.updates, at: session.environment.now().milliseconds)
      if next == base.metadata { return .committed(base) }
    } catch {
      throw .rejected(error)
    }
    do throws(StorageError) {
      try session.storage.check(commit.updates, of: base.metadata)
    } catch {
      throw .storage(error, while: "committing to \(identifier)")
    }
    return try await send(SentCommit(commit, to: identifier))
  }

  func send(_ commit: SentCommit) async throws(CatalogError) -> CommitOutcome {
    var call = RESTCall(session.path(of: identifier)) { commit.write(to: &$0) }
    call.headers += session.client.idempotencyHeaders()
    call.bodyLimit = Self.byteCountLimit
    // What made an earlier attempt's outcome unknown.
    var doubt: RESTFailure?
    let retries = session.client.retries
    let start = session.environment.uptime()
    for attempt in 1... {
      let failure: RESTFailure
      do throws(RESTFailure) {
        let loaded = try LoadedTable(try await session.client.send(call))
        // The server has done it; only what it tells of it may not be understood.
        do throws(CatalogError) { return .committed(try committed(loaded)) } catch {
          throw .unreadable("\(error)")
        }
      } catch {
        failure = error
      }
      if failure.isOutcomeUnknown { doubt = failure }
      let verdict = await judge(commit, failure, doubt: doubt)
      switch verdict {
      case .outcome(let outcome): return outcome
      case .failed: throw commitFailure(failure, call)
      case .open: break
      }
      let isLate = session.environment.uptime() - start >= retries.deadline
      guard let doubt, attempt < retries.attemptLimit, !isLate else {
        return unknown(doubt ?? failure, call)
      }
      do throws(RESTFailure) {
        try await session.client.pause(after: attempt, doubt)
      } catch {
        return unknown(doubt, call)
      }
    }
    return unknown(doubt ?? .unreadable("nothing was sent"), call)
  }

  private enum Verdict {
    case outcome(CommitOutcome)
    /// Nothing was done, and sending it again would not help.
    case failed
    /// No one can tell yet.
    case open
  }

  /// What follows from `failure` and, where that is not all, from the table's newest state.
  ///
  /// A conflict is looked into too: a gateway that sent the request a second time, because it had
  /// no answer to the first, tells of the second.
  private func judge(
    _ commit: SentCommit, _ failure: RESTFailure, doubt: RESTFailure?
  ) async -> Verdict {
    let isConflict = failure.status == 409 || failure.status == 412
    let isInvalid = failure.status == 400 || failure.status == 422
    guard doubt != nil || isConflict || isInvalid else { return .failed }
    let now: Table
    do throws(CatalogError) {
      now = try await load()
    } catch {
      guard doubt == nil else { return .open }
      if isConflict, case .tableNotFound = error { return .outcome(.conflict("\(failure.words)")) }
      return isInvalid ? .failed : .open
    }
    let standing = commit.standing(in: now.metadata)
    if standing == .landed { return .outcome(.committed(now)) }
    guard doubt == nil else {
      return standing == .impossible ? .outcome(.conflict("\(failure.words)")) : .open
    }
    // Servers call it invalid as well where a sequence number or row id was taken by a commit to
    // another branch: then the plan is out of date, and not wrong.
    let isOutOfDate = isConflict || now.metadata != commit.base.metadata
    return isOutOfDate ? .outcome(.conflict("\(failure.words)")) : .failed
  }

  private func unknown(_ failure: RESTFailure, _ call: RESTCall) -> CommitOutcome {
    let place = session.client.place(call)
    return .unknown(.outcomeUnknown(failure.storageError("POST", at: place), path: place))
  }

  private func commitFailure(_ failure: RESTFailure, _ call: RESTCall) -> CatalogError {
    if failure.status == 404 { return session.loadFailure(failure, call, identifier) }
    if case .answered(let error) = failure, error.status == 400 || error.status == 422 {
      return .rejected(.invalid("the commit to \(identifier)", reason: "\(error)"))
    }
    return session.failure(failure, call, "committing to \(identifier)")
  }
}

extension RESTFailure {
  /// The server's words, or why there are none.
  var words: String {
    switch self {
    case .answered(let error), .failed(let error):
      error.message.isEmpty ? "\(error)" : error.message
    case .noAnswer(let error): "\(error)"
    case .unreadable(let reason), .unauthorized(let reason): reason
    }
  }
}
