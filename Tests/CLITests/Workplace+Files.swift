// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lake

/// Files of the warehouse, which may be in a bucket: they have the paths that they would have on the
/// disk, below `warehouse`.
extension Workplace {
  /// The newest metadata file of the table in the folder `table` of the warehouse.
  func newestMetadata(_ table: String) async throws -> String {
    let names = try await files("warehouse/\(table)/metadata")
      .filter { $0.hasSuffix(".metadata.json") }
    let newest = names.max { TestCatalog.version($0) ?? 0 < TestCatalog.version($1) ?? 0 }
    guard let newest else { throw CocoaError(.fileNoSuchFile) }
    return "warehouse/\(table)/metadata/\(newest)"
  }

  /// All plain files below `path` of the workplace, by their paths from there.
  func files(_ path: String = "warehouse") async throws -> [String] {
    if let (store, prefix) = try await bucket(path) {
      return try await store.listAll(prefix).compactMap { prefix.relativePath(of: $0.path) }
        .sorted()
    }
    return localFiles(path)
  }

  private func localFiles(_ path: String) -> [String] {
    let root = folder.appending(path: path)
    let walk = FileManager.default.enumerator(atPath: root.path)
    var found: [String] = []
    while let name = walk?.nextObject() as? String {
      var isFolder: ObjCBool = false
      let path = root.appending(path: name).path
      if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
        found.append(name)
      }
    }
    return found.sorted()
  }

  /// The file at `path`, on the disk: brought there if it is in a bucket.
  @discardableResult
  func fetch(_ path: String) async throws -> URL {
    let file = folder.appending(path: path)
    guard let (store, object) = try await bucket(path) else { return file }
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(try await store.get(object, limit: 1 << 30).array()).write(to: file)
    return file
  }

  /// Has `bytes` be what is in the file at `path`.
  func replace(_ path: String, with bytes: Data) async throws {
    guard let (store, object) = try await bucket(path) else {
      return try bytes.write(to: folder.appending(path: path))
    }
    _ = try await store.put(Buffer([UInt8](bytes)), to: object, if: .none)
  }

  func remove(_ path: String) async throws {
    guard let (store, object) = try await bucket(path) else {
      return try FileManager.default.removeItem(at: folder.appending(path: path))
    }
    try await store.delete(object)
  }

  /// The store and the place in it that `path` stands for; nil if it is on the disk.
  private func bucket(_ path: String) async throws -> (store: any ObjectStore, ObjectPath)? {
    let parts = path.split(separator: "/", maxSplits: 1)
    guard usesTestCatalog, TestCatalog.kind == .s3, parts.first == "warehouse",
      let catalog = try await TestCatalog.open(in: folder) as? FilesystemCatalog
    else { return nil }
    let place =
      parts.count == 1
      ? catalog.warehouse : try catalog.warehouse.appending(relativePath: String(parts[1]))
    return (catalog.store, place)
  }
}
