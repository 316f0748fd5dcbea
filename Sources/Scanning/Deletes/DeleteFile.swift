// SPDX-License-Identifier: Apache-2.0
public import Iceberg

/// A delete file that a scan may have to apply, as planning found it.
///
/// A class, since many tasks share one.
public final class DeleteFile: Sendable {
  public let kind: DeleteKind
  public let file: DataFile
  /// How old its deletes are.
  public let sequenceNumber: SequenceNumber
  /// As it is live in a manifest.
  package let entry: ManifestEntry
  /// True if its partition spec is unpartitioned: by values it deletes from all partitions.
  let isGlobal: Bool

  /// Nil if `entry` is of a data file.
  init?(_ entry: ManifestEntry, isGlobal: Bool) {
    guard let kind = DeleteKind(entry.file) else { return nil }
    self.kind = kind
    self.isGlobal = isGlobal
    self.entry = entry
    file = entry.file
    sequenceNumber = entry.sequenceNumber
  }
}

/// A path as a key: equal are those of the same bytes, where strings are equal that look alike.
package struct PathKey: Hashable, Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package static func == (a: PathKey, b: PathKey) -> Bool { a.path.utf8.elementsEqual(b.path.utf8) }
  package func hash(into hasher: inout Hasher) { hasher.combine(path) }
}
