// SPDX-License-Identifier: Apache-2.0
internal import Bytes

/// Where a snapshot's summary comes from: a new one's values, or the JSON of one that was read.
enum SummarySource: Sendable {
  case values([String: String])
  /// An object whose values are strings, checked when the snapshot was read.
  case encoded(Buffer)
}

/// Counts what a commit adds and removes, for the summary of its snapshot.
///
///     var summary = SnapshotSummary()
///     summary.add(file)
///     let values = summary.values(parent: parent?.summary, commitID: id, properties: ["app": "x"])
///
/// Source: Iceberg spec, "Appendix F: Optional Snapshot Summary Fields".
public struct SnapshotSummary: Sendable {
  private var added = Counts()
  private var removed = Counts()
  private var partitions: Set<PartitionValues> = []
  private var manifests: (created: Int, kept: Int, replaced: Int)?

  /// What was added, or what was removed.
  private struct Counts: Sendable {
    var dataFiles: Int64 = 0
    var records: Int64 = 0
    var bytes: Int64 = 0
    var deleteFiles: Int64 = 0
    var positionDeleteFiles: Int64 = 0
    var deletionVectors: Int64 = 0
    var equalityDeleteFiles: Int64 = 0
    var positionDeletes: Int64 = 0
    var equalityDeletes: Int64 = 0

    mutating func add(_ file: DataFile) {
      bytes = bytes.addingClamped(file.contentByteCount)
      switch file.content {
      case .data:
        dataFiles += 1
        records = records.addingClamped(file.recordCount)
      case .positionDeletes:
        deleteFiles += 1
        if file.isDeletionVector { deletionVectors += 1 } else { positionDeleteFiles += 1 }
        positionDeletes = positionDeletes.addingClamped(file.recordCount)
      case .equalityDeletes:
        deleteFiles += 1
        equalityDeleteFiles += 1
        equalityDeletes = equalityDeletes.addingClamped(file.recordCount)
      }
    }
  }

  public init() {}

  /// Counts a file that the commit adds.
  public mutating func add(_ file: DataFile) {
    added.add(file)
    partitions.insert(file.partition)
  }

  /// Counts a file that the commit removes.
  public mutating func remove(_ file: DataFile) {
    removed.add(file)
    partitions.insert(file.partition)
  }

  /// Notes how many manifests the commit wrote, carried over, and replaced by others.
  public mutating func setManifests(created: Int, kept: Int, replaced: Int) {
    manifests = (created, kept, replaced)
  }

  /// True if data files were added.
  public var addsDataFiles: Bool { added.dataFiles > 0 }
  /// True if delete files were added.
  public var addsDeleteFiles: Bool { added.deleteFiles > 0 }
  /// True if files were removed.
  public var removesFiles: Bool { removed.dataFiles + removed.deleteFiles > 0 }

  /// The name under which a commit notes its own id, so that it can be found again.
  public static let commitIDKey = "lake.commit-id"
  /// The name under which a load notes its own, which lands once.
  package static let onceKey = "lake.once"
  /// The name under which a commit of upserts, and no other, notes how many rows it was given.
  package static let upsertReceivedKey = "lake.upsert.received"

  /// The summary, `operation` left out.
  ///
  /// A total is the parent's and what changed; if the parent has none that can be read, there is
  /// none here either: a guess would go on in all snapshots after it. A property never stands in
  /// for what is counted.
  ///
  /// - Parameters:
  ///   - parent: the summary of the parent snapshot; nil if there is no parent.
  ///   - properties: what the caller wants noted besides.
  public func values(
    parent: [String: String]?, commitID: String? = nil, properties: [String: String] = [:]
  ) -> [String: String] {
    var values = properties
    for key in Self.countedKeys { values[key] = nil }
    for (key, count) in counted where count > 0 { values[key] = "\(count)" }
    values["changed-partition-count"] = "\(partitions.count)"
    for (key, plus, minus) in totals {
      values[key] = Self.total(parent, key, plus, minus)
    }
    if let manifests {
      values["manifests-created"] = "\(manifests.created)"
      values["manifests-kept"] = "\(manifests.kept)"
      values["manifests-replaced"] = "\(manifests.replaced)"
    }
    if let commitID { values[Self.commitIDKey] = commitID }
    values["operation"] = nil
    return values
  }

  private static func total(
    _ parent: [String: String]?, _ key: String, _ plus: Int64, _ minus: Int64
  ) -> String? {
    var before: Int64 = 0
    if let parent {
      guard let text = parent[key], let number = Int64(text), number >= 0 else { return nil }
      before = number
    }
    let (sum, overflow) = before.addingReportingOverflow(plus)
    guard !overflow, sum >= minus else { return nil }
    return "\(sum - minus)"
  }

  private var counted: [(String, Int64)] {
    [
      ("added-data-files", added.dataFiles), ("deleted-data-files", removed.dataFiles),
      ("added-delete-files", added.deleteFiles), ("removed-delete-files", removed.deleteFiles),
      ("added-position-delete-files", added.positionDeleteFiles),
      ("removed-position-delete-files", removed.positionDeleteFiles),
      ("added-dvs", added.deletionVectors), ("removed-dvs", removed.deletionVectors),
      ("added-equality-delete-files", added.equalityDeleteFiles),
      ("removed-equality-delete-files", removed.equalityDeleteFiles),
      ("added-records", added.records), ("deleted-records", removed.records),
      ("added-files-size", added.bytes), ("removed-files-size", removed.bytes),
      ("added-position-deletes", added.positionDeletes),
      ("removed-position-deletes", removed.positionDeletes),
      ("added-equality-deletes", added.equalityDeletes),
      ("removed-equality-deletes", removed.equalityDeletes),
    ]
  }

  private var totals: [(String, plus: Int64, minus: Int64)] {
    [
      ("total-data-files", added.dataFiles, removed.dataFiles),
      ("total-delete-files", added.deleteFiles, removed.deleteFiles),
      ("total-records", added.records, removed.records),
      ("total-files-size", added.bytes, removed.bytes),
      ("total-position-deletes", added.positionDeletes, removed.positionDeletes),
      ("total-equality-deletes", added.equalityDeletes, removed.equalityDeletes),
    ]
  }

  private static let countedKeys: [String] = {
    let empty = SnapshotSummary()
    return empty.counted.map(\.0) + empty.totals.map(\.0) + [
      "changed-partition-count", "manifests-created", "manifests-kept", "manifests-replaced",
      commitIDKey,
    ]
  }()
}

extension DataFile {
  /// The bytes that are this file's own: of a deletion vector, its blob, as a Puffin file has many.
  public var contentByteCount: Int64 { contentRange?.byteCount ?? byteCount }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
