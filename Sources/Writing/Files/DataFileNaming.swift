// SPDX-License-Identifier: Apache-2.0
internal import Iceberg
internal import Storage

/// Names for the data files of one writer: unique for ever, so that a late or repeated write can
/// never hit another's file.
///
///     <data folder>/[<partition>/]<number, 5 digits>-<uuid>.parquet
///
/// The folder is `write.data.path`, else `data` in the table's location.
struct DataFileNaming: Sendable {
  private let folder: ObjectPath
  private let uuid: String
  private var count = 0

  init(_ metadata: TableMetadata, uuid: String) throws(StorageError) {
    if let path = metadata.properties["write.data.path"] {
      folder = try ObjectPath(path)
    } else {
      folder = try ObjectPath(metadata.location).appending("data")
    }
    self.uuid = uuid
  }

  /// - Parameter partition: the partition's path, empty if there is none.
  mutating func next(partition: String) throws(StorageError) -> ObjectPath {
    count += 1
    let digits = String(count)
    let number = String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
    let name = "\(number)-\(uuid).parquet"
    return try folder.appending(relativePath: partition.isEmpty ? name : "\(partition)/\(name)")
  }
}
