// SPDX-License-Identifier: Apache-2.0
public import Iceberg
public import Storage

/// Which state of a table is read.
public enum SnapshotSelection: Hashable, Sendable {
  /// The newest one of the main branch.
  case current
  case id(SnapshotID)
  /// The one that was current at a time.
  case asOf(Timestamp)
  /// That of a branch or tag.
  case reference(String)
}

extension TableMetadata {
  /// The snapshot that is selected, nil if the table has no rows yet; and the schema its rows are
  /// read with: the snapshot's own for an id, a time and a tag, the table's for a branch.
  ///
  /// - Throws: ``ScanError/snapshotNotFound(_:)``.
  /// Source: Iceberg spec, "Point in Time Reads" and "Snapshot References".
  public func state(
    _ selection: SnapshotSelection
  ) throws(ScanError) -> (snapshot: Snapshot?, schema: Schema) {
    switch selection {
    case .current: return (currentSnapshot, currentSchema)
    case .id(let id):
      guard let snapshot = snapshot(id) else {
        throw .snapshotNotFound("snapshot \(id.rawValue)")
      }
      return (snapshot, schema(of: snapshot))
    case .asOf(let time):
      do throws(IcebergError) {
        let snapshot = try snapshot(asOf: time.milliseconds)
        return (snapshot, schema(of: snapshot))
      } catch {
        throw .snapshotNotFound("state as of \(time.formatted(.milliseconds)): \(error)")
      }
    case .reference(let name):
      if name == SnapshotReference.mainBranch { return (currentSnapshot, currentSchema) }
      guard let reference = reference(name), let snapshot = snapshot(reference.snapshotID) else {
        throw .snapshotNotFound("branch or tag '\(name)'")
      }
      return (snapshot, reference.kind == .tag ? schema(of: snapshot) : currentSchema)
    }
  }

  private func schema(of snapshot: Snapshot) -> Schema {
    snapshot.schemaID.flatMap { schema($0) } ?? currentSchema
  }
}
