// SPDX-License-Identifier: Apache-2.0
internal import Iceberg

/// The delete files of a snapshot by what they are about, so that those of one data file are found
/// without looking at all.
///
/// Law: what ``deletes(of:schema:)`` leaves out deletes no row of that file.
/// Source: Iceberg spec, "Scan Planning".
struct DeleteIndex {
  private var vectors: [PathKey: DeleteFile] = [:]
  /// Position delete files of one data file.
  private var byPath: [PathKey: [DeleteFile]] = [:]
  /// Position delete files of several; by ascending sequence number, as all that follow.
  private var byPartition: [PartitionValues: [DeleteFile]] = [:]
  private var equality: [PartitionValues: [DeleteFile]] = [:]
  private var global: [DeleteFile] = []
  /// The fields by whose values rows are deleted.
  private(set) var equalityIDs: Set<FieldID> = []

  /// - Throws: ``ScanError/invalidManifest(file:_:)`` if two deletion vectors are of one data file,
  ///   or one does not say of which.
  init(_ files: [DeleteFile]) throws(ScanError) {
    for file in files.sorted(by: { $0.sequenceNumber < $1.sequenceNumber }) { try add(file) }
  }

  private mutating func add(_ delete: DeleteFile) throws(ScanError) {
    switch delete.kind {
    case .vector:
      guard let path = delete.file.referencedDataFile else {
        throw .invalidManifest(
          file: delete.file.path,
          .invalid("a deletion vector", reason: "it does not say of which file"))
      }
      if vectors.updateValue(delete, forKey: PathKey(path)) != nil {
        throw .invalidManifest(
          file: delete.file.path, .duplicate("a deletion vector of '\(path)'", in: "a snapshot"))
      }
    case .positions:
      if let path = delete.file.onlyReferencedPath {
        byPath[PathKey(path), default: []].append(delete)
      } else {
        byPartition[delete.file.partition, default: []].append(delete)
      }
    case .equality:
      equalityIDs.formUnion(delete.file.equalityIDs ?? [])
      if delete.isGlobal {
        global.append(delete)
      } else {
        equality[delete.file.partition, default: []].append(delete)
      }
    }
  }

  /// The delete files that may delete rows of the data file of `data`.
  ///
  /// - Parameter schema: with the columns that metrics are compared of.
  func deletes(of data: ManifestEntry, schema: Schema) throws(ScanError) -> [DeleteFile] {
    var found: [DeleteFile] = []
    let path = PathKey(data.file.path)
    if let vector = vectors[path], try applies(vector, to: data) {
      found.append(vector)
    } else {
      for delete in byPath[path] ?? [] where try applies(delete, to: data) { found.append(delete) }
      for delete in byPartition[data.file.partition] ?? []
      where delete.file.mayHavePath(data.file.path) {
        if try applies(delete, to: data) { found.append(delete) }
      }
    }
    for some in [equality[data.file.partition] ?? [], global] {
      for delete in some[some.firstIndex(above: data.sequenceNumber)...]
      where try applies(delete, to: data) {
        if data.file.mayShareKeys(with: delete.file, schema: schema) { found.append(delete) }
      }
    }
    return found
  }

  private func applies(
    _ delete: DeleteFile, to data: ManifestEntry
  ) throws(ScanError) -> Bool {
    do throws(IcebergError) {
      return try delete.entry.mayDeleteRows(of: data, isGlobal: delete.isGlobal)
    } catch {
      throw .invalidManifest(file: delete.file.path, error)
    }
  }
}

extension [DeleteFile] {
  /// The index of the first of these, which ascend, that is newer than `number`.
  fileprivate func firstIndex(above number: SequenceNumber) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].sequenceNumber <= number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension DataFile {
  /// False only if the bounds of this position delete file's paths leave `path` out.
  fileprivate func mayHavePath(_ path: String) -> Bool {
    guard let metrics = metrics[.deleteFilePath] else { return true }
    if let lower = metrics.lowerBound, let upper = metrics.upperBound,
      upper.lexicographicallyPrecedes(lower)
    {
      // Bounds that contradict each other tell nothing.
      return true
    }
    if let lower = metrics.lowerBound, path.utf8.lexicographicallyPrecedes(lower) { return false }
    if let upper = metrics.upperBound, upper.lexicographicallyPrecedes(path.utf8) { return false }
    return true
  }
}
