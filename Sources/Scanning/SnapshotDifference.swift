// SPDX-License-Identifier: Apache-2.0
public import Catalogs
public import Iceberg
internal import Storage

/// What is in one state of a table and not in another: files, counts of rows, columns.
///
/// Cost: both manifest lists, and the manifests that only one of them has.
public struct SnapshotDifference: Sendable {
  /// Files, of data and of deletes, that only the later state has.
  public let added: [DataFile]
  /// Files that only the earlier state has.
  public let removed: [DataFile]
  /// How the columns changed, in words.
  public let schemaChanges: [String]

  /// - Throws: ``ScanError/snapshotNotFound(_:)`` if there is no such state.
  public init(
    of table: Table, from: SnapshotSelection, to: SnapshotSelection
  ) async throws(ScanError) {
    let (a, oldSchema) = try table.metadata.state(from)
    let (b, newSchema) = try table.metadata.state(to)
    let before = try await Self.manifests(of: a, table)
    let after = try await Self.manifests(of: b, table)
    let shared = Set(before.map(\.path)).intersection(after.map(\.path))
    let old = try await Self.files(before.filter { !shared.contains($0.path) }, table)
    let new = try await Self.files(after.filter { !shared.contains($0.path) }, table)
    let oldKeys = Set(old.map(\.identity))
    let newKeys = Set(new.map(\.identity))
    added = new.filter { !oldKeys.contains($0.identity) }
    removed = old.filter { !newKeys.contains($0.identity) }
    schemaChanges = Self.changes(from: oldSchema, to: newSchema)
  }

  private static func manifests(
    of snapshot: Snapshot?, _ table: Table
  ) async throws(ScanError) -> [ManifestFile] {
    guard let snapshot else { return [] }
    do throws(CatalogError) {
      return try await ManifestFiles(table).list(of: snapshot).manifests
    } catch {
      throw .catalog(error)
    }
  }

  private static func files(
    _ manifests: [ManifestFile], _ table: Table
  ) async throws(ScanError) -> [DataFile] {
    let files = ManifestFiles(table)
    let entries = try await mapConcurrently(manifests, limit: 8) {
      manifest throws(ScanError) -> [ManifestEntry] in
      do throws(CatalogError) {
        return try await files.entries(of: manifest, .liveFiles)
      } catch {
        throw ScanError.catalog(error)
      }
    }
    return entries.flatMap { $0 }.map(\.file)
  }

  private static func changes(from old: Schema, to new: Schema) -> [String] {
    var changes: [String] = []
    for field in new.allFields {
      let name = new.name(of: field.id) ?? field.name
      guard let before = old.field(field.id) else {
        changes.append("added \(name) \(field.type)")
        continue
      }
      if let oldName = old.name(of: field.id), oldName != name {
        changes.append("renamed \(oldName) to \(name)")
      }
      if field.type.primitive != before.type.primitive {
        changes.append("\(name) was \(before.type), is \(field.type)")
      }
      if field.isRequired != before.isRequired {
        changes.append("\(name) is \(field.isRequired ? "required" : "optional")")
      }
    }
    for field in old.allFields where new.field(field.id) == nil {
      changes.append("dropped \(old.name(of: field.id) ?? field.name)")
    }
    return changes
  }
}
