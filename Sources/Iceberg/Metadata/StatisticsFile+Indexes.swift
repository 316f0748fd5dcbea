// SPDX-License-Identifier: Apache-2.0

// Indexes of keys lie in statistics files, as blobs of types of ours. Table metadata does not list
// them: PyIceberg 0.12 refuses a whole table for a type it does not know. The name of the file tells
// of which keys it has indexes.

extension StatisticsFile {
  /// What the types of an index's blobs begin with.
  package static let indexTypePrefix = "lake-key-index"
  /// The type of the blob that tells where the parts of an index are.
  package static let indexType = "lake-key-index-v1"

  private static let marker = ".keys-"
  private static let ending = ".stats"

  /// The name of a file of statistics.
  ///
  /// - Parameters:
  ///   - snapshot: what the statistics are of, and its sequence number.
  ///   - unique: what tells it from others of the snapshot.
  ///   - keys: the fields of each key that it has an index of.
  package static func name(
    _ snapshot: SnapshotID, _ number: SequenceNumber, _ unique: String, indexes keys: [[FieldID]]
  ) -> String {
    let texts = keys.map { ids in ids.map { "\($0.rawValue)" }.joined(separator: ".") }
    let told = texts.isEmpty ? "" : marker + texts.joined(separator: "-")
    return "\(snapshot.rawValue)-\(number.rawValue)-\(unique)\(told)\(ending)"
  }

  /// The snapshot that the indexes in the file were last made to cover, and its sequence number: they
  /// stay the file's where it is put under another one. Nil if there are none.
  package var indexed: (snapshotID: SnapshotID, sequenceNumber: SequenceNumber)? {
    blobs.first { $0.type == Self.indexType }.map { ($0.snapshotID, $0.sequenceNumber) }
  }

  /// True if it is of another snapshot, and is listed under its own so that an expiry of that one
  /// leaves the indexes there.
  package var isTakenAlong: Bool {
    indexed != nil && blobs.allSatisfy { $0.snapshotID != snapshotID }
  }

  /// True if nothing but indexes is in it.
  package var hasIndexesOnly: Bool { indexed != nil && listedBlobs.isEmpty }

  /// The keys of the indexes that are in the file.
  package var indexKeys: [[FieldID]] {
    blobs.filter { $0.type == Self.indexType }.map(\.fieldIDs)
  }

  /// The blobs of indexes that the name of the file at `path` tells of.
  static func indexes(namedBy path: String) -> [StatisticsBlob] {
    let name = path.split(separator: "/").last ?? ""
    let numbers = name.split(separator: "-", maxSplits: 2).prefix(2).map { Int64($0) }
    guard name.hasSuffix(ending), numbers.count == 2, let snapshot = numbers[0],
      let sequence = numbers[1]
    else { return [] }
    let parts = name.dropLast(ending.utf8.count).split(separator: marker)
    guard parts.count == 2 else { return [] }
    var blobs: [StatisticsBlob] = []
    for key in parts[1].split(separator: "-") {
      let ids = key.split(separator: ".").map { Int32($0) }
      guard !ids.isEmpty, ids.allSatisfy({ $0 != nil }) else { return [] }
      blobs.append(
        StatisticsBlob(
          type: indexType, snapshotID: SnapshotID(snapshot),
          sequenceNumber: SequenceNumber(sequence),
          fieldIDs: ids.compactMap { $0.map { FieldID($0) } }))
    }
    return blobs
  }

  /// Those of the blobs that table metadata lists.
  var listedBlobs: [StatisticsBlob] {
    blobs.filter { !$0.type.hasPrefix(Self.indexTypePrefix) }
  }
}

extension TableMetadata {
  /// What is listed under `snapshot` and has to go on in the file that is written for it now: nil where
  /// it was taken along to there, and can be to another one.
  package func statisticsToCarryOver(
    of snapshot: SnapshotID, but isUseless: (StatisticsFile) -> Bool = { _ in false }
  ) -> StatisticsFile? {
    guard let file = statistics.last(where: { $0.snapshotID == snapshot }) else { return nil }
    if !file.isTakenAlong { return file }
    let others = snapshotsWithoutStatistics(but: isUseless)
    return others.contains { $0.id != snapshot } ? nil : file
  }

  /// The snapshots that a file of indexes can be taken along to, newest first: those without
  /// statistics, or with such as are of no more use.
  package func snapshotsWithoutStatistics(but isUseless: (StatisticsFile) -> Bool) -> [Snapshot] {
    let taken = Set(statistics.filter { !isUseless($0) }.map(\.snapshotID))
    return snapshots.filter { !taken.contains($0.id) }.sorted {
      ($0.sequenceNumber, $0.timestampMilliseconds) > ($1.sequenceNumber, $1.timestampMilliseconds)
    }
  }

  /// Lists what was taken along to `snapshot` under another one: a snapshot has one file of statistics,
  /// and it is to get its own.
  package func makingRoom(at snapshot: SnapshotID) -> [TableUpdate] {
    guard let file = statistics.last(where: { $0.snapshotID == snapshot }), file.isTakenAlong,
      let other = snapshotsWithoutStatistics(but: { _ in false }).first
    else { return [] }
    return takingAlong(file.path, to: other.id)
  }

  /// Lists a file of indexes under `snapshot`, and no more under those that it was taken along to
  /// before.
  package func takingAlong(_ path: String, to snapshot: SnapshotID) -> [TableUpdate] {
    let entries = statistics.filter { $0.path == path }
    guard let file = entries.first else { return [] }
    let left = entries.filter { $0.isTakenAlong && $0.snapshotID != snapshot }
    return left.map { .removeStatistics($0.snapshotID) } + [
      .setStatistics(
        StatisticsFile(
          snapshotID: snapshot, path: path, byteCount: file.byteCount,
          footerByteCount: file.footerByteCount, keyMetadata: file.keyMetadata, blobs: file.blobs))
    ]
  }
}
