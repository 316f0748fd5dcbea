// SPDX-License-Identifier: Apache-2.0

extension TableMetadata {
  /// All rules of the format that this metadata breaks; empty if it breaks none.
  ///
  /// None of them keeps the table from being read: those that would are found when it is loaded.
  /// Cost: O(n) in snapshots and fields.
  public func validate() -> [MetadataViolation] {
    var found: [MetadataViolation] = []
    checkTable(&found)
    checkSchemas(&found)
    checkSpecs(&found)
    checkSnapshots(&found)
    checkAncestry(&found)
    checkLogs(&found)
    checkStatistics(&found)
    return found
  }

  private func checkTable(_ found: inout [MetadataViolation]) {
    if let uuid {
      if !uuid.isWellFormed { found.append(.malformedUUID(uuid.rawValue)) }
    } else if formatVersion > .v1 {
      found.append(.missingUUID)
    }
    if location.isEmpty { found.append(.emptyLocation) }
    if lastUpdatedMilliseconds < 0 {
      found.append(.negativeTime(of: "the last update", lastUpdatedMilliseconds))
    }
    if lastSequenceNumber.rawValue < 0 {
      found.append(.negativeSequenceNumber(nil, lastSequenceNumber))
    }
    if nextRowID < 0 { found.append(.negativeNextRowID(nextRowID)) }
    if formatVersion < .v3, nextRowID != 0 { found.append(.rowLineageBeforeV3) }
  }

  private func checkSchemas(_ found: inout [MetadataViolation]) {
    for schema in schemas {
      for field in schema.allFields {
        if field.id > FieldID.highestForUsers {
          found.append(.reservedFieldID(field.id, schema.id))
        } else if field.id > lastColumnID {
          found.append(.fieldIDAboveLast(field.id, last: lastColumnID, schema.id))
        }
        let needed = field.type.primitive?.firstVersion ?? .v1
        if needed > formatVersion || (field.initialDefault != nil && formatVersion < .v3) {
          found.append(.typeNeedsNewerVersion(field.id, schema.id))
        }
      }
    }
  }

  private func checkSpecs(_ found: inout [MetadataViolation]) {
    for spec in partitionSpecs {
      for field in spec.fields {
        if field.fieldID > lastPartitionFieldID {
          found.append(
            .partitionFieldIDAboveLast(field.fieldID, last: lastPartitionFieldID, spec.id))
        } else if field.fieldID <= Self.partitionFieldIDBase {
          found.append(.partitionFieldIDTooLow(field.fieldID, spec.id))
        }
      }
    }
    for field in defaultPartitionSpec.fields where field.transform != .void {
      for id in field.sourceIDs where currentSchema.field(id) == nil {
        found.append(.missingPartitionSource(id, defaultPartitionSpecID))
      }
    }
    for field in defaultSortOrder.fields where field.transform != .void {
      for id in field.sourceIDs where currentSchema.field(id) == nil {
        found.append(.missingSortSource(id, defaultSortOrderID))
      }
    }
  }

  private func checkSnapshots(_ found: inout [MetadataViolation]) {
    let known = Set(schemaDocuments.map(\.value.id))
    for snapshot in snapshots {
      let id = snapshot.id
      if id.rawValue <= 0 { found.append(.nonPositiveSnapshotID(id)) }
      if snapshot.timestampMilliseconds < 0 {
        found.append(
          .negativeTime(of: "snapshot \(id.rawValue)", snapshot.timestampMilliseconds))
      }
      if snapshot.sequenceNumber.rawValue < 0 {
        found.append(.negativeSequenceNumber(id, snapshot.sequenceNumber))
      }
      if snapshot.sequenceNumber > lastSequenceNumber {
        found.append(
          .sequenceNumberAhead(id, snapshot.sequenceNumber, last: lastSequenceNumber))
      }
      if let schemaID = snapshot.schemaID, !known.contains(schemaID) {
        found.append(.unknownSchema(schemaID, of: id))
      }
      checkVersion(of: snapshot, &found)
    }
  }

  /// What later versions ask of a snapshot; those made before an upgrade have sequence number 0.
  private func checkVersion(of snapshot: Snapshot, _ found: inout [MetadataViolation]) {
    if formatVersion > .v1, snapshot.sequenceNumber.rawValue > 0 {
      if snapshot.manifestList == nil { found.append(.missingManifestList(snapshot.id)) }
      if snapshot.operation == nil { found.append(.missingSummary(snapshot.id)) }
    }
    guard let lineage = snapshot.rowLineage else { return }
    let (end, overflow) = lineage.firstRowID.addingReportingOverflow(lineage.addedRowCount)
    if lineage.firstRowID < 0 || lineage.addedRowCount < 0 || overflow || end > nextRowID {
      found.append(.rowIDsAhead(snapshot.id, next: nextRowID))
    }
  }

  /// Finds cycles of parents, and children that are not newer, each snapshot visited once.
  private func checkAncestry(_ found: inout [MetadataViolation]) {
    var settled: Set<SnapshotID> = []
    for start in snapshots where !settled.contains(start.id) {
      var path: Set<SnapshotID> = []
      var next: Snapshot? = start
      while let snapshot = next, !settled.contains(snapshot.id) {
        guard path.insert(snapshot.id).inserted else {
          found.append(.parentCycle(snapshot.id))
          break
        }
        let parent = snapshot.parentID.flatMap { self.snapshot($0) }
        if let parent, snapshot.sequenceNumber.rawValue > 0,
          snapshot.sequenceNumber <= parent.sequenceNumber
        {
          found.append(.sequenceNumberNotAboveParent(snapshot.id))
        }
        next = parent
      }
      settled.formUnion(path)
    }
  }

  private func checkLogs(_ found: inout [MetadataViolation]) {
    var last = Int64.min
    for entry in snapshotLog {
      if !entry.timestampMilliseconds.isNotBefore(last) { found.append(.logEntryOutOfOrder(entry)) }
      last = entry.timestampMilliseconds
    }
    if !lastUpdatedMilliseconds.isNotBefore(last) {
      found.append(.updatedBeforeLog(lastUpdated: lastUpdatedMilliseconds, log: last))
    }
    last = .min
    for entry in metadataLog {
      if !entry.timestampMilliseconds.isNotBefore(last) {
        found.append(.metadataLogOutOfOrder(entry))
      }
      last = entry.timestampMilliseconds
    }
    if !lastUpdatedMilliseconds.isNotBefore(last) {
      found.append(.updatedBeforeLog(lastUpdated: lastUpdatedMilliseconds, log: last))
    }
  }

  private func checkStatistics(_ found: inout [MetadataViolation]) {
    for file in statistics {
      if !snapshots.contains(file.snapshotID) {
        found.append(.statisticsOfUnknownSnapshot(file.snapshotID, path: file.path))
      }
      for size in [file.byteCount, file.footerByteCount] where size < 0 {
        found.append(.negativeSize(path: file.path, size))
      }
    }
    for file in partitionStatistics {
      if !snapshots.contains(file.snapshotID) {
        found.append(.statisticsOfUnknownSnapshot(file.snapshotID, path: file.path))
      }
      if file.byteCount < 0 { found.append(.negativeSize(path: file.path, file.byteCount)) }
    }
  }
}
