// SPDX-License-Identifier: Apache-2.0
internal import Avro
public import Bytes
internal import JSON

/// Reads a manifest of any format version, entry by entry, all that is inherited filled in.
///
///     var reader = try ManifestReader(bytes, of: manifest, layout: layout)
///     while let entry = try reader.next() { … }
///
/// Fields are found by their ids, whatever they are called. What an entry is allowed to leave out
/// comes from the manifest list: sequence numbers, snapshot id, and row ids.
///
/// Cost: a block of the file is inflated at a time; what the projection leaves out is passed over.
/// Source: Iceberg spec, "Manifests" and "Sequence Number Inheritance".
public struct ManifestReader: ~Copyable {
  private let manifest: ManifestFile
  private let decoder: EntryDecoder
  private var file: AvroFileReader
  private var records = Buffer.empty
  private var offset = 0
  private var left = 0
  private var rowIDs: RowIDAssigner
  /// The last partition that was decoded, and its bytes: files of one often follow each other.
  private var partitionBytes: [UInt8] = []
  private var partition: PartitionValues
  private let liveOnly: Bool

  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - layout: of the manifest's own spec.
  ///   - decoders: what was found out of manifests before, and is kept of this one.
  /// - Throws: ``IcebergError/avro(_:in:)``,
  ///   ``IcebergError/checksumMismatch(_:recorded:computed:)``, or ``IcebergError/malformed(_:at:expected:found:)`` if the file is not the one that the
  ///   manifest list tells of.
  public init(
    _ bytes: Buffer, of manifest: ManifestFile, layout: PartitionLayout,
    projection: ManifestProjection = .all, limits: DecodeLimits = .standard,
    decoders: ManifestDecoders? = nil
  ) throws(IcebergError) {
    guard Int64(bytes.count) == manifest.byteCount else {
      throw .malformed(
        Self.document, at: "its end", expected: "\(manifest.byteCount) bytes",
        found: "\(bytes.count)")
    }
    guard layout.spec.id == manifest.partitionSpecID else {
      throw .invalid(
        "reading a manifest of spec \(manifest.partitionSpecID.rawValue)",
        reason: "the layout is of spec \(layout.spec.id.rawValue)")
    }
    try FileChecksum.verify(bytes, as: Self.document)
    let known = decoders?.last(layout, projection.metrics)
    let file = try Self.open(bytes, limits, like: known?.header)
    try Self.check(file.header, manifest)
    if let known, known.header.hasSameSchema(as: file.header) {
      decoder = known.decoder
    } else {
      do throws(AvroError) {
        decoder = try EntryDecoder(file.header.schema, layout, projection.metrics)
      } catch { throw .avro(error, in: Self.document) }
      decoders?.keep(
        ManifestDecoders.Known(
          header: file.header, layout: layout, metrics: projection.metrics, decoder: decoder))
    }
    self.file = file
    self.manifest = manifest
    liveOnly = projection.liveOnly
    rowIDs = RowIDAssigner(manifest)
    partition = PartitionValues(specID: layout.spec.id, values: layout.types.map { _ in nil })
  }

  static let document = "manifest"

  private static func open(
    _ bytes: Buffer, _ limits: DecodeLimits, like known: AvroFileHeader?
  ) throws(IcebergError) -> AvroFileReader {
    do { return try AvroFileReader(bytes, limits: limits, like: known) } catch {
      throw .avro(error, in: document)
    }
  }

  /// What the header says must not contradict the manifest list; it need not say anything.
  private static func check(
    _ header: AvroFileHeader, _ manifest: ManifestFile
  ) throws(IcebergError) {
    if let text = header.text("partition-spec-id"), text != "\(manifest.partitionSpecID.rawValue)" {
      throw .malformed(
        document, at: "partition-spec-id", expected: "\(manifest.partitionSpecID.rawValue)",
        found: text)
    }
    let content = manifest.content == .data ? "data" : "deletes"
    if let text = header.text("content"), text.lowercased() != content {
      throw .malformed(document, at: "content", expected: content, found: text)
    }
  }

  /// The next entry; nil after the last.
  public mutating func next() throws(IcebergError) -> ManifestEntry? {
    while true {
      while left == 0 {
        guard try nextBlock() else { return nil }
      }
      left -= 1
      let raw = try decodeEntry()
      let entry = try complete(raw)
      if liveOnly, !entry.isLive { continue }
      return entry
    }
  }

  /// All entries that are left.
  public mutating func readAll() throws(IcebergError) -> [ManifestEntry] {
    var entries: [ManifestEntry] = []
    while let entry = try next() { entries.append(entry) }
    return entries
  }

  private mutating func nextBlock() throws(IcebergError) -> Bool {
    do throws(AvroError) {
      guard offset == records.count else {
        throw AvroError.malformed(
          offset: offset, expected: "the end of the block",
          found: "\(records.count - offset) more bytes")
      }
      guard let block = try file.nextBlock(reusing: &records) else { return false }
      records = block.bytes
      offset = 0
      left = block.recordCount
      return true
    } catch { throw .avro(error, in: Self.document) }
  }

  private mutating func decodeEntry() throws(IcebergError) -> RawEntry {
    let records = records
    do throws(AvroError) {
      var avro = AvroDecoder(records.bytes.extracting(offset..<records.count))
      var raw = RawEntry()
      try decoder.decode(&avro, into: &raw)
      if let range = raw.partitionRange { try decodePartition(range) }
      offset += avro.offset
      return raw
    } catch { throw .avro(error, in: Self.document) }
  }

  private mutating func decodePartition(_ range: Range<Int>) throws(AvroError) {
    // Copied, so that nothing refers to the block, whose memory serves for the next one.
    let records = records
    let bytes = records.bytes.extracting(
      offset + range.lowerBound..<offset + range.upperBound)
    guard !partitionBytes.isEmpty, bytes.hasSameBytes(as: partitionBytes.span.rawBytes) else {
      var avro = AvroDecoder(bytes)
      partition = try decoder.decodePartition(&avro)
      partitionBytes = bytes.array()
      return
    }
  }
}

// MARK: - Inheritance

extension ManifestReader {
  private mutating func complete(_ raw: RawEntry) throws(IcebergError) -> ManifestEntry {
    guard let number = raw.status, let status = ManifestEntry.Status(rawValue: Int(number)) else {
      throw malformed("status", "0, 1 or 2", raw.status.map { "\($0)" })
    }
    var file = try dataFile(raw)
    if manifest.content == .data {
      file.firstRowID = try rowIDs.id(of: file, status)
    } else {
      file.firstRowID = nil
    }
    return ManifestEntry(
      status: status,
      snapshotID: raw.snapshotID.map { SnapshotID($0) } ?? manifest.addedSnapshotID,
      sequenceNumber: try sequenceNumber(raw.sequenceNumber, status),
      fileSequenceNumber: inherited(raw.fileSequenceNumber, status), file: file)
  }

  /// Only what is added inherits, and all of v1 manifests, which have no sequence numbers.
  private func inherited(_ number: Int64?, _ status: ManifestEntry.Status) -> SequenceNumber? {
    if let number { return SequenceNumber(number) }
    let inherits = status == .added || manifest.sequenceNumber.rawValue == 0
    return inherits ? manifest.sequenceNumber : nil
  }

  private func sequenceNumber(
    _ number: Int64?, _ status: ManifestEntry.Status
  ) throws(IcebergError) -> SequenceNumber {
    guard let number = inherited(number, status) else {
      throw malformed("sequence_number", "a number, as the file is not new", nil)
    }
    return number
  }

  private func dataFile(_ raw: RawEntry) throws(IcebergError) -> DataFile {
    guard let content = DataFile.Content(rawValue: Int(raw.content)),
      (content == .data) == (manifest.content == .data)
    else {
      let expected = manifest.content == .data ? "0, in a data manifest" : "1 or 2"
      throw malformed("data_file.content", expected, "\(raw.content)")
    }
    guard let path = raw.path else { throw malformed("data_file.file_path", "a path", nil) }
    guard let format = raw.format else { throw malformed("data_file.file_format", "a format", nil) }
    guard let rows = raw.recordCount, rows >= 0 else {
      throw malformed("data_file.record_count", "a count", raw.recordCount.map { "\($0)" })
    }
    guard let size = raw.byteCount, size >= 0 else {
      throw malformed("data_file.file_size_in_bytes", "a size", raw.byteCount.map { "\($0)" })
    }
    return DataFile(
      content: content, path: path, format: format, partition: partition, recordCount: rows,
      byteCount: size, metrics: raw.metrics, splitOffsets: raw.splitOffsets,
      equalityIDs: raw.equalityIDs,
      sortOrderID: content == .positionDeletes ? nil : raw.sortOrderID.map { SortOrderID($0) },
      firstRowID: raw.firstRowID, referencedDataFile: raw.referencedDataFile,
      contentRange: try contentRange(raw), keyMetadata: raw.keyMetadata)
  }

  private func contentRange(_ raw: RawEntry) throws(IcebergError) -> DataFile.ContentRange? {
    guard let offset = raw.contentOffset else { return nil }
    guard let count = raw.contentByteCount, offset >= 0, count >= 0,
      !offset.addingReportingOverflow(count).overflow
    else {
      throw malformed(
        "data_file.content_offset", "a part of the file",
        "\(offset), \(raw.contentByteCount.map { "\($0)" } ?? "no size")")
    }
    return DataFile.ContentRange(offset: offset, byteCount: count)
  }

  private func malformed(_ place: String, _ expected: String, _ found: String?) -> IcebergError {
    .malformed(Self.document, at: place, expected: expected, found: found ?? "nothing")
  }
}

/// Gives files without a first row id theirs, in the order of the manifest.
///
/// Source: Iceberg spec, "First Row ID Inheritance". Deleted files neither get nor count.
struct RowIDAssigner {
  private var next: Int64?

  init(_ manifest: ManifestFile) { next = manifest.firstRowID }

  mutating func id(
    of file: DataFile, _ status: ManifestEntry.Status
  ) throws(IcebergError) -> Int64? {
    if let id = file.firstRowID { return id }
    guard status != .deleted, let id = next else { return nil }
    let (after, overflow) = id.addingReportingOverflow(file.recordCount)
    guard !overflow, id >= 0 else {
      throw .malformed(
        ManifestReader.document, at: "first_row_id", expected: "row ids that fit",
        found: "\(file.recordCount) rows from \(id) on")
    }
    next = after
    return id
  }
}
