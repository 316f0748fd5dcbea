// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
package import Iceberg
internal import Writing

// A statistics file goes when the snapshot it is listed under expires. An index outlives snapshots:
// the files it lies in are taken along, which is listing them under newer ones.

/// Registers a statistics file, and takes along those it refers to.
struct IndexRegistration: TableChange {
  let statistics: StatisticsFile
  /// The file whose blobs were carried over; nil: there was none.
  let replacing: String?
  /// Other statistics files that segments lie in.
  let referenced: Set<String>
  /// Which files are of use: the others' places may be taken.
  let use: IndexFiles

  func plan(onto base: Table, attempt: CommitAttempt) async throws(CommitError) -> ChangePlan {
    let metadata = base.metadata
    let id = statistics.snapshotID
    guard metadata.snapshot(id) != nil else { throw .conflict(.historyIsGone(id)) }
    guard metadata.statisticsToCarryOver(of: id, but: use.isUseless)?.path == replacing,
      referenced.isSubset(of: metadata.statistics.map(\.path))
    else { throw .conflict(.statisticsChanged(id)) }
    // What makes room comes before what takes it.
    return ChangePlan(
      requirements: metadata.sameTable, updates: movings(metadata) + [.setStatistics(statistics)])
  }

  /// Takes files along to the newest snapshots before that have no statistics, or an index that this
  /// one stands for; with them what lies in this one's place.
  private func movings(_ metadata: TableMetadata) -> [TableUpdate] {
    let id = statistics.snapshotID
    var paths = referenced
    if replacing == nil, let file = metadata.statistics.last(where: { $0.snapshotID == id }) {
      paths.insert(file.path)
    }
    let free = metadata.snapshotsWithoutStatistics(but: use.isUseless).filter { $0.id != id }
    let line = Set(metadata.ancestry(of: id).map(\.id))
    let targets = free.filter { line.contains($0.id) } + free.filter { !line.contains($0.id) }
    var next = targets.makeIterator()
    let listed = paths.map { path in
      (number: metadata.newestListing(of: path) { $0 != id } ?? SequenceNumber(-1), path: path)
    }
    var updates: [TableUpdate] = []
    for (number, path) in listed.sorted(by: { ($0.number, $0.path) < ($1.number, $1.path) }) {
      guard let target = next.next(), number < target.sequenceNumber else { break }
      updates += metadata.takingAlong(path, to: target.id)
    }
    return updates
  }
}

/// The files that an index of a key is read from.
struct IndexFiles {
  let key: [FieldID]
  let paths: Set<String>

  /// True of a file of older indexes of the key, which nothing is read from.
  func isUseless(_ file: StatisticsFile) -> Bool {
    file.hasIndexesOnly && file.indexKeys.allSatisfy { $0 == key } && !paths.contains(file.path)
  }
}

extension KeyIndex {
  var storedPaths: Set<String> { Set(segments.compactMap(\.stored?.path)) }

  /// What a commit does for the index of the writer that makes it: of the files the index lies in, the
  /// one that was listed the longest ago is listed under the commit's own snapshot.
  ///
  /// So each is under one of the newest snapshots, of which there are as many as files.
  package func takingAlong(to snapshot: SnapshotID, in metadata: TableMetadata) -> [TableUpdate] {
    let listed = storedPaths.compactMap { path in
      metadata.newestListing(of: path).map { (number: $0, path: path) }
    }
    guard let oldest = listed.min(by: { ($0.number, $0.path) < ($1.number, $1.path) }) else {
      return []
    }
    return metadata.takingAlong(oldest.path, to: snapshot)
  }
}

extension TableMetadata {
  /// The sequence number of the newest snapshot that a statistics file is listed under; nil if it is
  /// under none.
  fileprivate func newestListing(
    of path: String, where counts: (SnapshotID) -> Bool = { _ in true }
  ) -> SequenceNumber? {
    statistics.filter { $0.path == path && counts($0.snapshotID) }
      .compactMap { snapshot($0.snapshotID)?.sequenceNumber }.max()
  }
}
