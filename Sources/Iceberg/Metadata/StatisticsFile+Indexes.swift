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
  ///   - unique: what tells it from others of the snapshot.
  ///   - keys: the fields of each key that it has an index of.
  package static func name(
    _ snapshot: SnapshotID, _ unique: String, indexes keys: [[FieldID]]
  ) -> String {
    let texts = keys.map { ids in ids.map { "\($0.rawValue)" }.joined(separator: ".") }
    let told = texts.isEmpty ? "" : marker + texts.joined(separator: "-")
    return "\(snapshot.rawValue)-\(unique)\(told)\(ending)"
  }

  /// The keys of the indexes that are in the file.
  package var indexKeys: [[FieldID]] {
    blobs.filter { $0.type == Self.indexType }.map(\.fieldIDs)
  }

  /// The blobs of indexes that the name of the file at `path` tells of.
  static func indexes(namedBy path: String) -> [StatisticsBlob] {
    let name = path.split(separator: "/").last ?? ""
    guard name.hasSuffix(ending), let snapshot = name.split(separator: "-").first,
      let snapshotID = Int64(snapshot)
    else { return [] }
    let parts = name.dropLast(ending.utf8.count).split(separator: marker)
    guard parts.count == 2 else { return [] }
    var blobs: [StatisticsBlob] = []
    for key in parts[1].split(separator: "-") {
      let ids = key.split(separator: ".").map { Int32($0) }
      guard !ids.isEmpty, ids.allSatisfy({ $0 != nil }) else { return [] }
      blobs.append(
        StatisticsBlob(
          type: indexType, snapshotID: SnapshotID(snapshotID), sequenceNumber: SequenceNumber(0),
          fieldIDs: ids.compactMap { $0.map { FieldID($0) } }))
    }
    return blobs
  }

  /// Those of the blobs that table metadata lists.
  var listedBlobs: [StatisticsBlob] {
    blobs.filter { !$0.type.hasPrefix(Self.indexTypePrefix) }
  }
}
