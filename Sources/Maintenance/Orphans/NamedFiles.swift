// SPDX-License-Identifier: Apache-2.0
internal import Catalogs
internal import Iceberg
internal import Storage

/// All files that a table names, of every kind the format has, and those of the commit protocol.
struct NamedFiles {
  private let metadataFolder: ObjectPath
  private var paths: Set<ObjectPath> = []
  /// The paths of files at other roots than the table's, without these.
  private var foreign: Set<String> = []
  private let location: ObjectPath

  /// Cost: the manifest lists of all snapshots, and each manifest once.
  /// - Throws: ``MaintenanceError/unreadable(file:reason:)`` if one of them can't be read.
  init(_ table: Table, _ location: ObjectPath) async throws(MaintenanceError) {
    self.location = location
    do throws(StorageError) { metadataFolder = try location.appending("metadata") } catch {
      throw .storage(error, while: "naming the metadata folder")
    }
    add(table.metadataLocation)
    for file in table.metadata.referencedFiles() { add(try UnreachableFiles.own(file.path)) }
    let files = ManifestFiles(table)
    let (_, manifests) = try await UnreachableFiles.manifests(of: table, files)
    for some in manifests.chunks(of: 64) {
      if Task.isCancelled { throw .cancelled }
      let entries = try await mapConcurrently(some, limit: 8) {
        manifest throws(MaintenanceError) -> [ManifestEntry] in
        do throws(CatalogError) { return try await files.entries(of: manifest, .liveFiles) } catch {
          throw .needed(manifest.path, error)
        }
      }
      for manifest in some { add(try UnreachableFiles.own(manifest.path)) }
      for entry in entries.joined() { add(try UnreachableFiles.own(entry.file.path)) }
    }
  }

  private mutating func add(_ path: ObjectPath) {
    if path.hasSameRoot(as: location) { paths.insert(path) } else { foreign.insert(path.path) }
  }

  /// True if the table names the file at `path`, or the one that it holds the checksums of.
  ///
  /// - Throws: ``MaintenanceError/foreignPath(_:root:)`` if it names one that differs from it in scheme
  ///   or authority alone: that is the same file or not, and paths don't tell.
  func contains(_ path: ObjectPath) throws(MaintenanceError) -> Bool {
    if paths.contains(path) || isOfProtocol(path) { return true }
    if let summed = Self.summed(by: path) { return try contains(summed) }
    if foreign.contains(path.path) {
      throw .foreignPath(path.text, root: "the root that the table names it at")
    }
    return false
  }

  /// The file that Hadoop's file systems keep the checksums of at `path`: of `name` in `.name.crc`.
  private static func summed(by path: ObjectPath) -> ObjectPath? {
    let name = path.name
    guard name.hasPrefix("."), name.hasSuffix(".crc"), name.utf8.count > 5 else { return nil }
    return try? path.parent?.appending(String(name.dropFirst().dropLast(4)))
  }

  /// Versions of metadata, which only the commit protocol may delete; its hint and notes; and the last
  /// state of a table that was dropped, which it can be registered by.
  private func isOfProtocol(_ path: ObjectPath) -> Bool {
    guard path.parent == metadataFolder else { return false }
    let name = path.name
    if name == "version-hint.text" || name == "lake-lowest-version.text" { return true }
    guard name.hasSuffix(".metadata.json") || name.hasSuffix(".metadata.json.gz") else {
      return false
    }
    return name.hasPrefix("dropped-")
      || name.dropFirst().first?.isNumber == true && name.first == "v"
  }

  /// Refuses a folder that has another table in it: its files would all look like orphans.
  func checkNothingNested(in listed: [ObjectInfo]) throws(MaintenanceError) {
    for object in listed {
      let name = object.path.name
      guard name.hasSuffix(".metadata.json") || name.hasSuffix(".metadata.json.gz"),
        object.path.parent != metadataFolder, !paths.contains(object.path)
      else { continue }
      throw .nestedTable(object.path.parent?.parent?.text ?? object.path.text)
    }
  }
}
