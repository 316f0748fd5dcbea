// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Catalogs
internal import Iceberg
internal import Storage
internal import Writing

/// Writes a statistics file blob by blob, so that no more than one is in memory.
struct StatisticsWriter: ~Copyable {
  private var puffin: PuffinWriter
  /// For whoever gives the file up.
  let writer: any ObjectWriter
  private let path: ObjectPath
  private let table: Table
  private let snapshot: Snapshot
  private let fieldIDs: [FieldID]
  private var blobs: [StatisticsBlob] = []

  init(
    _ path: ObjectPath, _ table: Table, _ snapshot: Snapshot, _ fieldIDs: [FieldID]
  ) async throws(KeyIndexError) {
    do throws(StorageError) { writer = try await table.store.writer(to: path, if: .absent) } catch {
      throw .storage(error, while: "writing \(path)")
    }
    puffin = PuffinWriter(properties: ["created-by": "Lake"])
    self.path = path
    self.table = table
    self.snapshot = snapshot
    self.fieldIDs = fieldIDs
  }

  /// Copies the blobs of a statistics file, but for those of indexes.
  ///
  /// - Parameter ids: the key of those indexes; nil: of all keys.
  mutating func carryOver(
    _ old: StatisticsFile, dropping ids: [FieldID]?
  ) async throws(KeyIndexError) {
    guard let path = try? ObjectPath(old.path) else { return }
    guard let (footer, _, _) = await KeptIndex.footer(old, table) else {
      return try await checkUseless(path)
    }
    for blob in footer.blobs {
      let isIndex =
        blob.type == IndexDirectory.blobType || blob.type == IndexDirectory.segmentType
      if isIndex, ids == nil || blob.fields == ids { continue }
      let range = blob.offset..<blob.offset + blob.byteCount
      guard let bytes = try? await table.store.get(path, range: range),
        Int64(bytes.count) == blob.byteCount
      else {
        try await checkUseless(path)
        continue
      }
      blobs.append(StatisticsBlob(puffin.append(stored: bytes.bytes, as: blob)))
      try await flush()
    }
  }

  /// Throws where what could not be read may be readable another time, and so is not to be lost.
  private func checkUseless(_ path: ObjectPath) async throws(KeyIndexError) {
    do throws(StorageError) { _ = try await table.store.headIfPresent(path) } catch {
      throw .storage(error, while: "reading the statistics that are there")
    }
  }

  mutating func write(
    _ segment: IndexSegment, _ table: Table
  ) async throws(KeyIndexError) -> StoredSegment {
    var columns = segment.memory?.columns
    if columns == nil, let stored = segment.stored {
      columns = await stored.load(from: table.store, fileCount: .max, parallelism: 1)?.columns
      if columns == nil { throw .segmentIsGone(stored.path) }
    }
    let id = segment.stored?.id ?? table.environment.random.next()
    let (stored, bytes) = StoredSegment.encode(columns ?? .empty, id: id)
    let offset = try await append(
      bytes, IndexDirectory.segmentType, compression: nil,
      [IndexDirectory.segmentProperty: "\(id)"])
    return stored.at("", offset)
  }

  mutating func write(
    _ directory: IndexDirectory, _ index: KeyIndex
  ) async throws(KeyIndexError) {
    _ = try await append(
      directory.encoded(), IndexDirectory.blobType, compression: .zstd,
      ["entries": "\(index.placeCount)", "files": "\(index.fileCount)"])
  }

  private mutating func append(
    _ bytes: Buffer, _ type: String, compression: PuffinCodec?, _ properties: [String: String]
  ) async throws(KeyIndexError) -> Int64 {
    let blob: PuffinBlob
    do throws(IcebergError) {
      blob = try puffin.append(
        bytes.bytes, type: type, fields: fieldIDs, snapshotID: snapshot.id,
        sequenceNumber: snapshot.sequenceNumber, compression: compression, properties: properties)
    } catch {
      throw .committing(.rejected(error))
    }
    blobs.append(StatisticsBlob(blob))
    try await flush()
    return blob.offset
  }

  private mutating func flush() async throws(KeyIndexError) {
    try await send(puffin.takeBytes())
  }

  private func send(_ bytes: Buffer) async throws(KeyIndexError) {
    do throws(StorageError) { try await writer.append(bytes) } catch {
      throw .storage(error, while: "writing \(path)")
    }
  }

  consuming func finish() async throws(KeyIndexError) -> StatisticsFile {
    let (path, writer, snapshot, blobs) = (path, writer, snapshot, blobs)
    let before = puffin.byteCount
    let (rest, footerByteCount): (Buffer, Int64)
    do throws(IcebergError) { (rest, footerByteCount) = try puffin.finish() } catch {
      throw .committing(.rejected(error))
    }
    do throws(StorageError) {
      try await writer.append(rest)
      _ = try await writer.finish()
    } catch {
      throw .storage(error, while: "writing \(path)")
    }
    return StatisticsFile(
      snapshotID: snapshot.id, path: path.text, byteCount: before + footerByteCount,
      footerByteCount: footerByteCount, blobs: blobs)
  }
}

extension StatisticsBlob {
  fileprivate init(_ blob: PuffinBlob) {
    self.init(
      type: blob.type, snapshotID: blob.snapshotID, sequenceNumber: blob.sequenceNumber,
      fieldIDs: blob.fields, properties: blob.properties)
  }
}
