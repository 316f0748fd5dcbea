// SPDX-License-Identifier: Apache-2.0
import Avro
import Bytes
import Foundation
import JSON
import Testing

@testable import Iceberg

@Suite("Tables of the reference implementation")
struct FixtureManifestTests {
  static func isMetadata(_ path: String) -> Bool {
    MetadataFileName(path.split(separator: "/").last.map(String.init) ?? "") != nil
  }

  @Test(arguments: FixtureTable.all)
  func `every metadata file is valid, and is written as it was`(table: FixtureTable) throws {
    var count = 0
    for (path, file) in try table.files() where Self.isMetadata(path) {
      count += 1
      let metadata = try TableMetadata(file: file)
      #expect(metadata.validate() == [], "\(path)")
      let again = try TableMetadata(json: metadata.encoded())
      #expect(again == metadata, "\(path)")
      let plain = try TableMetadata(file: metadata.file(compression: .gzip))
      #expect(plain == metadata, "\(path)")
      if !path.contains(".gz") {
        let before = try JSONValue(parsing: file.bytes).sorted()
        let after = try metadata.tree.sorted(without: ["lake-crc32c"])
        #expect(before == after, "\(path)")
      }
    }
    #expect(count > 1)
  }

  @Test(arguments: FixtureTable.all)
  func `every manifest list and manifest reads, and its counts are the summaries'`(
    table: FixtureTable
  ) throws {
    let files = try table.files()
    var read = 0
    for (path, file) in files where Self.isMetadata(path) {
      let metadata = try TableMetadata(file: file)
      for snapshot in metadata.snapshots {
        let location = try #require(snapshot.manifestList)
        let list = try ManifestList(try #require(files[location]))
        var totals = Totals()
        for manifest in list.manifests {
          let bytes = try #require(files[manifest.path])
          let layout = try metadata.partitionLayout(manifest.partitionSpecID)
          var reader = try ManifestReader(bytes, of: manifest, layout: layout)
          let entries = try reader.readAll()
          #expect(ManifestFile.Counts(of: entries) == manifest.counts, "\(manifest.path)")
          try Self.check(entries, of: manifest, layout)
          totals.add(entries)
          read += 1
        }
        totals.check(snapshot)
      }
    }
    #expect(read > 0)
  }

  /// What a snapshot's summary says of all live files.
  struct Totals {
    var dataFiles = 0
    var deleteFiles = 0
    var records: Int64 = 0

    mutating func add(_ entries: [ManifestEntry]) {
      for entry in entries where entry.isLive {
        if entry.file.content == .data {
          dataFiles += 1
          records += entry.file.recordCount
        } else {
          deleteFiles += 1
        }
      }
    }

    func check(_ snapshot: Snapshot) {
      let summary = snapshot.summary
      #expect(summary["total-data-files"] ?? "\(dataFiles)" == "\(dataFiles)")
      #expect(summary["total-delete-files"] ?? "\(deleteFiles)" == "\(deleteFiles)")
      #expect(summary["total-records"] ?? "\(records)" == "\(records)")
    }
  }

  static func check(
    _ entries: [ManifestEntry], of manifest: ManifestFile, _ layout: PartitionLayout
  ) throws {
    let live = entries.filter(\.isLive)
    if manifest.sequenceNumber.rawValue > 0, let least = live.map(\.sequenceNumber).min() {
      #expect(manifest.minSequenceNumber == least)
    }
    var summaries = layout.types.map(FieldSummaryBuilder.init)
    for entry in live {
      for (i, value) in entry.file.partition.values.enumerated() { summaries[i].add(value) }
    }
    if entries.count == live.count, let partitions = manifest.partitions {
      #expect(summaries.map(\.summary) == partitions)
    }
  }

  @Test(arguments: FixtureTable.all)
  func `what is read is written again to the same entries and the same list`(
    table: FixtureTable
  ) throws {
    let files = try table.files()
    for (path, file) in files where Self.isMetadata(path) {
      let metadata = try TableMetadata(file: file)
      for snapshot in metadata.snapshots {
        let location = try #require(snapshot.manifestList)
        let list = try ManifestList(try #require(files[location]))
        let writer = ManifestListWriter(
          formatVersion: metadata.formatVersion, snapshotID: snapshot.id,
          parentID: snapshot.parentID, sequenceNumber: snapshot.sequenceNumber,
          nextRowID: metadata.nextRowID)
        let copied = try writer.write(base: list, adding: []).list
        #expect(copied.manifests == list.manifests)
        #expect(try ManifestList(copied.bytes).manifests == list.manifests)
        let encoded = try writer.write(adding: list.manifests).list
        #expect(try ManifestList(encoded.bytes).manifests == list.manifests)
        for manifest in list.manifests {
          try rewrite(manifest, try #require(files[manifest.path]), metadata)
        }
      }
    }
  }

  private func rewrite(
    _ manifest: ManifestFile, _ bytes: Buffer, _ metadata: TableMetadata
  ) throws {
    let layout = try metadata.partitionLayout(manifest.partitionSpecID)
    var reader = try ManifestReader(bytes, of: manifest, layout: layout)
    let entries = try reader.readAll()
    var writer = try ManifestWriter(
      path: manifest.path, layout: layout, schema: metadata.currentSchema,
      formatVersion: metadata.formatVersion, content: manifest.content,
      snapshotID: manifest.addedSnapshotID)
    for entry in entries {
      switch entry.status {
      case .added: try writer.add(entry.file, sequenceNumber: entry.sequenceNumber)
      case .existing: try writer.keep(entry)
      case .deleted: try writer.delete(entry)
      }
    }
    let new = try writer.finish()
    var listed = new.file(at: manifest.sequenceNumber)
    listed.firstRowID = manifest.firstRowID
    var again = try ManifestReader(new.bytes, of: listed, layout: layout)
    let reread = try again.readAll()
    #expect(reread == entries, "\(manifest.path)")
    #expect(listed.counts == manifest.counts)
    #expect(listed.partitions == manifest.partitions)
    if metadata.formatVersion > .v1, entries.contains(where: \.isLive) {
      #expect(listed.minSequenceNumber == manifest.minSequenceNumber)
    }
  }
}
