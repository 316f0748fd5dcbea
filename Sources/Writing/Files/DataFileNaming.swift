// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Iceberg
internal import Storage

/// Names for the data files of one writer: unique for ever, so that a late or repeated write can
/// never hit another's file.
///
///     <data folder>/[<partition>/]<number, 5 digits>-<uuid>.parquet
///
/// The folder is `write.data.path`, else `data` in the table's location. With
/// `write.object-storage.enabled` folders of a hash stand before the name, so that a store that
/// shards by prefix spreads the files:
///
///     <data folder>/<4 bits>/<4 bits>/<4 bits>/<8 bits>/[<partition>/]<name>
///     <data folder>/<4 bits>/<4 bits>/<4 bits>/<8 bits>-<name>
///
/// the latter where `write.object-storage.partitioned-paths` is false.
///
/// Source: Iceberg documentation, "Object Store File Layout".
struct DataFileNaming: Sendable {
  private let folder: ObjectPath
  private let uuid: String
  private let layout: Layout
  private var count = 0

  private enum Layout { case partitioned, hashed, hashedWithoutPartitions }

  init(_ metadata: TableMetadata, uuid: String) throws(StorageError) {
    if let path = metadata.properties["write.data.path"] {
      folder = try ObjectPath(path)
    } else {
      folder = try ObjectPath(metadata.location).appending("data")
    }
    self.uuid = uuid
    let isHashed = (try? metadata.properties.value(of: .objectStorageLayout)) ?? false
    let hasPartitions = (try? metadata.properties.value(of: .partitionedObjectPaths)) ?? true
    layout = !isHashed ? .partitioned : hasPartitions ? .hashed : .hashedWithoutPartitions
  }

  /// - Parameter partition: the partition's path, empty if there is none.
  mutating func next(partition: String) throws(StorageError) -> ObjectPath {
    let name = nextName() + ".parquet"
    let inPartition = partition.isEmpty ? name : "\(partition)/\(name)"
    switch layout {
    case .partitioned: return try folder.appending(relativePath: inPartition)
    case .hashed:
      return try folder.appending(relativePath: "\(Self.hash(inPartition))/\(inPartition)")
    case .hashedWithoutPartitions:
      return try folder.appending(relativePath: "\(Self.hash(name))-\(name)")
    }
  }

  /// A name for a file that belongs to no partition's folder: `<number>-<uuid>-<ending>`.
  mutating func next(ending: String) throws(StorageError) -> ObjectPath {
    try folder.appending(relativePath: "\(nextName())-\(ending)")
  }

  private mutating func nextName() -> String {
    count += 1
    let digits = String(count)
    return String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits + "-\(uuid)"
  }

  /// The first 20 bits of a name's hash, as 4, 4, 4 and 8 digits.
  private static func hash(_ name: String) -> String {
    let bits = UInt32(bitPattern: Murmur3.hash32(Buffer(utf8: name).bytes)) & 0xfffff
    let digits = String(bits, radix: 2)
    let text = Array(String(repeating: "0", count: 20 - digits.utf8.count) + digits)
    return [text[0..<4], text[4..<8], text[8..<12], text[12..<20]]
      .map { String($0) }.joined(separator: "/")
  }
}
