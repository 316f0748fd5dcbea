// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes
internal import Codecs

/// Makes the manifest list of a snapshot: most of the one before, and some manifests more.
///
/// Blocks of the list before are copied as they are, compressed, if all their manifests stay: so a
/// commit costs what it changes. So that blocks stay few, those that have become small beside what
/// is added are written again with it: over n commits a manifest is written again O(log n) times.
///
/// Source: Iceberg spec, "Manifest Lists" and "First Row ID Assignment".
public struct ManifestListWriter: Sendable {
  public let formatVersion: FormatVersion
  public let snapshotID: SnapshotID
  public let parentID: SnapshotID?
  /// The commit's; 0 in v1.
  public let sequenceNumber: SequenceNumber
  /// v3: the table's `next-row-id`, read anew for each attempt of a commit; 0 before.
  public let nextRowID: Int64

  public init(
    formatVersion: FormatVersion, snapshotID: SnapshotID, parentID: SnapshotID?,
    sequenceNumber: SequenceNumber, nextRowID: Int64
  ) {
    self.formatVersion = formatVersion
    self.snapshotID = snapshotID
    self.parentID = parentID
    self.sequenceNumber = sequenceNumber
    self.nextRowID = nextRowID
  }

  /// For a snapshot `id` on top of `parentID` of `table`.
  public init(for id: SnapshotID, on parentID: SnapshotID?, of table: TableMetadata) {
    self.init(
      formatVersion: table.formatVersion, snapshotID: id, parentID: parentID,
      sequenceNumber: table.nextSequenceNumber,
      nextRowID: table.formatVersion >= .v3 ? table.nextRowID : 0)
  }

  /// What was written.
  public struct Output: Sendable {
    public let list: ManifestList
    /// v3: what the snapshot has to state.
    public let rowLineage: Snapshot.RowLineage?
  }

  /// The list of `base`'s manifests, those called `removed` left out, and after them `added`.
  ///
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if row ids run out, or a manifest without counts
  ///   needs some; ``IcebergError/avro(_:in:)`` if blocks of `base` can't be read.
  public func write(
    base: ManifestList? = nil, removing removed: Set<String> = [], adding added: [ManifestFile]
  ) throws(IcebergError) -> Output {
    var assignment = RowIDAssignment(formatVersion, next: nextRowID)
    let plan = try ListPlan(base, removed, added, formatVersion, &assignment)
    let bytes: Buffer
    do throws(AvroError) {
      var file = try AvroFileWriter(
        schema: plan.schema, metadata: header, codec: .deflate, blockByteCount: 256 << 10,
        syncMarker: AvroSyncMarker(seed: UInt64(bitPattern: snapshotID.rawValue)))
      try write(plan, to: &file)
      bytes = FileChecksum.sealing(try file.finish())
    } catch { throw .avro(error, in: ManifestList.document) }
    return Output(
      list: try ManifestList(bytes, of: plan),
      rowLineage: assignment.lineage(from: nextRowID))
  }

  private var header: [(key: String, value: [UInt8])] {
    var entries: [(key: String, value: [UInt8])] = [
      (FileChecksum.key, FileChecksum.placeholder),
      ("snapshot-id", Array("\(snapshotID.rawValue)".utf8)),
      ("parent-snapshot-id", Array((parentID.map { "\($0.rawValue)" } ?? "null").utf8)),
      ("format-version", Array("\(formatVersion.rawValue)".utf8)),
    ]
    if formatVersion > .v1 {
      entries.append(("sequence-number", Array("\(sequenceNumber.rawValue)".utf8)))
    }
    if formatVersion >= .v3 { entries.append(("first-row-id", Array("\(nextRowID)".utf8))) }
    return entries
  }

  private func write(
    _ plan: ListPlan, to file: inout AvroFileWriter
  ) throws(AvroError) {
    for part in plan.parts {
      switch part {
      case .copied(let block): try file.append(block.raw)
      case .encoded(let manifests):
        for manifest in manifests {
          file.encoder.write(manifest, formatVersion)
          try file.endRecord()
        }
      }
    }
  }
}

extension ManifestList {
  /// The list that was just written of `plan`: its manifests are known, its blocks are looked up.
  fileprivate init(_ bytes: Buffer, of plan: ListPlan) throws(IcebergError) {
    var blocks: [Block] = []
    do throws(AvroError) {
      var file = try AvroFileReader(bytes)
      for part in plan.parts {
        switch part {
        case .copied(let block):
          guard let raw = try file.nextRawBlock() else { continue }
          blocks.append(Block(raw: raw, manifests: block.manifests))
        case .encoded(let manifests):
          var start = 0
          while start < manifests.count, let raw = try file.nextRawBlock() {
            let end = min(start + raw.recordCount, manifests.count)
            blocks.append(Block(raw: raw, manifests: Array(manifests[start..<end])))
            start = end
          }
        }
      }
    } catch { throw .avro(error, in: Self.document) }
    self.bytes = bytes
    self.schema = plan.schema
    self.blocks = blocks
  }
}

/// What goes into a manifest list, in its order.
private struct ListPlan {
  enum Part {
    case copied(ManifestList.Block)
    /// Manifests that are encoded anew.
    case encoded([ManifestFile])
  }

  let schema: AvroSchema
  private let areCountsNeeded: Bool
  private(set) var parts: [Part] = []
  private var waiting: [ManifestFile] = []

  /// Blocks of more manifests than this are not written again only because they are small.
  private static let largeBlockCount = 512

  init(
    _ base: ManifestList?, _ removed: Set<String>, _ added: [ManifestFile],
    _ version: FormatVersion, _ assignment: inout RowIDAssignment
  ) throws(IcebergError) {
    schema = ManifestAvroSchema.manifestFile(version)
    areCountsNeeded = version > .v1
    let blocks = base?.blocks ?? []
    let isCopyable = base?.schema.hasSameEncoding(as: schema) ?? false
    var pending = added.count
    var firstMerged = blocks.count
    // From the end: what is small beside all that follows it is written with that.
    while let block = blocks.prefix(firstMerged).last, block.manifests.count <= pending,
      block.manifests.count < Self.largeBlockCount
    {
      pending += block.manifests.count
      firstMerged -= 1
    }
    for (i, block) in blocks.enumerated() {
      if isCopyable, i < firstMerged, Self.stays(block, removed, assignment) {
        flush()
        parts.append(.copied(block))
      } else {
        try add(block.manifests.filter { !removed.contains($0.path) }, &assignment)
      }
    }
    try add(added, &assignment)
    flush()
  }

  private static func stays(
    _ block: ManifestList.Block, _ removed: Set<String>, _ assignment: RowIDAssignment
  ) -> Bool {
    if assignment.isNeeded, block.manifests.contains(where: { assignment.changes($0) }) {
      return false
    }
    return removed.isEmpty || !block.manifests.contains { removed.contains($0.path) }
  }

  private mutating func add(
    _ files: [ManifestFile], _ assignment: inout RowIDAssignment
  ) throws(IcebergError) {
    var files = files
    for i in files.indices {
      if areCountsNeeded, !files[i].counts.areKnown {
        throw .invalid(
          "listing manifest '\(files[i].path)'",
          reason: "it is not known how many files and rows it has; count its entries")
      }
      try assignment.assign(&files[i])
    }
    waiting += files
  }

  /// Ends a run of manifests that are encoded anew.
  private mutating func flush() {
    guard !waiting.isEmpty else { return }
    parts.append(.encoded(waiting))
    waiting = []
  }
}

/// Gives data manifests their first row ids, each as many more as the one before has rows.
struct RowIDAssignment {
  let isNeeded: Bool
  private(set) var next: Int64

  init(_ version: FormatVersion, next: Int64) {
    isNeeded = version >= .v3
    self.next = next
  }

  /// True if `file` is to get an id, or to lose one that it must not have.
  func changes(_ file: ManifestFile) -> Bool {
    isNeeded && (file.content == .data) != (file.firstRowID != nil)
  }

  mutating func assign(_ file: inout ManifestFile) throws(IcebergError) {
    guard isNeeded, file.content == .data else {
      file.firstRowID = nil
      return
    }
    guard file.firstRowID == nil else { return }
    guard let rows = file.assignableRowCount else {
      throw .invalid(
        "row ids for manifest '\(file.path)'", reason: "it is not known how many rows it has")
    }
    let (after, overflow) = next.addingReportingOverflow(rows)
    guard !overflow else {
      throw .invalid("\(rows) more row ids", reason: "the table has given \(next) already")
    }
    file.firstRowID = next
    next = after
  }

  func lineage(from first: Int64) -> Snapshot.RowLineage? {
    isNeeded ? Snapshot.RowLineage(firstRowID: first, addedRowCount: next - first) : nil
  }
}

extension AvroEncoder {
  /// Writes an entry of a manifest list.
  fileprivate mutating func write(_ file: ManifestFile, _ version: FormatVersion) {
    writeString(file.path)
    writeLong(file.byteCount)
    writeInt(file.partitionSpecID.rawValue)
    if version > .v1 {
      writeInt(Int32(file.content.rawValue))
      writeLong(file.sequenceNumber.rawValue)
      writeLong(file.minSequenceNumber.rawValue)
    }
    writeLong(file.addedSnapshotID.rawValue)
    let counts = file.counts
    for count in [
      counts.addedFiles, counts.existingFiles, counts.deletedFiles, counts.addedRows,
      counts.existingRows, counts.deletedRows,
    ] {
      // From v2 on they are known, which was checked before.
      if version > .v1 { writeLong(count ?? 0) } else { writeOptional(count) }
    }
    writeSummaries(file.partitions)
    writeOptional(file.keyMetadata)
    if version >= .v3 { writeOptional(file.firstRowID) }
  }

  private mutating func writeSummaries(_ summaries: [FieldSummary]?) {
    guard let summaries else { return writeBranch(0) }
    writeBranch(1)
    writeBlockCount(summaries.count)
    for summary in summaries {
      write(summary.containsNull)
      if let containsNaN = summary.containsNaN {
        writeBranch(1)
        write(containsNaN)
      } else {
        writeBranch(0)
      }
      writeOptional(summary.lowerBound)
      writeOptional(summary.upperBound)
    }
    endBlocks()
  }
}
