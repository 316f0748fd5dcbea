// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
public import Scanning
internal import Storage

/// A reader of a table's changes whose place the table keeps under a name, so that it goes on where
/// it left off, on whatever machine.
///
///     var consumer = try await ChangelogConsumer.open("dashboard", of: table)
///     while let changes = try await consumer.poll() {
///       for try await batch in changes.batches() { … }
///       consumer.acknowledge(changes)
///       try await consumer.save()
///     }
///
/// It begins with the rows as they are, told as inserts, and goes on with what changes after that:
/// the state it begins with is held by its tag from before the first row is read until all of them
/// are acknowledged.
///
/// The place is the tag `consumer.<name>`, so that no expiry takes away the state that changes are
/// told from. It is moved only from where this reader knows it to be: of two readers of one name the
/// second to move it learns of the other.
///
/// Law: every change after the place that is kept is told at least once; none that comes before it.
/// What was told and not kept is told again: each batch says which commit it is of.
public struct ChangelogConsumer: Sendable {
  public let name: String
  /// The table as it was last looked at.
  public private(set) var table: Table
  public let branch: String
  /// What changes are told from: all before was acknowledged; nil as long as the rows that it begins
  /// with are not.
  public private(set) var place: SnapshotID?
  /// Where the table keeps the place; nil before there is anything to begin with.
  private var kept: SnapshotID?
  private var isStarting: Bool
  private let start: Start
  private let maxAgeMilliseconds: Int64

  /// Where a reader begins of whom the table does not know.
  public enum Start: Hashable, Sendable {
    /// With all rows as they are.
    case rows
    /// With what changed after a state.
    case after(SnapshotSelection)
  }

  /// What the table's tags and properties begin with that are of consumers.
  public static let tagPrefix = "consumer."
  public static let propertyPrefix = "lake.consumer."

  static func tag(_ name: String) -> String { tagPrefix + name }
  static func property(_ name: String) -> String { propertyPrefix + name }
  static let starting = "starting"
  static let following = "following"

  /// The reader called `name`, at its place in `table`.
  ///
  /// - Parameters:
  ///   - start: where it begins if it is new or lost its place; nil: with all rows, and only if it
  ///     is new.
  ///   - keepingFor: after how long a place that does not move may be given up, with what can be
  ///     read from it; nil: never.
  /// - Throws: ``CommitError/consumerLost(name:)`` if the place is no longer there and no `start` is
  ///   given; ``CommitError/consumerExists(name:)`` if it is there and one is given.
  public static func open(
    _ name: String, of table: Table, branch: String = SnapshotReference.mainBranch,
    start: Start? = nil, keepingFor age: Duration? = nil
  ) async throws(CommitError) -> ChangelogConsumer {
    guard !name.isEmpty else {
      throw .rejected(.invalid("a consumer", reason: "it needs a name"))
    }
    let fresh: Table
    do throws(CatalogError) { fresh = try await table.refreshed() } catch { throw .catalog(error) }
    let known = fresh.metadata.properties[property(name)]
    let reference = fresh.metadata.reference(tag(name))
    if reference != nil, start != nil { throw .consumerExists(name: name) }
    if known != nil, reference == nil, start == nil { throw .consumerLost(name: name) }
    let milliseconds = age.map { max(1, $0.components.seconds.multipliedClamped(by: 1000)) }
    var consumer = ChangelogConsumer(
      name: name, table: fresh, branch: branch, place: nil, kept: reference?.snapshotID,
      isStarting: known == starting, start: start ?? .rows,
      maxAgeMilliseconds: milliseconds ?? .max)
    if !consumer.isStarting { consumer.place = reference?.snapshotID }
    if reference == nil { try await consumer.begin() }
    return consumer
  }

  /// Gives the reader its first place, if there is a state to begin with.
  private mutating func begin() async throws(CommitError) {
    let selection: SnapshotSelection
    switch start {
    case .rows: selection = .reference(branch)
    case .after(let state): selection = state
    }
    let head: SnapshotID?
    if start == .rows {
      head = table.metadata.reference(branch)?.snapshotID
    } else {
      do throws(ScanError) { head = try table.metadata.state(selection).snapshot?.id } catch {
        throw .reading(error)
      }
    }
    guard let head else { return }
    let isStarting = start == .rows
    table = try await table.commit(
      ConsumerMove(
        name: name, from: nil, to: head, state: isStarting ? Self.starting : Self.following,
        maxAgeMilliseconds: maxAgeMilliseconds)
    ).table
    kept = head
    self.isStarting = isStarting
    place = isStarting ? nil : head
  }

  /// The changes that were not acknowledged; nil if there are none.
  ///
  /// Cost: one look at the table's metadata.
  public mutating func poll() async throws(CommitError) -> ChangelogScan? {
    do throws(CatalogError) { table = try await table.refreshed() } catch { throw .catalog(error) }
    if kept == nil { try await begin() }
    guard let kept else { return nil }
    guard table.metadata.reference(Self.tag(name)) != nil else { throw .consumerLost(name: name) }
    guard let place else { return table.changes(from: nil, to: .id(kept)).net() }
    guard let head = table.metadata.reference(branch)?.snapshotID, head != place else { return nil }
    return table.changes(from: .id(place), to: .reference(branch))
  }

  /// Takes notice that all changes up to `snapshot` were taken in, and none after it.
  public mutating func acknowledge(_ snapshot: SnapshotID) { place = snapshot }

  /// As ``acknowledge(_:)-(SnapshotID)``, of all changes that `changes`, which is of the last poll,
  /// told.
  public mutating func acknowledge(_ changes: ChangelogScan) throws(CommitError) {
    do throws(ScanError) { place = try changes.end() ?? place } catch { throw .reading(error) }
  }

  /// Has the table keep the place, if it moved.
  ///
  /// Cost: a commit, which writers contend with: better once for many acknowledgements.
  /// - Throws: ``CommitError/consumerMoved(name:to:)`` if another reader of the name did so.
  public mutating func save() async throws(CommitError) {
    guard let place, place != kept || isStarting else { return }
    table = try await table.commit(
      ConsumerMove(
        name: name, from: kept, to: place, state: Self.following,
        maxAgeMilliseconds: maxAgeMilliseconds)
    ).table
    kept = place
    isStarting = false
  }

  /// Forgets the reader called `name`.
  public static func remove(_ name: String, from table: Table) async throws(CommitError) {
    let now: Table
    do throws(CatalogError) { now = try await table.refreshed() } catch { throw .catalog(error) }
    _ = try await now.commit(ConsumerRemoval(name: name))
  }
}

extension Int64 {
  fileprivate func multipliedClamped(by other: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
