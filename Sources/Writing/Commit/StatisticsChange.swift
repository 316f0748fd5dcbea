// SPDX-License-Identifier: Apache-2.0
internal import Bytes
public import Catalogs
public import Iceberg
public import Scanning
internal import Storage

/// Gives a snapshot a statistics file with sketches of how many distinct values its columns have.
///
/// A snapshot has one such file: blobs of other kinds and of other columns that are in the one there
/// is are carried over.
public struct StatisticsChange: TableChange {
  public let snapshot: SnapshotID
  public let sketches: [ColumnSketch]

  public init(_ sketches: [ColumnSketch], of snapshot: SnapshotID) {
    self.sketches = sketches
    self.snapshot = snapshot
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    guard let snapshot = base.metadata.snapshot(snapshot) else {
      throw .conflict(.historyIsGone(self.snapshot))
    }
    guard !sketches.isEmpty else { return .nothing }
    let old = base.metadata.statisticsToCarryOver(of: snapshot.id)
    let carried = try await carried(from: old, base)
    let keys = carried.filter { $0.blob.type == StatisticsFile.indexType }.map(\.blob.fields)
    let path = try base.metadataPath(
      StatisticsFile.name(
        snapshot.id, snapshot.sequenceNumber, attempt.fileName, indexes: keys))
    let (file, blobs, footerByteCount) = try write(carried, snapshot)
    do throws(StorageError) {
      try await base.store.create(path, file)
    } catch {
      throw .storage(error, while: "writing \(path)")
    }
    let statistics = StatisticsFile(
      snapshotID: snapshot.id, path: path.text, byteCount: Int64(file.count),
      footerByteCount: footerByteCount, blobs: blobs)
    return ChangePlan(
      requirements: base.metadata.sameTable,
      updates: base.metadata.makingRoom(at: snapshot.id) + [.setStatistics(statistics)],
      attemptFiles: [path])
  }

  /// A blob as it is stored in another file.
  private struct StoredBlob {
    let blob: PuffinBlob
    let bytes: Buffer
  }

  /// How large a statistics file may be to be carried over.
  private static let byteCountLimit: Int64 = 256 << 20

  /// The blobs of `file` that the sketches do not stand for.
  private func carried(
    from file: StatisticsFile?, _ base: Table
  ) async throws(CommitError) -> [StoredBlob] {
    guard let file else { return [] }
    if file.byteCount > Self.byteCountLimit { return try await carriedOfLarge(file, base) }
    let bytes: Buffer
    do throws(StorageError) {
      bytes = try await base.store.get(try ObjectPath(file.path), limit: Self.byteCountLimit)
    } catch {
      throw .storage(error, while: "reading the statistics that are there")
    }
    do throws(IcebergError) {
      return try blobs(in: bytes).filter { !isReplaced($0.blob) }
    } catch {
      throw .catalog(.rejected(error))
    }
  }

  /// As ``carried(from:_:)``, without a key index, which is what makes such files large: it is a
  /// cache, and made again.
  private func carriedOfLarge(
    _ file: StatisticsFile, _ base: Table
  ) async throws(CommitError) -> [StoredBlob] {
    let most = min(file.byteCount, max(file.footerByteCount, Int64(PuffinFooter.tailByteCount)))
    let bytes: Buffer
    let path: ObjectPath
    do throws(StorageError) {
      path = try ObjectPath(file.path)
      bytes = try await base.store.get(path, range: file.byteCount - most..<file.byteCount)
    } catch {
      throw .storage(error, while: "reading the statistics that are there")
    }
    let footer: PuffinFooter
    do throws(IcebergError) {
      footer = try PuffinFooter(decoding: bytes.bytes, fileByteCount: file.byteCount)
    } catch {
      throw .catalog(.rejected(error))
    }
    var carried: [StoredBlob] = []
    do throws(StorageError) {
      for blob in footer.blobs
      where !isReplaced(blob) && !blob.type.hasPrefix(StatisticsFile.indexTypePrefix) {
        let range = blob.offset..<blob.offset + blob.byteCount
        carried.append(StoredBlob(blob: blob, bytes: try await base.store.get(path, range: range)))
      }
      return carried
    } catch {
      throw .storage(error, while: "reading the statistics that are there")
    }
  }

  /// True if one of the sketches stands for the blob.
  private func isReplaced(_ blob: PuffinBlob) -> Bool {
    blob.type == PuffinBlob.thetaSketchType
      && sketches.contains { blob.fields == [$0.fieldID] }
  }

  private func blobs(in file: Buffer) throws(IcebergError) -> [StoredBlob] {
    let tail = file.bytes.extracting(last: min(file.count, PuffinFooter.tailByteCount))
    let count = Int(clamping: try PuffinFooter.byteCount(tail: tail))
    let footer = try PuffinFooter(
      decoding: file.bytes.extracting(last: min(count, file.count)),
      fileByteCount: Int64(file.count))
    return footer.blobs.map { blob in
      let start = Int(blob.offset)
      return StoredBlob(blob: blob, bytes: file.slice(start..<start + Int(blob.byteCount)))
    }
  }

  private func write(
    _ carried: [StoredBlob], _ snapshot: Snapshot
  ) throws(CommitError) -> (file: Buffer, blobs: [StatisticsBlob], footerByteCount: Int64) {
    var writer = PuffinWriter(properties: ["created-by": "Lake"])
    var blobs: [StatisticsBlob] = []
    do throws(IcebergError) {
      for stored in carried {
        blobs.append(StatisticsBlob(writer.append(stored: stored.bytes.bytes, as: stored.blob)))
      }
      for column in sketches {
        let blob = try writer.append(
          column.sketch.serialized().bytes, type: PuffinBlob.thetaSketchType,
          fields: [column.fieldID], snapshotID: snapshot.id,
          sequenceNumber: snapshot.sequenceNumber, compression: .zstd,
          properties: ["ndv": "\(column.sketch.distinctCount)"])
        blobs.append(StatisticsBlob(blob))
      }
      let (file, footerByteCount) = try writer.finish()
      return (file, blobs, footerByteCount)
    } catch {
      throw .rejected(error)
    }
  }
}

extension StatisticsBlob {
  fileprivate init(_ blob: PuffinBlob) {
    self.init(
      type: blob.type, snapshotID: blob.snapshotID, sequenceNumber: blob.sequenceNumber,
      fieldIDs: blob.fields, properties: blob.properties)
  }
}

extension Table {
  /// Reads a state of the table, sketches how many distinct values its columns have, and commits the
  /// sketches as its statistics.
  ///
  /// - Parameter columns: which, fields of structures by dots; nil: all that are not made of others.
  /// - Returns: nil if the table has no rows yet, or no such columns; then nothing was committed.
  public func analyze(
    _ columns: [String]? = nil, at selection: SnapshotSelection = .current
  ) async throws(CommitError) -> Analysis? {
    let snapshot: Snapshot?
    let sketches: [ColumnSketch]
    do throws(ScanError) {
      snapshot = try metadata.state(selection).snapshot
      sketches = snapshot == nil ? [] : try await scan().at(selection).sketches(of: columns)
    } catch {
      throw .reading(error)
    }
    guard let snapshot, !sketches.isEmpty else { return nil }
    let receipt = try await commit(StatisticsChange(sketches, of: snapshot.id))
    return Analysis(snapshotID: snapshot.id, sketches: sketches, receipt: receipt)
  }
}

/// What was found out of a state of a table, and committed as its statistics.
public struct Analysis: Sendable {
  public let snapshotID: SnapshotID
  public let sketches: [ColumnSketch]
  public let receipt: CommitReceipt
}
