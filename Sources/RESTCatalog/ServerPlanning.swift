// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import JSON
internal import Storage

/// Has a server plan the scans of a table.
///
/// Laws: what a server keeps for a plan it is told to let go of, if the plan is not fetched to its
/// end. A plan that takes longer than ``timeLimit`` is given up. One that the server forgets while it
/// is fetched, as one that was started anew does, is asked for once more, of the same snapshot.
///
/// Source: Iceberg, `rest-catalog-open-api.yaml`, `planTableScan`, `fetchPlanningResult`,
/// `cancelPlanning` and `fetchScanTasks`.
struct ServerPlanning: ScanPlanning {
  let home: RESTTable
  /// What came with the table, for keys of the plan alone.
  let access: TableAccess

  /// How long a server may take until it has a plan.
  static let timeLimit: Duration = .seconds(600)
  /// The pauses between questions whether there is a plan.
  static let firstPause: Duration = .milliseconds(100)
  static let longestPause: Duration = .seconds(5)
  /// How many parts of a plan are fetched at a time, and how many there may be.
  static let concurrency = 8
  static let partLimit = 100_000
  /// The most bytes of an answer.
  static let byteLimit = 512 << 20

  private var session: Session { home.session }

  /// Nil unless the server wants to plan the table's scans, and has a route for it.
  init?(_ home: RESTTable, _ access: TableAccess) {
    let session = home.session
    let name = "scan-planning-mode"
    // The table's own setting is the last word; servers say by it how a table can be read at all.
    let mode = access.settings[name]?.reveal() ?? session.planningMode
    guard mode?.lowercased() == "server", session.configuration.endpoints.contains(.planScan)
    else { return nil }
    self.home = home
    self.access = access
  }

  func plan(
    _ question: PlanQuestion, of table: Table
  ) async throws(CatalogError) -> PlannedFiles? {
    var call = planCall(question)
    do throws(RESTFailure) {
      do throws(RESTFailure) {
        return try await plan(call, table)
      } catch {
        guard error.isAboutPlan else { throw error }
        // Another request, by its key too: the answer to the first would name the forgotten plan.
        call = planCall(question)
        return try await plan(call, table)
      }
    } catch {
      // The route is there, and not for this table.
      if error.status == 406 || error.status == 501 { return nil }
      if error.isAboutPlan {
        throw session.failure(
          .unreadable("the server has forgotten two plans while they were fetched"), call, activity)
      }
      if error.status == 404, error.isAboutTable {
        throw session.loadFailure(error, call, home.identifier)
      }
      if error.status == 400 || error.status == 422 {
        throw .rejected(.invalid(activity, reason: error.words))
      }
      throw session.failure(error, call, activity)
    }
  }

  private var activity: String { "planning a scan of \(home.identifier)" }

  private func plan(
    _ call: RESTCall, _ table: Table
  ) async throws(RESTFailure) -> PlannedFiles {
    var answer = try await ask(call, table)
    // Servers may tell it once.
    let planID = answer.planID
    do throws(RESTFailure) {
      if answer.status == .submitted {
        guard let planID else { throw .unreadable("a plan that is under way has no id") }
        answer = try await wait(for: planID, table)
      }
      guard answer.status == .completed else {
        throw .unreadable("the server tells '\(answer.status?.rawValue ?? "nothing")' of its plan")
      }
      var collected = CollectedPlan()
      try collected.add(answer)
      try await fetch(answer.parts, table, into: &collected)
      return PlannedFiles(
        tasks: collected.tasks, deletes: collected.deletes,
        store: try store(answer.credentials, planID, table))
    } catch {
      if let planID { await cancel(planID) }
      throw error
    }
  }

  // MARK: requests

  private func planCall(_ question: PlanQuestion) -> RESTCall {
    var call = RESTCall(session.path(of: home.identifier, "/plan")) { writer in
      PlanRequest(question: question).write(to: &writer)
    }
    call.headers += RESTTable.delegation + session.client.idempotencyHeaders()
    call.bodyLimit = Self.byteLimit
    // A second plan is no harm.
    call.isRepeatable = true
    return call
  }

  private func path(_ planID: String) -> String {
    session.path(of: home.identifier, "/plan/\(PercentEncoding.encode(planID))")
  }

  private func ask(_ call: RESTCall, _ table: Table) async throws(RESTFailure) -> PlanAnswer {
    try PlanAnswer(try await session.client.send(call).body, of: table.metadata)
  }

  /// Asks for a plan until it is there.
  private func wait(
    for planID: String, _ table: Table
  ) async throws(RESTFailure) -> PlanAnswer {
    let environment = session.environment
    let start = environment.uptime()
    var pause = Self.firstPause
    var call = RESTCall(.get, path(planID))
    call.headers = RESTTable.delegation
    call.bodyLimit = Self.byteLimit
    while environment.uptime() - start < Self.timeLimit {
      do throws(CancellationError) {
        try await environment.sleep(for: pause)
      } catch {
        throw .noAnswer(.cancelled(isSent: false))
      }
      let answer = try await ask(call, table)
      if answer.status != .submitted { return answer }
      pause = min(pause * 2, Self.longestPause)
    }
    throw .noAnswer(.timedOut(after: Self.timeLimit, isSent: true))
  }

  /// Fetches `parts` and the parts that those name.
  private func fetch(
    _ parts: [String], _ table: Table, into plan: inout CollectedPlan
  ) async throws(RESTFailure) {
    var seen = Set(parts)
    guard seen.count == parts.count else { throw Self.repeated }
    var open = parts
    while !open.isEmpty {
      guard seen.count <= Self.partLimit else {
        throw .unreadable("the plan has more than \(Self.partLimit) parts")
      }
      let round = open.prefix(4 * Self.concurrency)
      open.removeFirst(round.count)
      let answers = try await mapConcurrently(Array(round), limit: Self.concurrency) {
        part throws(RESTFailure) in
        try await fetch(part, table)
      }
      for answer in answers {
        try plan.add(answer)
        for part in answer.parts {
          guard seen.insert(part).inserted else { throw Self.repeated }
          open.append(part)
        }
      }
    }
  }

  private static let repeated = RESTFailure.unreadable("the plan names one part of it twice")

  private func fetch(_ part: String, _ table: Table) async throws(RESTFailure) -> PlanAnswer {
    var call = RESTCall(session.path(of: home.identifier, "/tasks")) { writer in
      writer.writeKey("plan-task")
      writer.write(part)
    }
    call.headers += session.client.idempotencyHeaders()
    call.bodyLimit = Self.byteLimit
    call.isRepeatable = true
    return try await ask(call, table)
  }

  /// Tells the server that its plan is not needed any more; whether it hears is its own matter.
  private func cancel(_ planID: String) async {
    guard session.configuration.endpoints.contains(.cancelPlan) else { return }
    let call = RESTCall(.delete, path(planID))
    let client = session.client
    await uncancelled { _ = try? await client.send(call) }
  }

  // MARK: keys

  /// Where the files of the plan are read, if there are keys for them alone.
  private func store(
    _ credentials: [TableAccess.PlacedCredential], _ planID: String?, _ table: Table
  ) throws(RESTFailure) -> (any ObjectStore)? {
    guard !credentials.isEmpty else { return nil }
    let granted = TableAccess(
      settings: access.settings, credentials: credentials, planID: planID)
    do throws(StorageError) {
      return try session.storage.store(for: table.metadata, granted, of: home)
    } catch {
      throw .unreadable("\(error)")
    }
  }
}

/// What was fetched of a plan so far.
private struct CollectedPlan {
  private(set) var tasks: [PlannedFiles.Task] = []
  private(set) var deletes: [DataFile] = []
  /// Where in ``deletes`` each file is: parts of a plan tell of the delete files they need.
  private var indices: [DataFile.Identity: Int] = [:]

  mutating func add(_ answer: PlanAnswer) throws(RESTFailure) {
    var places: [Int] = []
    for file in answer.deletes {
      if let known = indices[file.identity] {
        guard deletes[known] == file else {
          throw .unreadable("the plan tells of the delete file \(file.path) in two ways")
        }
        places.append(known)
      } else {
        indices[file.identity] = deletes.count
        places.append(deletes.count)
        deletes.append(file)
      }
    }
    for task in answer.tasks {
      var chosen: [Int] = []
      for index in task.deletes where !chosen.contains(places[index]) {
        chosen.append(places[index])
      }
      tasks.append(
        PlannedFiles.Task(file: task.file, sequenceNumber: task.sequenceNumber, deletes: chosen))
    }
  }
}

extension Session {
  /// Who plans scans, as far as it is set for all tables.
  fileprivate var planningMode: String? {
    configuration.serverOverride("scan-planning-mode") ?? settings.planningMode
      ?? configuration.serverValue("scan-planning-mode")
  }
}

extension RESTFailure {
  /// True if the server has no such plan, or no such part of one.
  fileprivate var isAboutPlan: Bool {
    guard case .answered(let error) = self, error.status == 404 else { return false }
    return error.type.hasPrefix("NoSuchPlan")
  }

  fileprivate var isAboutTable: Bool {
    guard case .answered(let error) = self else { return false }
    return error.type.hasPrefix("NoSuchTable") || error.type.hasPrefix("NoSuchNamespace")
  }
}
