// SPDX-License-Identifier: Apache-2.0
internal import Bytes
package import Storage

/// Finds out what a store lets us do in a warehouse, by objects of its own that it takes away again.
package struct WarehouseProbe: Sendable {
  /// What is tried, in this order.
  package enum Step: String, CaseIterable, Sendable {
    case write, read, list
    case clock
    case delete
    case conditionalWrites = "conditional writes"
  }

  /// What is wrong with a step.
  package enum Problem: Sendable {
    case failed(StorageError)
    /// What was read is not what was written.
    case wrongBytes
    /// What was written is not in the listing, or what was deleted still is.
    case wrongListing
    /// What was deleted is still there.
    case notDeleted
    /// The store's clock is so much ahead of ours; behind, if it is negative.
    case clockSkew(Duration)
  }

  package struct Finding: Sendable {
    package let step: Step
    /// Nil if all is well.
    package let problem: Problem?
  }

  /// From which difference on clocks are wrong. Ages of files are told by the store's, so that
  /// upkeep is careful by more than this.
  package static let clockTolerance: Duration = .seconds(60)

  private let store: any ObjectStore
  private let warehouse: ObjectPath
  private let environment: Environment

  package init(_ warehouse: ObjectPath, in store: any ObjectStore, environment: Environment) {
    self.warehouse = warehouse
    self.store = store
    self.environment = environment
  }

  /// Tries everything that can be tried: what needs a step that failed is left out.
  ///
  /// Cost: some ten requests.
  package func run() async -> [Finding] {
    var findings: [Finding] = []
    func note(_ step: Step, _ problem: Problem?) {
      findings.append(Finding(step: step, problem: problem))
    }
    let bytes = Buffer(utf8: "asks what may be done here; may be deleted")
    let path: ObjectPath
    let start = environment.now()
    do throws(StorageError) {
      path = try warehouse.appending(".lake-doctor-" + environment.uuid())
      _ = try await store.put(bytes, to: path, if: .none)
    } catch {
      note(.write, .failed(error))
      return findings
    }
    note(.write, nil)
    note(
      .read,
      await problem { () async throws(StorageError) in
        try await store.get(path, limit: 1024) == bytes ? nil : .wrongBytes
      })
    note(
      .list,
      await problem { () async throws(StorageError) in
        try await isListed(path) ? nil : .wrongListing
      })
    note(
      .clock,
      await problem { () async throws(StorageError) in
        skew(of: try await store.head(path).modified, since: start)
      })
    note(
      .delete,
      await problem { () async throws(StorageError) in
        try await store.delete(path)
        if try await store.headIfPresent(path) != nil { return .notDeleted }
        return try await isListed(path) ? .wrongListing : nil
      })
    note(
      .conditionalWrites,
      await problem { () async throws(StorageError) in
        try await store.checkConditionalWrites(under: warehouse, environment: environment)
        return nil
      })
    return findings
  }

  private func problem(
    _ body: () async throws(StorageError) -> Problem?
  ) async -> Problem? {
    do throws(StorageError) {
      return try await body()
    } catch {
      return .failed(error)
    }
  }

  /// Looks at the first objects of the warehouse only: there may be many, and ours is among the first.
  private func isListed(_ path: ObjectPath) async throws(StorageError) -> Bool {
    for try await object in store.list(warehouse) {
      if object.path == path { return true }
      if object.path > path { return false }
    }
    return false
  }

  /// What is wrong with the time that the store says the object is from, written since `start`.
  private func skew(of time: Timestamp, since start: Timestamp) -> Problem? {
    let now = environment.now()
    if time > now {
      let ahead = Duration.microseconds(time.microseconds - now.microseconds)
      return ahead > Self.clockTolerance ? .clockSkew(ahead) : nil
    }
    guard time < start else { return nil }
    let behind = Duration.microseconds(start.microseconds - time.microseconds)
    return behind > Self.clockTolerance ? .clockSkew(.zero - behind) : nil
  }
}
