// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Columnar
internal import Iceberg
internal import Scanning
internal import Writing

/// A group of files, and what was written in its place.
struct RewrittenGroup: Sendable {
  /// The data files, as they were read.
  let replaced: [ManifestEntry]
  let added: [DataFile]
  /// Where the live rows went.
  let map: PositionMap
}

/// Reads the live rows of files, what deletes them applied, and writes them to others, each with its
/// id.
struct GroupRewrite {
  let table: Table
  let options: CompactionOptions
  let targetByteCount: Int64

  /// - Returns: nothing of which is part of the table. On an error nothing is left of it.
  func run(_ group: CompactionGroup) async throws(CommitError) -> RewrittenGroup {
    // What comes out a little larger than was guessed needs no file of its own.
    let writer = try RelocatingWriter(
      table, targetByteCount: targetByteCount.saturating(targetByteCount / 4),
      sortOrder: table.metadata.defaultSortOrder, sortByteLimit: options.memoryLimit,
      keyed: options.key)
    let place = [MetadataColumn.file, .position].map(\.rawValue)
    let lineage = [MetadataColumn.rowID, .lastUpdatedSequenceNumber].map(\.rawValue)
    let carriesLineage = table.metadata.formatVersion >= .v3
    let scan = table.scan().at(.reference(options.branch)).of(group.tasks)
      .select(["*"] + place + (carriesLineage ? lineage : []))
    var failure: CommitError?
    do throws(CommitError) {
      do throws(ScanError) {
        try await scan.read { batch throws(ScanError) in
          batch
        } consume: { batch throws(ScanError) in
          guard batch.rowCount > 0, let file = batch.column(place[0]),
            let positions = batch.column(place[1])
          else { return true }
          let rows = batch.selecting(
            batch.fields.indices.filter { !place.contains(batch.fields[$0].name) })
          do throws(CommitError) {
            // A batch is of one file.
            try await writer.write(rows, from: positions, of: file.string(0))
            return true
          } catch {
            failure = error
            return false
          }
        }
      } catch {
        throw .reading(error)
      }
      if let failure { throw failure }
      let (files, map) = try await writer.finish()
      return RewrittenGroup(replaced: group.tasks.map(\.entry), added: files, map: map)
    } catch {
      await writer.abort()
      throw error
    }
  }
}
