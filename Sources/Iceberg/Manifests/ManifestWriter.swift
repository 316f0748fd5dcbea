// SPDX-License-Identifier: Apache-2.0
internal import Avro
internal import Bytes
internal import Codecs
internal import JSON

/// Writes a manifest into memory: files of one content and one partition spec.
///
///     var writer = try ManifestWriter(path: path, layout: layout, schema: schema, …)
///     try writer.add(file)
///     let manifest = try writer.finish()
///
/// The same calls give the same bytes.
///
/// Source: Iceberg spec, "Manifests".
public struct ManifestWriter: ~Copyable {
  private let path: String
  private let layout: PartitionLayout
  private let version: FormatVersion
  private let content: ManifestFile.Content
  private let snapshotID: SnapshotID

  private var file: AvroFileWriter
  private var summaries: [FieldSummaryBuilder]
  private var counts = ManifestFile.Counts.zero
  private var minSequenceNumber: SequenceNumber?
  private var hasInheritingFiles = false

  /// - Parameters:
  ///   - path: where the manifest is going to lie; it is unique.
  ///   - schema: the table's current one, noted in the header.
  ///   - snapshotID: of the commit it is written for: who adds and deletes its files.
  /// - Throws: ``IcebergError/invalid(_:reason:)`` for deletes in a v1 table, or a spec with a
  ///   transform this engine does not know.
  public init(
    path: String, layout: PartitionLayout, schema: Schema, formatVersion: FormatVersion,
    content: ManifestFile.Content, snapshotID: SnapshotID
  ) throws(IcebergError) {
    guard content == .data || formatVersion > .v1 else {
      throw .invalid("a delete manifest", reason: "it needs format version 2")
    }
    for field in layout.spec.fields {
      guard case .unknown(let name) = field.transform else { continue }
      throw .unsupported("writing partitions of transform '\(name)'")
    }
    let file = try Self.begin(path, layout, schema, formatVersion, content)
    self.path = path
    self.layout = layout
    self.version = formatVersion
    self.content = content
    self.snapshotID = snapshotID
    summaries = layout.types.map(FieldSummaryBuilder.init)
    self.file = file
  }

  private static func begin(
    _ path: String, _ layout: PartitionLayout, _ schema: Schema, _ version: FormatVersion,
    _ content: ManifestFile.Content
  ) throws(IcebergError) -> AvroFileWriter {
    let seed = XXHash64.hash(Buffer(utf8: path).bytes)
    do {
      return try AvroFileWriter(
        schema: ManifestAvroSchema.entry(version, layout),
        metadata: header(layout, schema, version, content), codec: .deflate,
        syncMarker: AvroSyncMarker(seed: seed))
    } catch { throw .avro(error, in: "manifest") }
  }

  private static func header(
    _ layout: PartitionLayout, _ schema: Schema, _ version: FormatVersion,
    _ content: ManifestFile.Content
  ) -> [(key: String, value: [UInt8])] {
    var schemaText = JSONWriter()
    schema.write(to: &schemaText)
    var specText = JSONWriter()
    layout.spec.writeFields(to: &specText)
    var entries: [(key: String, value: [UInt8])] = [
      (FileChecksum.key, FileChecksum.placeholder),
      ("schema", schemaText.finish().array()),
      ("schema-id", Array("\(schema.id.rawValue)".utf8)),
      ("partition-spec", specText.finish().array()),
      ("partition-spec-id", Array("\(layout.spec.id.rawValue)".utf8)),
      ("format-version", Array("\(version.rawValue)".utf8)),
    ]
    if version > .v1 {
      entries.append(("content", Array((content == .data ? "data" : "deletes").utf8)))
    }
    return entries
  }

  /// How many entries were written.
  public var entryCount: Int { file.recordCount }
  /// About how many bytes the file has so far, a block that is not full left out.
  public var byteCount: Int { file.byteCount }

  /// Adds `file` to the table.
  ///
  /// - Parameter sequenceNumber: how old its content is, if it is older than the commit: a file
  ///   that compaction wrote, to which later deletes still apply. Nil leaves it to the commit.
  /// - Throws: ``IcebergError/invalid(_:reason:)`` if the file does not belong in this manifest.
  public mutating func add(
    _ file: DataFile, sequenceNumber: SequenceNumber? = nil
  ) throws(IcebergError) {
    try write(
      file, .added, snapshotID: snapshotID, sequenceNumber: sequenceNumber,
      fileSequenceNumber: nil)
    noteLive(sequenceNumber)
  }

  /// Carries a file of another manifest over, unchanged.
  public mutating func keep(_ entry: ManifestEntry) throws(IcebergError) {
    try write(
      entry.file, .existing, snapshotID: entry.snapshotID, sequenceNumber: entry.sequenceNumber,
      fileSequenceNumber: entry.fileSequenceNumber)
    noteLive(entry.sequenceNumber)
  }

  /// Notes that this manifest's snapshot removes a file of another manifest.
  public mutating func delete(_ entry: ManifestEntry) throws(IcebergError) {
    try write(
      entry.file, .deleted, snapshotID: snapshotID, sequenceNumber: entry.sequenceNumber,
      fileSequenceNumber: entry.fileSequenceNumber)
  }

  private mutating func noteLive(_ sequenceNumber: SequenceNumber?) {
    if let sequenceNumber {
      minSequenceNumber = min(minSequenceNumber ?? sequenceNumber, sequenceNumber)
    } else {
      hasInheritingFiles = true
    }
  }

  private mutating func write(
    _ dataFile: DataFile, _ status: ManifestEntry.Status, snapshotID: SnapshotID,
    sequenceNumber: SequenceNumber?, fileSequenceNumber: SequenceNumber?
  ) throws(IcebergError) {
    try check(dataFile)
    file.encoder.writeInt(Int32(status.rawValue))
    if version == .v1 {
      file.encoder.writeLong(snapshotID.rawValue)
    } else {
      file.encoder.writeOptional(snapshotID.rawValue)
      file.encoder.writeOptional(sequenceNumber?.rawValue)
      file.encoder.writeOptional(fileSequenceNumber?.rawValue)
    }
    try file.encoder.write(dataFile, version, layout)
    do { try file.endRecord() } catch { throw .avro(error, in: "manifest") }
    counts.add(dataFile, status)
    for (i, value) in dataFile.partition.values.enumerated() { summaries[i].add(value) }
  }

  private func check(_ file: DataFile) throws(IcebergError) {
    let what = "file '\(file.path)'"
    guard (file.content == .data) == (content == .data) else {
      throw .invalid(what, reason: "a manifest holds either data or deletes")
    }
    guard file.partition.specID == layout.spec.id,
      file.partition.values.count == layout.spec.fields.count
    else { throw .invalid(what, reason: "its partition is not of spec \(layout.spec.id.rawValue)") }
    guard file.recordCount >= 0, file.byteCount >= 0 else {
      throw .invalid(what, reason: "its counts are negative")
    }
    if version < .v3, file.contentRange != nil || file.isDeletionVector {
      throw .invalid(what, reason: "a deletion vector needs format version 3")
    }
    if file.content != .data, file.firstRowID != nil {
      throw .invalid(what, reason: "files of deletes have no row ids")
    }
    if (file.content == .equalityDeletes) != (file.equalityIDs != nil) {
      throw .invalid(what, reason: "equality ids belong to equality deletes, and to no other file")
    }
  }

  /// The manifest, complete.
  ///
  /// - Throws: ``IcebergError/avro(_:in:)`` if there is no memory to compress in.
  public consuming func finish() throws(IcebergError) -> NewManifest {
    let path = path
    let specID = layout.spec.id
    let content = content
    let snapshotID = snapshotID
    let counts = counts
    let partitions = summaries.map(\.summary)
    let (minimum, inherits) = (minSequenceNumber, hasInheritingFiles)
    let bytes: Buffer
    do { bytes = try file.finish() } catch { throw .avro(error, in: "manifest") }
    return NewManifest(
      path: path, bytes: FileChecksum.sealing(bytes), partitionSpecID: specID, content: content,
      snapshotID: snapshotID, counts: counts, partitions: partitions, minSequenceNumber: minimum,
      hasInheritingFiles: inherits)
  }
}
